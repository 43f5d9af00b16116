"""Which components may switch labels: measured on models whose symmetry is known, and held in the draws."""

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.log_posterior import INTERPRETED, CompiledModel
from bayesmix.em.fit_starts import fit_starts
from bayesmix.mixture.exchangeable import Exchange
from bayesmix.mixture.permutations import labellings
from bayesmix.mixture.spec import bind, exchange_groups
from bayesmix.model.build import graph
from bayesmix.model.symmetry import measure, refreshed
from bayesmix.multimodality.maxima import Climber
from conftest import SHORT

ORDERED = pm.distributions.transforms.ordered


class Interpreted(CompiledModel):
    """A model whose graphs PyTensor interprets: nothing is compiled, so that many models can be measured."""

    def __init__(self, model):
        self.model = model
        start, values = model.initial_point(), [model.rvs_to_values[rv] for rv in model.free_RVs]
        first = np.concatenate([np.ravel(start[v.name]) for v in values])
        self.n_dim, self.nutpie_model = len(first), SimpleNamespace(initial_point_func=lambda seed: first)
        ends = np.cumsum([0, *[start[v.name].size for v in values]])
        places = zip(values, ends[:-1], ends[1:], strict=True)
        self._layout = [(v.name, slice(a, b), start[v.name].shape) for v, a, b in places]
        outputs = [model.logp(), *pt.grad(model.logp(), values)]
        self._function = pytensor.function(values, outputs, mode=INTERPRETED, on_unused_input="ignore")
        self._values = pytensor.function(
            values, model.unobserved_value_vars, mode=INTERPRETED, on_unused_input="ignore"
        )

    def log_density(self, x, *, jacobian=True):
        value, *gradient = self._function(*self._split(x))
        if not jacobian:
            value = value - self._log_det(*self._split(x))[0]
        return float(value), np.concatenate([np.ravel(g) for g in gradient])

    def values(self, x):
        names = [v.name for v in self.model.unobserved_value_vars]
        found = dict(zip(names, self._values(*self._split(x)), strict=True))
        return {v.name: found[v.name] for v in self.model.unobserved_RVs}


def measured(spec, data, extend=lambda model: None):
    """What exchanging components does to the extended model."""
    spec = bm.resolve(spec, data)
    parts, model = graph(bind(spec, data)), bm.build(spec, data)
    with model:
        extend(model)
    results = fit_starts(parts.likelihood, n_starts=3, seed=1)
    return measure(Interpreted(model), parts, [result.params for result in results])


def known_mean(model):
    pm.Normal("known", mu=model["means"][1, 0], sigma=0.05, observed=2.0)


def reversed_means(model):
    mu = model["means"]
    pm.Potential("reversed", pt.switch((mu[0, 0] > mu[1, 0]) & (mu[1, 0] > mu[2, 0]), 0.0, -np.inf))


def first_effect(model):
    b = pm.Normal("b", 0, 1, dims="component")
    pm.Normal("sum", mu=b[0] + model["means"][0, 0], sigma=0.5, observed=2.1)


def effects_of_all(model):
    b = pm.Normal("b", 0, 1e-9, dims="component")
    pm.Normal("sum", mu=1e9 * b + model["means"][:, 0], sigma=0.5, observed=np.full(3, 2.1))


def table_of_all(model):
    """Transition probabilities from component to component: both axes run over components."""
    model.add_coord("component_bis", model.coords["component"])
    T = pm.Dirichlet("T", np.full(3, 2.0), dims=("component", "component_bis"))
    pm.Potential("stays", 5 * pt.log(pt.diagonal(T) @ model["weights"]))


def effects_without_dims(model):
    b = pm.Normal("b", 0, 1, shape=3)
    pm.Normal("sum", mu=b + model["means"][:, 0], sigma=0.5, observed=np.full(3, 2.1))


def effects_that_ascend(model):
    pm.Normal("b", 0, 1, dims="component", transform=ORDERED, initval=np.arange(3.0))


def priors_that_differ(model):
    pm.Normal("b", np.array([0.0, 1.0, 2.0]), 1.0, dims="component")


def nothing_to_do_with_them(model):
    pm.Normal("b", 0, 1, shape=3)
    pm.HalfNormal("c", 1.0)


def hidden_by_its_own_start(model):
    """At c = 0, where PyMC begins, the density is symmetric."""
    c = pm.Normal("c", 0, 1)
    pm.Potential("pull", c * (model["means"][0, 0] - model["means"][1, 0]))


def smoothed(model):
    """What is computed of the components may ignore or follow them."""
    pm.Deterministic("gap", model["means"][1] - model["means"][0], dims="feature")
    pm.Deterministic("below", model["weights"].cumsum(), dims="component")
    pm.Deterministic("doubled", 2 * model["weights"], dims="component")
    pm.Deterministic("widest", model["scales"].max())


@pytest.mark.parametrize(
    ("extend", "groups", "bound", "stale"),
    [
        (known_mean, [0, 1, 0], (), ()),
        (reversed_means, [0, 1, 2], (), ()),
        (first_effect, [0, 1, 1], (), ()),
        (effects_of_all, [0, 0, 0], (), ()),
        (table_of_all, [0, 0, 0], (), ()),
        (effects_without_dims, [0, 1, 2], ("b",), ()),
        (effects_that_ascend, [0, 1, 2], ("b",), ()),
        (priors_that_differ, [0, 1, 2], ("b",), ()),
        (nothing_to_do_with_them, [0, 0, 0], (), ()),
        (hidden_by_its_own_start, [0, 1, 2], (), ()),
        (smoothed, [0, 0, 0], (), ("gap", "below")),
    ],
)
def test_what_the_user_adds_is_measured(three_groups, extend, groups, bound, stale):
    spec, data = three_groups
    found = measured(spec, data.take(np.arange(30)), extend)
    assert found.groups.tolist() == groups
    assert found.bound == bound
    assert found.stale == stale


@pytest.mark.parametrize("unit", [1e-6, 1e6])
@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_without_an_extension_it_is_what_labels_and_priors_say(unit, covariance):
    """Five components in three correlated features, in any units, to rounding."""
    rng = np.random.default_rng(3)
    x = unit * (1e3 + rng.normal(size=(60, 3)) @ np.array([[1, 0.99, 0.5], [0, 0.1, 0.2], [0, 0, 0.01]]))
    x += unit * rng.integers(0, 5, (60, 1))
    labels = ["a"] * 5 + [None] * 55
    priors = {"weights": bm.Prior("Dirichlet", a=[3, 2, 2, 4, 4])}
    spec, data = bm.Mixture("gaussian", n_components=5, covariance=covariance, priors=priors), bm.Data(x, labels)
    spec = bm.resolve(spec, data)
    expected = exchange_groups(graph(bind(spec, data)).likelihood)
    assert sorted(np.bincount(expected).tolist()) == [1, 2, 2]
    found = measured(spec, data).groups
    np.testing.assert_array_equal(found[:, None] == found, expected[:, None] == expected)


def test_an_order_pins(three_groups):
    spec, data = three_groups
    spec = bm.resolve(spec.replace(order="means"), data)
    parts = graph(bind(spec, data))
    groups = exchange_groups(parts.likelihood)
    np.testing.assert_array_equal(measure(None, parts, [{}]).groups, groups)


def test_every_way_to_name_components_is_a_start(three_groups, three_groups_compiled):
    """EM's labels are by chance: where the model tells components apart, its solutions are named in all ways."""
    spec, data = bm.resolve(*three_groups), three_groups[1]
    parts = graph(bind(spec, data))
    params = fit_starts(parts.likelihood, n_starts=1, seed=1)[0].params
    pinned = parts.over(parts.likelihood.with_measured(np.array([0, 1, 1])))
    starts = Climber(three_groups_compiled, pinned).named(params)
    firsts = [float(three_groups_compiled.values(x)["means"][0, 0]) for x in starts]
    assert sorted(firsts) == pytest.approx(sorted(params["means"][:, 0]))
    assert len(Climber(three_groups_compiled, parts).named(params)) == 1


def test_ways_to_name_many_components():
    ways = labellings(np.zeros(8, int), np.arange(8), most=50, seed=1)
    assert ways[0].tolist() == list(range(8))
    assert 40 < len(ways) <= 50
    assert (np.sort(ways, axis=1) == np.arange(8)).all()
    assert len(labellings(np.array([0, 0, 1, 1]), np.arange(4), most=50, seed=1)) == 4


@pytest.fixture(scope="module")
def pinned(faithful):
    """Component 2 is known to be the short eruptions: a measurement of its mean, 2.0 +- 0.05."""
    model = bm.build(*faithful)
    with model:
        known_mean(model)
        pm.Deterministic("gap", model["means"][1] - model["means"][0], dims="feature")
        b = pm.Normal("b", 0, 1, dims="component")
        pm.Normal("sum", mu=b[0] + model["means"][0, 0], sigma=0.5, observed=5.0)
    compiled = CompiledModel(model)
    return compiled, bm.sample(*faithful, compiled=compiled, n_starts=5, **SHORT)


def test_what_the_user_adds_holds_in_the_draws(pinned, faithful_dt):
    """Against the draws without it, weighted by what was added."""
    dt = pinned[1]
    check = bm.diagnose(dt)
    assert check.ok, check.problems
    short = np.sort(faithful_dt["posterior"]["means"].to_numpy()[..., 0].reshape(-1, 2), axis=1)
    sd = np.hypot(0.5, 1.0)
    weight = np.exp(-0.5 * ((short[:, 0] - 2.0) / 0.05) ** 2 - 0.5 * ((5.0 - short[:, 1]) / sd) ** 2)
    weight /= weight.sum()
    expected = weight @ short
    found = dt["posterior"]["means"].to_numpy()[..., 0].reshape(-1, 2)
    np.testing.assert_allclose(found.mean(axis=0), expected[::-1], atol=0.01)
    total = dt["posterior"]["b"].to_numpy()[..., 0] + dt["posterior"]["means"].to_numpy()[..., 0, 0]
    gap = 5.0 - expected[1]  # b ~ N(0, 1) and b + mean = 5 +- 0.5
    assert total.mean() == pytest.approx(expected[1] + gap * 1 / (1 + 0.25), abs=0.06)
    assert total.std() == pytest.approx(np.sqrt(0.2), abs=0.06)
    assert Exchange.of(dt).groups.tolist() == [0, 1]


def test_the_file_and_relabelling_remember_it(pinned, tmp_path):
    dt = bm.load_fit(bm.save(pinned[1], tmp_path / "fit.nc"))
    again = bm.relabel(dt, "stephens")
    xr.testing.assert_identical(again["posterior"], dt["posterior"])


def test_matched_estimates_follow_the_posterior_s_labels(pinned, faithful_em):
    """EM does not know which component is which; the comparison names them as the posterior does."""
    found = bm.compare(faithful_em, pinned[1])
    assert found.parameters.loc["means[component_2, eruptions]", "em"] == pytest.approx(2.04, abs=0.02)
    assert len(found.flips) < 5


def test_what_follows_from_labels_is_computed_anew(pinned):
    compiled, dt = pinned
    some = dt["posterior"].to_dataset().isel(draw=slice(3))
    order = np.tile([0, 1], (4, 3, 1))
    order[1, 2] = [1, 0]
    moved = some.copy(deep=True)
    for name in ("weights", "means", "scales", "partial_correlations_01", "b"):
        moved[name][1, 2] = some[name].to_numpy()[1, 2][::-1]
    fresh = refreshed(compiled, moved, order, ["gap"])
    np.testing.assert_allclose(fresh["gap"][1, 2], -some["gap"][1, 2], rtol=1e-12)
    np.testing.assert_array_equal(fresh["gap"][0], some["gap"][0])


def test_stale_values_are_not_kept_beside_moved_labels(gaussian_1d_dt, rng):
    from bayesmix.posterior.relabel import apply

    sizes = gaussian_1d_dt["posterior"].sizes
    order = np.array([[rng.permutation(3) for _ in range(sizes["draw"])] for _ in range(sizes["chain"])])
    dt = apply(gaussian_1d_dt, order)
    dt["posterior"] = dt["posterior"].assign(gap=dt["posterior"]["means"][..., 0, 0])
    dt.attrs["exchange"] = Exchange(np.zeros(3, int), (), ("gap",)).to_json()
    with pytest.raises(ValueError, match="dt: gap of the posterior must be computed anew"):
        bm.relabel(dt)


def test_a_variable_that_cannot_follow_is_named_in_the_verdict(gaussian_1d_dt):
    dt = gaussian_1d_dt.copy()
    dt.attrs["exchange"] = Exchange(np.arange(3), ("b",), ()).to_json()
    check = bm.diagnose(dt)
    assert not check.ok
    assert "b cannot be permuted with the components" in check.verdict
    assert "dims='component'" in check.verdict


def test_labellings_of_one_grouping_are_regions_apart(gaussian_1d_dt):
    """Where components are told apart, draws with other labels are elsewhere."""
    from bayesmix.multimodality.watched import Watch
    from bayesmix.posterior.record import Record, stacked

    likelihood = Record.of(gaussian_1d_dt).likelihood
    params = stacked(gaussian_1d_dt["posterior"].to_dataset().isel(draw=slice(5)), likelihood)
    other = {v: a[:, [1, 0, 2]] for v, a in params.items()}
    same, told = Watch(likelihood), Watch(likelihood.with_measured(np.arange(3)))
    for name, values in same(params).items():
        np.testing.assert_allclose(same(other)[name], values, atol=1e-9)
    assert max(np.abs(told(other)[name] - values).max() for name, values in told(params).items()) > 0.9


def test_one_dimension_twice_is_refused(three_groups):
    model = bm.build(*three_groups)
    with model:
        pm.Dirichlet("T", np.ones(3), dims=("component", "component"))
    with pytest.raises(ValueError, match=r"T has a dimension twice.*component_bis"):
        bm.sample(*three_groups, model=model, progress=False)
