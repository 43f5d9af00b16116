"""Known parameters in PyMC: what is free, its prior, the density, draws, against SciPy and a hand-written model."""

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

import bayesmix as bm
import naive
from bayesmix.mixture.simulate import prior_draws

INTERPRETED = Mode(linker="py", optimizer=None)
LECTURE = {"scales": 1.0, "weights": "equal"}
BACKGROUND = {
    "means": {"component_2": [0.0, 0.0]},
    "scales": {"component_2": 1.0},
    "correlations": {"component_2": 0.3},
}
SIMPLEX = np.log(3)
"""PyMC's map to the simplex of three has the determinant 3 w_1 w_2 w_3."""
PRIORS = {
    "weights": bm.Prior("Dirichlet", a=[3.0, 3.0, 3.0]),
    "means": bm.Prior("Normal", mu=[1.0, 2.0], sigma=[2.0, 3.0]),
    "scales": bm.Prior("LogNormal", mu=0.1, sigma=0.5),
    "correlations": bm.Prior("LKJ", eta=2.0),
}


@pytest.fixture(scope="module")
def plane():
    rng = np.random.default_rng(5)
    return bm.Data(np.vstack([rng.normal(size=(40, 2)), rng.normal(size=(30, 2)) + 3]))


@pytest.fixture(scope="module")
def background(plane):
    """Three components, the second one known."""
    spec = bm.Mixture("gaussian", n_components=3, fixed=BACKGROUND, priors=PRIORS)
    return spec, bm.build(spec, plane)


def test_nothing_known_is_free(plane):
    model = bm.build(bm.Mixture("gaussian", n_components=2, covariance="spherical", fixed=LECTURE), plane)
    assert [rv.name for rv in model.free_RVs] == ["means"]
    assert model["weights"].eval(mode=INTERPRETED).tolist() == [0.5, 0.5]
    assert model["scales"].eval(mode=INTERPRETED).tolist() == [1.0, 1.0]
    zeros = bm.build(bm.Mixture("zero_inflated_poisson", fixed={"rate_coef": [0.5]}), bm.Data([0, 0, 2, 3]))
    assert [rv.name for rv in zeros.free_RVs] == ["zero_coef"]
    rates = bm.build(bm.Mixture("poisson", n_components=2, fixed={"rates": {"component_1": 2.0}}), bm.Data([0, 1, 7]))
    point = rates.initial_point()
    assert {name: value.shape for name, value in point.items()} == {"weights_simplex__": (1,), "rates_free__": (1, 1)}


def test_the_free_entries_alone_are_sampled(background):
    _, model = background
    shapes = {name: value.shape for name, value in model.initial_point().items()}
    assert shapes == {
        "weights_simplex__": (2,),
        "means_free__": (2, 2),
        "scales_free__": (2, 2),
        "partial_correlations_01_free__": (2, 1),
    }


def test_the_density_is_that_of_free_priors_and_likelihood(background, plane):
    """At random points: SciPy's log-prior of the free entries plus SciPy's log-likelihood; then the Jacobians too."""
    _, model = background
    rng = np.random.default_rng(1)
    logp, whole = (model.compile_logp(jacobian=j, mode=INTERPRETED) for j in (False, True))
    of_values = {v.name: v for v in model.unobserved_value_vars}
    wanted = [of_values[name] for name in ("weights", "means", "covariances")]
    values = model.compile_fn(wanted, inputs=model.value_vars, mode=INTERPRETED, on_unused_input="ignore")
    base = model.initial_point()
    for _ in range(3):
        point = {name: value + 0.3 * rng.normal(size=value.shape) for name, value in base.items()}
        weights, means, covariances = values(point)
        assert means[1].tolist() == [0.0, 0.0]
        np.testing.assert_allclose(covariances[1], [[1, 0.3], [0.3, 1]], rtol=1e-12)
        free = [0, 2]
        sd = np.sqrt(np.einsum("kjj->kj", covariances))[free]
        rho = covariances[free, 0, 1] / sd.prod(axis=1)
        expected = stats.dirichlet([3, 3, 3]).logpdf(weights / weights.sum())
        expected += stats.norm([1, 2], [2, 3]).logpdf(means[free]).sum()
        expected += stats.lognorm(0.5, scale=np.exp(0.1)).logpdf(sd).sum()
        expected += stats.beta(2, 2).logpdf((rho + 1) / 2).sum()
        joint = naive.gaussian_log_joint(plane.x, weights, means, covariances, np.zeros((len(plane), 3)))
        assert float(logp(point)) == pytest.approx(expected + naive.total(joint), rel=1e-9)
        log_det = np.log(weights).sum() + np.log(sd).sum() + np.log((1 + rho) / 2 * (1 - rho) / 2).sum()
        assert float(whole(point) - logp(point)) == pytest.approx(log_det + SIMPLEX, rel=1e-7)


def test_forward_draws_keep_what_is_known(background):
    """Kolmogorov-Smirnov of prior draws of a free entry, in PyMC and in NumPy; the known ones never move."""
    spec, model = background
    in_pymc = pm.sample_prior_predictive(2000, model=model, var_names=["means", "scales", "x"], random_seed=1).prior
    in_numpy = prior_draws(spec.replace(priors=PRIORS), bm.Data(np.eye(4)[:, :2] + np.arange(4)[:, None]), 2000, seed=1)
    of = {"PyMC": in_pymc["means"].to_numpy()[0], "NumPy": in_numpy["means"]}
    for means in of.values():
        assert not means[:, 1].any()
        assert stats.kstest(means[:, 2, 1], stats.norm(2, 3).cdf).pvalue > 1e-3
    assert (in_pymc["scales"].to_numpy()[0, :, 1] == 1).all()
    assert (in_numpy["scales"][:, 1] == 1).all()
    assert (in_numpy["covariances"][:, 1] == [[1, 0.3], [0.3, 1]]).all()


@pytest.fixture(scope="module")
def lecture():
    """Means alone: 80 rows in a column, unit variances, equal weights, and the posterior."""
    rng = np.random.default_rng(7)
    x = np.where(rng.random(80) < 0.5, 0.0, 2.5) + rng.normal(size=80)
    spec = bm.Mixture(
        "gaussian", n_components=2, fixed=LECTURE, priors={"means": bm.Prior("Normal", mu=1.0, sigma=3.0)}
    )
    return spec, bm.Data(x), bm.sample(spec, bm.Data(x), draws=600, progress=False)


def on_a_grid(x):
    """The posterior of two means by quadrature, and its evidence: no sampling at all."""
    grid = np.linspace(-2.5, 5.0, 400)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    L = sum(np.logaddexp(stats.norm(a).logpdf(xi), stats.norm(b).logpdf(xi)) - np.log(2) for xi in x)
    log_p = L + stats.norm(1, 3).logpdf(a) + stats.norm(1, 3).logpdf(b)
    top = log_p.max()
    p = np.exp(log_p - top)
    cell = (grid[1] - grid[0]) ** 2
    low, high = np.minimum(a, b), np.maximum(a, b)
    share = p / p.sum()
    moments = [((share * m).sum(), np.sqrt((share * m**2).sum() - (share * m).sum() ** 2)) for m in (low, high)]
    return moments, float(np.log(p.sum() * cell) + top)


def test_the_posterior_is_that_of_quadrature(lecture):
    """Means, standard deviations and the log evidence, over a grid of the two means."""
    _, data, dt = lecture
    moments, evidence = on_a_grid(data.x[:, 0])
    draws = np.sort(dt["posterior"]["means"].to_numpy().reshape(-1, 2), axis=1)
    for k, (mean, sd) in enumerate(moments):
        assert draws[:, k].mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(1000))
        assert draws[:, k].std() == pytest.approx(sd, rel=0.1)
    assert bm.log_evidence(dt).value == pytest.approx(evidence, abs=0.05)


def test_what_is_known_is_stored_apart_and_read_back(lecture, tmp_path):
    spec, data, dt = lecture
    assert list(dt["posterior"].data_vars) == ["means", "covariances"] or list(dt["posterior"].data_vars) == ["means"]
    assert (dt["derived"]["scales"] == 1).all()
    assert (dt["derived"]["weights"] == 0.5).all()
    assert bm.diagnose(dt).ok
    again = bm.load_fit(bm.save(dt, tmp_path / "fit.nc"))
    np.testing.assert_allclose(bm.responsibilities(again), bm.responsibilities(dt))
    table = bm.compare(bm.fit_em(spec, data), again)
    assert list(table.parameters.index) == ["means[component_1, x]", "means[component_2, x]"]
    mode = bm.fit_em(spec, data, method="map")
    assert not mode.standard_errors["scales"].any()


@pytest.mark.slow
def test_a_hand_written_model_has_the_same_posterior(lecture):
    """PyMC's own mixture with ordered means, sampled by PyMC."""
    _, data, dt = lecture
    with pm.Model():
        means = pm.Normal("m", 1.0, 3.0, shape=2, transform=pm.distributions.transforms.ordered, initval=[0.0, 2.0])
        pm.Mixture("x", w=[0.5, 0.5], comp_dists=pm.Normal.dist(means, 1.0), observed=data.x[:, 0])
        theirs = pm.sample(600, tune=500, chains=2, cores=1, random_seed=3, progressbar=False)
    ours = np.sort(dt["posterior"]["means"].to_numpy().reshape(-1, 2), axis=1)
    m = theirs["posterior"]["m"].to_numpy().reshape(-1, 2)
    for k in (0, 1):
        assert ours[:, k].mean() == pytest.approx(m[:, k].mean(), abs=0.25 * m[:, k].std())
        assert ours[:, k].std() == pytest.approx(m[:, k].std(), rel=0.15)


@pytest.mark.thorough
def test_a_known_component_beside_two_that_are_alike():
    """The two free components switch, the known one never does; log p(x | draw) by SciPy of the stored draws."""
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(size=60), rng.normal(4, 0.7, 40), rng.normal(-5, 1.0, 30)])
    known = {"means": {"component_1": 0.0}, "scales": {"component_1": 1.0}}
    dt = bm.sample(bm.Mixture("gaussian", n_components=3, fixed=known), bm.Data(x), draws=300, progress=False)
    post = dt["posterior"]
    assert not post["means"].sel(component="component_1").any()
    assert (post["scales"].sel(component="component_1") == 1).all()
    order = dt["relabelling"]["permutation"].to_numpy()
    assert (order[..., 0] == 0).all()
    means = post["means"].to_numpy()[..., 0].reshape(-1, 3)
    assert np.abs(means.mean(axis=0)[1:]).min() > 3
    assert bm.diagnose(dt).ok
    w, sd = (post[v].to_numpy().reshape(len(means), -1) for v in ("weights", "scales"))
    for s in (0, 500):
        expected = np.log((w[s] * stats.norm(means[s], sd[s]).pdf(x[:, None])).sum(axis=1)).sum()
        found = dt["sample_stats"]["log_likelihood"].to_numpy().ravel()[s]
        assert found == pytest.approx(expected, rel=1e-9)
