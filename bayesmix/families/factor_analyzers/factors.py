"""The facet that families with latent factors have: loadings as they are shown, and the scores of rows."""

from __future__ import annotations

import numpy as np

from bayesmix.families.factor_analyzers.maths import analyzers
from bayesmix.families.factor_analyzers.rotation import principal_axes, turned_towards
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params


def loadings(likelihood: Likelihood, params: Params) -> np.ndarray:
    """Loadings (..., K, d, q) on principal axes; draws, with one leading dimension, turned towards those of their mean.

    The reference of draws are the principal axes of the first q factors of the mean of Lambda Lambda', at the mean
    noise variances.
    """
    own, psi = np.asarray(params["loadings"]), analyzers(likelihood).psi(params)
    if own.ndim == 3:
        return principal_axes(own, psi)
    noise = psi.mean(axis=0)
    root = np.sqrt(noise)
    common = (own @ np.swapaxes(own, -1, -2)).mean(axis=0) / (root[:, :, None] * root[:, None, :])
    values, vectors = np.linalg.eigh(common)
    q = own.shape[-1]
    first = root[:, :, None] * vectors[:, :, -q:] * np.sqrt(np.maximum(values[:, None, -q:], 0.0))
    reference = principal_axes(first, noise)
    return np.asarray(own @ turned_towards(own, np.broadcast_to(reference, own.shape), root))


def scores(likelihood: Likelihood, params: Params, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E(u | x_i, component k) (..., K, n, q) and variances (..., K, q) of the factors with these loadings.

    u given x is normal with the covariance M^-1, M = I + Lambda' Psi^-1 Lambda, about M^-1 Lambda' Psi^-1 (x - mu).
    """
    f = analyzers(likelihood)
    weighted = np.swapaxes(shown / f.psi(params)[..., None], -1, -2)
    M = np.eye(f.n_factors) + weighted @ shown
    of_x = np.linalg.solve(M, weighted)
    centre = of_x @ np.asarray(params["means"])[..., None]
    mean = f.x @ np.swapaxes(of_x, -1, -2) - np.swapaxes(centre, -1, -2)
    return mean, np.einsum("...mm->...m", np.linalg.inv(M))
