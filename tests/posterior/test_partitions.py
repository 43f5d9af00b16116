"""The partition with the smallest expected loss, against all partitions there are."""

from itertools import combinations
from math import log2

import numpy as np
import pytest

from bayesmix.posterior.partitions import best_partition, expected_loss, improve, renumbered


def every_partition(n):
    """All partitions of n rows, as restricted growth strings."""
    strings = [(0,)]
    for _ in range(n - 1):
        strings = [(*s, k) for s in strings for k in range(max(s) + 2)]
    return [np.array(s) for s in strings]


def binder(c, z):
    """Share of pairs that are together in one and apart in the other."""
    pairs = list(combinations(range(len(c)), 2))
    return sum((c[i] == c[j]) != (z[i] == z[j]) for i, j in pairs) / len(pairs)


def vi(c, z):
    """H(c) + H(z) - 2 I(c, z), in bits."""
    n = len(c)
    sizes = {}
    for a, b in zip(c.tolist(), z.tolist(), strict=True):
        for key in (("c", a), ("z", b), (a, b)):
            sizes[key] = sizes.get(key, 0) + 1
    entropy = {kind: 0.0 for kind in ("c", "z", "both")}
    for key, m in sizes.items():
        entropy[key[0] if isinstance(key[0], str) else "both"] -= m / n * log2(m / n)
    return 2 * entropy["both"] - entropy["c"] - entropy["z"]


NAIVE = {"vi": vi, "binder": binder}


def allocations(rng, n, K=3, draws=25, doubt=0.4):
    """Allocations about one truth, labels shuffled; of rows in doubt at random."""
    truth = rng.integers(K, size=n)
    z = np.where(rng.random((draws, n)) < doubt, rng.integers(K, size=(draws, n)), truth)
    return np.array([rng.permutation(K)[row] for row in z])


@pytest.mark.parametrize("loss", NAIVE)
def test_expected_loss(rng, loss):
    z = allocations(rng, 30)
    for c in (z[0], rng.integers(6, size=30), np.zeros(30, int), np.arange(30)):
        naive = np.mean([NAIVE[loss](c, row) for row in z])
        assert expected_loss(c, z, loss) == pytest.approx(naive, abs=1e-12)


def test_all_partitions_are_bell_many():
    assert [len(every_partition(n)) for n in range(1, 8)] == [1, 2, 5, 15, 52, 203, 877]


@pytest.mark.parametrize("doubt", [0.1, 0.4, 1.0])
@pytest.mark.parametrize("n", [1, 2, 5, 7])
@pytest.mark.parametrize("loss", NAIVE)
def test_the_best_of_all_partitions(rng, loss, n, doubt):
    for _ in range(5):
        z = allocations(rng, n, doubt=doubt)
        found, value = best_partition(z[:3], z, loss, rng)
        if n == 1:
            assert value == 0
            continue
        best = min(np.mean([NAIVE[loss](c, row) for row in z]) for c in every_partition(n))
        assert value == pytest.approx(best, abs=1e-12)
        assert value == pytest.approx(np.mean([NAIVE[loss](found, row) for row in z]), abs=1e-12)


@pytest.mark.parametrize("loss", NAIVE)
def test_improving_never_makes_worse(rng, loss):
    z = allocations(rng, 40, K=4)
    for c in (z[0], np.zeros(40, int), np.arange(40)):
        assert expected_loss(improve(c, z, loss, rng), z, loss) <= expected_loss(c, z, loss)


@pytest.mark.parametrize("loss", NAIVE)
def test_certain_rows_are_found_again(rng, loss):
    z = allocations(rng, 60, doubt=0.0)
    found, value = best_partition([np.zeros(60, int)], z, loss, rng)
    np.testing.assert_array_equal(found, renumbered(z[0]))
    assert value == pytest.approx(0, abs=1e-12)


def test_clusters_are_numbered_by_size():
    np.testing.assert_array_equal(renumbered(np.array([5, 2, 2, 9, 9, 2])), [2, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(renumbered(np.array([3, 1, 3, 1])), [0, 1, 0, 1])
