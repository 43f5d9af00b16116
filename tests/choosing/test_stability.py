"""Resamples and single starts: where groups are apart nothing changes, where they are not the shares say so."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

import bayesmix as bm

SPEC = bm.Mixture("gaussian", n_components=1)


def test_groups_that_are_apart():
    x = np.r_[np.linspace(1, 3, 20), np.linspace(21, 23, 20)]
    found = bm.stability(SPEC, bm.Data(x), n_components=(1, 2), resamples=6)
    assert found.wins.loc["2"].tolist() == [1, 1]
    assert found.name == "2"
    assert found.clearness == pytest.approx(1)
    group = x > 10
    np.testing.assert_array_equal(found.consensus.to_numpy(), group[:, None] == group)
    assert "K = 2" in str(found)


def test_shares_against_scikit_learn(rng):
    """One normal or two: which has the smaller BIC in each of the same resamples."""
    x = np.r_[rng.normal(0, 1, 40), rng.normal(2.6, 1, 40)]
    settings = {"n_components": (1, 2), "covariance": "tied", "resamples": 12, "bootstrap": True, "seed": 3}
    found = bm.stability(SPEC, bm.Data(x), **settings)
    draws, wins = np.random.default_rng(3), []
    for _ in range(12):
        rows = x[draws.choice(80, 80, replace=True)][:, None]
        fits = [GaussianMixture(K, covariance_type="tied", n_init=8, tol=1e-8, max_iter=3000) for K in (1, 2)]
        wins.append(np.argmin([fit.fit(rows).bic(rows) for fit in fits]))
    assert found.wins["resamples"].tolist() == pytest.approx([1 - np.mean(wins), np.mean(wins)], abs=1 / 12 + 1e-9)
    assert found.wins.sum().tolist() == pytest.approx([1, 1])


def test_rows_that_are_there_twice_ask_for_more_components(iris):
    """Iris: four fifths of the rows choose two groups as all of them do; bootstrap resamples choose more."""
    parts, bootstrap = (
        bm.stability(*iris, n_components=(1, 2, 3), resamples=6, bootstrap=twice).wins for twice in (False, True)
    )
    assert parts.loc["2", "resamples"] > 0.5 > bootstrap.loc["2", "resamples"]


def test_labelled_rows_are_refused():
    with pytest.raises(ValueError, match="labelled"):
        bm.stability(SPEC, bm.Data([1.0, 2, 3], labels=["a", None, None]))
