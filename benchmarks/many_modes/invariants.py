"""What labels do not change, of draws: densities at rows, co-clustering of pairs, the entropy of the weights."""

from __future__ import annotations

import arviz as az
import numpy as np
import xarray as xr
from scipy.special import logsumexp, xlogy

import bayesmix as bm

PAIRS = 10


def pairs_of(data: bm.Data) -> np.ndarray:
    """Ten pairs of rows, (10, 2)."""
    return np.random.default_rng(1).choice(len(data), (PAIRS, 2))


def quantities(
    weights: np.ndarray, means: np.ndarray, covariances: np.ndarray, x: np.ndarray, pairs: np.ndarray
) -> np.ndarray:
    """Densities at ten rows, co-clustering of ten pairs, the entropy of the weights: (S, 21)."""
    L = np.linalg.cholesky(covariances)
    rows = np.r_[pairs[:, 0], pairs[:, 1]]
    z = np.linalg.solve(L[:, None], (x[rows][None, :, None, :, None] - means[:, None, :, :, None]))[..., 0]
    log_det = np.log(np.diagonal(L, axis1=2, axis2=3)).sum(axis=-1)
    normal = -0.5 * (z**2).sum(axis=-1) - log_det[:, None] - 0.5 * x.shape[1] * np.log(2 * np.pi)
    joint = np.log(weights)[:, None] + normal
    density = logsumexp(joint, axis=-1)
    r = np.exp(joint - density[..., None])
    half = len(pairs)
    together = (r[:, :half] * r[:, half:]).sum(axis=-1)
    entropy = -xlogy(weights, weights).sum(axis=1, keepdims=True)
    return np.concatenate([density[:, :half], together, entropy], axis=1)


def of_posterior(dt: xr.DataTree, data: bm.Data) -> np.ndarray:
    """The same of a posterior of bayesmix, (chain, draw, 21)."""
    flat = dt["posterior"].to_dataset().stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    values = quantities(*(flat[v].to_numpy() for v in ("weights", "means", "covariances")), data.x, pairs_of(data))
    return values.reshape(dt["posterior"].sizes["chain"], -1, values.shape[1])


def dataset(chains: np.ndarray) -> xr.Dataset:
    """(chain, draw, quantity) as ArviZ reads it."""
    return xr.Dataset({"value": (("chain", "draw", "quantity"), chains)})


def smallest_ess(chains: np.ndarray) -> float:
    """The smallest bulk effective size of what moves."""
    moving = chains[..., np.ptp(chains, axis=(0, 1)) > 1e-6]
    return float(az.ess(dataset(moving), method="bulk")["value"].min())
