"""Label switching, by arrays: permutations found, by every method; nothing is sampled."""

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from scipy.special import softmax, xlogy
from scipy.stats import norm

from bayesmix.mixture import permutations as switching
from bayesmix.mixture.likeness import Likeness


def test_the_cores_know_arrays_alone():
    cores = "bayesmix.mixture.permutations, bayesmix.posterior.partitions"
    code = f"import sys, {cores}; print('xarray' in sys.modules, 'pymc' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]


def agreement(r, q):
    """sum_i r_ik q_ij."""
    return np.einsum("snk,nj->skj", r, q)


@pytest.mark.parametrize("K", [2, 3, 4, 5, 6])
def test_known_permutations_are_recovered(rng, K):
    q = rng.dirichlet(np.full(K, 0.2), 200)
    shuffled = np.array([rng.permutation(K) for _ in range(50)])
    r = np.stack([0.9 * q[:, s] + 0.1 * rng.dirichlet(np.ones(K), 200) for s in shuffled])
    order = switching.best_permutations(agreement(r, q), np.zeros(K, int))
    for s, o in zip(shuffled, order, strict=True):
        np.testing.assert_array_equal(s[o], np.arange(K))
    means = np.arange(K)[shuffled].astype(float)
    np.testing.assert_array_equal(switching.permute(means, order, 1), np.tile(np.arange(K), (50, 1)))


def test_pinned_components_stay(rng):
    groups = np.array([0, 1, 0, 2, 1])
    q = rng.dirichlet(np.full(5, 0.2), 200)
    r = np.stack([q[:, [2, 4, 0, 3, 1]], q[:, [3, 1, 2, 0, 4]]])
    order = switching.best_permutations(agreement(r, q), groups)
    np.testing.assert_array_equal(order[0], [2, 4, 0, 3, 1])
    assert (groups[order] == groups).all()
    assert (order[:, 3] == 3).all()


@pytest.mark.parametrize("K", [4, switching.ENUMERATED + 1])
def test_the_best_permutation_is_the_best_of_all(rng, K):
    """By trying every one."""
    scores = rng.random((20, K, K))
    order = switching.best_permutations(scores, np.zeros(K, int))
    for score, o in zip(scores, order, strict=True):
        best = max(sum(score[p[j], j] for j in range(K)) for p in permutations(range(K)))
        assert sum(score[o[j], j] for j in range(K)) == pytest.approx(best)


def test_ascending_within_groups():
    means = np.array([[3.0, 1, 2], [1, 2, 3], [2, 2, 1]])
    np.testing.assert_array_equal(switching.ascending(means, np.zeros(3, int)), [[1, 2, 0], [0, 1, 2], [2, 0, 1]])
    np.testing.assert_array_equal(switching.ascending(means, np.array([0, 1, 0])), [[2, 1, 0], [0, 1, 2], [2, 1, 0]])


def normal_draws(rng, K, gap, *, n=400, draws=200):
    """Rows of K unit normals ``gap`` apart, and draws of the parameters about the truth by its normal approximation.

    Returns x (n, 1), responsibilities (draws, K, n) under the labels of the truth, and the pivot's (n, K).
    """
    truth = gap * np.arange(K)
    x = rng.normal(truth[rng.integers(K, size=n)], 1.0)
    error = 1 / np.sqrt(n / K)
    means = truth + error * rng.normal(size=(draws + 1, K))
    sds = np.exp(error / np.sqrt(2) * rng.normal(size=(draws + 1, K)))
    log_w = error * rng.normal(size=(draws + 1, K))
    r = softmax(log_w[..., None] + norm.logpdf(x, means[..., None], sds[..., None]), axis=1)
    return x[:, None], r[:-1], r[-1].T


def shuffled(rng, r, groups=None):
    """Draws with their components permuted, and the permutations that undo it."""
    moves = np.array([rng.permutation(r.shape[1]) for _ in r])
    return np.take_along_axis(r, moves[:, :, None], axis=1), np.argsort(moves, axis=1)


def divergence(r, order, v):
    """Stephens' objective, word by word: mean over draws of sum_i v_i KL(p_i | q_i)."""
    p = np.take_along_axis(np.asarray(r, dtype=float), order[:, :, None], axis=1)
    q = p.mean(axis=0)
    return float((v * (xlogy(p, p) - xlogy(p, q)).sum(axis=1)).sum(axis=-1).mean())


@pytest.mark.parametrize("method", switching.METHODS)
@pytest.mark.parametrize("gap", [6.0, 3.0, 2.0])
@pytest.mark.parametrize("K", [2, 3, 4, 5, 6])
def test_every_method_undoes_known_permutations(rng, K, gap, method):
    """Well separated to half overlapping (neighbours 2 sd apart share 32% of their mass): every draw, every label."""
    x, r, pivot = normal_draws(rng, K, gap)
    moved, wanted = shuffled(rng, r)
    order = switching.orders(
        method, moved, pivot, x=Likeness.of(x), row_weights=np.ones(len(x)), groups=np.zeros(K, int)
    )
    np.testing.assert_array_equal(order, wanted)


@pytest.mark.parametrize("single", [False, True], ids=["double", "single"])
@pytest.mark.parametrize("gap", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("K", [2, 4, 6])
def test_stephens_is_never_worse(rng, K, gap, single):
    """Overlapping entirely to half, where the methods disagree; with row weights."""
    x, r, pivot = normal_draws(rng, K, gap, n=60, draws=300)
    v = rng.uniform(0.5, 2, len(x))
    moved = shuffled(rng, r)[0].astype(np.float32 if single else float)
    kwargs = {"x": Likeness.of(x), "row_weights": v, "groups": np.zeros(K, int)}
    found = {m: divergence(moved, switching.orders(m, moved, pivot, **kwargs), v) for m in switching.METHODS}
    slack = 1e-5 * found["ecr"] if single else 1e-12
    assert found["stephens"] <= min(found["ecr"], found["data"]) + slack


def test_two_labels_and_few_draws_against_all_relabellings(rng):
    """Stephens' local minimum is the global one among all 2^9 relabellings of ten draws."""
    x, r, pivot = normal_draws(rng, 2, 1.5, n=50, draws=10)
    moved, _ = shuffled(rng, r)
    v = np.ones(len(x))
    order = switching.orders("stephens", moved, pivot, x=Likeness.of(x), row_weights=v, groups=np.zeros(2, int))
    every = np.array([[[0, 1], [1, 0]][b] for b in range(2)])
    best = min(divergence(moved, every[[0, *(code >> s & 1 for s in range(9))]], v) for code in range(2**9))
    assert divergence(moved, order, v) == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("method", switching.METHODS)
def test_methods_leave_pinned_components(rng, method):
    x, r, pivot = normal_draws(rng, 4, 4.0)
    groups = np.array([0, 1, 1, 2])
    moves = np.array([[0, *(1 + rng.permutation(2)), 3] for _ in r])
    moved = np.take_along_axis(r, moves[:, :, None], axis=1)
    order = switching.orders(method, moved, pivot, x=Likeness.of(x), row_weights=np.ones(len(x)), groups=groups)
    np.testing.assert_array_equal(order, np.argsort(moves, axis=1))


@pytest.mark.parametrize("method", switching.METHODS)
def test_labels_are_named_after_the_pivot(rng, method):
    x, r, pivot = normal_draws(rng, 3, 5.0)
    kwargs = {"x": Likeness.of(x), "row_weights": np.ones(len(x)), "groups": np.zeros(3, int)}
    order = switching.orders(method, r, pivot[:, [2, 0, 1]], **kwargs)
    np.testing.assert_array_equal(order, np.tile([2, 0, 1], (len(r), 1)))


def test_data_far_from_zero_and_spreads(rng):
    """One centre, two spreads: the k-means loss alone could not tell them apart."""
    x = np.r_[rng.normal(1e6, 1, 300), rng.normal(1e6, 6, 300)]
    r = softmax(
        norm.logpdf(x, 1e6, np.array([1.0, 6.0])[:, None] * np.exp(0.05 * rng.normal(size=(100, 2, 1)))), axis=1
    )
    moved, wanted = shuffled(rng, r)
    kwargs = {"x": Likeness.of(x[:, None]), "row_weights": np.ones(600), "groups": np.zeros(2, int)}
    np.testing.assert_array_equal(switching.orders("data", moved, r[0].T, **kwargs), wanted)
