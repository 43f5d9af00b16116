"""The integral of an unnormalized density by bridge sampling, from draws of that density.

Meng and Wong (1996), Statistica Sinica 6, 831-860; Gronau et al. (2017), doi:10.1016/j.jmp.2017.09.005.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import arviz as az
import numpy as np
import xarray as xr
from scipy.special import logsumexp

from bayesmix.multimodality.proposal import DRAWS_PER_DIMENSION, Proposal, fit

LARGEST_ERROR = 0.1
FEWEST_QUARTERED = 8
"""In every chain: each half is halved again to see how far the draws depend on each other."""


@dataclass(frozen=True)
class LogIntegral:
    """A log-integral, its standard error (relative error of the integral), and whether it can be relied on."""

    value: float
    standard_error: float
    established: bool


UNKNOWN = LogIntegral(float("nan"), float("inf"), False)


def bridge(
    log_density: Callable[[np.ndarray], np.ndarray],
    draws: np.ndarray,
    values: np.ndarray,
    *,
    inside: np.ndarray | None = None,
    seed: int = 1,
) -> LogIntegral:
    """log of the integral of exp(log_density) over the region that draws come from.

    One half of every chain fits a mixture of normals g, the other half (N1 draws) and N2 = N1 draws of g estimate by
    the fixed point of the optimal bridge

        Z <- mean_g( l2 / (l2 + Z) ) / mean_draws( 1 / (l1 + Z) ),    l = exp(log_density) / g,

    then the halves change places: the result is the mean of the two log-integrals. The errors of each are
    Fruehwirth-Schnatter's (2004, doi:10.1111/j.1368-423X.2004.00125.x), with the effective number of draws of the
    terms 1 / (l1 + Z) themselves. Their mean stands for the result, as if one were no news beside the other, which
    slow chains can come near to; where the two differ by more than that explains, half their difference does.

    Parameters
    ----------
    log_density
        Of points (n, D): values (n,), unnormalized; -inf outside the region.
    draws : ndarray, shape (chains, S, D)
    values : ndarray, shape (chains, S)
        log_density at the draws.
    inside : ndarray of bool, shape (chains, S), optional
        Draws that lie in the region; the others are passed over.
    seed : int
        Of the draws of g.

    Returns
    -------
    LogIntegral
        Not established with fewer than 20 effective draws per dimension or a standard error above 0.1; NaN and an
        infinite error where the draws do not fill all dimensions.

    Examples
    --------
    >>> draws = np.random.default_rng(1).standard_normal((4, 1000, 1))
    >>> found = bridge(lambda x: -0.5 * x[:, 0] ** 2, draws, -0.5 * draws[..., 0] ** 2)
    >>> bool(abs(found.value - np.log(np.sqrt(2 * np.pi))) < 0.01)
    True
    """
    inside = np.ones(values.shape, dtype=bool) if inside is None else inside
    half = values.shape[1] // 2
    if values.shape[1] < FEWEST_QUARTERED:
        return UNKNOWN
    halves = [slice(None, half), slice(half, None)]
    estimates = []
    for fitted, kept in (halves, halves[::-1]):
        proposal = fit(draws[:, fitted][inside[:, fitted]], seed=seed)
        if proposal is None or not inside[:, kept].any():
            return UNKNOWN
        estimates.append(_one_way(log_density, proposal, draws[:, kept], values[:, kept], inside[:, kept]))
        if not np.isfinite(estimates[-1]).all():
            return UNKNOWN
    log_z, errors, effective = (np.array(a) for a in zip(*estimates, strict=True))
    error = float(max(errors.mean(), abs(log_z[0] - log_z[1]) / 2))
    enough = effective.sum() >= DRAWS_PER_DIMENSION * draws.shape[-1]
    return LogIntegral(float(log_z.mean()), error, bool(enough and error < LARGEST_ERROR))


def _one_way(
    log_density: Callable[[np.ndarray], np.ndarray],
    proposal: Proposal,
    draws: np.ndarray,
    values: np.ndarray,
    inside: np.ndarray,
) -> tuple[float, float, float]:
    """log Z, its error and the number of effective draws, from draws that the proposal has not seen."""
    l1 = values[inside] - proposal.log_density(draws[inside])
    proposed = proposal.draw(len(l1))
    l2 = log_density(proposed) - proposal.log_density(proposed)
    if np.isneginf(l2).all():  # no proposal reaches the region
        return -np.inf, np.inf, 0.0
    log_z = _fixed_point(l1, l2)
    terms = np.zeros(inside.shape)
    terms[inside] = np.exp(-np.logaddexp(l1, log_z) - logsumexp(-np.logaddexp(l1, log_z)) + np.log(len(l1))) - 1
    effective = _effective(terms) * inside.mean()
    f2 = np.exp(l2 - np.logaddexp(l2, log_z))
    variance = terms[inside].var() / effective + f2.var() / f2.mean() ** 2 / len(f2)
    return log_z, float(np.sqrt(variance)), effective


def _fixed_point(l1: np.ndarray, l2: np.ndarray) -> float:
    """log Z of the optimal bridge between as many draws as proposals."""
    log_z = float(np.median(l1))
    for _ in range(1000):
        top, bottom = logsumexp(l2 - np.logaddexp(l2, log_z)), logsumexp(-np.logaddexp(l1, log_z))
        new = float(top - bottom)
        if not abs(new - log_z) > 1e-10:
            break
        log_z = new
    return log_z


def _effective(terms: np.ndarray) -> float:
    """Effective number of terms (chains, S), at most as many as there are."""
    effective = float(az.ess(xr.Dataset({"f": (("chain", "draw"), terms)}), method="mean")["f"])
    return min(effective, terms.size) if np.isfinite(effective) else float(terms.size)
