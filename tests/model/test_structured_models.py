"""Covariance structures in PyMC: the law of the prior, the density, its gradient, starts and the evidence, by SciPy."""

import arviz as az
import numpy as np
import pymc as pm
import pytensor
import pytest
from scipy import stats
from scipy.linalg import helmert
from scipy.special import gammaln, logsumexp

import bayesmix as bm
import naive
from bayesmix.compiled.log_posterior import INTERPRETED
from bayesmix.mixture.simulate import prior_draws
from bayesmix.mixture.spec import bind
from bayesmix.model.build import build, graph

TURNED = ["EVE", "VVE", "EEV", "VEV"]
STRUCTURES = ["VEI", "EVI", "VEE", "EVV", *TURNED]
SOME = [name if name in ("EVV", "VEV") else pytest.param(name, marks=pytest.mark.thorough) for name in STRUCTURES]
MORE_CASES = [*((name, 2) for name in STRUCTURES if name != "VEE"), ("VEE", 3), ("VEV", 3)]


def rows(rng, d, n=25):
    return bm.Data(rng.normal(size=(n, d)) * np.arange(1, d + 1) + 1)


def resolved(name, data, K=2):
    return bm.resolve(bm.Mixture("gaussian", n_components=K, covariance=name), data)


def prior_covariances(spec, name, d, K, n, rng):
    """Covariances (n, K, d, d) of the documented prior, one draw at a time."""
    priors = {v: prior.parameters for v, prior in spec.priors.items()}
    many = {"E": 1, "V": K, "I": 1}
    volume, shape, orientation = (many[c] for c in name)
    turned = name in TURNED
    out = []
    for _ in range(n):
        sizes = stats.invgamma(2, scale=priors["scales"]["beta"]).rvs(volume, random_state=rng)
        log_ratios = rng.normal(priors["shapes"]["mu"], priors["shapes"]["sigma"], (shape, d))
        S = []
        turns = [turn(name, d, rng) for _ in range(orientation)]
        for k in range(K):
            ratios = np.exp(log_ratios[k % shape] - log_ratios[k % shape].mean())
            R = turns[k % orientation]
            one = R @ np.diag(ratios**2) @ R.T if turned else np.diag(ratios) @ R @ np.diag(ratios)
            S.append(sizes[k % volume] ** 2 * one / np.linalg.det(R @ R.T if turned else R) ** (1 / d))
        out.append(S)
    return np.array(out)


def turn(name, d, rng):
    """A rotation, or a matrix of correlations."""
    if name in TURNED:
        return stats.ortho_group.rvs(d, random_state=rng)
    if name[2] == "I":
        return np.eye(d)
    b = 1 + (d - np.tril_indices(d, k=-1)[1]) / 2
    return naive.correlation_matrix(2 * stats.beta(b, b).rvs(len(b), random_state=rng) - 1, d)


@pytest.mark.parametrize(
    ("name", "d"),
    [("VEE", 2), ("EVE", 3), *(pytest.param(*case, marks=pytest.mark.thorough) for case in MORE_CASES)],
)
def test_covariances_have_the_documented_prior(rng, name, d):
    """Every entry of log-matrices, and how alike the components are, by two-sample tests."""
    n = 600
    spec = resolved(name, rows(rng, d))
    model = build(spec, rows(rng, d))
    found = pm.draw(model["covariances"], n, random_seed=1, mode=INTERPRETED)
    expected = prior_covariances(spec, name, d, 2, n, rng)
    assert_same_law(found, expected)


@pytest.mark.parametrize("name", STRUCTURES)
def test_simulated_parameters_have_the_documented_prior(rng, name):
    """What calibration and prior predictive data sets are drawn from: it has no PyMC in it."""
    n, d = 600, 3
    spec = resolved(name, rows(rng, d))
    found = prior_draws(spec, rows(rng, d), n, seed=2)["covariances"]
    assert_same_law(found, prior_covariances(spec, name, d, 2, n, rng))


def assert_same_law(found, expected):
    def numbers(S):
        log_det = np.linalg.slogdet(S)[1]
        unit = S / np.exp(log_det / S.shape[-1])[..., None, None]
        sd = np.sqrt(np.einsum("skjj->skj", S))
        correlations = (S / (sd[..., :, None] * sd[..., None, :]))[:, 0][:, *np.tril_indices(S.shape[-1], k=-1)]
        values = np.log(np.linalg.eigvalsh(unit))
        between = np.linalg.eigvals(np.linalg.solve(S[:, 0], S[:, 1])).real
        return np.column_stack(
            [log_det, np.log(sd[:, 0]), correlations, values[:, 0], np.log(np.sort(between, axis=1))]
        )

    for a, b in zip(numbers(found).T, numbers(expected).T, strict=True):
        if np.ptp(a) > 1e-8 or np.ptp(b) > 1e-8:
            assert stats.ks_2samp(a, b).pvalue > 1e-4


def interpreted(model, outputs):
    return pytensor.function(model.value_vars, outputs, mode=INTERPRETED, on_unused_input="ignore")


def points(model, n, rng):
    at = model.initial_point()
    return [{v: a + 0.5 * rng.normal(size=np.shape(a)) for v, a in at.items()} for _ in range(n)]


@pytest.mark.parametrize("name", SOME)
def test_log_posterior_and_its_gradient(rng, name):
    """Prior densities by SciPy, covariances by QR and by formula, the gradient by differences."""
    d, K = 3, 2
    data = rows(rng, d)
    spec = resolved(name, data, K)
    model = build(spec, data)
    lp = model.logp()
    density = interpreted(model, [lp, *pytensor.gradient.grad(lp, model.value_vars)])
    for y in points(model, 2, rng):
        value, *gradient = density(**y)
        assert value == pytest.approx(by_hand(y, spec, name, data, K), rel=1e-9)
        for v, g in zip(y, gradient, strict=True):
            for where in np.ndindex(np.shape(y[v])):
                e = np.zeros(np.shape(y[v]))
                e[where] = 1e-5
                up, down = (density(**(y | {v: y[v] + s * e}))[0] for s in (1, -1))
                assert g[where] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-5 * (1 + abs(value)))


def by_hand(y, spec, name, data, K):
    d = data.n_features
    priors = {v: prior.parameters for v, prior in spec.priors.items()}
    weights, jacobian = naive.simplex(y["weights_simplex__"])
    lp = stats.dirichlet(priors["weights"]["a"]).logpdf(weights) + jacobian
    lp += naive.prior_log_density(spec.priors["means"], y["means"])
    sizes = np.atleast_1d(np.exp(y["scales_log__"]))
    lp += naive.prior_log_density(spec.priors["scales"], sizes) + np.log(sizes).sum()
    z = np.atleast_2d(y["shape_contrasts"])
    lp += stats.norm.logpdf(z).sum()
    ratios = np.exp(priors["shapes"]["mu"] + priors["shapes"]["sigma"] * z @ helmert(d))
    if name in TURNED:
        x = y["directions"].reshape(-1, d - 1, d)
        turns, parts = zip(*(np.linalg.qr(own.T, mode="complete") for own in x), strict=True)
        left = np.abs([np.diag(R) for R in parts])
        m = np.arange(d, 1, -1)
        area = np.log(2) + m / 2 * np.log(np.pi) - gammaln(m / 2) + (m - 1) * np.log(left)
        lp += (stats.chi(m + 16).logpdf(left) - area).sum()
        lp += sum(stats.norm.logpdf(R[np.triu_indices(d - 1, 1)]).sum() for R in parts)
        turned = [D @ np.diag(ratios[k % len(ratios)] ** 2) @ D.T for k, D in of_each(turns, K)]
    else:
        R = [np.eye(d)]
        if "partial_correlations_01_logodds__" in y:
            found = [naive.correlations(own, d) for own in np.atleast_2d(y["partial_correlations_01_logodds__"])]
            lp += sum(naive.lkj_log_density(R, float(priors["correlations"]["eta"])) + j for R, j in found)
            R = [own for own, _ in found]
        diagonals = [np.diag(ratios[k % len(ratios)]) for k in range(K)]
        turned = [diagonals[k] @ own @ diagonals[k] / np.linalg.det(own) ** (1 / d) for k, own in of_each(R, K)]
    covariances = [sizes[k % len(sizes)] ** 2 * S for k, S in enumerate(turned)]
    joint = naive.gaussian_log_joint(data.x, weights, y["means"], covariances, np.zeros((len(data), K)))
    return lp + naive.total(joint)


def of_each(shared, K):
    """(component, its own of these or the one of all)."""
    return [(k, shared[k % len(shared)]) for k in range(K)]


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("d", [2, 4])
def test_starts_give_the_parameters_they_are_for(rng, name, d):
    data = rows(rng, d)
    spec = resolved(name, data, 3)
    params = naive.random_gaussian(rng, 3, d, name)
    model, start = build(spec, data), graph(bind(spec, data)).start(params)
    given = {rv.name: rv.type() for rv in model.free_RVs}
    assert set(start) == set(given)
    named = bind(spec, data).named(params)
    names = [v for v in named if v in model.named_vars]
    outputs = pytensor.graph.replace.graph_replace(
        [model[v] for v in names], {rv: given[rv.name] for rv in model.free_RVs}, strict=False
    )
    values = pytensor.function(list(given.values()), outputs, mode=INTERPRETED)(*[start[v] for v in given])
    assert set(named) == set(names)
    for v, value in zip(names, values, strict=True):
        np.testing.assert_allclose(value, named[v], rtol=1e-8, atol=1e-10)


def test_priors_that_axes_or_features_cannot_have_are_refused(rng):
    data = rows(rng, 2)
    spec = bm.Mixture("gaussian", n_components=2, covariance="VEV")
    for prior, rule in (
        (bm.Prior("InverseGamma", alpha=2, beta=1), "'shapes' needs a LogNormal prior"),
        (bm.Prior("LogNormal", mu=[0.0, 1.0], sigma=1), "one sigma for all axes, and one mu"),
        (bm.Prior("LogNormal", mu=0, sigma=[1.0, 2.0]), "one sigma for all axes"),
    ):
        with pytest.raises(ValueError, match=rule):
            build(spec.replace(priors={"shapes": prior}), data)


@pytest.mark.thorough
def test_evidence_counts_the_copies_of_the_axes():
    """One component, for which EVE and VEV are one model: the mean likelihood of 400,000 draws of the prior."""
    rng = np.random.default_rng(3)
    data = bm.Data(rng.normal(size=(8, 2)) @ np.array([[1.5, 0.6], [0, 0.5]]))
    spec = resolved("EVE", data, 1)
    S = 400_000
    priors = {v: prior.parameters for v, prior in spec.priors.items()}
    means = rng.normal(priors["means"]["mu"], priors["means"]["sigma"], (S, 2))
    sizes = stats.invgamma(2, scale=priors["scales"]["beta"]).rvs(S, random_state=rng)
    u = rng.normal(0, priors["shapes"]["sigma"], (S, 2))
    sd = sizes[:, None] * np.exp(u - u.mean(axis=1, keepdims=True))
    D = stats.ortho_group.rvs(2, S, random_state=rng)
    log_likelihood = np.zeros(S)
    for x in data.x:
        log_likelihood += stats.norm.logpdf(np.einsum("sij,si->sj", D, x - means), 0, sd).sum(axis=1)
    expected = logsumexp(log_likelihood) - np.log(S)
    error = np.exp(log_likelihood - logsumexp(log_likelihood)).std() * np.sqrt(S)
    fits = [bm.sample(resolved(c, data, 1), data, progress=False, sampler="nuts") for c in ("EVE", "VEV")]
    for dt in fits:
        found = bm.log_evidence(dt)
        assert found.established
        assert abs(found.value - expected) < 3 * np.hypot(error, found.standard_error)
        assert not dt["sample_stats"]["diverging"].any()
    entries = [dt["posterior"]["covariance_entries"] for dt in fits]
    mcse = [az.mcse(dt, var_names=["covariance_entries"])["covariance_entries"] for dt in fits]
    difference = entries[0].mean(("chain", "draw")) - entries[1].mean(("chain", "draw"))
    assert (np.abs(difference) < 4 * np.hypot(*mcse)).all()
