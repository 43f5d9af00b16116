"""Label switching: one permutation per draw, so that component k means the same group in every draw.

The array cores know neither xarray nor PyMC.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.optimize import linear_sum_assignment


def best_permutations(agreement: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """For every draw the permutation with the largest total agreement.

    Parameters
    ----------
    agreement : ndarray, shape (draws, K, K)
        ``agreement[s, k, j]``: how well component k of draw s fits label j; with a pivot allocation q this is
        sum_i v_i r_ik q_ij, the criterion of equivalence classes representatives (Papastamoulis and Iliopoulos 2010,
        doi:10.1198/jcgs.2010.09008).
    groups : ndarray of int, shape (K,)
        Only components of one group may switch.

    Returns
    -------
    ndarray of int, shape (draws, K)
        ``order[s, j]``: the component of draw s that carries label j.
    """
    n_draws, K, _ = agreement.shape
    order = np.tile(np.arange(K), (n_draws, 1))
    for g in np.unique(groups):
        members = np.flatnonzero(groups == g)
        if len(members) == 1:
            continue
        for s in range(n_draws):
            rows, columns = linear_sum_assignment(agreement[s][np.ix_(members, members)], maximize=True)
            order[s, members[columns]] = members[rows]
    return order


def ascending(means: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The permutation that sorts ``means`` (draws, K) within each group."""
    order = np.tile(np.arange(means.shape[1]), (len(means), 1))
    for g in np.unique(groups):
        members = np.flatnonzero(groups == g)
        order[:, members] = members[np.argsort(means[:, members], axis=1, kind="stable")]
    return order


def permute(values: np.ndarray, order: np.ndarray, axis: int) -> np.ndarray:
    """``values`` (draws, ...) with its component axis taken in ``order`` (draws, K)."""
    shape = [1] * values.ndim
    shape[0], shape[axis] = order.shape
    return np.take_along_axis(values, order.reshape(shape), axis=axis)


def apply(dt: xr.DataTree, order: np.ndarray) -> xr.DataTree:
    """A posterior with every component dimension permuted; the permutations are kept in ``relabelling``.

    Parameters
    ----------
    dt
        With a group ``posterior``.
    order : ndarray of int, shape (chain, draw, K)
        As from :func:`best_permutations`. Permutations compose: ``relabelling`` always leads from the sampler's own
        labels.
    """
    posterior = dt["posterior"].to_dataset()
    n_chain, n_draw, K = order.shape
    flat = order.reshape(-1, K)
    moved = {}
    for name, array in posterior.items():
        if "component" in array.dims:
            ordered = array.transpose("chain", "draw", ...)
            stacked = ordered.to_numpy().reshape(n_chain * n_draw, *ordered.shape[2:])
            new = permute(stacked, flat, ordered.dims.index("component") - 1)
            moved[name] = (ordered.dims, new.reshape(ordered.shape), array.attrs)
    before = dt["relabelling"]["permutation"].to_numpy() if "relabelling" in dt.children else None
    total = order if before is None else np.take_along_axis(before, order, axis=-1)
    relabelling = xr.Dataset(
        {"permutation": (("chain", "draw", "component"), total)},
        coords={d: posterior[d].values for d in ("chain", "draw")} | {"component": posterior["component"].values},
    )
    result = dt.copy()
    result["posterior"] = xr.DataTree(posterior.assign(moved))
    result["relabelling"] = xr.DataTree(relabelling)
    return result
