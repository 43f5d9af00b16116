"""Permutations of a posterior: applied, composed, found again."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.mixture.permutations import METHODS
from bayesmix.posterior.relabel import apply


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


def random_orders(rng, chains=2, draws=3, K=3):
    return np.array([[rng.permutation(K) for _ in range(draws)] for _ in range(chains)])


def test_apply_takes_components_in_order(rng):
    dt, order = tree(rng), random_orders(rng)
    new = apply(dt, order)
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
    twice = apply(apply(dt, first), second)
    once = apply(dt, twice["relabelling"]["permutation"].to_numpy())
    assert once["posterior"].to_dataset().identical(twice["posterior"].to_dataset())


def test_relabelled_draws_of_the_sampler(gaussian_1d_dt):
    """Means separate by label, and the kept permutation is one."""
    means = gaussian_1d_dt["posterior"]["means"].to_numpy().reshape(-1, 3)
    assert (np.diff(means, axis=1) > 0).all()
    np.testing.assert_allclose(means.mean(axis=0), [2, 5, 10], atol=0.5)
    permutation = gaussian_1d_dt["relabelling"]["permutation"].to_numpy()
    assert (np.sort(permutation, axis=-1) == np.arange(3)).all()
    assert gaussian_1d_dt["relabelling"].attrs["method"] == "ecr"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_labels_again(rng, gaussian_1d_dt, method):
    """Three groups well apart: whatever the draws' labels, the posterior is the same one."""
    sizes = gaussian_1d_dt["posterior"].sizes
    moved = apply(gaussian_1d_dt, random_orders(rng, sizes["chain"], sizes["draw"]))
    again = bm.relabel(moved, method)
    assert again["posterior"].to_dataset().identical(gaussian_1d_dt["posterior"].to_dataset())
    wanted = gaussian_1d_dt["relabelling"]["permutation"]
    np.testing.assert_array_equal(again["relabelling"]["permutation"], wanted)
    assert again["relabelling"].attrs["method"] == method


def test_few_rows_are_enough(gaussian_1d_dt, monkeypatch):
    monkeypatch.setattr("bayesmix.posterior.relabel.HELD", 1)
    again = bm.relabel(gaussian_1d_dt, "stephens")
    assert again["posterior"].to_dataset().identical(gaussian_1d_dt["posterior"].to_dataset())


def test_components_of_a_kind_of_their_own_stay(zip_dt):
    assert bm.relabel(zip_dt, "stephens").identical(zip_dt)


def test_the_record_survives_the_disk(gaussian_1d_dt, tmp_path):
    dt = bm.load_fit(bm.save(bm.relabel(gaussian_1d_dt, "data"), tmp_path / "fit.nc"))
    assert dt["relabelling"].attrs["method"] == "data"


def test_misuse_is_refused(gaussian_1d_dt):
    with pytest.raises(ValueError, match="method: unknown 'kmeans'; choose from ecr, stephens, data"):
        bm.relabel(gaussian_1d_dt, "kmeans")
    with pytest.raises(ValueError, match="dt: must be a posterior"):
        bm.relabel(3)
