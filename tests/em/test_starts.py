"""Which ends are one solution, and starts on few rows."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import naive
from bayesmix.em import fit_starts as em
from bayesmix.em.fit_em import fit_em
from bayesmix.em.starts import (
    FEW_ROWS,
    LEAST_LABELLED,
    StartResult,
    best_result,
    few_rows,
    merged,
    solutions,
    starts_table,
)
from bayesmix.inputs.data import Data
from bayesmix.mixture.spec import Mixture, bind


def four_corners():
    """Rows around (+-3, +-3), symmetric in both axes and in their exchange: two splits are equally likely."""
    quarter = np.random.default_rng(3).normal(size=(10, 2)) * 0.5
    quarter = np.vstack([quarter, quarter[:, ::-1]]) + 3
    x = np.vstack([quarter * np.array(sign) for sign in ([1, 1], [1, -1], [-1, 1], [-1, -1])])
    return bind(Mixture("gaussian", n_components=2, covariance="diag"), Data(x))


def split(axis, first):
    """Two components on either side of an axis."""
    means = np.zeros((2, 2))
    means[:, axis] = [first, -first]
    variances = np.full((2, 2), 9.3)
    variances[:, axis] = 0.3
    covariances = np.array([np.diag(v) for v in variances])
    return {"weights": np.array([0.5, 0.5]), "means": means, "covariances": covariances}


def result_at(params, L=-100.0, **changes):
    return StartResult("given", params, np.array([L]), True, (), 3, **changes)


def test_equal_likelihoods_are_not_one_solution():
    likelihood = four_corners()
    left, mirrored, below = split(0, -3.0), split(0, 3.0), split(1, -3.0)
    shared = merged(likelihood, [result_at(left), result_at(mirrored), result_at(below)])
    assert shared[1].params is shared[0].params
    assert [result.own for result in shared] == [True, False, True]
    assert shared[2].params is below
    assert sorted(n for _, n in solutions(shared)) == [1, 2]
    pinned = merged(likelihood, [result_at(left), result_at(mirrored)], np.arange(2))
    assert pinned[1].params is mirrored


def test_both_splits_of_four_corners_are_found():
    found = solutions(em.fit_starts(four_corners(), n_starts=40, seed=1))
    top = [result for result, _ in found if result.log_likelihood > found[0][0].log_likelihood - 1e-6]
    widest = {int(np.ptp(result.params["means"], axis=0).argmax()) for result in top}
    assert widest == {0, 1}


def test_the_best_end_is_shared(three_groups):
    likelihood = bind(*three_groups)
    results = em.fit_starts(likelihood, n_starts=12, seed=1)
    found = solutions(results)
    assert sum(n for _, n in found) == 12
    assert all(result.own for result, _ in found)
    values = [result.log_likelihood for result, _ in found]
    assert values == sorted(values, reverse=True)
    assert results[best_result(results)].own
    assert results[best_result(results)] is found[0][0]
    table = starts_table(likelihood, results)
    assert list(table["solution"].value_counts().sort_index()) == [n for _, n in found]
    assert (table["n_iter"] > 0).all()


def labelled_rows(n):
    """Two groups; a fifth of the first is labelled, 40 of the second."""
    rng = np.random.default_rng(5)
    z = (rng.random(n) < 0.3).astype(int)
    known = rng.random(n) < 0.2
    known[z == 1] = False
    known[np.flatnonzero(z == 1)[:40]] = True
    labels = pd.Series(np.where(z == 0, "a", "b")).where(known)
    v = np.ones(n)
    v[:100] = 0
    return Data(rng.normal(size=(n, 2)) + 4 * z[:, None], labels=list(labels), row_weights=v)


def test_few_rows_are_in_proportion_and_hold_every_class():
    data = labelled_rows(60_000)
    likelihood = bind(Mixture("gaussian", n_components=3), data)
    few = few_rows(likelihood, np.random.default_rng(1))
    assert FEW_ROWS <= len(few.data) <= FEW_ROWS + 2 * LEAST_LABELLED
    of_all = (data.labelled & (data.row_weights > 0)).sum()
    assert few.data.labelled.sum() == pytest.approx(of_all * FEW_ROWS / 59_900, abs=2 * LEAST_LABELLED)
    of_b = np.isfinite(few.evidence[few.data.labelled, 1]).sum()
    assert of_b == np.isfinite(likelihood.evidence[data.labelled & (data.row_weights > 0), 1]).sum()
    assert few.row_weights.min() == 1
    small = bind(Mixture("gaussian", n_components=3), data.take(np.arange(1000)))
    assert few_rows(small, np.random.default_rng(1)) is small


def test_a_level_that_the_few_rows_miss_keeps_them_all(rng):
    n = FEW_ROWS + 5000
    frame = pd.DataFrame({"y": rng.poisson(2, n), "group": np.where(np.arange(n) == 7, "rare", "usual")})
    likelihood = bind(Mixture("zero_inflated_poisson", rate="1 + group"), Data(frame, response="y"))
    generators = [np.random.default_rng(s) for s in range(20)]
    assert any(few_rows(likelihood, g) is likelihood for g in generators)


def test_many_rows_reach_the_maximum_over_all_of_them(rng):
    """L by SciPy at every start's parameters, and above L at the truth."""
    w, m, sd = np.array([0.5, 0.3, 0.2]), np.array([0.0, 3.0, 8.0]), np.array([1.0, 1.0, 0.7])
    z = rng.choice(3, 30_000, p=w)
    data = Data(rng.normal(m[z], sd[z]))
    likelihood = bind(Mixture("gaussian", n_components=3), data)
    results = em.fit_starts(likelihood, n_starts=8, seed=1)
    for result in results:
        joint = naive.gaussian_log_joint(data.x, **result.params, evidence=np.zeros((30_000, 3)))
        assert result.log_likelihood == pytest.approx(naive.total(joint), rel=1e-11)
    truth = naive.gaussian_log_joint(data.x, w, m[:, None], sd[:, None, None] ** 2, np.zeros((30_000, 3)))
    best = results[best_result(results)]
    assert naive.total(truth) < best.log_likelihood < naive.total(truth) + 15
    gradient = likelihood.score(likelihood.pack(best.params), statistics_of(likelihood, best))
    np.testing.assert_allclose(gradient * likelihood.units(best.params), 0, atol=0.5)
    np.testing.assert_allclose(np.sort(best.params["means"][:, 0]), m, atol=0.15)


def statistics_of(likelihood, result):
    """The statistics by their definition, in NumPy."""
    joint = naive.gaussian_log_joint(likelihood.data.x, **result.params, evidence=likelihood.evidence)
    return likelihood.sums(naive.posterior_probabilities(joint), result.params)


@pytest.fixture
def iterated(monkeypatch):
    """Rows and end of every start that EM iterates."""
    record, real = [], em.iterate

    def recording(likelihood, *args, **kwargs):
        result = real(likelihood, *args, **kwargs)
        record.append((len(likelihood.data.x), result.log_likelihood))
        return result

    monkeypatch.setattr(em, "iterate", recording)
    return record


def test_hopeless_ends_are_left_behind(rng, iterated):
    """Far apart groups: an end that splits one of them is thousands below."""
    x = np.concatenate([rng.normal(c, 0.5, 12_000) for c in (0, 20, 40)])
    fit = fit_em(Mixture("gaussian", n_components=3, covariance="tied"), Data(x), n_starts=20)
    assert (fit.starts["log_likelihood"] < fit.log_likelihood - 1000).any()
    assert min(L for n, L in iterated if n == len(x)) > fit.log_likelihood - 1000
    assert sum(n < len(x) for n, _ in iterated) == 20


def test_zip_on_few_rows(rng):
    n = 25_000
    frame = pd.DataFrame({"a": rng.normal(size=n)})
    frame["y"] = np.where(rng.random(n) < expit(-1 + frame["a"]), 0, rng.poisson(np.exp(1 + 0.3 * frame["a"])))
    fit = fit_em(Mixture("zero_inflated_poisson", rate="1 + a", zero="1 + a"), Data(frame, response="y"), n_starts=3)
    assert fit.converged
    np.testing.assert_allclose(fit.params["rate_coef"], [1, 0.3], atol=0.05)
    np.testing.assert_allclose(fit.params["zero_coef"], [-1, 1], atol=0.15)
