"""EM with hard assignment: every row goes wholly to its most probable component, as k-means has it.

Classification EM (Celeux and Govaert 1992, doi:10.1016/0167-9473(92)90042-E) raises the classification likelihood

    L_C = sum_i v_i max_k( log w_ik + a_ik + log f(x_i | theta_k) )

in turns: the best component z_i of every row, then the parameters given z. Rows whose components are told are labelled
rows, so that L_C and its sums are the E-step's of the likelihood in which z is told.
"""

from __future__ import annotations

import numpy as np

from bayesmix.em.iterations import Ascent, stillborn
from bayesmix.em.starts import StartResult
from bayesmix.estep import responsibilities
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params


def assigned(likelihood: Likelihood, params: Params) -> np.ndarray:
    """The most probable component of every row, (n,); of several that are, the first."""
    return np.asarray(responsibilities(likelihood, params).argmax(axis=1))


def classify(
    likelihood: Likelihood, kind: str, params: Params, *, max_iter: int, tolerance: float, trace: bool = False
) -> StartResult:
    """Classification EM from one start until no row moves and L_C has less than tolerance (1 + |L_C|) to gain.

    L_C never falls. A component may be left without rows; the result says so.
    """
    reasons = likelihood.spikes(params)
    if reasons:
        return stillborn(kind, params, reasons, trace=trace)
    z, n_iter, history, path = assigned(likelihood, params), 0, list[float](), list[Params]()
    settled = converged = False
    while True:
        ascent = Ascent(likelihood.told(z), params)
        gain = ascent.L - history[-1] if history else np.inf
        history.append(ascent.L)
        path += [params] if trace else []
        converged = settled and gain <= tolerance * (1 + abs(ascent.L))
        if converged or n_iter > max_iter:
            reasons = [*_without_rows(likelihood, z), *likelihood.spikes(params, np.eye(len(likelihood.components))[z])]
            break
        stepped = ascent.likelihood.m_step(ascent.sums, params)
        reasons = likelihood.spikes(stepped)
        if reasons:
            break
        ascent.walk(stepped)
        n_iter += ascent.n_iter
        before, params, z = z, ascent.params, assigned(likelihood, ascent.params)
        settled = np.array_equal(before, z)
    return StartResult(kind, params, np.array(history), converged, tuple(reasons), n_iter, path=tuple(path))


def _without_rows(likelihood: Likelihood, z: np.ndarray) -> list[str]:
    mass = np.bincount(z, weights=likelihood.row_weights, minlength=len(likelihood.components))
    return [f"{name}: no rows are left to it" for name, m in zip(likelihood.components, mass, strict=True) if m == 0]
