"""Label switching, by arrays alone: one permutation per draw, so that component k means the same group in every draw.

Every method scores how well component k of a draw fits label j by sum_i v_i r_ik b_ij, with a table b (n, K) of its
own, and takes the permutation with the largest sum of scores. Responsibilities are (draws, K, n) here: one matrix
product then scores all draws.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from itertools import permutations, product
from math import factorial, prod

import numpy as np
from scipy.optimize import linear_sum_assignment

from bayesmix.mixture.likeness import Likeness

METHODS = ("ecr", "stephens", "data")
ENUMERATED = 5
"""Of up to so many exchangeable components every permutation is tried, for all draws at once."""
MOST_ALTERNATIONS = 100
COMPONENT_DIMS = ("component", "component_bis")
"""Dimensions that run over components: the second one for tables of component by component."""


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
    order = np.tile(np.arange(len(groups)), (len(agreement), 1))
    for g in np.unique(groups):
        members = np.flatnonzero(groups == g)
        if len(members) > 1:
            order[:, members] = members[_assignments(agreement[:, members[:, None], members])]
    return order


def _assignments(agreement: np.ndarray) -> np.ndarray:
    """For every draw and column the row assigned to it, (draws, m)."""
    m = agreement.shape[-1]
    if m > ENUMERATED:
        assigned = [linear_sum_assignment(scores.T, maximize=True)[1] for scores in agreement]
        return np.array(assigned, dtype=int).reshape(-1, m)
    choices, picked = _choices(m)
    return choices[(agreement.reshape(-1, m * m) @ picked).argmax(axis=1)]


@cache
def _choices(m: int) -> tuple[np.ndarray, np.ndarray]:
    """All permutations (m!, m), the identity first, and the entries of an m by m table that each adds up (m m, m!)."""
    choices = np.array(list(permutations(range(m))))
    return choices, np.eye(m)[choices].transpose(2, 1, 0).reshape(m * m, -1)


def ascending(means: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The permutation that sorts ``means`` (draws, K) within each group."""
    order = np.tile(np.arange(means.shape[1]), (len(means), 1))
    for g in np.unique(groups):
        members = np.flatnonzero(groups == g)
        order[:, members] = members[np.argsort(means[:, members], axis=1, kind="stable")]
    return order


def component_axes(dims: Sequence[Hashable]) -> tuple[int, ...]:
    """The axes that run over components."""
    return tuple(axis for axis, dim in enumerate(dims) if dim in COMPONENT_DIMS)


def labellings(groups: np.ndarray, told: np.ndarray, *, most: int, seed: int) -> np.ndarray:
    """The ways to name the components of ``groups`` where those of ``told`` differ, (ways, K); the identity first.

    Exchanging components that share a group of ``told`` too makes no other way. Where there are more than ``most``,
    some at random.

    Examples
    --------
    >>> labellings(np.array([0, 0, 0]), np.array([0, 0, 1]), most=10, seed=1)
    array([[0, 1, 2],
           [0, 2, 1],
           [1, 2, 0]])
    """
    rng, members = np.random.default_rng(seed), [np.flatnonzero(groups == g) for g in np.unique(groups)]
    if len(np.unique(told)) == len(members):
        return np.arange(len(groups))[None]
    if prod(factorial(len(m)) for m in members) <= most:
        ways = [np.concatenate(order) for order in product(*[list(permutations(m)) for m in members])]
    else:
        ways = [np.concatenate([rng.permutation(m) if way else m for m in members]) for way in range(most)]
    distinct: dict[bytes, np.ndarray] = {}
    for way in ways:
        order = np.empty(len(groups), dtype=int)
        order[np.concatenate(members)] = way
        for g in np.unique(told):
            order[told == g] = np.sort(order[told == g])
        distinct.setdefault(order.tobytes(), order)
    return np.array(list(distinct.values()))


def permute(values: np.ndarray, order: np.ndarray, *axes: int) -> np.ndarray:
    """``values`` (draws, ...) with its component axes taken in ``order`` (draws, K)."""
    for axis in axes:
        shape = [1] * values.ndim
        shape[0], shape[axis] = order.shape
        values = np.take_along_axis(values, order.reshape(shape), axis=axis)
    return values


def orders(
    method: str, r: np.ndarray, pivot: np.ndarray, *, x: Likeness, row_weights: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    """For every draw the permutation that a method finds; the labels are those of the pivot.

    Parameters
    ----------
    method : {"ecr", "stephens", "data"}
        As in :func:`bayesmix.relabel`.
    r : ndarray, shape (draws, K, n)
        Responsibilities, in single or double precision.
    pivot : ndarray, shape (n, K)
        An allocation to begin with: that of one good draw.
    x : Likeness
        The rows, for "data".
    row_weights : ndarray, shape (n,)
        v_i.
    groups : ndarray of int, shape (K,)
        Only components of one group may switch.

    Returns
    -------
    ndarray of int, shape (draws, K)
        ``order[s, j]``: the component of draw s that carries label j.
    """
    v = row_weights[:, None]

    def settled(order: np.ndarray, table: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Alternate the mean allocation and the permutations that fit it best, until none changes."""
        for _ in range(MOST_ALTERNATIONS):
            before, order = order, best_permutations(_agreement(r, v * table(mean_allocation(r, order))), groups)
            if (order == before).all():
                break
        return order

    def divergence(order: np.ndarray) -> float:
        """Stephens' objective, sum_i v_i H(q_i), but for what no permutation changes."""
        q = mean_allocation(r, order)
        return -float((v * q * _log(q)).sum())

    by_pivot = best_permutations(_agreement(r, v * pivot), groups)
    if method == "ecr":
        return by_pivot
    by_data = settled(by_pivot, lambda q: x.log_density(q * v))
    if method == "data":
        return _as_pivot(by_data, r, v * pivot, groups)
    starts = {start.tobytes(): start for start in (by_pivot, by_data, np.tile(np.arange(len(groups)), (len(r), 1)))}
    return _as_pivot(min((settled(start, _log) for start in starts.values()), key=divergence), r, v * pivot, groups)


def mean_allocation(r: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The mean over draws of the relabelled responsibilities, (n, K)."""
    n_draws, K, n = r.shape
    chosen = np.eye(K, dtype=r.dtype)[order].transpose(1, 0, 2).reshape(K, n_draws * K)
    return np.asarray((chosen @ r.reshape(n_draws * K, n)).T / n_draws, dtype=float)


def _agreement(r: np.ndarray, table: np.ndarray) -> np.ndarray:
    """sum_i r_ik b_ij, (draws, K, K)."""
    n_draws, K, n = r.shape
    return (r.reshape(n_draws * K, n) @ table.astype(r.dtype)).reshape(n_draws, K, K)


def _log(q: np.ndarray) -> np.ndarray:
    """log q, finite where q is 0."""
    return np.log(np.maximum(q, np.finfo(float).tiny))


def _as_pivot(order: np.ndarray, r: np.ndarray, pivot: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The same relabelling with the names of the pivot: one permutation of all draws' labels."""
    names = best_permutations((mean_allocation(r, order).T @ pivot)[None], groups)[0]
    return order[:, names]
