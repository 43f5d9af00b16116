"""Permutations of a posterior: applied, composed, found again."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.mixture.permutations import METHODS
from bayesmix.posterior.relabel import apply
from rows.fits import posterior


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


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["categorical", "bernoulli", "gaussian", "poisson"])
def test_labels_of_answers_and_of_rows_with_gaps(rng, family, method):
    """Draws of known parameters, their labels permuted at random, a quarter of the cells missing."""
    n, K, draws = 150, 3, 12
    z = np.repeat(np.arange(K), n // K)
    centre = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]])
    if family == "categorical":
        x = pd.DataFrame([[rng.choice(["no", "maybe", "yes"], p=centre[k]) for _ in range(4)] for k in z])
        params = {"probs": np.tile(centre[:, [1, 0, 2]], (1, 4))}  # levels are sorted: maybe, no, yes
    elif family == "bernoulli":
        params = {"probs": np.array([[0.9, 0.9, 0.1, 0.1], [0.1, 0.9, 0.9, 0.1], [0.1, 0.1, 0.1, 0.9]])}
        x = pd.DataFrame((rng.random((n, 4)) < params["probs"][z]).astype(float))
    elif family == "poisson":
        params = {"rates": np.array([[1.0, 9.0], [9.0, 1.0], [20.0, 20.0]])}
        x = pd.DataFrame(rng.poisson(params["rates"][z]).astype(float))
    else:
        params = {"means": np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]]), "covariances": np.tile(np.eye(2), (K, 1, 1))}
        x = pd.DataFrame(params["means"][z] + rng.normal(size=(n, 2)))
    params |= {"weights": np.full(K, 1 / K)}
    x = x.mask(rng.random(x.shape) < 0.25).rename(columns="c{}".format)
    moved = np.array([rng.permutation(K) for _ in range(draws)])
    dt = posterior(
        bm.Mixture(family, n_components=K), bm.Data(x), [{v: a[o] for v, a in params.items()} for o in moved]
    )
    dt["sample_stats"] = xr.Dataset({"lp": (("chain", "draw"), rng.normal(size=(2, draws // 2)))})
    found = bm.relabel(dt, method)["posterior"][next(iter(params))].to_numpy()
    assert np.ptp(found.reshape(draws, -1), axis=0).max() == 0
    again = np.take_along_axis(
        moved, bm.relabel(dt, method)["relabelling"]["permutation"].to_numpy().reshape(draws, K), 1
    )
    assert (again == again[0]).all()


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
