"""Label switching in a posterior: every component dimension permuted, draw by draw."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.draws import by_draw
from bayesmix.mixture.estimates import canonical_order, reorder
from bayesmix.mixture.likeness import Likeness
from bayesmix.mixture.permutations import METHODS, best_permutations, component_axes, orders, permute
from bayesmix.mixture.spec import switching_groups
from bayesmix.parts.part import Params
from bayesmix.posterior.component_overlap import agreement_with
from bayesmix.posterior.record import RAW, Record, row_blocks, stacked
from bayesmix.posterior.varying import by_variation

HELD = 16_000_000
"""Responsibilities that iterating methods hold, for all draws; of more rows an even part is enough to tell labels."""
AGREEMENT_ROWS = 20_000
"""So many rows at most, evenly spaced, say how draws agree with the best one."""


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
        with the moments of each label (of columns of answers by their shares there, without the cells that are
        missing), in turns with them (after the k-means loss of Rodriguez and Walker 2014,
        doi:10.1080/10618600.2012.735624).

    Returns
    -------
    DataTree
        A new posterior. ``relabelling`` holds the permutation that leads from the sampler's own labels and the
        ``method`` as an attribute. Components are named after those of the best draw of each mode.

    Raises
    ------
    ValueError
        For another method, where ``dt`` is no posterior of :func:`bayesmix.sample`, and where labels move under a
        Deterministic of the user's that only the model can compute anew.

    Examples
    --------
    >>> import bayesmix as bm
    >>> rows = bm.Data([1.0, 1.2, 1.4, 1.5, 5.0, 5.1, 5.3, 5.6])
    >>> dt = bm.sample(bm.Mixture("gaussian", n_components=2), rows, draws=200, chains=2, progress=False)
    >>> relabel(dt, "stephens")["relabelling"].attrs["method"]
    'stephens'
    """
    if method not in METHODS:
        raise ValueError(f"method: unknown {method!r}; choose from {', '.join(METHODS)}")
    record = Record.of(dt)
    likelihood = record.likelihood
    if "component" not in dt["posterior"].dims:
        return dt.copy()
    made, statistics = record.as_made("posterior"), record.as_made("sample_stats")
    where = statistics["region"].to_numpy() if "region" in statistics else np.ones(statistics["lp"].shape, dtype=int)
    order = permutations(made, statistics["lp"].to_numpy(), where, likelihood, method)
    _check_stale(record, order)
    if not record.resampled:
        return by_variation(apply(dt, order, method=method), likelihood)
    if "raw_draw" not in dt["sample_stats"]:
        raise ValueError("dt: made by an older bayesmix; its draws cannot be found among the chains'; sample again")
    picked = order.reshape(-1, order.shape[-1])[dt["sample_stats"]["raw_draw"].to_numpy()]
    result = apply(dt, picked, method=method)
    result[RAW + "posterior"] = apply(xr.DataTree.from_dict({"posterior": made}), order, method=method)["posterior"]
    return by_variation(result, likelihood)


def _check_stale(record: Record, order: np.ndarray) -> None:
    """Deterministics that no permutation renews must not stay beside permuted parameters."""
    exchange = record.exchange
    stale = [name for name in (exchange.stale if exchange else ()) if name in record.posterior]
    if stale and (order != np.arange(order.shape[-1])).any():
        raise ValueError(
            f"dt: {', '.join(stale)} of the posterior must be computed anew where labels move, which takes the model; "
            "drop them from dt['posterior'] first"
        )


def permutations(
    draws: xr.Dataset, lp: np.ndarray, where: np.ndarray, likelihood: Likelihood, method: str
) -> np.ndarray:
    """The permutation of every draw, (chain, draw, K); every region (``where``, as ``lp``) has a best draw."""
    params, groups = stacked(draws, likelihood), switching_groups(likelihood)
    order = np.empty((lp.size, len(groups)), dtype=int)
    for own in (np.flatnonzero(where.ravel() == g) for g in np.unique(where)):
        inside = {v: a[own] for v, a in params.items()}
        pivot = best_draw(likelihood, inside, lp.ravel()[own])
        if method == "ecr":
            order[own] = best_permutations(_agreement(likelihood, inside, pivot), groups)
            continue
        rows = likelihood.evenly(max(100, HELD // (lp.size * len(groups))))
        q = estep.responsibilities(rows, pivot)
        x = Likeness.of(rows.data.x, rows.data.levels)
        order[own] = orders(method, _held(rows, inside), q, x=x, row_weights=rows.row_weights, groups=groups)
    return order.reshape(*lp.shape, -1)


def _agreement(likelihood: Likelihood, params: Params, pivot: Params) -> np.ndarray:
    """How well the components of every draw fit the pivot's, (draws, K, K)."""
    some, n_draws = likelihood.evenly(AGREEMENT_ROWS), len(next(iter(params.values())))
    return np.sum([agreement_with(block, params, pivot) for _, block in row_blocks(some, n_draws)], axis=0)


def best_draw(likelihood: Likelihood, params: Params, lp: np.ndarray) -> Params:
    """The draw with the largest log-posterior, its components in a canonical order; the names of the labels."""
    best = {v: a[int(np.argmax(lp))] for v, a in params.items()}
    return reorder(likelihood, best, canonical_order(likelihood, likelihood.named(best)))


def _held(likelihood: Likelihood, params: Params) -> np.ndarray:
    """Responsibilities (draws, K, n), in single precision."""
    n_draws = len(next(iter(params.values())))
    r = np.empty((n_draws, len(likelihood.components), len(likelihood.data)), dtype=np.float32)
    for rows, block in row_blocks(likelihood, n_draws):
        r[:, :, rows] = np.swapaxes(estep.responsibilities(block, params), 1, 2)
    return r


def apply(dt: xr.DataTree, order: np.ndarray, *, method: str = "ecr") -> xr.DataTree:
    """A posterior with every component dimension permuted; the permutations are kept in ``relabelling``.

    Parameters
    ----------
    dt
        With a group ``posterior``.
    order : ndarray of int, shape (chain, draw, K)
        As from :func:`bayesmix.mixture.permutations.orders`. Permutations compose: ``relabelling`` always leads from
        the sampler's own labels.
    method
        What found them, for the record.
    """
    posterior = dt["posterior"].to_dataset()
    n_chain, n_draw, K = order.shape
    flat = order.reshape(-1, K)
    moved = {}
    for name, array in posterior.items():
        if component_axes(array.dims):
            ordered = array.transpose("chain", "draw", ...)
            flat_draws = ordered.to_numpy().reshape(n_chain * n_draw, *ordered.shape[2:])
            new = permute(flat_draws, flat, *component_axes(ordered.dims[1:]))
            moved[name] = (ordered.dims, new.reshape(ordered.shape), array.attrs)
    before = dt["relabelling"]["permutation"].to_numpy() if "relabelling" in dt.children else None
    total = order if before is None else np.take_along_axis(before, order, axis=-1)
    relabelling = by_draw(total, posterior, {"component": posterior["component"].values.tolist()}, name="permutation")
    result = dt.copy()
    result["posterior"] = xr.DataTree(posterior.assign(moved))
    result["relabelling"] = xr.DataTree(relabelling.to_dataset().assign_attrs(method=method))
    return result
