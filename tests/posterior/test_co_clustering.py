"""Which rows belong together."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.posterior import co_clustering as clustering
from bayesmix.posterior.relabel import apply


def test_co_clustering_is_the_mean_of_products(faithful_dt):
    rows = [3, 0, 120, 271]
    found = bm.co_clustering(faithful_dt, rows=rows)
    r = bm.responsibilities(faithful_dt).isel(obs=rows).stack(s=("chain", "draw")).to_numpy()
    naive = np.einsum("iks,jks->ij", r, r) / r.shape[-1]
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(found.to_numpy()[off], naive[off], rtol=1e-10)
    np.testing.assert_array_equal(found.to_numpy().diagonal(), 1)
    assert found.dims == ("obs", "obs_bis")
    assert list(found["obs"].values) == [faithful_dt["input"].to_dataset()["obs"].values[i] for i in rows]


def test_blocks_and_thinned_draws(faithful_dt, monkeypatch):
    whole = bm.co_clustering(faithful_dt)
    monkeypatch.setattr(clustering, "BLOCK", 1)
    np.testing.assert_allclose(bm.co_clustering(faithful_dt), whole, rtol=1e-10)
    monkeypatch.setattr(clustering, "MOST_DRAWS", 400)
    np.testing.assert_allclose(bm.co_clustering(faithful_dt), whole, atol=0.1)


def test_many_rows_are_thinned(faithful_dt, monkeypatch):
    monkeypatch.setattr(clustering, "MOST_ROWS", 10)
    found = bm.co_clustering(faithful_dt)
    assert found.shape == (10, 10)
    assert bm.point_partition(faithful_dt).sizes["obs"] == 10


def test_labels_do_not_matter(rng, gaussian_1d_dt):
    sizes = gaussian_1d_dt["posterior"].sizes
    order = np.array([[rng.permutation(3) for _ in range(sizes["draw"])] for _ in range(sizes["chain"])])
    moved = apply(gaussian_1d_dt, order)
    np.testing.assert_allclose(bm.co_clustering(moved), bm.co_clustering(gaussian_1d_dt), rtol=1e-9)
    assert bm.point_partition(moved).attrs["n_clusters"] == 3


@pytest.mark.parametrize("loss", ["vi", "binder"])
def test_three_groups_are_found(gaussian_1d_dt, three_groups, loss):
    """Groups that overlap little: the partition is that of the most probable component, but for doubtful rows."""
    found = bm.point_partition(gaussian_1d_dt, loss)
    likeliest = bm.responsibility_summary(gaussian_1d_dt)["mean"]
    sure = (likeliest.max("component") > 0.9).to_numpy()
    table = np.zeros((found.attrs["n_clusters"], 3), dtype=int)
    np.add.at(table, (found.to_numpy()[sure] - 1, likeliest.argmax("component").to_numpy()[sure]), 1)
    assert ((table > 0).sum(axis=0) == 1).all()
    assert ((table > 0).sum(axis=1) <= 1).all()
    assert found.min() == 1
    sizes = np.bincount(found.to_numpy())[1:]
    assert (np.diff(sizes) <= 0).all()
    assert 0 < found.attrs["expected_loss"] < 0.5


def test_partition_of_counts(zip_dt):
    """Positive counts are one cluster for sure."""
    found = bm.point_partition(zip_dt, "binder")
    x = zip_dt["input"].to_dataset()["x"].to_numpy().ravel()
    assert len(np.unique(found.to_numpy()[x > 0])) == 1


def test_same_seed_same_partition(faithful_dt):
    a, b = (bm.point_partition(faithful_dt, rows=range(0, 272, 3), seed=7) for _ in range(2))
    assert a.identical(b)


@pytest.mark.parametrize("rows", [[0, 0], [-1], [272], [0.5], [], [[1, 2]], "all"])
def test_rows_that_are_not_there(faithful_dt, rows):
    with pytest.raises(ValueError, match="rows: must be different whole numbers from 0 to 271; got"):
        bm.co_clustering(faithful_dt, rows=rows)


def test_misuse_is_refused(faithful_dt):
    with pytest.raises(ValueError, match="loss: unknown 'rand'; choose from vi, binder"):
        bm.point_partition(faithful_dt, "rand")
    with pytest.raises(ValueError, match="dt: must be a posterior"):
        bm.co_clustering(None)
