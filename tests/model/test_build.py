"""The PyMC model against SciPy, and against everything that PyMC does with a model.

Graphs are interpreted wherever that serves: nothing to compile.
"""

import arviz as az
import numpy as np
import pymc as pm
import pytensor
import pytest
import xarray as xr
from pytensor.graph.replace import vectorize_graph
from scipy import stats
from scipy.special import expit

import bayesmix as bm
import naive
from bayesmix.compiled.log_posterior import INTERPRETED
from bayesmix.em.fit_starts import fit_starts
from bayesmix.em.posterior_mode import map_fit
from bayesmix.inputs.pairs import correlation_matrices
from bayesmix.inputs.prior import SHAPES
from bayesmix.mixture.spec import bind, resolve
from bayesmix.model.build import build, graph
from bayesmix.model.variables import random_variable
from bayesmix.sampling.nutpie import data_groups

FORWARD = {"compile_kwargs": {"mode": INTERPRETED}, "random_seed": 7}


def interpreted(model, *, jacobian=True, gradient=False):
    """The log-posterior (and its gradient) as a function of a dict of unconstrained values."""
    lp = model.logp(jacobian=jacobian)
    outputs = [lp, *pytensor.gradient.grad(lp, model.value_vars)] if gradient else lp
    return pytensor.function(model.value_vars, outputs, mode=INTERPRETED)


def log_posteriors(model, ys):
    """The log-posterior at many points, dicts of unconstrained values, in one call of a vectorized graph."""
    stacked = {v: v.type.clone(shape=(None, *v.type.shape))(name=v.name) for v in model.value_vars}
    lp = vectorize_graph(model.logp(), stacked)
    f = pytensor.function(list(stacked.values()), lp, mode=INTERPRETED)
    return f(**{v.name: np.stack([y[v.name] for y in ys]) for v in stacked})


def points(model, n, rng, centre=()):
    """Random unconstrained values, spread around ``centre`` or PyMC's initial point."""
    at = model.initial_point() | dict(centre)
    spread = {"means": 1.5, "means_ordered__": 1.0}
    return [{v: a + spread.get(v, 0.7) * rng.normal(size=np.shape(a)) for v, a in at.items()} for _ in range(n)]


def mixed(rng, d, n=40):
    """Rows with labels, sets, nothing, and weights."""
    labels = (["a", None, {"a", "b"}, None, "b"] * n)[:n]
    return bm.Data(rng.normal(size=(n, d)) * 2 + 1, labels, classes=["a", "b"], row_weights=rng.uniform(0.2, 2, n))


def plain(rng, d, n=40):
    return bm.Data(rng.normal(size=(n, d)) * 2 + 1)


CASES = {
    "full, 2-D": (lambda: bm.Mixture("gaussian", n_components=2), plain, 2),
    "full, 4-D, labels and weights": (lambda: bm.Mixture("gaussian", n_components=3), mixed, 4),
    "tied, 3-D": (lambda: bm.Mixture("gaussian", n_components=2, covariance="tied"), mixed, 3),
    "diag, 2-D": (lambda: bm.Mixture("gaussian", n_components=3, covariance="diag"), mixed, 2),
    "spherical, 2-D": (lambda: bm.Mixture("gaussian", n_components=3, covariance="spherical"), plain, 2),
    "1-D": (lambda: bm.Mixture("gaussian", n_components=3), mixed, 1),
    "1-D, ordered": (lambda: bm.Mixture("gaussian", n_components=3, order="means"), plain, 1),
    "one component": (lambda: bm.Mixture("gaussian", n_components=1), plain, 2),
    "other priors": (
        lambda: bm.Mixture(
            "gaussian",
            n_components=2,
            priors={
                "weights": bm.Prior("Dirichlet", a=[3, 1.5]),
                "means": bm.Prior("StudentT", nu=4, mu=[[0, 1], [2, 3]], sigma=[2, 3]),
                "scales": bm.Prior("LogNormal", mu=[[0], [1]], sigma=0.5),
                "correlations": bm.Prior("LKJ", eta=1.3),
            },
        ),
        plain,
        2,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_gaussian_log_posterior_at_a_thousand_points(rng, case):
    spec, make, d = CASES[case]
    data = make(rng, d)
    spec = resolve(spec(), data)
    model = build(spec, data)
    evidence = data.evidence(bind(spec, data).components)
    ys = points(model, 1000, rng)
    for y, value in zip(ys, log_posteriors(model, ys), strict=True):
        expected = naive.gaussian_log_posterior(
            y, spec.priors, data.x, evidence, data.row_weights, spec.options["covariance"]
        )
        assert abs(value - expected) < 1e-10 * (1 + abs(expected))


def zip_regression(rng, n=80):
    import pandas as pd

    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    frame["y"] = np.where(rng.random(n) < 0.3, 0, rng.poisson(3, n))
    labels = [("structural_zero" if y == 0 else "poisson") if i % 5 == 0 else None for i, y in enumerate(frame["y"])]
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + a + b", zero="1 + a")
    return spec, bm.Data(frame, labels, response="y", row_weights=rng.uniform(0.2, 2, n)), frame


def test_zip_log_posterior_at_a_thousand_points(rng):
    spec, data, frame = zip_regression(rng)
    spec = resolve(spec, data)
    model = build(spec, data)
    F = np.column_stack([np.ones(80), frame["a"], frame["b"]])
    designs = {"rate_coef": F, "zero_coef": F[:, :2]}
    R = {v: naive.coordinates(X, data.row_weights) for v, X in designs.items()}
    evidence = data.evidence(("structural_zero", "poisson"))
    ys = points(model, 1000, rng)
    for y, value in zip(ys, log_posteriors(model, ys), strict=True):
        expected = naive.zip_log_posterior(
            y, spec.priors, frame["y"].to_numpy(), designs, R, evidence, data.row_weights
        )
        assert abs(value - expected) < 1e-10 * (1 + abs(expected))


def test_the_compiled_log_posterior_of_old_faithful(rng, faithful, faithful_compiled):
    """As nutpie sees it, at 1,000 points around the data."""
    spec, data = faithful
    spec = resolve(spec, data)
    model, compiled = faithful_compiled.model, faithful_compiled
    priors, zero = spec.priors, np.zeros((len(data), 2))
    names = [v.name for v in model.value_vars]
    centre = compiled.start({"means": data.x[[0, 1]], "scales": np.tile(data.x.std(axis=0), (2, 1))})
    for _ in range(1000):
        x = centre + 0.5 * rng.normal(size=compiled.n_dim)
        y = dict(zip(names, compiled._split(x), strict=True))
        expected = naive.gaussian_log_posterior(y, priors, data.x, zero, 1.0, "full")
        value, gradient = compiled.log_density(x)
        assert abs(value - expected) < 1e-10 * (1 + abs(expected))
        assert np.isfinite(gradient).all()


def test_the_compiled_gradient_of_old_faithful(rng, faithful_compiled):
    compiled = faithful_compiled
    for _ in range(5):
        x = compiled.start({"means": np.array([[2.0, 55], [4, 80]])}) + 0.3 * rng.normal(size=compiled.n_dim)
        for jacobian in (True, False):
            value, gradient = compiled.log_density(x, jacobian=jacobian)
            numeric = [
                (compiled.log_density(x + e, jacobian=jacobian)[0] - compiled.log_density(x - e, jacobian=jacobian)[0])
                / 2e-5
                for e in np.eye(compiled.n_dim) * 1e-5
            ]
            np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6 * (1 + abs(value)))


@pytest.mark.parametrize("case", CASES)
def test_gradient_by_finite_differences(rng, case):
    spec, make, d = CASES[case]
    model = build(spec(), make(rng, d))
    value_and_gradient = interpreted(model, gradient=True)
    for y in points(model, 3, rng):
        value, *gradient = value_and_gradient(**y)
        for name, g in zip(y, gradient, strict=True):
            for where in np.ndindex(y[name].shape):
                e = np.zeros(y[name].shape)
                e[where] = 1e-5
                up, down = (value_and_gradient(**(y | {name: y[name] + s * e}))[0] for s in (1, -1))
                assert g[where] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-5 * (1 + abs(value)))


def test_value_names_are_in_the_order_of_the_gradient(faithful_model):
    assert list(faithful_model.initial_point()) == [v.name for v in faithful_model.value_vars]


def test_permuting_components_with_evidence_and_priors_changes_nothing(rng):
    x = rng.normal(size=(60, 2)) * 3
    permutation = np.array([2, 0, 1])
    names = np.array(["a", "b", "c"])
    labels = [names[i % 3] if i % 4 == 0 else None for i in range(60)]
    moved = [None if c is None else names[list(permutation).index(list(names).index(c))] for c in labels]
    priors = {
        "weights": np.array([1.0, 2, 3]),
        "means": rng.normal(size=(3, 2)),
        "scales": rng.uniform(1, 3, (3, 1)),
    }

    def model(labels, order):
        spec = bm.Mixture(
            "gaussian",
            n_components=3,
            priors={
                "weights": bm.Prior("Dirichlet", a=priors["weights"][order]),
                "means": bm.Prior("Normal", mu=priors["means"][order], sigma=2),
                "scales": bm.Prior("InverseGamma", alpha=2, beta=priors["scales"][order]),
            },
        )
        return build(spec, bm.Data(x, labels, classes=names))

    here, there = model(labels, np.arange(3)), model(moved, permutation)
    logp, moved_logp = interpreted(here), interpreted(there)
    for y in points(here, 50, rng):
        w, _ = naive.simplex(y["weights_simplex__"])
        log_w = np.log(w[permutation])
        turned = {v: a[permutation] for v, a in y.items() if v != "weights_simplex__"}
        turned["weights_simplex__"] = (log_w - log_w.mean())[:-1]
        L = logp(**y)
        assert abs(L - moved_logp(**turned)) < 1e-12 * (1 + abs(L))


@pytest.mark.parametrize("name", [n for n, s in SHAPES.items() if s.support in ("real", "positive")])
def test_every_prior_is_pymcs_distribution(name):
    prior = bm.Prior(name, **{p: [0.7, 1.9] for p in SHAPES[name].parameters})
    at = np.array([0.3, 2.5])
    with pm.Model(coords={"j": ["u", "v"]}):
        logp = pm.logp(random_variable("theta", prior, dims=("j",)), at)
    value = pytensor.function([], logp, mode=INTERPRETED)()
    expected = [
        naive.prior_log_density(bm.Prior(name, **{p: v[j] for p, v in prior.parameters.items()}), at[j]) for j in (0, 1)
    ]
    # PyMC writes the log 2 of HalfCauchy and HalfStudentT in single precision
    np.testing.assert_allclose(value, expected, rtol=1e-7 if name in ("HalfCauchy", "HalfStudentT") else 1e-10)


def test_a_scalar_concentration_serves_every_component(rng):
    spec = bm.Mixture("gaussian", n_components=3, priors={"weights": bm.Prior("Dirichlet", a=1.5)})
    vector = spec.replace(priors={"weights": bm.Prior("Dirichlet", a=[1.5] * 3)})
    data = plain(rng, 1)
    one, other = build(spec, data), build(vector, data)
    y = one.initial_point()
    assert interpreted(one)(**y) == interpreted(other)(**y)


def test_correlations_are_lkj_draws():
    """Marginals against PyMC's own LKJ draws, and against 2 Beta(b, b) - 1 with b = eta + (d - 2)/2."""
    d, eta, n = 4, 1.5, 1500
    spec = bm.Mixture("gaussian", n_components=1, priors={"correlations": bm.Prior("LKJ", eta=eta)})
    model = build(spec, bm.Data(np.random.default_rng(0).normal(size=(10, d))))
    ours = pm.draw(model["correlations"], n, random_seed=1, mode=INTERPRETED)[:, 0]
    cholesky = pm.draw(pm.LKJCorr.dist(n=d, eta=eta), n, random_seed=2, mode=INTERPRETED)
    theirs = cholesky @ cholesky.transpose(0, 2, 1)
    b = eta + (d - 2) / 2
    for pair, (i, j) in enumerate(zip(*np.tril_indices(d, k=-1), strict=True)):
        assert stats.ks_2samp(ours[:, pair], theirs[:, i, j]).pvalue > 1e-3
        assert stats.kstest((ours[:, pair] + 1) / 2, stats.beta(b, b).cdf).pvalue > 1e-3
    dets = [np.linalg.det(R) for R in (correlation_matrices(ours), theirs)]
    assert stats.ks_2samp(*dets).pvalue > 1e-3


def test_names_dimensions_and_data(faithful_model, faithful):
    model, data = faithful_model, faithful[1]
    assert [v.name for v in model.observed_RVs] == ["x"]
    assert model.named_vars_to_dims["x"] == ("obs", "feature")
    assert model.named_vars_to_dims["covariances"] == ("component", "feature", "feature_bis")
    assert list(model.coords["feature"]) == ["eruptions", "waiting"]
    for name in ("correlations", "partial_correlations_01"):
        assert model.named_vars_to_dims[name] == ("component", "pair")
    assert list(model.coords["pair"]) == ["waiting ~ eruptions"]
    priors = {"weights_a", "means_mu", "means_sigma", "scales_alpha", "scales_beta", "correlations_eta"}
    assert {v.name for v in model.data_vars} == {"x_data", "label_evidence", "row_weights"} | priors
    np.testing.assert_array_equal(model["x_data"].get_value(), data.x)


def prior_draws(model, draws=100):
    return pm.sample_prior_predictive(draws, model=model, **FORWARD)


def test_prior_predictive_draws_are_draws_of_the_mixture(rng):
    """Given each draw's parameters, the means of its rows are N(mean, variance / n): a z-score per draw and class."""
    n = 400
    data = bm.Data(rng.normal(size=(n, 2)), ["a"] * 100 + [None] * 300, classes=["a"])
    tree = prior_draws(build(bm.Mixture("gaussian", n_components=2), data))
    prior = tree["prior"].to_dataset().isel(chain=0)
    x = tree["prior_predictive"]["x"].isel(chain=0).to_numpy()
    w, m, S = (prior[v].to_numpy() for v in ("weights", "means", "covariances"))
    mean = np.einsum("sk,skj->sj", w, m)
    second = np.einsum("sk,skij->sij", w, S) + np.einsum("sk,ski,skj->sij", w, m, m)
    mixture = (x[:, 100:], mean, second - mean[:, :, None] * mean[:, None, :])
    labelled = (x[:, :100], m[:, 0], S[:, 0])
    for rows, centre, cov in (mixture, labelled):
        z = (rows.mean(axis=1) - centre) / np.sqrt(np.einsum("sjj->sj", cov) / rows.shape[1])
        for j in range(2):
            assert stats.kstest(z[:, j], stats.norm.cdf).pvalue > 1e-3


def test_prior_predictive_counts(zip_counts):
    tree = prior_draws(build(*zip_counts))
    prior = tree["prior"].to_dataset().isel(chain=0)
    x = tree["prior_predictive"]["x"].isel(chain=0).to_numpy()
    assert x.dtype == np.int64
    pi, rate = prior["zero_prob"].to_numpy(), prior["rate"].to_numpy()
    np.testing.assert_allclose(rate, np.exp(prior["rate_coef"].to_numpy()[:, 0]))
    np.testing.assert_allclose(pi, expit(prior["zero_coef"].to_numpy()[:, 0]))
    p0 = pi + (1 - pi) * np.exp(-rate)
    zeros = (x == 0).sum(axis=1)
    lower, upper = stats.binom.interval(1 - 1e-4, x.shape[1], p0)
    assert ((zeros >= lower) & (zeros <= upper)).all()


def as_posterior(tree):
    """Prior draws dressed as a posterior: parameter values to evaluate at."""
    return xr.DataTree.from_dict({"posterior": tree["prior"].to_dataset()})


def test_compute_log_likelihood_is_pointwise_and_right(rng):
    data = mixed(rng, 2)
    spec = resolve(bm.Mixture("gaussian", n_components=3), data)
    model = build(spec, data)
    tree = as_posterior(prior_draws(model, 20))
    pm.compute_log_likelihood(tree, model=model, progressbar=False, compile_kwargs={"mode": INTERPRETED})
    found = tree["log_likelihood"]["x"]
    assert found.dims == ("chain", "draw", "obs")
    posterior = tree["posterior"].to_dataset().isel(chain=0)
    for s in range(20):
        params = {v: posterior[v][s].to_numpy() for v in ("weights", "means", "covariances")}
        joint = naive.gaussian_log_joint(data.x, **params, evidence=data.evidence(bind(spec, data).components))
        expected = data.row_weights * np.logaddexp.reduce(joint, axis=1)
        np.testing.assert_allclose(found[0, s], expected, rtol=1e-9)


def test_compute_log_likelihood_and_prior_with_an_order(rng):
    """PyMC finds ordered means again: its own functions against SciPy, draw by draw."""
    data = bm.Data(rng.normal(size=20))
    spec = resolve(bm.Mixture("gaussian", n_components=2, order="means"), data)
    model = build(spec, data)
    given = {"weights": rng.dirichlet([2, 2], (1, 5)), "scales": rng.uniform(0.5, 2, (1, 5, 2, 1))}
    given["means"] = np.sort(rng.normal(size=(1, 5, 2, 1)), axis=2)
    dims = {v: ("chain", "draw", "component", "feature")[: a.ndim] for v, a in given.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({v: (dims[v], a) for v, a in given.items()})})
    settings = {"model": model, "progressbar": False, "compile_kwargs": {"mode": INTERPRETED}}
    found = pm.compute_log_likelihood(tree, **settings)["log_likelihood"]["x"].to_numpy()
    x = data.x[:, 0, None]
    for s in range(5):
        mu, sd = given["means"][0, s, :, 0], given["scales"][0, s, :, 0]
        expected = np.log(stats.norm.pdf(x, mu, sd) @ given["weights"][0, s])
        np.testing.assert_allclose(found[0, s], expected, rtol=1e-9)
    prior = pm.stats.compute_log_prior(tree, **settings)["log_prior"]["means"].to_numpy()
    parameters = spec.priors["means"].parameters
    expected = stats.norm.logpdf(given["means"], parameters["mu"], parameters["sigma"])
    np.testing.assert_allclose(prior.reshape((*expected.shape[:2], -1)).sum(-1), expected.sum((2, 3)), rtol=1e-9)


def test_posterior_predictive_keeps_the_label_evidence(rng):
    x = np.concatenate([rng.normal(-100, 1, 20), rng.normal(100, 1, 20)])
    data = bm.Data(x, ["low"] * 10 + [None] * 20 + ["high"] * 10)
    model = build(bm.Mixture("gaussian", n_components=2), data)
    given = {"weights": [[[0.5, 0.5]]], "means": [[[[100.0], [-100.0]]]], "scales": [[[[1.0], [1.0]]]]}
    draws = {v: np.repeat(a, 50, axis=1) for v, a in given.items()}
    dims = {v: ["component", "feature"][: np.ndim(a) - 2] for v, a in draws.items()}
    posterior = xr.Dataset(
        {v: (("chain", "draw", *dims[v]), a) for v, a in draws.items()},
        coords={"component": ["high", "low"], "feature": ["x"]},
    )
    tree = xr.DataTree.from_dict({"posterior": posterior} | data_groups(model, data))
    new = pm.sample_posterior_predictive(tree, model=model, progressbar=False, **FORWARD)
    sign = np.sign(new["posterior_predictive"]["x"].to_numpy()[0, :, :, 0])
    assert (sign[:, :10] == -1).all()
    assert (sign[:, 30:] == 1).all()
    assert abs((sign[:, 10:30] == 1).mean() - 0.5) < 0.1


def test_do(zip_counts, faithful_model):
    done = pm.do(faithful_model, {"means": np.array([[1000.0, 0], [1000.0, 0]])})
    x = prior_draws(done, 20)["prior_predictive"]["x"]
    assert x.sel(feature="eruptions").mean() == pytest.approx(1000, abs=5)
    done = pm.do(build(*zip_counts), {"zero_coef": np.array([50.0])})
    assert (prior_draws(done, 20)["prior_predictive"]["x"] == 0).all()


def test_set_data_with_another_number_of_rows(rng):
    data, new = plain(rng, 2), mixed(rng, 2, n=25)
    spec = resolve(bm.Mixture("gaussian", n_components=2), data)
    model = build(spec, data)
    logp = interpreted(model)
    evidence = new.evidence(("a", "b"))
    with model:
        pm.set_data(
            {"x_data": new.x, "label_evidence": evidence, "row_weights": new.row_weights},
            coords={"obs": list(new.obs_names)},
        )
    for y in points(model, 5, rng):
        expected = naive.gaussian_log_posterior(y, spec.priors, new.x, evidence, new.row_weights, "full")
        assert logp(**y) == pytest.approx(expected, rel=1e-10)
    assert prior_draws(model, 3)["prior_predictive"]["x"].sizes["obs"] == 25


def test_set_data_of_a_regression(rng):
    spec, data, frame = zip_regression(rng)
    spec = resolve(spec, data)
    model = build(spec, data)
    F = np.column_stack([np.ones(80), frame["a"], frame["b"]])
    designs = {"rate_coef": F, "zero_coef": F[:, :2]}
    R = {v: naive.coordinates(X, data.row_weights) for v, X in designs.items()}
    half = {v: model[v].get_value()[:30] for v in ("x_data", "label_evidence", "row_weights")}
    bases = {f"{v[:4]}_basis": X[:30] @ np.linalg.inv(R[v]) for v, X in designs.items()}
    with model:
        pm.set_data(half | bases, coords={"obs": list(data.obs_names[:30])})
    y = points(model, 1, rng)[0]
    evidence = data.evidence(("structural_zero", "poisson"))[:30]
    some = {v: X[:30] for v, X in designs.items()}
    expected = naive.zip_log_posterior(
        y, spec.priors, frame["y"].to_numpy()[:30], some, R, evidence, data.row_weights[:30]
    )
    assert interpreted(model)(**y) == pytest.approx(expected, rel=1e-10)


def test_the_model_can_be_extended(rng):
    data = plain(rng, 1)
    model = build(bm.Mixture("gaussian", n_components=2), data)
    before = interpreted(model)
    with model:
        gap = pm.Deterministic("gap", model["means"][1, 0] - model["means"][0, 0])
        pm.Normal("measured_gap", gap, np.array(0.5), observed=3.0)
    y = points(model, 1, rng)[0]
    expected = before(**y) + stats.norm(y["means"][1, 0] - y["means"][0, 0], 0.5).logpdf(3.0)
    assert interpreted(model)(**y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore:.*rhat statistic.*", "ignore:.*effective sample size.*", "ignore:.*divergences.*")
def test_plain_sampling_then_loo(zip_compiled, zip_counts):
    """PyMC's own commands from end to end; the draws are few, the point is that it runs and means what it says."""
    model = zip_compiled.model
    with model:
        tree = pm.sample(150, tune=150, chains=2, cores=1, random_seed=1, progressbar=False, nuts_sampler="pymc")
        pm.compute_log_likelihood(tree, progressbar=False)
        pm.sample_posterior_predictive(tree, extend_inferencedata=True, progressbar=False, random_seed=1)
    assert float(tree["posterior"]["rate"].mean()) == pytest.approx(4.0, abs=0.5)
    assert float(tree["posterior"]["zero_prob"].mean()) == pytest.approx(0.3, abs=0.1)
    x, y = zip_counts[1].x[:, 0], tree["posterior_predictive"]["x"]
    assert float((y == 0).mean()) == pytest.approx((x == 0).mean(), abs=0.05)
    loo = az.loo(tree)
    assert loo.n_data_points == len(x)
    assert 0.5 < loo.p < 5


def constrained_log_posterior(model, params):
    """Interpreted log-posterior without Jacobians at given values of the free variables."""
    logp = interpreted(model, jacobian=False)
    y = {}
    for rv in model.free_RVs:
        transform, value = model.rvs_to_transforms[rv], model.rvs_to_values[rv]
        at = pytensor.tensor.constant(np.asarray(params[rv.name]))
        at = transform.forward(at, *rv.owner.inputs) if transform else at
        y[value.name] = pytensor.function([], at, mode=INTERPRETED)()
    return float(logp(**y))


@pytest.mark.parametrize("name", ["three_groups", "zip_counts"])
def test_map_is_find_maps_mode_and_above_maximum_likelihood(name, request):
    spec, data = request.getfixturevalue(name)
    spec = resolve(spec, data)
    compiled = request.getfixturevalue({"three_groups": "three_groups_compiled", "zip_counts": "zip_compiled"}[name])
    likelihood = bind(spec, data)
    fit = map_fit(compiled, graph(likelihood), fit_starts(likelihood, n_starts=4, seed=1))
    ml = bm.fit_em(spec, data, n_starts=4)
    model = compiled.model
    free = [rv.name for rv in model.free_RVs]
    found = (
        pm.find_MAP(
            model=model,
            initvals={v: ml.params[v].to_numpy() for v in free},
            progressbar=False,
            jitter=False,
            return_inferencedata=True,
            compile_kwargs={"mode": INTERPRETED},
        )["posterior"]
        .to_dataset()
        .squeeze(("chain", "draw"))
    )
    for v in free:
        np.testing.assert_allclose(fit.params[v], found[v], rtol=1e-3, atol=1e-3)
    at_map, at_ml = (constrained_log_posterior(model, {v: f.params[v].to_numpy() for v in free}) for f in (fit, ml))
    assert fit.log_posterior == pytest.approx(at_map, abs=1e-6)
    assert at_map > at_ml
    assert fit.log_likelihood < ml.log_likelihood
    assert fit.method == "map"
    assert fit.converged
    assert np.isfinite(fit.standard_errors[free[0]]).all()


def test_map_by_its_public_name(zip_counts):
    fit = bm.fit_em(*zip_counts, method="map", n_starts=2)
    assert fit.method == "map"
    assert float(fit.params["rate"]) == pytest.approx(4, abs=0.5)
    assert "log_posterior" in fit.starts


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("d", [1, 2, 4])
def test_starts_give_the_parameters_they_are_for(rng, covariance, d):
    data = plain(rng, d)
    spec = resolve(bm.Mixture("gaussian", n_components=3, covariance=covariance), data)
    params = naive.random_gaussian(rng, 3, d, covariance)
    model, start = build(spec, data), graph(bind(spec, data)).start(params)
    given = {rv.name: rv.type() for rv in model.free_RVs}
    assert set(start) == set(given)
    outputs = pytensor.graph.replace.graph_replace(
        [model[v] for v in params], {rv: given[rv.name] for rv in model.free_RVs}, strict=False
    )
    values = pytensor.function(list(given.values()), outputs, mode=INTERPRETED)(*[start[v] for v in given])
    for name, value in zip(params, values, strict=True):
        np.testing.assert_allclose(value, params[name], rtol=1e-9, atol=1e-12)


def test_ordered_starts_ascend(rng):
    data = plain(rng, 1)
    spec = resolve(bm.Mixture("gaussian", n_components=3, order="means"), data)
    params = naive.random_gaussian(rng, 3, 1, "full")
    start = graph(bind(spec, data)).start(params)
    order = np.argsort(params["means"][:, 0])
    np.testing.assert_array_equal(start["means"], params["means"][order])
    np.testing.assert_allclose(start["weights"], params["weights"][order], rtol=1e-12)
    np.testing.assert_allclose(start["scales"], np.sqrt(params["covariances"][order, 0]), rtol=1e-12)
