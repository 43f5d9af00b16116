"""Observed information of latent classes in closed form, and what it says of the named estimates.

With s_ik the score of row i as if it were known to belong to component k, and s_i = sum_k r_ik s_ik,

    -d2L/dtheta2 = sum_i v_i { sum_k r_ik B_ik - [ sum_k r_ik s_ik s_ik' - s_i s_i' ] },

B_ik the information of the complete row (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x). Of log w_k the score is
1, of log(p_kjl / p_kjm) it is 1(x_ij = l) - p_kjl where row i answers column j, and B has p_kjl (1(l = l') - p_kjl').
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import block_diag

from bayesmix import estep
from bayesmix.families.categorical.answers import HARDLY_EVER, UNANSWERED, Answers, answers
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

HELD_NUMBERS = 2**22
"""Scores of so many rows are held at a time as have this many entries."""


def _within(p: np.ndarray, component: Answers) -> np.ndarray:
    """diag(p) - p p' within columns, 0 between them, (..., A, A): what moves p when coordinates of all answers move."""
    same = component.column[:, None] == component.column
    return np.asarray(same * (np.eye(p.shape[-1]) * p[..., None, :] - p[..., :, None] * p[..., None, :]))


def _scores(component: Answers, p: np.ndarray, rows: slice) -> Iterator[np.ndarray]:
    """(1, 1(x_ij = l) - p_kjl) of some rows, (rows, 1 + free answers), component by component."""
    code = component.codes[rows][:, component.column[component.free]]
    given = code == component.level[component.free]
    for own in p[:, component.free]:
        yield np.hstack([np.ones((len(code), 1)), np.where(code == UNANSWERED, 0.0, given - own)])


def information(likelihood: Likelihood, params: Params) -> np.ndarray:
    """-d2L/du2 in the coordinates of ``pack``, in their units."""
    component, p, v = answers(likelihood), params["probs"], likelihood.row_weights
    K, m = component.K, 1 + int(component.free.sum())
    counts = estep.e_step(likelihood, params)[1]["answers"]
    complete = component.by_column(counts)[:, :, None] * _within(p, component)
    H = block_diag(*[block_diag(0.0, c[np.ix_(component.free, component.free)]) for c in complete])
    r = estep.responsibilities(likelihood, params)
    step = max(1, HELD_NUMBERS // (K * m))
    for first in range(0, len(r), step):
        rows = slice(first, first + step)
        mean = np.empty((len(r[rows]), K * m))
        for k, score in enumerate(_scores(component, p, rows)):
            own = slice(k * m, (k + 1) * m)
            mean[:, own] = r[rows, k, None] * score
            H[own, own] -= (v[rows] * r[rows, k] * score.T) @ score
        H += (v[rows] * mean.T) @ mean
    w = params["weights"]
    of_log_w = np.arange(K) * m
    H[np.ix_(of_log_w, of_log_w)] += v.sum() * (np.diag(w) - np.outer(w, w))
    order = np.concatenate([of_log_w[:-1], np.delete(np.arange(K * m), of_log_w)])
    units = likelihood.units(params)
    return H[np.ix_(order, order)] * np.outer(units, units)


def missing(likelihood: Likelihood, params: Params) -> float:
    """No bound is known."""
    return float("inf")


def spread(likelihood: Likelihood, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
    """Standard deviations of the named estimates; 0 for answers that a component never gives."""
    component, p, w = answers(likelihood), params["probs"], params["weights"]
    K, m = component.K, int(component.free.sum())
    units = likelihood.units(params)
    V = covariance * np.outer(units, units)
    of_w = (np.diag(w) - np.outer(w, w))[:, :-1]
    named_variances = {"weights": ((of_w @ V[: K - 1, : K - 1]) * of_w).sum(axis=1)}
    variances = np.empty(p.shape)
    for k, J in enumerate(_within(p, component)[:, :, component.free]):
        own = slice(K - 1 + k * m, K - 1 + (k + 1) * m)
        variances[k] = ((J @ V[own, own]) * J).sum(axis=1)
    named_variances["probs"] = np.where(p < HARDLY_EVER, 0.0, variances)
    return {name: np.sqrt(np.maximum(a, 0.0)) for name, a in named_variances.items()}
