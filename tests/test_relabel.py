"""Permutations: found, applied, composed."""

import numpy as np
import pytest
import xarray as xr

from bayesmix import relabel


def agreement(r, q):
    """sum_i r_ik q_ij."""
    return np.einsum("snk,nj->skj", r, q)


@pytest.mark.parametrize("K", [2, 3, 4, 5, 6])
def test_known_permutations_are_recovered(rng, K):
    q = rng.dirichlet(np.full(K, 0.2), 200)
    shuffled = np.array([rng.permutation(K) for _ in range(50)])
    r = np.stack([0.9 * q[:, s] + 0.1 * rng.dirichlet(np.ones(K), 200) for s in shuffled])
    order = relabel.best_permutations(agreement(r, q), np.zeros(K, int))
    for s, o in zip(shuffled, order, strict=True):
        np.testing.assert_array_equal(s[o], np.arange(K))
    means = np.arange(K)[shuffled].astype(float)
    np.testing.assert_array_equal(relabel.permute(means, order, 1), np.tile(np.arange(K), (50, 1)))


def test_pinned_components_stay(rng):
    groups = np.array([0, 1, 0, 2, 1])
    q = rng.dirichlet(np.full(5, 0.2), 200)
    r = np.stack([q[:, [2, 4, 0, 3, 1]], q[:, [3, 1, 2, 0, 4]]])
    order = relabel.best_permutations(agreement(r, q), groups)
    np.testing.assert_array_equal(order[0], [2, 4, 0, 3, 1])
    assert (groups[order] == groups).all()
    assert (order[:, 3] == 3).all()


def test_the_best_permutation_is_the_best_of_all(rng):
    """By trying every one."""
    from itertools import permutations

    scores = rng.random((20, 4, 4))
    order = relabel.best_permutations(scores, np.zeros(4, int))
    for score, o in zip(scores, order, strict=True):
        best = max(sum(score[p[j], j] for j in range(4)) for p in permutations(range(4)))
        assert sum(score[o[j], j] for j in range(4)) == pytest.approx(best)


def test_ascending_within_groups():
    means = np.array([[3.0, 1, 2], [1, 2, 3], [2, 2, 1]])
    np.testing.assert_array_equal(relabel.ascending(means, np.zeros(3, int)), [[1, 2, 0], [0, 1, 2], [2, 0, 1]])
    np.testing.assert_array_equal(relabel.ascending(means, np.array([0, 1, 0])), [[2, 1, 0], [0, 1, 2], [2, 1, 0]])


def tree(rng, chains=2, draws=3, K=3):
    posterior = xr.Dataset(
        {
            "weights": (("chain", "draw", "component"), rng.dirichlet(np.ones(K), (chains, draws))),
            "covariances": (
                ("chain", "draw", "component", "feature", "feature_bis"),
                rng.normal(size=(chains, draws, K, 2, 2)),
            ),
            "tied": (("chain", "draw", "feature"), rng.normal(size=(chains, draws, 2))),
        },
        coords={"chain": range(chains), "draw": range(draws), "component": [f"component_{k + 1}" for k in range(K)]},
    )
    return xr.DataTree.from_dict({"posterior": posterior})


def random_orders(rng):
    return np.array([[rng.permutation(3) for _ in range(3)] for _ in range(2)])


def test_apply_takes_components_in_order(rng):
    dt, order = tree(rng), random_orders(rng)
    new = relabel.apply(dt, order)
    for c, s in np.ndindex(2, 3):
        for name in ("weights", "covariances"):
            expected = dt["posterior"][name].to_numpy()[c, s][order[c, s]]
            np.testing.assert_array_equal(new["posterior"][name][c, s], expected)
    assert new["posterior"]["tied"].identical(dt["posterior"]["tied"])
    np.testing.assert_array_equal(new["relabelling"]["permutation"], order)
    assert list(new["posterior"]["component"].values) == list(dt["posterior"]["component"].values)
    assert "relabelling" not in dt.children


def test_permutations_compose(rng):
    """``relabelling`` leads from the sampler's own labels, however often labels moved."""
    dt, first, second = tree(rng), random_orders(rng), random_orders(rng)
    twice = relabel.apply(relabel.apply(dt, first), second)
    once = relabel.apply(dt, twice["relabelling"]["permutation"].to_numpy())
    assert once["posterior"].to_dataset().identical(twice["posterior"].to_dataset())


def test_relabelled_draws_of_the_sampler(gaussian_1d_dt):
    """Means separate by label, and the kept permutation is one."""
    means = gaussian_1d_dt["posterior"]["means"].to_numpy().reshape(-1, 3)
    assert (np.diff(means, axis=1) > 0).all()
    np.testing.assert_allclose(means.mean(axis=0), [2, 5, 10], atol=0.5)
    permutation = gaussian_1d_dt["relabelling"]["permutation"].to_numpy()
    assert (np.sort(permutation, axis=-1) == np.arange(3)).all()
