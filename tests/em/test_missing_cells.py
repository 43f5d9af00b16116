"""EM over rows with missing cells: published and exact likelihoods, what a gap must not change, planted mistakes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import approx_fprime

import bayesmix as bm
import naive
from bayesmix import estep
from bayesmix.estep import reference
from bayesmix.estep.compiled_step import added
from bayesmix.mixture.spec import bind
from bayesmix.parts import normal as observed

MODELS = Path(__file__).parents[2] / "models"
MISSVALS = """7 26 6 60 78.5|1 29 15 52 74.3|11 56 8 20 104.3|11 31 8 47 87.6|7 52 6 33 95.9|11 55 9 22 109.2|
3 71 17 - 102.7|1 31 22 - 72.5|2 54 18 - 93.1|- - 4 - 115.9|- - 23 - 83.8|- - 9 - 113.3|- - 8 - 109.4"""
"""Draper and Smith's cement data with Little and Rubin's (1987, table 6.4) gaps."""
APPLE = "8 59|6 58|11 56|22 53|14 50|17 45|18 43|24 42|19 39|23 38|26 30|40 27|4 -|4 -|5 -|6 -|8 -|10 -"
"""Apple crops and shares of wormy fruit, Little and Rubin (1987, table 6.3)."""


def written(text):
    return np.array([[np.nan if c == "-" else float(c) for c in row.split()] for row in text.split("|")])


def by_rule(name):
    """Numbers of a model's table with cell (i, j) missing where 37 i + 101 j is divisible by 10."""
    x = pd.read_csv(MODELS / name / "data.csv").select_dtypes("number").to_numpy(float)
    i, j = np.indices(x.shape)
    return np.where((37 * i + 101 * j) % 10 == 0, np.nan, x)


TABLES = {
    "missvals": written(MISSVALS),
    "apple": written(APPLE),
    "faithful": by_rule("old_faithful"),
    "iris": by_rule("iris"),
}
KNOWN = [
    ("missvals", 1, "full", -132.925250),
    ("apple", 1, "full", -101.785632),
    ("faithful", 1, "full", -1178.189128),
    ("faithful", 2, "full", -1033.969725),
    ("faithful", 2, "tied", -1042.635140),
    ("iris", 1, "full", -360.629193),
    ("iris", 2, "full", -200.208283),
    ("iris", 3, "full", -168.560813),
]


def fitted(table, K, covariance="full", **settings):
    spec = bm.Mixture("gaussian", n_components=K, covariance=covariance)
    return bm.fit_em(spec, bm.Data(TABLES[table]), tolerance=1e-12, **settings)


@pytest.mark.parametrize(("table", "K", "covariance", "expected"), KNOWN)
def test_likelihoods_are_the_known_ones(table, K, covariance, expected):
    em = fitted(table, K, covariance)
    assert em.log_likelihood == pytest.approx(expected, abs=1e-6)
    assert em.converged
    assert not em.degenerate
    weights, means, covariances = (em.params[v].to_numpy() for v in ("weights", "means", "covariances"))
    joint = naive.gaussian_log_joint(TABLES[table], weights, means, covariances, np.zeros((len(TABLES[table]), K)))
    assert naive.total(joint) == pytest.approx(em.log_likelihood, rel=1e-11)


def to_the_end(em, steps=2000):
    """Plain steps of EM from a fit, until nothing moves."""
    at = em.arrays
    for _ in range(steps):
        at = em.likelihood.m_step(estep.e_step(em.likelihood, at)[1], at)
    return at


def test_little_and_rubin_s_estimates():
    means = [6.655166, 49.965259, 11.769231, 27.047092, 95.423077]
    np.testing.assert_allclose(to_the_end(fitted("missvals", 1))["means"][0], means, atol=1e-6)
    apple = to_the_end(fitted("apple", 1))
    np.testing.assert_allclose(apple["means"][0], [14.722222, 49.333333], atol=1e-6)
    covariance, x = apple["covariances"][0][[0, 0, 1], [0, 1, 1]], TABLES["apple"]
    slope, *_ = stats.linregress(x[:12, 0], x[:12, 1])
    s11, rest = x[:, 0].var(), (1 - np.corrcoef(x[:12].T)[0, 1] ** 2) * x[:12, 1].var()
    np.testing.assert_allclose(covariance, [s11, slope * s11, rest + slope**2 * s11], rtol=1e-8)  # Anderson (1957)
    np.testing.assert_allclose(covariance, [89.533951, -90.696712, 114.694921], atol=5e-5)


def test_groups_are_found():
    assert fitted("faithful", 2).params["weights"].max() == pytest.approx(0.64869, abs=1e-5)
    species = pd.read_csv(MODELS / "iris" / "data.csv").select_dtypes(exclude="number").iloc[:, 0]
    data = bm.Data(TABLES["iris"], truth=list(species))
    r = bm.responsibilities(bm.fit_em(bm.Mixture("gaussian", n_components=3), data)).to_numpy()
    table = pd.crosstab(r.argmax(axis=1), data.truth).to_numpy()
    assert table.max(axis=0).sum() / 150 == pytest.approx(0.960, abs=5e-4)


def random_rows(rng, n=80, d=4, share=0.25):
    return naive.with_gaps(pd.DataFrame(rng.normal(size=(n, d)) @ rng.normal(size=(d, d))), rng, share).to_numpy()


def test_a_column_that_is_missing_is_a_column_dropped(rng):
    """Of new rows; a fit refuses a column of which it could learn nothing."""
    params = naive.random_gaussian(rng, 2, 3, "full")
    x = rng.normal(size=(40, 3))
    spec = bm.Mixture("gaussian", n_components=2)
    gone = bind(spec, bm.Data(x)).rebind(bm.Data(np.column_stack([x[:, :2], np.full(40, np.nan)])))
    smaller = {"weights": params["weights"], "means": params["means"][:, :2]}
    smaller["covariances"] = params["covariances"][:, :2, :2]
    expected = estep.e_step(bind(spec, bm.Data(x[:, :2])), smaller)[0]
    assert estep.e_step(gone, params)[0] == pytest.approx(expected, rel=1e-13)
    with pytest.raises(ValueError, match=r"column 'x3' has no value at all.*leave it out"):
        bm.fit_em(spec, gone.data)


def test_a_row_without_cells_counts_by_its_label_alone(rng):
    params = naive.random_gaussian(rng, 2, 3, "full")
    x = np.vstack([rng.normal(size=(4, 3)), np.full((2, 3), np.nan)])
    likelihood = bind(bm.Mixture("gaussian", n_components=2), bm.Data(x, labels=[None] * 5 + ["a"]))
    l, r = estep.both(likelihood, params)
    np.testing.assert_allclose(l[4:], [0, np.log(params["weights"][0])], atol=1e-14)
    np.testing.assert_allclose(r[4:], [params["weights"], [1, 0]], atol=1e-14)


def test_whole_rows_by_pattern_are_those_of_the_plain_kernel(rng):
    """One row with a gap sends all of them the other way."""
    x = rng.normal(size=(201, 3))
    spec, params = bm.Mixture("gaussian", n_components=2), naive.random_gaussian(rng, 2, 3, "full")
    one = bind(spec, bm.Data(np.vstack([x, [np.nan, 0.0, 0.0]])))
    plain = bind(spec, bm.Data(x))
    np.testing.assert_allclose(estep.pointwise(one, params)[:-1], estep.pointwise(plain, params), rtol=1e-12)


@pytest.mark.parametrize("d", [3, 14])
def test_halves_add(rng, d):
    """Also where there are more patterns than fit one table."""
    x = random_rows(rng, d=d)
    likelihood = bind(bm.Mixture("gaussian", n_components=2), bm.Data(x))
    params = naive.random_gaussian(rng, 2, d, "full")
    L, sums = estep.e_step(likelihood, params)
    halves = [
        estep.e_step(likelihood.rebind(likelihood.data.take(rows)), params) for rows in (np.r_[:33], np.r_[33:80])
    ]
    assert L == pytest.approx(sum(part for part, _ in halves), rel=1e-12)
    for name, value in added(halves[0][1], halves[1][1]).items():
        np.testing.assert_allclose(value, sums[name], rtol=1e-9, atol=1e-9)


def score_errors(likelihood, params):
    """The largest error of the score, by the sums of the reference, against differences of the naive L."""
    theta, units = likelihood.pack(params), likelihood.units(params)

    def L(u):
        at = dict(likelihood.unpack(theta + units * u))
        return naive.total(naive.gaussian_log_joint(likelihood.data.x, **at, evidence=likelihood.evidence))

    expected = approx_fprime(np.zeros_like(theta), L, 1e-7)
    score = units * likelihood.score(theta, reference.e_step(likelihood, likelihood.unpack(theta))[1])
    return float(np.abs(score - expected).max())


def test_forgetting_the_conditional_covariance_is_caught(rng, monkeypatch):
    """The mistake of filling in conditional means: it falsifies the score, and EM ends lower."""
    likelihood = bind(bm.Mixture("gaussian", n_components=2), bm.Data(TABLES["faithful"]))
    params = likelihood.initial("ward", rng)
    assert score_errors(likelihood, params) < 1e-2

    def iterated():
        at = params
        for _ in range(60):
            at = likelihood.m_step(reference.e_step(likelihood, at)[1], at)
        return reference.e_step(likelihood, at)[0]

    right = iterated()
    monkeypatch.setattr(observed, "unexplained", lambda Q: np.zeros((*Q.shape[:-1], Q.shape[-2])))
    assert score_errors(likelihood, params) > 1
    assert right == pytest.approx(-1033.969725, abs=1e-3)
    assert iterated() < right - 0.5


def test_taking_a_gap_as_zero_is_caught(rng):
    x, params = random_rows(rng, d=3), naive.random_gaussian(rng, 2, 3, "full")
    spec = bm.Mixture("gaussian", n_components=2)
    right, wrong = (estep.e_step(bind(spec, bm.Data(rows)), params)[0] for rows in (x, np.nan_to_num(x)))
    expected = naive.total(naive.gaussian_log_joint(x, **params, evidence=np.zeros((80, 2))))
    assert right == pytest.approx(expected, rel=1e-12)
    assert abs(wrong - expected) > 1


def test_standard_errors_are_those_of_a_monotone_pattern():
    """Apple: the mean of the second column by regression on the first, in closed form (Anderson 1957)."""
    em, x = fitted("apple", 1), TABLES["apple"]
    both = x[:12]
    slope, *_ = stats.linregress(both[:, 0], both[:, 1])
    rest = np.mean((both[:, 1] - both[:, 1].mean() - slope * (both[:, 0] - both[:, 0].mean())) ** 2)
    s11, away = x[:, 0].var(), x[:, 0].mean() - both[:, 0].mean()
    variance = rest * (1 / 12 + away**2 / (12 * both[:, 0].var())) + slope**2 * s11 / 18
    assert float(em.standard_errors["means"][0, 1]) == pytest.approx(np.sqrt(variance), rel=1e-4)


def test_a_family_that_needs_whole_rows_says_so():
    counts = pd.DataFrame({"y": [0, 2, None, 1, 0, 3], "a": range(6)})
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + a")
    with pytest.raises(
        ValueError, match=r"column 'y', row 3 is missing, which a zero_inflated_poisson .*missing='drop'"
    ):
        bm.fit_em(spec, bm.Data(counts, response="y"))
    dropped = bm.Data(counts, response="y", missing="drop")
    assert (len(dropped), dropped.dropped) == (5, 1)
    assert np.isfinite(bm.fit_em(spec, dropped, n_starts=2).log_likelihood)
