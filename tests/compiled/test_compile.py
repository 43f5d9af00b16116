"""The C functions of a model: nutpie's own ones, other data, whitened coordinates."""

import dataclasses

import numpy as np
import nutpie
import pymc as pm
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.calls import Calls
from bayesmix.compiled.compile import compile_model
from bayesmix.compiled.log_posterior import INTERPRETED, CompiledModel, root
from bayesmix.compiled.whitening import Whitening, thinned, whiten
from bayesmix.sampling.nutpie import Runner


@pytest.fixture(scope="module")
def nutpies_own(zip_compiled):
    return nutpie.compile_pymc_model(zip_compiled.model, backend="numba")


def points(compiled, rng, number=5):
    return compiled.start({}) + 0.3 * rng.normal(size=(number, compiled.n_dim))


def drawn(nutpie_model, start):
    begin = dataclasses.replace(nutpie_model, initial_point_func=lambda seed: start)
    return nutpie.sample(begin, draws=50, tune=50, chains=2, cores=1, seed=3, progress_bar=False)


def test_the_fast_way_is_taken(zip_compiled):
    """A nutpie, PyTensor or numba that breaks it would leave nutpie's callbacks here."""
    functions = zip_compiled.nutpie_model.compiled_logp_func, zip_compiled.nutpie_model.compiled_expand_func
    assert [type(f).__name__ for f in functions] == ["CFunction", "CFunction"]


def test_it_is_what_nutpie_compiles(rng, zip_compiled, nutpies_own):
    ours, theirs = Calls(zip_compiled.nutpie_model), Calls(nutpies_own)
    for x in points(zip_compiled, rng):
        (value, gradient), (its_value, its_gradient) = ours.log_density(x), theirs.log_density(x)
        assert value == pytest.approx(its_value, rel=1e-13)
        np.testing.assert_allclose(gradient, its_gradient, rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(ours.expand(x), theirs.expand(x), rtol=1e-14)


def test_without_the_internals_nutpie_compiles(monkeypatch, zip_compiled, nutpies_own):
    import bayesmix.compiled.adapter

    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda model, backend: nutpies_own)
    monkeypatch.delattr(bayesmix.compiled.adapter, "adapt")
    with pytest.warns(UserWarning, match="nutpie's own way, which is slower: ImportError"):
        assert compile_model(zip_compiled.model) is nutpies_own


@pytest.mark.parametrize("own", [False, True])
def test_whitened_coordinates(rng, zip_compiled, nutpies_own, own):
    """Value f(c + A u), gradient A' g, the same variables."""
    nutpie_model = nutpies_own if own else zip_compiled.nutpie_model
    plain = Calls(nutpie_model)
    by = Whitening(rng.normal(size=zip_compiled.n_dim), rng.normal(size=(zip_compiled.n_dim, zip_compiled.n_dim)))
    white = Calls(whiten(nutpie_model, by))
    for x in points(zip_compiled, rng):
        u = by.inverse(x)
        np.testing.assert_allclose(by.centre + by.factor @ u, x, atol=1e-12)
        value, gradient = plain.log_density(x)
        assert white.log_density(u)[0] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(white.log_density(u)[1], by.factor.T @ gradient, rtol=1e-9, atol=1e-8)
        np.testing.assert_allclose(white.expand(u), plain.expand(x), atol=1e-12)


def test_a_thinned_factor_makes_the_posterior_nearly_as_round(rng):
    """Whatever the units, entries that hardly matter are left out; of near-equal coordinates none is lost."""
    n, units = 60, 10.0 ** rng.uniform(-5, 5, size=60)
    weak = np.eye(n) + np.triu(rng.normal(size=(n, n)), 1) / 300
    equal = weak.copy()
    equal[0, 1], equal[1, 1] = 1.0, 1e-4
    for A, most in (
        (weak, n + 900),
        (equal, n**2),
        (np.linalg.cholesky(np.full((n, n), 0.9) + 0.1 * np.eye(n)), n**2),
    ):
        kept = thinned(units[:, None] * A)
        assert n <= np.count_nonzero(kept) <= most
        round_ = np.linalg.solve(units[:, None] * A, kept)
        assert np.linalg.norm(round_ - np.eye(n)) <= 0.3 + 1e-9
        assert 0.45 < np.linalg.eigvalsh(round_.T @ round_)[0]


@pytest.mark.parametrize("own", [False, True])
def test_whitened_chains(zip_compiled, nutpies_own, own):
    """The same posterior, from the x each chain is told; the same draws for any number of cores."""
    compiled = CompiledModel(zip_compiled.model, nutpie_model=nutpies_own) if own else zip_compiled
    mode = compiled.mode(compiled.start({"rate_coef": [1.4], "zero_coef": [-0.8]}))
    by = Whitening(mode.x, root(compiled.precision(mode.x)))
    begin = [lambda rng: mode.x + 0.05 * rng.standard_normal(2)] * 2
    settings = {"draws": 400, "tune": 200}
    one, two = (Runner(compiled, cores, 1, by)(begin, **settings) for cores in (1, 2))
    xr.testing.assert_equal(one["posterior"].to_dataset(), two["posterior"].to_dataset())
    plain = Runner(compiled, 1, 1)(begin, **settings)["posterior"].to_dataset()
    for name in ("rate", "zero_prob"):
        sd = float(plain[name].std())
        assert float(one["posterior"][name].mean()) == pytest.approx(float(plain[name].mean()), abs=0.3 * sd)
        assert float(one["posterior"][name].std()) == pytest.approx(sd, rel=0.3)


def test_points_outside(zip_compiled):
    """Where the density vanishes or overflows, the value says so and nothing is raised."""
    value, gradient = zip_compiled.log_density(np.array([800.0, 0.0]))
    assert not np.isfinite(value)
    assert gradient.shape == (2,)
    with pytest.raises(ValueError, match=r"x: must have shape \(2,\); got \(3,\)"):
        zip_compiled.log_density(np.zeros(3))


OTHER_ROWS = np.arange(0, 200, 3)


@pytest.mark.parametrize("case", ["faithful", "three_groups", "zip_counts"])
def test_other_data(rng, request, case):
    """Fewer rows, other weights and labels: the density PyMC itself computes for a model of those."""
    compiled = request.getfixturevalue(case.removesuffix("_counts") + "_compiled")
    spec, data = request.getfixturevalue(case)
    spec = bm.resolve(spec, data)
    model = bm.build(spec, data.take(OTHER_ROWS))
    with model:
        pm.set_data({"row_weights": rng.uniform(0.5, 2, len(OTHER_ROWS))})
    swapped = compiled.with_data(model)
    logp = model.compile_logp(mode=INTERPRETED)
    names = [model.rvs_to_values[rv].name for rv in model.free_RVs]
    for x in points(compiled, rng):
        value = swapped.log_density(x)[0]
        assert value == pytest.approx(float(logp(dict(zip(names, swapped._split(x), strict=True)))), rel=1e-12)
        assert value != compiled.log_density(x)[0]


def test_other_data_are_sampled(zip_counts, zip_compiled):
    """Ten times the counts' rows pull the rate to their mean."""
    spec, data = zip_counts
    x = np.random.default_rng(0).poisson(11.0, 3000)
    swapped = zip_compiled.with_data(bm.build(bm.resolve(spec, data), bm.Data(x)))
    dt = drawn(swapped.nutpie_model, swapped.start({"rate_coef": [2.0]}))
    assert float(dt["posterior"]["rate"].mean()) == pytest.approx(x.mean(), abs=0.3)


def test_other_models_are_refused(faithful, faithful_compiled, zip_compiled):
    spec, data = faithful
    with pytest.raises(ValueError, match="model: its .* are"):
        faithful_compiled.with_data(bm.build(spec.replace(covariance="diag"), data))
    with pytest.raises(ValueError, match="model: its weights differs"):
        faithful_compiled.with_data(bm.build(spec.replace(n_components=3), data))
    with pytest.raises(ValueError, match="model: its data_vars are"):
        faithful_compiled.with_data(zip_compiled.model)


def test_a_prior_constant_held_as_data():
    def model(sigma, x):
        with pm.Model() as made:
            mean = pm.Normal("mean", 0, pm.Data("sigma", sigma))
            pm.Normal("x", mean, 1.0, observed=pm.Data("x_data", x))
        return made

    x = np.array([1.0, 2, 4])
    compiled = CompiledModel(model(1.0, np.zeros(2))).with_data(model(3.0, x))
    precision = 1 / 9 + len(x)
    mode = compiled.mode(np.zeros(1))
    assert mode.x == pytest.approx(x.sum() / precision, rel=1e-6)
    assert compiled.precision(mode.x) == pytest.approx(precision, rel=1e-6)
