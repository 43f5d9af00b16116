"""What every family owes: the same tests over the table of families, against SciPy."""

import numpy as np
import pytensor
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.optimize import approx_fprime

import bayesmix as bm
import naive
from bayesmix import estep, plots
from bayesmix.drawing.style import new_figure
from bayesmix.drawing.view import View
from bayesmix.estep import reference
from bayesmix.estep.compiled_step import added
from bayesmix.families.table import FAMILIES
from bayesmix.likelihood import curvature
from bayesmix.likelihood.words import words_of
from bayesmix.mixture.estimates import reorder
from bayesmix.mixture.spec import bind, resolved
from bayesmix.model.build import graph
from bayesmix.parts.part import Point
from bayesmix.plots.by_family import picture_of
from bayesmix.plots.view import all_named
from bayesmix.report.mathematics import formulas, symbol
from bayesmix.report.plate import plate_svg, words
from families.examples import EXAMPLES, NAMES

INTERPRETED = Mode(linker="py", optimizer=None)


@pytest.fixture(params=NAMES)
def example(request):
    return EXAMPLES[request.param]


def labels_of(example, data):
    """Some rows in a class that their values allow."""
    labels = [None] * len(data)
    for i, name in enumerate(example.labels):
        for row in range(i, len(data), 7):
            labels[row] = name
    return labels


def bound(example, rng, n=60, *, labelled=False, weighted=False):
    seed = int(rng.integers(1000))
    data = example.data(np.random.default_rng(seed), n)
    options = {"labels": labels_of(example, data)} if labelled else {}
    options |= {"row_weights": rng.uniform(0.1, 3, n)} if weighted else {}
    return bind(example.spec, example.data(np.random.default_rng(seed), n, **options))


def test_every_family_has_an_example():
    assert {example.spec.family for example in EXAMPLES.values()} == set(FAMILIES)


def test_log_joint_is_scipy_s(example, rng):
    family, params = bound(example, rng, labelled=True), example.params(rng)
    expected = example.log_joint(family.data, params, family.evidence)
    np.testing.assert_allclose(family.log_joint(params), expected, rtol=1e-10, atol=1e-10)
    assert np.isneginf(family.evidence).any()


def test_draws_lead(example, rng):
    family, draws = bound(example, rng), [example.params(rng) for _ in range(6)]
    stacked = {v: np.stack([p[v] for p in draws]).reshape(2, 3, *np.shape(draws[0][v])) for v in draws[0]}
    expected = np.array([family.log_joint(p) for p in draws])
    np.testing.assert_allclose(family.log_joint(stacked), expected.reshape(2, 3, *expected.shape[1:]), rtol=1e-10)
    for v, a in family.named(stacked).items():
        np.testing.assert_allclose(a[1, 2], family.named(draws[5])[v], rtol=1e-12)


def test_sums_add_and_do_not_grow(example, rng):
    family, params = bound(example, rng, labelled=True, weighted=True), example.params(rng)
    _, sums = reference.e_step(family, params)
    r = reference.responsibilities(family, params)
    vr = family.row_weights[:, None] * r
    parts = []
    for mask in (np.arange(60) < 30, np.arange(60) >= 30):
        some = np.where(mask[:, None], r, 0.0)
        parts.append(family.sums(some, params))
    for name, value in added(*parts).items():
        np.testing.assert_allclose(value, sums[name], rtol=1e-9, atol=1e-9 * np.abs(sums[name]).max())
    assert max(np.size(a) for a in sums.values()) < 60
    np.testing.assert_allclose(sums["mass"], vr.sum(axis=0), rtol=1e-12)


def test_kernel_is_the_reference(example, rng, monkeypatch):
    monkeypatch.setattr("bayesmix.estep.compiled_step.CHUNK", 16)  # several chunks
    family, params = bound(example, rng, labelled=True, weighted=True), Point(example.params(rng))
    L, sums = estep.e_step(family, params)
    expected, by_hand = reference.e_step(family, params)
    assert L == pytest.approx(expected, rel=1e-12)
    assert L == pytest.approx(naive.total(example.log_joint(family.data, params, family.evidence), family.row_weights))
    for name, value in by_hand.items():
        np.testing.assert_allclose(sums[name], value, rtol=1e-9, atol=1e-9 * (1 + np.abs(value).max()))
    np.testing.assert_allclose(estep.pointwise(family, params), reference.pointwise(family, params), rtol=1e-11)
    np.testing.assert_allclose(
        estep.responsibilities(family, params), reference.responsibilities(family, params), atol=1e-12
    )


def test_score_is_the_difference_quotient(example, rng):
    family, params = bound(example, rng, labelled=True, weighted=True), example.params(rng)
    theta, units = family.pack(params), family.units(params)

    def L(u):
        joint = example.log_joint(family.data, dict(family.unpack(theta + units * u)), family.evidence)
        return naive.total(joint, family.row_weights)

    score = units * family.score(theta, estep.e_step(family, family.unpack(theta))[1])
    expected = approx_fprime(np.zeros_like(theta), L, 1e-7)
    np.testing.assert_allclose(score, expected, rtol=1e-4, atol=1e-4 * (1 + np.abs(expected).max()))


def test_information_is_that_of_differences(example, rng):
    family, params = bound(example, rng, labelled=True, weighted=True), example.params(rng)
    theta, units, h = family.pack(params), family.units(params), 1e-5

    def score(u):
        at = theta + units * u
        return units * family.score(at, estep.e_step(family, family.unpack(at))[1])

    columns = [(score(-h * e) - score(h * e)) / (2 * h) for e in np.eye(len(theta))]
    H = np.array(columns)
    np.testing.assert_allclose(family.information(params), (H + H.T) / 2, atol=1e-5 * np.abs(H).max())


def test_spread_is_the_delta_method_by_differences(example, rng):
    family, params = bound(example, rng), example.params(rng)
    A = rng.normal(size=(family.n_parameters, family.n_parameters)) / 10
    found, expected = family.spread(params, A @ A.T), curvature.spread_by_differences(family, params, A @ A.T)
    assert set(found) == set(expected) == set(family.dims)
    for v, sd in expected.items():
        np.testing.assert_allclose(found[v], sd, rtol=1e-5, atol=1e-7)


def test_steps_climb_to_where_the_score_vanishes(example, rng):
    """The M-step never lowers the expected complete log-likelihood near its top, which it reaches."""
    family = bound(example, rng, weighted=True)
    params = family.initial(family.start_kinds[0], rng)
    r = reference.responsibilities(family, params)

    def expected(p):
        joint = example.log_joint(family.data, dict(p), np.zeros_like(r))
        return float((family.row_weights[:, None] * np.where(r > 0, r * np.where(r > 0, joint, 0.0), 0.0)).sum())

    before = expected(params)
    for _ in range(30):
        params = family.m_step(family.sums(r, params), params)
    top, theta = expected(params), family.pack(params)
    assert top >= before - 1e-9 * abs(before)
    for _ in range(30):
        near = family.unpack(theta + 1e-3 * family.units(params) * rng.normal(size=len(theta)))
        assert expected(near) <= top + 1e-9 * abs(top)


def test_names_and_coordinates_go_both_ways(example, rng):
    family, params = bound(example, rng), example.params(rng)
    theta = family.pack(params)
    assert theta.shape == family.units(params).shape == (family.n_parameters,)
    for v, a in family.unpack(theta).items():
        np.testing.assert_allclose(a, params[v], rtol=1e-9, atol=1e-12)
    named = family.named(params)
    assert list(named) == list(family.dims) == [p.name for p in family.parameters]
    for v, dims in family.dims.items():
        assert np.shape(named[v]) == tuple(len(family.coords[d]) for d in dims)
    varying = {v: a for v, a in named.items() if v not in family.unvarying}
    for v, a in family.given(varying).items():
        np.testing.assert_allclose(a, params[v], rtol=1e-9, atol=1e-12)
    assert sum(int(mask.sum()) for mask in family.free.values()) >= family.n_parameters
    shown = {p.in_place_of or p.name for p in family.parameters if p.name in family.free}
    assert set(family.default_priors()) >= shown


def test_exchangeable_labels_change_nothing(example, rng):
    family, params = bound(example, rng), example.params(rng)
    if len(np.unique(family.exchangeable)) > 1:
        assert family.known or not any(p.dims[:1] == ("component",) for p in family.parameters)
        return
    order = rng.permutation(len(family.components))
    swapped = reorder(family, params, order)
    assert estep.e_step(family, swapped)[0] == pytest.approx(estep.e_step(family, params)[0], rel=1e-12)


def test_simulated_rows_have_no_score_on_average(example, rng):
    """At the parameters that made the rows the score is normal with the information's covariance: chi-squared."""
    n, params = 4000, example.params(rng)
    family = bound(example, rng, n)
    new = family.simulate(params, rng)
    assert new.shape == (n, family.data.n_features)
    family = bind(example.spec, example.data(np.random.default_rng(1), n)).rebind(replaced(family.data, new))
    theta = family.pack(params)
    score = family.units(params) * family.score(theta, estep.e_step(family, params)[1])
    statistic = score @ np.linalg.solve(family.information(params), score)
    assert 1e-4 < stats.chi2.sf(statistic, len(theta)) <= 1


def replaced(data, x):
    """Other observations in the same rows."""
    from bayesmix.mixture.simulate import laid_out

    return laid_out(data, x)


def test_the_model_s_density_is_the_naive_one(example, rng):
    """Fused and textbook forms, row by row, in PyMC."""
    family = bound(example, rng, n=12)
    parts = graph(resolved(example.spec, family.data))
    params = example.params(rng)
    if family.unpack(family.pack(params)).keys() != params.keys():
        return
    for likelihood in ("fused", "textbook"):
        model = bm.build(example.spec, family.data, likelihood=likelihood)
        point = model.initial_point() | {
            model.rvs_to_values[model[v]].name: unconstrained(model, v, a)
            for v, a in parts.start(params).items()
            if v in [rv.name for rv in model.free_RVs]
        }
        logp = pytensor.function(
            model.value_vars, model.logp(vars=[model["x"]], sum=False), mode=INTERPRETED, on_unused_input="ignore"
        )
        found = np.sum(logp(*[point[v.name] for v in model.value_vars]), axis=0)
        expected = reference.pointwise(family, params)
        np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-6, atol=1e-6)


def unconstrained(model, name, value):
    variable = model[name]
    transform = model.rvs_to_transforms[variable]
    if transform is None:
        return value
    return transform.forward(pytensor.tensor.as_tensor(value), *variable.owner.inputs).eval(mode=INTERPRETED)


def test_words_and_formulas_are_there(example, rng):
    family = bound(example, rng, labelled=True)
    said = words_of(family)
    assert said.model(family)
    assert said.data_caption(family.data, family.family.observation)
    assert all(text and latex for text, latex in said.formulas(family))
    assert len(formulas(family)) > len(said.formulas(family))
    assert "<svg" in plate_svg(family)
    assert words(family)
    for p in family.parameters:
        assert p.symbol
        assert p.words
        assert p.label
        if p.prior:
            assert "<math" in symbol(family, p.name)


def test_every_picture_is_drawn(example, rng):
    family = bound(example, rng)
    draws = [example.params(rng) for _ in range(5)]
    params = {v: np.stack([p[v] for p in draws]) for v in draws[0]}
    params = all_named(family, params)
    picture, view = picture_of(family), View(family, params, all_named(family, draws[0]))
    new = np.stack([family.simulate(p, rng) for p in draws])
    figures = [
        picture.data(family.data, family.components),
        picture.components(view),
        picture.predictive(family.data, new),
        picture.prior(family.data, params, new),
        *([picture.structure(view)] if picture.structured else []),
    ]
    for figure in figures:
        assert figure.axes
        figure.canvas.draw()
    small = new_figure(2, 2)
    picture.small(small.subplots(), view)
    small.canvas.draw()
    assert small.axes[0].has_data()
    assert plots.data_plot(family.data, family).axes


def test_a_dataset_of_estimates_knows_its_dimensions(example, rng):
    from bayesmix.mixture.estimates import to_dataset

    family, params = bound(example, rng), example.params(rng)
    dataset = to_dataset(family, family.named(params))
    assert isinstance(dataset, xr.Dataset)
    for v, dims in family.dims.items():
        assert dataset[v].dims == dims
