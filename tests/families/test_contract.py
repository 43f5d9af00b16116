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
    likelihood, params = bound(example, rng, labelled=True), example.params(rng)
    expected = example.log_joint(likelihood.data, params, likelihood.evidence)
    np.testing.assert_allclose(likelihood.log_joint(params), expected, rtol=1e-10, atol=1e-10)
    assert np.isneginf(likelihood.evidence).any()


def test_draws_lead(example, rng):
    likelihood, draws = bound(example, rng), [example.params(rng) for _ in range(6)]
    stacked = {v: np.stack([p[v] for p in draws]).reshape(2, 3, *np.shape(draws[0][v])) for v in draws[0]}
    expected = np.array([likelihood.log_joint(p) for p in draws])
    np.testing.assert_allclose(likelihood.log_joint(stacked), expected.reshape(2, 3, *expected.shape[1:]), rtol=1e-10)
    for v, a in likelihood.named(stacked).items():
        np.testing.assert_allclose(a[1, 2], likelihood.named(draws[5])[v], rtol=1e-12)


def test_sums_add_and_do_not_grow(example, rng):
    likelihood, params = bound(example, rng, labelled=True, weighted=True), example.params(rng)
    _, sums = reference.e_step(likelihood, params)
    r = reference.responsibilities(likelihood, params)
    vr = likelihood.row_weights[:, None] * r
    parts = []
    for mask in (np.arange(60) < 30, np.arange(60) >= 30):
        some = np.where(mask[:, None], r, 0.0)
        parts.append(likelihood.sums(some, params))
    for name, value in added(*parts).items():
        np.testing.assert_allclose(value, sums[name], rtol=1e-9, atol=1e-9 * np.abs(sums[name]).max())
    assert max(np.size(a) for a in sums.values()) < 60
    np.testing.assert_allclose(sums["mass"], vr.sum(axis=0), rtol=1e-12)


def test_kernel_is_the_reference(example, rng, monkeypatch):
    monkeypatch.setattr("bayesmix.estep.compiled_step.CHUNK", 16)  # several chunks
    likelihood, params = bound(example, rng, labelled=True, weighted=True), Point(example.params(rng))
    L, sums = estep.e_step(likelihood, params)
    expected, by_hand = reference.e_step(likelihood, params)
    assert L == pytest.approx(expected, rel=1e-12)
    assert L == pytest.approx(
        naive.total(example.log_joint(likelihood.data, params, likelihood.evidence), likelihood.row_weights)
    )
    for name, value in by_hand.items():
        np.testing.assert_allclose(sums[name], value, rtol=1e-9, atol=1e-9 * (1 + np.abs(value).max()))
    np.testing.assert_allclose(estep.pointwise(likelihood, params), reference.pointwise(likelihood, params), rtol=1e-11)
    np.testing.assert_allclose(
        estep.responsibilities(likelihood, params), reference.responsibilities(likelihood, params), atol=1e-12
    )


def test_score_is_the_difference_quotient(example, rng):
    likelihood, params = bound(example, rng, labelled=True, weighted=True), example.params(rng)
    theta, units = likelihood.pack(params), likelihood.units(params)

    def L(u):
        joint = example.log_joint(likelihood.data, dict(likelihood.unpack(theta + units * u)), likelihood.evidence)
        return naive.total(joint, likelihood.row_weights)

    score = units * likelihood.score(theta, estep.e_step(likelihood, likelihood.unpack(theta))[1])
    expected = approx_fprime(np.zeros_like(theta), L, 1e-7)
    np.testing.assert_allclose(score, expected, rtol=1e-4, atol=1e-4 * (1 + np.abs(expected).max()))


def test_information_is_that_of_differences(example, rng):
    likelihood, params = bound(example, rng, labelled=True, weighted=True), example.params(rng)
    theta, units, h = likelihood.pack(params), likelihood.units(params), 1e-5

    def score(u):
        at = theta + units * u
        return units * likelihood.score(at, estep.e_step(likelihood, likelihood.unpack(at))[1])

    columns = [(score(-h * e) - score(h * e)) / (2 * h) for e in np.eye(len(theta))]
    H = np.array(columns)
    np.testing.assert_allclose(likelihood.information(params), (H + H.T) / 2, atol=1e-5 * np.abs(H).max())


def test_spread_is_the_delta_method_by_differences(example, rng):
    likelihood, params = bound(example, rng), example.params(rng)
    A = rng.normal(size=(likelihood.n_parameters, likelihood.n_parameters)) / 10
    found, expected = likelihood.spread(params, A @ A.T), curvature.spread_by_differences(likelihood, params, A @ A.T)
    assert set(found) == set(expected) == set(likelihood.dims)
    for v, sd in expected.items():
        np.testing.assert_allclose(found[v], sd, rtol=1e-5, atol=1e-7)


def test_steps_rise_to_where_the_score_vanishes(example, rng):
    """The M-step never lowers the expected complete log-likelihood near its top, which it reaches."""
    likelihood = bound(example, rng, weighted=True)
    params = likelihood.initial(likelihood.start_kinds[0], rng)
    r = reference.responsibilities(likelihood, params)

    def expected(p):
        joint = example.log_joint(likelihood.data, dict(p), np.zeros_like(r))
        return float((likelihood.row_weights[:, None] * np.where(r > 0, r * np.where(r > 0, joint, 0.0), 0.0)).sum())

    before = expected(params)
    for _ in range(30):
        params = likelihood.m_step(likelihood.sums(r, params), params)
    top, theta = expected(params), likelihood.pack(params)
    assert top >= before - 1e-9 * abs(before)
    for _ in range(30):
        near = likelihood.unpack(theta + 1e-3 * likelihood.units(params) * rng.normal(size=len(theta)))
        assert expected(near) <= top + 1e-9 * abs(top)


def test_names_and_coordinates_go_both_ways(example, rng):
    likelihood, params = bound(example, rng), example.params(rng)
    theta = likelihood.pack(params)
    assert theta.shape == likelihood.units(params).shape == (likelihood.n_parameters,)
    for v, a in likelihood.unpack(theta).items():
        np.testing.assert_allclose(a, params[v], rtol=1e-9, atol=1e-12)
    named = likelihood.named(params)
    assert list(named) == list(likelihood.dims) == [p.name for p in likelihood.parameters]
    for v, dims in likelihood.dims.items():
        assert np.shape(named[v]) == tuple(len(likelihood.coords[d]) for d in dims)
    varying = {v: a for v, a in named.items() if v not in likelihood.unvarying}
    for v, a in likelihood.given(varying).items():
        np.testing.assert_allclose(a, params[v], rtol=1e-9, atol=1e-12)
    assert sum(int(mask.sum()) for mask in likelihood.free.values()) >= likelihood.n_parameters
    shown = {p.in_place_of or p.name for p in likelihood.parameters if p.name in likelihood.free}
    assert set(likelihood.default_priors()) >= shown


def test_exchangeable_labels_change_nothing(example, rng):
    likelihood, params = bound(example, rng), example.params(rng)
    if len(np.unique(likelihood.exchangeable)) > 1:
        assert likelihood.known or not any(p.dims[:1] == ("component",) for p in likelihood.parameters)
        return
    order = rng.permutation(len(likelihood.components))
    swapped = reorder(likelihood, params, order)
    assert estep.e_step(likelihood, swapped)[0] == pytest.approx(estep.e_step(likelihood, params)[0], rel=1e-12)


def test_simulated_rows_have_no_score_on_average(example, rng):
    """At the parameters that made the rows the score is normal with the information's covariance: chi-squared."""
    n, params = 4000, example.params(rng)
    likelihood = bound(example, rng, n)
    new = likelihood.simulate(params, rng)
    assert new.shape == (n, likelihood.data.n_features)
    likelihood = bind(example.spec, example.data(np.random.default_rng(1), n)).rebind(replaced(likelihood.data, new))
    theta = likelihood.pack(params)
    score = likelihood.units(params) * likelihood.score(theta, estep.e_step(likelihood, params)[1])
    statistic = score @ np.linalg.solve(likelihood.information(params), score)
    assert 1e-4 < stats.chi2.sf(statistic, len(theta)) <= 1


def replaced(data, x):
    """Other observations in the same rows."""
    from bayesmix.mixture.simulate import laid_out

    return laid_out(data, x)


def test_the_model_s_density_is_the_naive_one(example, rng):
    """Fused and textbook forms, row by row, in PyMC."""
    likelihood = bound(example, rng, n=12)
    parts = graph(resolved(example.spec, likelihood.data))
    params = example.params(rng)
    if likelihood.unpack(likelihood.pack(params)).keys() != params.keys():
        return
    for form in ("fused", "textbook"):
        model = bm.build(example.spec, likelihood.data, likelihood=form)
        point = model.initial_point() | {
            model.rvs_to_values[model[v]].name: unconstrained(model, v, a)
            for v, a in parts.start(params).items()
            if v in [rv.name for rv in model.free_RVs]
        }
        logp = pytensor.function(
            model.value_vars, model.logp(vars=[model["x"]], sum=False), mode=INTERPRETED, on_unused_input="ignore"
        )
        found = np.sum(logp(*[point[v.name] for v in model.value_vars]), axis=0)
        expected = reference.pointwise(likelihood, params)
        np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-6, atol=1e-6)


def unconstrained(model, name, value):
    variable = model[name]
    transform = model.rvs_to_transforms[variable]
    if transform is None:
        return value
    return transform.forward(pytensor.tensor.as_tensor(value), *variable.owner.inputs).eval(mode=INTERPRETED)


def test_words_and_formulas_are_there(example, rng):
    likelihood = bound(example, rng, labelled=True)
    said = words_of(likelihood)
    assert said.model(likelihood)
    assert said.data_caption(likelihood.data, likelihood.family.observation)
    assert all(text and latex for text, latex in said.formulas(likelihood))
    assert len(formulas(likelihood)) > len(said.formulas(likelihood))
    assert "<svg" in plate_svg(likelihood)
    assert words(likelihood)
    for p in likelihood.parameters:
        assert p.symbol
        assert p.words
        assert p.label
        if p.prior:
            assert "<math" in symbol(likelihood, p.name)


def test_every_picture_is_drawn(example, rng):
    likelihood = bound(example, rng)
    draws = [example.params(rng) for _ in range(5)]
    params = {v: np.stack([p[v] for p in draws]) for v in draws[0]}
    params = all_named(likelihood, params)
    picture, view = picture_of(likelihood), View(likelihood, params, all_named(likelihood, draws[0]))
    new = np.stack([likelihood.simulate(p, rng) for p in draws])
    figures = [
        picture.data(likelihood.data, likelihood.components),
        picture.components(view),
        picture.predictive(likelihood.data, new),
        picture.prior(likelihood.data, params, new),
        *([picture.structure(view)] if picture.structured else []),
    ]
    for figure in figures:
        assert figure.axes
        figure.canvas.draw()
    small = new_figure(2, 2)
    picture.small(small.subplots(), view)
    small.canvas.draw()
    assert small.axes[0].has_data()
    assert plots.data_plot(likelihood.data, likelihood).axes


def test_a_dataset_of_estimates_knows_its_dimensions(example, rng):
    from bayesmix.mixture.estimates import to_dataset

    likelihood, params = bound(example, rng), example.params(rng)
    dataset = to_dataset(likelihood, likelihood.named(params))
    assert isinstance(dataset, xr.Dataset)
    for v, dims in likelihood.dims.items():
        assert dataset[v].dims == dims
