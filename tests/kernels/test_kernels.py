"""The compiled E-step against SciPy and against the NumPy reference: all kinds, sizes and scales, tails and masks."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numba import njit
from scipy import stats

import bayesmix as bm
import naive
from bayesmix import estep
from bayesmix.estep import compiled_step as run
from bayesmix.estep import reference
from bayesmix.families import NAMES
from bayesmix.kernels import lanes, vector
from bayesmix.kernels.cache import SOURCES
from bayesmix.likelihood.facets import facet
from bayesmix.mixture.spec import bind

KINDS = ("full", "tied", "diag", "spherical")
SCALES = {"plain": (1.0, 0.0), "tiny": (1e-8, 0.0), "huge": (1e8, 0.0), "far": (1.0, 1e6)}


def mixture(rng, kind, d, K=3, *, n=700, scale=1.0, offset=0.0, labelled=True):
    """A likelihood over rows with labels, sets and weights, and parameters far from any optimum."""
    X = offset + 3 * scale * rng.normal(size=(n, d))
    labels = ([None, "a", {"a", "b"}, None, "b"] * n)[:n] if labelled and K > 1 else None
    classes = ["a", "b"] if labels else None
    data = bm.Data(X, labels, classes=classes, row_weights=rng.uniform(0, 2, n))
    likelihood = bind(bm.Mixture("gaussian", n_components=K, covariance=kind), data)
    return likelihood, naive.random_gaussian(rng, K, d, kind, scale, offset)


def close(found, expected, tolerance=1e-12):
    """Entries relative to the largest of their array; infinite and missing ones alike."""
    found, expected = np.asarray(found), np.asarray(expected)
    largest = np.abs(expected).max(initial=1e-300, where=np.isfinite(expected))
    np.testing.assert_allclose(found / largest, expected / largest, rtol=0, atol=tolerance)


def ulps(function, exact, x):
    """The largest error in units in the last place."""

    @njit
    def over(x):
        return np.array([function(v) for v in x])

    return float(np.max(np.abs(over(x) - exact(x)) / np.spacing(np.abs(exact(x)))))


def test_exp_and_log_are_those_of_the_c_library(rng):
    x = np.concatenate([rng.uniform(-700, 700, 20_000), rng.normal(size=20_000) * 1e-3, [0.0, -0.5, 708.0]])
    assert ulps(vector.exp, np.exp, x) <= 2
    y = np.concatenate([np.exp(rng.uniform(-700, 700, 20_000)), 1 + rng.uniform(0, 5, 20_000), [1.0, 2.0]])
    assert ulps(vector.log, np.log, y) <= 3


def test_exp_and_log_at_the_ends():
    @njit
    def ends():
        inf, nan = np.inf, np.nan
        exps = np.array([vector.exp(-inf), vector.exp(-800.0), vector.exp(nan)])
        return exps, np.array([vector.log(0.0), vector.log(inf), vector.log(nan)])

    exps, logs = ends()
    np.testing.assert_array_equal(exps, [0, 0, np.nan])
    np.testing.assert_array_equal(logs, [-np.inf, np.inf, np.nan])


def test_lanes_do_what_their_names_say():
    @njit
    def calls(a, whole, out):
        x, y, zero = lanes.load(a, 0), lanes.load(a, 8), lanes.spread(0.0)
        lanes.store(out, 0, lanes.sums(x, 2.0 * x, zero, y, x - y, x * y, x / y, y + 1.0))
        lanes.store(out, 8, lanes.where_less(x, 3.5, y, -1.0))
        lanes.store(out, 16, lanes.collect(a, 1, 3))
        lanes.store(out, 24, lanes.load(whole, 1))
        lanes.add_halves(out, 0, 4, y)
        return lanes.number(whole, 2), lanes.lane(y, 3), vector.total(x), lanes.nothing(zero), lanes.nothing(x)

    a, out = np.arange(32.0), np.zeros(32)
    found = calls(a, np.arange(20), out)
    x, y = a[:8], a[8:16]
    expected = [x.sum(), 2 * x.sum(), 0, y.sum(), (x - y).sum(), (x * y).sum(), (x / y).sum(), (y + 1).sum()]
    np.testing.assert_allclose(out[:8], np.array(expected) + y, rtol=1e-15)
    np.testing.assert_array_equal(out[8:16], np.where(x < 3.5, y, -1.0))
    np.testing.assert_array_equal(out[16:24], a[1:25:3])
    np.testing.assert_array_equal(out[24:], np.arange(1, 9))
    assert found == (2.0, 11.0, x.sum(), True, False)


def test_exp_and_log_of_lanes_are_those_of_doubles(rng):
    @njit
    def over(x, y, many, single):
        for i in range(0, x.size, 8):
            lanes.store(many[0], i, vector.exp(lanes.load(x, i)))
            lanes.store(many[1], i, vector.log(lanes.load(y, i)))
            for j in range(i, i + 8):
                single[0, j], single[1, j] = vector.exp(x[j]), vector.log(y[j])

    ends = [np.inf, np.nan, 0.0, -np.inf, -800.0, 708.0, 1.0, -1e-300]
    x = np.concatenate([rng.uniform(-700, 700, 1000), ends])
    y = np.concatenate([np.exp(rng.uniform(-700, 700, 1000)), np.abs(ends)])
    many, single = np.empty((2, x.size)), np.empty((2, x.size))
    over(np.where(x == np.inf, 0.5, x), y, many, single)
    np.testing.assert_array_equal(many, single)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 255, 257, 300])
@pytest.mark.parametrize(("kind", "d"), [("full", 1), ("full", 3), ("diag", 3)])
def test_any_number_of_rows(rng, kind, d, n):
    likelihood, params = mixture(rng, kind, d, labelled=False)
    likelihood = likelihood.rebind(likelihood.data.take(np.arange(n)))
    for v in (likelihood.row_weights, np.ones(n)):
        likelihood = weighed(likelihood, v)
        L, found = estep.e_step(likelihood, params)
        expected_L, expected = reference.e_step(likelihood, params)
        assert pytest.approx(expected_L, rel=1e-12) == L
        close(found["mass"], expected["mass"])
        close(found["first"], expected["first"])
        close(np.diagonal(found["second"], 0, 1, 2), np.diagonal(expected["second"], 0, 1, 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 8, 11])
def test_gaussian_rows_are_scipys(rng, kind, d):
    likelihood, params = mixture(rng, kind, d)
    log_joint = naive.gaussian_log_joint(likelihood.data.x, **params, evidence=likelihood.evidence)
    l, r = estep.both(likelihood, params)
    np.testing.assert_allclose(l, np.logaddexp.reduce(log_joint, axis=1), rtol=1e-9)
    np.testing.assert_allclose(r, naive.posterior_probabilities(log_joint), atol=1e-9)
    np.testing.assert_array_equal(r[np.isneginf(likelihood.evidence)], 0.0)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("d", "K"), [(1, 3), (2, 1), (3, 4), (4, 3), (7, 2), (10, 3), (17, 2)])
def test_gaussian_e_step_is_the_references(rng, kind, d, K, scale):
    unit, offset = SCALES[scale]
    likelihood, params = mixture(rng, kind, d, K, scale=unit, offset=offset)
    L, found = estep.e_step(likelihood, params)
    expected_L, expected = reference.e_step(likelihood, params)
    assert abs(L - expected_L) <= 1e-12 * (1 + abs(expected_L))
    mask = np.eye(d) if kind in ("diag", "spherical") else 1.0  # the M-step of these kinds reads no more
    for name, value in expected.items():
        close(found[name] * mask if name == "second" else found[name], value * mask if name == "second" else value)
    for a, b in zip(estep.both(likelihood, params), reference.both(likelihood, params), strict=True):
        close(a, b)


def test_rows_far_in_the_tails_and_rows_that_nothing_explains(rng):
    likelihood, params = mixture(rng, "full", 2, labelled=False)
    x = np.array([[1e4, 0], [0, -1e8], [3, 3], [1e150, 0]])
    far = likelihood.rebind(bm.Data(x))
    for found, expected in zip(estep.both(far, params), reference.both(far, params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    nothing = dict(params, weights=np.zeros(3))
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(estep.pointwise(far, nothing), np.full(4, -np.inf))


@pytest.mark.parametrize("row", [10, 299])
def test_a_row_that_nothing_explains_anywhere_in_a_block(rng, row):
    likelihood, params = mixture(rng, "full", 2, n=300, labelled=False)
    likelihood.evidence = likelihood.evidence.copy()
    likelihood.evidence[row] = -np.inf
    assert estep.e_step(likelihood, params)[0] == -np.inf
    likelihood = weighed(likelihood, np.where(np.arange(300) == row, 0.0, 1.0))
    others = weighed(likelihood.rebind(likelihood.data.take(np.delete(np.arange(300), row))), np.ones(299))
    others.evidence = np.zeros((299, 3))
    assert estep.e_step(likelihood, params)[0] == pytest.approx(estep.e_step(others, params)[0], rel=1e-13)


def weighed(likelihood, v):
    """The same rows and evidence, other weights."""
    frame = pd.DataFrame(likelihood.data.x, columns=list(likelihood.data.feature_names))
    new = likelihood.rebind(bm.Data(frame, row_weights=v))
    new.evidence = likelihood.evidence
    return new


def zip_likelihood(rng, n=900):
    x = np.where(rng.random(n) < 0.3, 0, rng.poisson(4, n))
    x[:4] = [0, 63, 64, 100_000]
    labels = [("structural_zero" if y == 0 else "poisson") if i % 7 == 5 else None for i, y in enumerate(x)]
    data = bm.Data(x, labels, row_weights=np.where(np.arange(n) % 11, rng.uniform(0.1, 2, n), 0))
    return bind(bm.Mixture("zero_inflated_poisson"), data)


@pytest.mark.parametrize(("rate", "zero"), [(1.3, -0.5), (-3.0, 4.0), (11.5, -30.0)])
def test_zip_rows_are_scipys(rng, rate, zero):
    likelihood = zip_likelihood(rng)
    params = {"rate_coef": np.array([rate]), "zero_coef": np.array([zero])}
    pi = stats.logistic.cdf(zero)
    log_joint = naive.zip_log_joint(likelihood.data.x, np.exp(rate), pi, likelihood.evidence)
    l, r = estep.both(likelihood, params)
    np.testing.assert_allclose(l, np.logaddexp.reduce(log_joint, axis=1), rtol=1e-10)
    np.testing.assert_allclose(r, naive.posterior_probabilities(log_joint), atol=1e-10)
    L, found = estep.e_step(likelihood, params)
    assert L == pytest.approx(naive.total(log_joint, likelihood.row_weights), rel=1e-11)
    vr = likelihood.row_weights[:, None] * r
    np.testing.assert_allclose(found["mass"], vr.sum(axis=0), rtol=1e-11, atol=1e-300)
    away = np.where(vr[:, 1] > 0, vr[:, 1] * (likelihood.data.x[:, 0] - np.exp(rate)), 0.0)
    np.testing.assert_allclose(found["rate_gradient"], [away.sum()], rtol=1e-9, atol=1e-9 * np.abs(away).sum())
    slope = vr[:, 0] - likelihood.row_weights * pi
    np.testing.assert_allclose(found["zero_gradient"], [slope.sum()], rtol=1e-9, atol=1e-9 * np.abs(slope).sum())


def test_draws_one_by_one_and_all_at_once(rng):
    likelihood, params = mixture(rng, "full", 3)
    others = naive.random_gaussian(rng, 3, 3, "full")
    draws = {v: np.stack([params[v], others[v]])[None] for v in params}
    l, r = estep.both(likelihood, draws)
    assert l.shape == (1, 2, 700)
    assert r.shape == (1, 2, 700, 3)
    for s, one in enumerate((params, others)):
        np.testing.assert_array_equal(l[0, s], estep.pointwise(likelihood, one))
        np.testing.assert_allclose(r[0, s], estep.responsibilities(likelihood, one), rtol=1e-14)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_chunks_add_up_the_same_for_any_number_of_threads(rng, monkeypatch, threads):
    likelihood, params = mixture(rng, "full", 2, n=3 * 1000 + 17)
    expected, whole = reference.e_step(likelihood, params)
    monkeypatch.setattr(run, "CHUNK", 1000)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    L, one = estep.e_step(likelihood, params)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    again, other = estep.e_step(likelihood, params)
    assert again == L
    assert L == pytest.approx(expected, rel=1e-13)
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name])
        close(value, whole[name])


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_of_any_kernel_file_makes_new_code(name):
    """The stamp is that of all kernels, not that of the one file that numba would look at."""
    assert facet(name, "kernel").e_step._cache._impl.locator.get_source_stamp() == SOURCES


WARM = """
from bayesmix import estep
from bayesmix.families import NAMES
from bayesmix.likelihood.facets import facet
from bayesmix.mixture.spec import bind
import numpy as np
from families.examples import EXAMPLES
for name in NAMES:
    rng = np.random.default_rng(1)
    likelihood = bind(EXAMPLES[name].spec, EXAMPLES[name].data(rng))
    params = EXAMPLES[name].params(rng)
    estep.e_step(likelihood, params), estep.pointwise(likelihood, params)
    kernel = facet(name, "kernel")
    print(name, sum(sum(f.stats.cache_misses.values()) for f in (kernel.e_step, kernel.rows)))
"""


def test_a_second_process_compiles_nothing():
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", WARM],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        )
    assert done.stdout.split() == [word for name in NAMES for word in (name, "0")]
