"""A covariance structure is at least as likely as those that it holds as special cases, however few starts EM has."""

import pytest

import bayesmix as bm
from benchmarks.lattice.pairs import NAMES, PAIRS, holds


def test_the_pairs():
    assert len(PAIRS) == 61
    assert all(holds("VVV", name) and holds(name, "EII") for name in NAMES)
    assert not holds("EEE", "VII")
    assert not holds("EEV", "EVE")


@pytest.mark.parametrize("K", [2, 3])
def test_no_pair_is_violated(faithful, K):
    settings = {"covariance": NAMES[::-1], "mode": "em", "folds": 0, "n_starts": 2, "progress": False}
    choice = bm.choose(*faithful, n_components=K, **settings)
    L = dict(zip(NAMES[::-1], choice.table["log_likelihood"], strict=True))
    spikes = {name for name, record in zip(NAMES[::-1], choice.records, strict=True) if record["reasons"]}
    sound = [(a, b) for a, b in PAIRS if not {a, b} & spikes]
    assert len(sound) > 40
    assert [(a, b) for a, b in sound if L[a] < L[b] - 1e-6] == []


def test_a_richer_candidate_begins_where_a_poorer_one_ended(iris):
    """From a single bad start the full matrices end below the tied ones, but for those."""
    settings = {"mode": "em", "folds": 0, "n_starts": 1, "progress": False, "seed": 3}
    alone, tied = (bm.choose(*iris, n_components=3, covariance=kind, **settings) for kind in ("full", "tied"))
    both = bm.choose(*iris, n_components=3, covariance=("full", "tied"), **settings)
    best = max(alone.table["log_likelihood"].iloc[0], tied.table["log_likelihood"].iloc[0])
    assert both.table["log_likelihood"].iloc[0] >= best - 1e-6
    assert 0 <= both.table["reached"].iloc[0] <= 1
