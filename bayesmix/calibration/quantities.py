"""Test quantities: functions of parameters and data whose ranks are uniform where the posterior is right.

The same function is taken of the true parameters and of the draws. It may depend on the data, and has to: a posterior
that forgets the data leaves every rank of a parameter uniform, while that of the log-likelihood is not (Modrak et al.
2023, doi:10.1214/23-BA1404). Components that neither labels nor priors tell apart are put in the order of their first
mean, whatever labels they had.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import xlogy

from bayesmix import estep
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture import scalars
from bayesmix.mixture.permutations import ascending
from bayesmix.mixture.prior_density import log_prior
from bayesmix.mixture.spec import exchange_groups
from bayesmix.parts.part import Params
from bayesmix.parts.weights import WEIGHTS

LOG_LIKELIHOOD, LOG_PRIOR, ENTROPY, RESPONSIBILITY = "log_likelihood", "log_prior", "weight_entropy", "responsibility"


def quantities(likelihood: Likelihood, params: Params, centres: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Every test quantity of S parameter draws, by name, each (S,).

    The free scalars after relabelling (the last weight follows from the others), the log-likelihood, the log-prior, the
    entropy of the weights where they are not known, the responsibility of the first component for one row, and products
    of pairs of scalars, each less its entry in ``centres``.
    """
    named = likelihood.named(params)
    order = by_first_entry(exchange_groups(likelihood), named, likelihood.sorted_by)
    sorted_ = {v: _taken(a, order) if likelihood.dims[v][:1] == ("component",) else a for v, a in named.items()}
    values = parameters(likelihood, sorted_)
    by_name = dict(values)
    by_name[LOG_LIKELIHOOD] = estep.pointwise(likelihood, params).sum(axis=-1)
    by_name[LOG_PRIOR] = log_prior(likelihood.spec, named)
    if len(likelihood.components) > 1:
        w = np.exp(likelihood.log_weights(params)).mean(axis=-2)
        if WEIGHTS not in likelihood.known:
            by_name[ENTROPY] = -xlogy(w, w).sum(axis=-1)
        row = likelihood.rebind(likelihood.data.take([watched_row(likelihood)]).without_labels())
        by_name[RESPONSIBILITY] = _taken(estep.responsibilities(row, params)[:, 0], order)[:, 0]
    for a, b in pairs(likelihood):
        by_name[f"{a} x {b}"] = (values[a] - centres[a]) * (values[b] - centres[b])
    return by_name


def by_first_entry(groups: np.ndarray, named: Mapping[str, np.ndarray], by: str | None) -> np.ndarray:
    """The order of the components (S, K): within a group by the first entry of an estimate, ascending."""
    if by is None or len(np.unique(groups)) == len(groups):
        return np.tile(np.arange(len(groups)), (len(next(iter(named.values()))), 1))
    first = named[by].reshape(*named[by].shape[:2], -1)[..., 0]
    return ascending(first, groups)


def _taken(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Components (axis 1) of every draw in its order."""
    return np.take_along_axis(values, order.reshape(order.shape + (1,) * (values.ndim - 2)), axis=1)


def parameters(likelihood: Likelihood, named: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The free scalars by label, each (S,)."""
    return {label: named[v][:, *where] for v, where, label in _entries(likelihood)}


def _entries(likelihood: Likelihood) -> list[tuple[str, tuple[int, ...], str]]:
    last = (WEIGHTS, (len(likelihood.components) - 1,))
    return [entry for entry in scalars.index_of(likelihood) if entry[:2] != last]


def pairs(likelihood: Likelihood) -> list[tuple[str, str]]:
    """Labels of the pairs that are multiplied: the first scalars of any two variables, the first and last of one."""
    by_variable: dict[str, list[str]] = {}
    for variable, _, label in _entries(likelihood):
        by_variable.setdefault(variable, []).append(label)
    firsts = [labels[0] for labels in by_variable.values()]
    within = [(labels[0], labels[-1]) for labels in by_variable.values() if len(labels) > 1]
    return [*combinations(firsts, 2), *within]


def watched_row(likelihood: Likelihood) -> int:
    """The row whose responsibility is watched: of those without a label the one at the lower quartile of ``x``.

    Of counts that is a zero where there are enough: other counts have responsibilities that are known.
    """
    rows = np.flatnonzero(~likelihood.data.labelled)
    rows = rows if len(rows) else np.arange(len(likelihood.data))
    return int(rows[np.argsort(likelihood.data.x[rows, 0], kind="stable")[len(rows) // 4]])
