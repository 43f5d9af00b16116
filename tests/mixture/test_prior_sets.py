"""Priors by name: the published numbers, what goes before them, where there are none; PyMC's densities of them."""

import warnings

import numpy as np
import pymc as pm
import pytest
from scipy import integrate, stats

import bayesmix as bm
from bayesmix.families.prior_sets import prior_set
from bayesmix.inputs.distributions import draw, log_density
from bayesmix.mixture.spec import resolved
from bayesmix.model.build import graph, model_of
from bayesmix.report.priors import central95

X = np.array([1.0, 2.5, 3.0, 4.5, 9.0, 10.0, 11.0, 21.0])
"""Range 20, midrange 11, median 6.75."""


def spec(priors, family="gaussian", K=3, **more):
    return bm.Mixture(family, n_components=K, priors=priors, **more)


def test_richardson_and_green():
    found = bm.resolve(spec("richardson-green"), bm.Data(X)).priors
    assert found["means"] == bm.Prior("Normal", mu=11, sigma=20)
    assert found["scales"] == bm.Prior("PooledScales", alpha=2, level_shape=0.2, level_rate=10 / 400)
    assert found["weights"] == bm.Prior("Dirichlet", a=1)


def test_fms_of_measurements():
    """c0 = 2.5, g0 = .5, G0 = 100 g0 / (c0 R^2): 20 / R^2 in one dimension."""
    found = bm.resolve(spec("fms-2021"), bm.Data(X)).priors
    assert found["means"] == bm.Prior("Normal", mu=[6.75], sigma=[20])
    assert found["scales"] == bm.Prior("PooledScales", alpha=2.5, level_shape=0.5, level_rate=20 / 400)
    assert found["weights"] == bm.Prior("DynamicDirichlet", df1=6, df2=3)
    two = bm.Data(np.column_stack([X, X[::-1] / 10]))
    assert bm.resolve(spec("fms-2021", covariance="diag"), two).priors["scales"].parameters["level_rate"] == (
        pytest.approx([20 / 400, 20 / 4])
    )


def test_fms_of_counts():
    """Rates Gamma(.1, b0), b0 ~ Gamma(h0, h0 mean / a0): a b0 of .1 / mean on average."""
    found = bm.resolve(spec("fms-2021", "poisson"), bm.Data([0, 1, 3, 8])).priors["rates"]
    assert found == bm.Prior("PooledRates", alpha=0.1, level_shape=0.5, level_rate=[15.0])


def test_fms_of_answers():
    found = bm.resolve(spec("fms-2021", "bernoulli", 2), bm.Data(np.array([[0, 1], [1, 1], [1, 0]]))).priors
    assert found["probs"] == bm.Prior("Beta", alpha=1, beta=1)
    assert found["weights"].distribution == "DynamicDirichlet"


def test_resolving_again_changes_nothing_and_says_where_priors_are_from():
    once = bm.resolve(spec("richardson-green"), bm.Data(X))
    assert bm.resolve(once, bm.Data(X)) == once
    assert once.prior_set == "richardson-green"
    assert bm.resolve(once, bm.Data(X * 7)) == once
    other = once.replace(priors="fms-2021")
    assert (other.priors, other.prior_set) == ({}, "fms-2021")


def test_two_sets_at_once_are_refused():
    words = "prior_set: priors are those of 'fms-2021' already; got 'richardson-green'"
    with pytest.raises(ValueError, match=words):
        spec("fms-2021", prior_set="richardson-green")
    with pytest.raises(ValueError, match=words):
        spec(None).replace(priors="fms-2021", prior_set="richardson-green")
    assert spec("fms-2021", prior_set="fms-2021") == spec("fms-2021")


def test_the_users_own_priors_go_before_those_of_the_set():
    own = bm.Prior("Normal", mu=0, sigma=1)
    mixed = spec({"means": own}, prior_set="richardson-green")
    found = bm.resolve(mixed, bm.Data(X)).priors
    assert found["means"] == own
    assert found["scales"].distribution == "PooledScales"


def test_what_is_known_has_no_prior_of_the_set():
    known = spec("richardson-green", covariance="spherical", fixed={"scales": 1.0})
    assert "PooledScales" not in str(bm.resolve(known, bm.Data(X)).priors)


def test_what_is_known_of_some_components_has_the_prior_of_the_set():
    some = bm.resolve(spec("richardson-green", fixed={"means": {"component_1": 2.0}}), bm.Data(X))
    assert some.priors["means"] == bm.Prior("Normal", mu=11, sigma=20)
    pooled = spec("richardson-green", fixed={"scales": {"component_1": 2.0}})
    with pytest.raises(ValueError, match="scales"):
        bm.build(pooled, bm.Data(X))


@pytest.mark.parametrize(
    ("name", "family"), [("richardson-green", "gaussian"), ("fms-2021", "gaussian"), ("fms-2021", "poisson")]
)
def test_rows_without_weight_do_not_scale_a_set(name, family):
    x = np.array([1.0, 3.0, 4.0, 9.0])
    weighted = bm.Data(np.r_[x, 900.0], row_weights=[1, 1, 1, 1, 0])
    assert prior_set(name, family, {"covariance": "full"}, weighted) == prior_set(
        name, family, {"covariance": "full"}, bm.Data(x)
    )


@pytest.mark.parametrize(
    ("name", "family", "data", "covariance", "words"),
    [
        ("weak", "gaussian", X, "full", "priors: 'weak' has none for gaussian mixtures; there are 'richardson-green'"),
        ("richardson-green", "poisson", [0, 1, 2], None, "'richardson-green' has none for poisson mixtures"),
        ("richardson-green", "gaussian", np.column_stack([X, X**2]), "full", "of one column; the data have 2"),
        ("fms-2021", "gaussian", np.column_stack([X, X**2]), "full", "several with covariance='diag'; got 'full'"),
    ],
)
def test_where_there_are_none(name, family, data, covariance, words):
    options = {} if covariance is None else {"covariance": covariance}
    with pytest.raises(ValueError, match=words):
        bm.resolve(spec(name, family, 2, **options), bm.Data(data))


def test_pooled_priors_need_components_that_have_their_own():
    two = bm.Data(np.column_stack([X, X[::-1]]))
    pooled = {"scales": bm.Prior("PooledScales", alpha=2, level_shape=1, level_rate=1)}
    with pytest.raises(ValueError, match="of components together; here all share theirs"):
        bm.resolve(spec(pooled, covariance="tied"), two)


def test_a_level_of_one_scale_that_all_share(rng):
    """C ~ Gamma(0.2, rate) integrated out of v ~ InverseGamma(2, C) by quadrature; and draws, by their quantiles."""
    likelihood = resolved(spec("richardson-green", covariance="EII"), bm.Data(X))
    model, prior = model_of(graph(likelihood)), likelihood.spec.priors["scales"]
    sigma, level = 1.7, stats.gamma(0.2, scale=400 / 10)

    def density(u):  # C = u^5: the density of C has a pole at 0
        return 5 * u**4 * level.pdf(u**5) * stats.invgamma.pdf(sigma**2, 2, scale=u**5)

    wanted = np.log(integrate.quad(density, 0, 12, points=[1, 2, 3], epsabs=0, limit=200)[0] * 2 * sigma)
    point = {"means": np.zeros((3, 1)), "scales_log__": np.log(sigma), "weights_simplex__": np.zeros(2)}
    assert model.compile_logp(vars=[model["scales"]], jacobian=False)(point) == pytest.approx(wanted, rel=1e-6)
    assert log_density(prior, np.array([sigma])) == pytest.approx([wanted], rel=1e-6)
    ours, pymc = draw(prior, (20_000,), rng), pm.draw(model["scales"], 20_000, random_seed=1)
    by_hand = np.sqrt(stats.invgamma.rvs(2, size=20_000, random_state=rng) * level.rvs(20_000, random_state=rng))
    for drawn in (ours, pymc):
        assert drawn.shape == (20_000,)
        assert stats.ks_2samp(drawn, by_hand).pvalue > 1e-4


@pytest.mark.parametrize("covariance", ["tied", "spherical", "EII", "VEI"])
def test_one_column_has_one_level_whatever_the_kind(covariance):
    """In one column the kinds are two, components with one scale and with their own; so are the models."""
    other = "tied" if covariance in ("tied", "EII") else "full"
    found = []
    for kind in (covariance, other):
        model = bm.build(spec("fms-2021", covariance=kind), bm.Data(X))
        point = model.initial_point()
        found.append(
            model.compile_logp(mode="FAST_COMPILE")(
                {v: np.linspace(-0.5, 0.5, p.size).reshape(p.shape) for v, p in point.items()}
            )
        )
    assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_pymc_has_the_densities(family, rng):
    """Of the free variables at a point, against NumPy's, whose densities tests/inputs has against quadrature."""
    rows = np.column_stack([X, X[::-1] / 10])
    data = bm.Data(rows if family == "gaussian" else np.array([[0, 3], [4, 1], [9, 2], [2, 2]]))
    options = {"covariance": "diag"} if family == "gaussian" else {}
    likelihood = resolved(spec("fms-2021", family, **options), data)
    model, priors = model_of(graph(likelihood)), likelihood.spec.priors
    pooled = "scales" if family == "gaussian" else "rates"
    value, w = rng.gamma(2.0, 1.0, (3, 2)), np.array([0.7, 0.2, 0.1])
    log_w = np.log(w)
    point = {f"{pooled}_log__": np.log(value), "weights_simplex__": log_w[:-1] - log_w.mean()}
    point |= {"means": rng.normal(size=(3, 2))} if family == "gaussian" else {}
    ours = model.compile_logp(vars=[model[pooled]], jacobian=False)(point)
    assert ours == pytest.approx(log_density(priors[pooled], value[None]).sum(), rel=1e-9)
    weights = model.compile_logp(vars=[model["weights"]], jacobian=False)(point)
    assert weights == pytest.approx(float(log_density(priors["weights"], w)), rel=1e-9)


def test_ties_that_a_common_level_bears(recwarn):
    """Two components: variances vanish like v^1.2, log-variances like v^2.2, and m ties weigh v^(-(m-1)/2)."""
    bm.resolve(spec("richardson-green", K=2), bm.Data(np.r_[X, np.full(3, 3.0)]))
    assert not recwarn
    with pytest.warns(UserWarning, match="do not vanish at 0, and 6 rows tie at x = 3"):
        bm.resolve(spec("richardson-green", K=2), bm.Data(np.r_[X, np.full(5, 3.0)]))


def test_ties_at_the_bound_itself():
    """v^(2.5 + 0.5) dlog v against v^(-(7 - 1) / 2): the integral diverges as log v does."""
    tied = [bm.Data(np.r_[X, np.full(n, 3.0)]) for n in (5, 6)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bm.resolve(spec("fms-2021", K=2), tied[0])
    with pytest.warns(UserWarning, match="do not vanish at 0, and 7 rows tie at x = 3"):
        bm.resolve(spec("fms-2021", K=2), tied[1])


def test_intervals_in_reports(rng):
    """Of a weight whose concentration is drawn too, and of a rate whose level is, by SciPy's draws."""
    a = stats.f(6, 3).rvs(200_000, random_state=rng)
    w, rates = rng.beta(a / 3, 2 * a / 3), rng.gamma(0.8, 1 / rng.gamma(1.5, 1 / 2.0, 200_000))
    pooled = {"alpha": 0.8, "level_shape": 1.5, "level_rate": 2.0}
    for prior, drawn, size in (
        (bm.Prior("DynamicDirichlet", df1=6, df2=3), w, 3),
        (bm.Prior("PooledRates", **pooled), rates, 1),
    ):
        where = {name: float(value) for name, value in prior.parameters.items()}
        low, high = central95(prior, where, size=size, total=0)
        assert [(drawn < low).mean(), (drawn > high).mean()] == pytest.approx([0.025, 0.025], abs=0.002)
    assert central95(bm.Prior("DynamicDirichlet", df1=6, df2=3), {}, size=1, total=0).tolist() == [1, 1]
