"""Label switching in a posterior: every component dimension permuted, draw by draw."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmix import kernels
from bayesmix.arrange import canonical_order, reorder
from bayesmix.families import Family, Params
from bayesmix.predict import family_of, row_blocks, spec_of, stacked
from bayesmix.spec import Mixture, exchange_groups
from bayesmix.switching import METHODS, orders, permute

HELD = 16_000_000
"""Responsibilities held at a time, for all draws; of more rows an even part is enough to tell the labels."""


def relabel(dt: xr.DataTree, method: str = "ecr") -> xr.DataTree:
    r"""Undo label switching: one permutation per draw, so that component k means the same group in every draw.

    Each method takes, for every draw, the permutation that maximizes :math:`\sum_i v_i \sum_k r_{i\,o(k)} b_{ik}`.
    Only components that neither labels nor priors nor an order tell apart are permuted; where the posterior has several
    separate modes, within each.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`, which has been relabelled by "ecr" already.
    method : {"ecr", "stephens", "data"}
        "ecr": b is the allocation at the best draw (equivalence classes representatives, Papastamoulis and Iliopoulos
        2010, doi:10.1198/jcgs.2010.09008). "stephens": b = log q with q the mean allocation, in turns until nothing
        changes, which minimizes the Kullback-Leibler divergence of the draws' allocations from q (Stephens 2000,
        algorithm 2, doi:10.1111/1467-9868.00265); begun at the results of the other two and at the draws as they are,
        so its divergence is never the larger one. "data": b is the log-density of the rows under independent normals
        with the moments of each label, in turns with them (after the k-means loss of Rodriguez and Walker 2014,
        doi:10.1080/10618600.2012.735624).

    Returns
    -------
    DataTree
        A new posterior. ``relabelling`` holds the permutation that leads from the sampler's own labels and the
        ``method`` as an attribute. Components are named after those of the best draw of each mode.

    Raises
    ------
    ValueError
        For another method, and where ``dt`` is no posterior of :func:`bayesmix.sample`.
    """
    if method not in METHODS:
        raise ValueError(f"method: unknown {method!r}; choose from {', '.join(METHODS)}")
    spec, family = spec_of(dt), family_of(dt)
    if "component" not in dt["posterior"].dims:
        return dt.copy()
    if "raw_posterior" not in dt.children:
        parts = dt["posterior"].to_dataset(), dt["sample_stats"].to_dataset()
        return apply(dt, _orders(*parts, spec, family, method), method=method)
    raw, statistics = dt["raw_posterior"].to_dataset(), dt["raw_sample_stats"].to_dataset()
    order = _orders(raw, statistics, spec, family, method)
    made = apply(xr.DataTree.from_dict({"posterior": raw}), order, method=method)
    picked = order.reshape(-1, order.shape[-1])[dt["sample_stats"]["raw_draw"].to_numpy()]
    result = apply(dt, picked, method=method)
    result["raw_posterior"] = made["posterior"]
    return result


def _orders(draws: xr.Dataset, statistics: xr.Dataset, spec: Mixture, family: Family, method: str) -> np.ndarray:
    """The permutation of every draw, (chain, draw, K); each region of the posterior has a best draw of its own."""
    lp = statistics["lp"].to_numpy()
    params, where = stacked(draws, family), np.ones(lp.size, dtype=int)
    if "region" in statistics:
        where = statistics["region"].to_numpy().ravel()
    groups = exchange_groups(spec, family)
    groups = groups if spec.order is None else np.arange(len(groups))  # an order has settled the labels
    rows = _even_rows(family, HELD // (lp.size * len(family.components)))
    found = np.empty((lp.size, len(groups)), dtype=int)
    for own in (np.flatnonzero(where == g) for g in np.unique(where)):
        inside = {v: a[own] for v, a in params.items()}
        pivot = best_draw(spec, family, inside, lp.ravel()[own])
        found[own] = orders(
            method,
            _held(rows, inside),
            kernels.responsibilities(rows, pivot),
            x=rows.data.x,
            row_weights=rows.row_weights,
            groups=groups,
        )
    return found.reshape(*lp.shape, -1)


def best_draw(spec: Mixture, family: Family, params: Params, lp: np.ndarray) -> Params:
    """The draw with the largest log-posterior, its components in a canonical order; the names of the labels."""
    best = {v: a[int(np.argmax(lp))] for v, a in params.items()}
    return reorder(family, best, canonical_order(spec, family, family.named(best)))


def _even_rows(family: Family, most: int) -> Family:
    """The family over at most ``most`` rows, evenly spaced, but no fewer than 100."""
    n = len(family.data)
    return family.rebind(family.data.take(np.arange(0, n, -(-n // max(most, 100)))))


def _held(family: Family, params: Params) -> np.ndarray:
    """Responsibilities (draws, K, n), in single precision."""
    n_draws = len(next(iter(params.values())))
    r = np.empty((n_draws, len(family.components), len(family.data)), dtype=np.float32)
    for rows, block in row_blocks(family, n_draws):
        r[:, :, rows] = np.swapaxes(kernels.responsibilities(block, params), 1, 2)
    return r


def apply(dt: xr.DataTree, order: np.ndarray, *, method: str = "ecr") -> xr.DataTree:
    """A posterior with every component dimension permuted; the permutations are kept in ``relabelling``.

    Parameters
    ----------
    dt
        With a group ``posterior``.
    order : ndarray of int, shape (chain, draw, K)
        As from :func:`bayesmix.switching.orders`. Permutations compose: ``relabelling`` always leads from the sampler's
        own labels.
    method
        What found them, for the record.
    """
    posterior = dt["posterior"].to_dataset()
    n_chain, n_draw, K = order.shape
    flat = order.reshape(-1, K)
    moved = {}
    for name, array in posterior.items():
        if "component" in array.dims:
            ordered = array.transpose("chain", "draw", ...)
            by_draw = ordered.to_numpy().reshape(n_chain * n_draw, *ordered.shape[2:])
            new = permute(by_draw, flat, ordered.dims.index("component") - 1)
            moved[name] = (ordered.dims, new.reshape(ordered.shape), array.attrs)
    before = dt["relabelling"]["permutation"].to_numpy() if "relabelling" in dt.children else None
    total = order if before is None else np.take_along_axis(before, order, axis=-1)
    relabelling = xr.Dataset(
        {"permutation": (("chain", "draw", "component"), total)},
        coords={d: posterior[d].values for d in ("chain", "draw")} | {"component": posterior["component"].values},
        attrs={"method": method},
    )
    result = dt.copy()
    result["posterior"] = xr.DataTree(posterior.assign(moved))
    result["relabelling"] = xr.DataTree(relabelling)
    return result
