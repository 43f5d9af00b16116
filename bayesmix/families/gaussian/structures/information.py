"""The observed information of structured covariances, from that of free ones in closed form.

Where theta are the coordinates without the structure, which move with u, the free ones of the structure,

    -d2L/du2 = J' I J - sum_m dL/dtheta_m d2theta_m/du2,     J = dtheta/du.

I and the score take one pass over the rows; J and the last sum are of the map from u to Cholesky factors alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import block_diag

from bayesmix.families.gaussian.normal import Normal
from bayesmix.families.gaussian.structures.component import Structured
from bayesmix.likelihood.curvature import score_at
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.held import slopes
from bayesmix.parts.part import Params


def information(
    likelihood: Likelihood, component: Structured, params: Params, closed: Callable[[Likelihood, Params], np.ndarray]
) -> np.ndarray:
    """-d2L/du2 in the units of u; ``closed``: that of components whose Cholesky factors are free."""
    kind = "full" if component.correlated else "diag"
    free = Normal(component.data, component.components, kind)
    whole = likelihood.with_component(free)
    theta, units = whole.pack(params), whole.units(params)
    size = component.chart.size
    first, n = likelihood.n_parameters - size, whole.n_parameters
    u, own = component.chart.pack(params["covariances"]), likelihood.units(params)[first:]
    g = score_at(whole, theta)[first:]

    def cholesky(step: np.ndarray) -> np.ndarray:
        C = component.chart.factors(u + own * step)
        return free.pack({"means": params["means"], "covariances": C @ np.swapaxes(C, -1, -2)})[first - n :]

    def pulled(step: np.ndarray) -> np.ndarray:
        C = component.chart.factors(u + own * step)
        return np.asarray(own * component.chart.score(C, _of_factors(C, g, free.index)))

    J = slopes(cholesky, size).T / units[first:, None]
    bend = slopes(pulled, size)
    T = block_diag(np.eye(first), J)
    H = T.T @ closed(whole, params) @ T
    H[first:, first:] -= (bend + bend.T) / 2
    return np.asarray((H + H.T) / 2)


def _of_factors(C: np.ndarray, g: np.ndarray, index: np.ndarray) -> np.ndarray:
    """C^-T M, M symmetric, whose lower triangle is a gradient by C, from one by log C_jj and C_ij."""
    of_C = np.where(index >= 0, g[index], 0.0)
    diagonal = np.eye(C.shape[-1], dtype=bool)
    of_C = np.where(diagonal, of_C / np.where(diagonal, C, 1.0), of_C)
    inner = np.tril(np.swapaxes(C, -1, -2) @ of_C)
    inner = np.where(diagonal, inner / 2, inner)
    return np.asarray(np.linalg.solve(np.swapaxes(C, -1, -2), inner + np.swapaxes(inner, -1, -2)))
