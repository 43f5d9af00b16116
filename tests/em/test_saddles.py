"""Points where EM stands still and that are no maximum, separation, and maxima that few rows make."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.em.fit_starts import fit_starts
from bayesmix.em.saddles import beyond_saddles
from bayesmix.em.starts import StartResult, best_result
from bayesmix.mixture.spec import bind

DISCRETE = {
    "two values": (np.tile([0.0, 10.0], 200), 2),
    "three values": (np.tile([0.0, 5.0, 10.0], 100), 3),
    "Likert": (np.random.default_rng(3).integers(1, 6, 300) * 1.0, 3),
    "Likert, four": (np.random.default_rng(19).integers(1, 6, 300) * 1.0, 4),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_one_normal_is_no_answer_to_more_components(name):
    x, K = DISCRETE[name]
    em = bm.fit_em(bm.Mixture("gaussian", n_components=K), bm.Data(x))
    one = stats.norm(x.mean(), x.std()).logpdf(x).sum()
    assert em.degenerate or em.log_likelihood > one + 0.01
    assert not em.degenerate or np.isnan(em.standard_errors["means"]).all()


def one_normal(x, K, kind):
    """The likelihood, and the start that ended where all components are the one normal of the data; L by SciPy."""
    likelihood = bind(bm.Mixture("gaussian", n_components=K, covariance=kind), bm.Data(x))
    pooled = np.cov(likelihood.data.x.T, bias=True).reshape(likelihood.component.d, -1)
    S = likelihood.component.kind.estimate(np.array([pooled] * K), np.ones(K))
    centre = likelihood.data.x.mean(axis=0)
    L = stats.multivariate_normal(centre, S[0]).logpdf(likelihood.data.x).sum()
    saddle = {"weights": np.full(K, 1 / K), "means": np.tile(centre, (K, 1)), "covariances": S}
    return likelihood, StartResult("given", saddle, np.array([L]), True, (), 1)


@pytest.mark.parametrize("name", DISCRETE)
def test_a_saddle_below_spikes_says_so(name):
    x, K = DISCRETE[name]
    likelihood, result = one_normal(x, K, "full")
    (end,) = beyond_saddles(likelihood, [result], max_iter=2000, tolerance=1e-9)
    assert end.reasons[0].startswith("saddle: component_1 and component_2")
    assert "are alike; every start that rises from here ends so: component_" in end.reasons[0]


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_from_a_saddle_to_the_maximum_above_it(kind):
    """Two clear groups, and EM begun where both components are one normal: it must not stay there."""
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(-2, 1, (150, 2)), rng.normal(2, 1, (100, 2))])
    likelihood, result = one_normal(x, 2, kind)
    (end,) = beyond_saddles(likelihood, [result], max_iter=2000, tolerance=1e-9)
    best = fit_starts(likelihood, n_starts=8, seed=1)
    assert end.reasons == ()
    assert end.log_likelihood == pytest.approx(best[best_result(best)].log_likelihood, abs=1e-3)
    assert (np.diff(end.history) > -1e-9).all()


def test_a_maximum_is_left_alone(three_groups):
    likelihood = bind(*three_groups)
    results = fit_starts(likelihood, n_starts=4, seed=1)
    again = beyond_saddles(likelihood, results, max_iter=2000, tolerance=1e-9)
    assert all(a is b for a, b in zip(results, again, strict=True))


def group_without(part):
    """120 counts in two groups; the second has no positive count, or no zero."""
    rng = np.random.default_rng(0)
    g = np.repeat(["a", "b"], 60)
    y = rng.poisson(3, 120)
    y[:15] = 0
    y[g == "b"] = 0 if part == "positive" else np.maximum(y[g == "b"], 1) + 6
    return bm.Data(pd.DataFrame({"y": y, "g": g, "z": rng.normal(size=120)}), response="y")


@pytest.mark.parametrize(
    ("without", "rate", "zero", "part"),
    [
        ("positive", "1", "1 + g + z", "zero"),
        ("positive", "1 + z + g", "1", "rate"),
        ("positive", "0 + g", "1", "rate"),
        ("zero", "1 + g", "1 + g", "zero"),
    ],
)
def test_separation_is_flagged_by_name(without, rate, zero, part):
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson", rate=rate, zero=zero), group_without(without), n_starts=3)
    assert em.degenerate
    (reason,) = (r for r in em.reasons if r.startswith(part))
    assert "the coefficient of g[" in reason
    assert " z " not in reason


def test_a_covariate_that_separates_the_zeros():
    """No structural zero above 0.3: along the slope, with the intercept, the likelihood has no maximum."""
    rng = np.random.default_rng(1)
    a = np.sort(rng.uniform(-1, 1, 200))
    y = np.where(a < 0.3, 0, rng.poisson(5.0, 200) + 1)
    data = bm.Data(pd.DataFrame({"y": y, "a": 1e6 + 1e3 * a}), response="y")
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson", zero="1 + a"), data, n_starts=2)
    assert "the coefficients of Intercept, a run off to infinity" in em.reasons[0]


def test_large_but_finite_coefficients_are_sound(rng):
    """A steep slope: predictors up to 15, yet a maximum; the slope by the truth within its standard error."""
    a = rng.normal(size=1500)
    y = np.where(rng.random(1500) < stats.logistic.cdf(5 * a - 1), 0, rng.poisson(np.exp(1 + 0.3 * a)))
    data = bm.Data(pd.DataFrame({"y": y, "a": a}), response="y")
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson", rate="1 + a", zero="1 + a"), data, n_starts=2)
    assert not em.degenerate
    slope, error = (float(d["zero_coef"].sel(zero_term="a")) for d in (em.params, em.standard_errors))
    assert abs(slope - 5) < 4 * error < 4


def test_a_maximum_on_few_flat_rows_is_spurious():
    """100 rows in 30 dimensions: a component on hardly more than 31 of them fits their plane, far above the others."""
    rng = np.random.default_rng(1)
    z = rng.integers(2, size=100)
    x = (rng.normal(size=(2, 30)) * 2)[z] + rng.normal(size=(100, 30))
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2), bm.Data(x), seed=1)
    rows = bm.responsibilities(em).to_numpy().sum(axis=0)
    assert not em.degenerate
    assert rows.min() > 1.2 * 31
    spurious = em.starts[em.starts["reasons"].str.contains("spurious maximum on")]
    assert spurious["log_likelihood"].max() > em.starts[~em.starts["degenerate"]]["log_likelihood"].min()
