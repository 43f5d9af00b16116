"""Replica exchange beside a long run of an allocation sampler: what labels do not change, within Monte Carlo errors."""

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp, xlogy

import bayesmix as bm
from benchmarks.many_modes.problems import PROBLEMS
from tests.gibbs import gibbs

CHAINS = 4


def quantities(weights, means, covariances, x, pairs):
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


def means_and_errors(chains):
    """Of (chain, draw, quantity)."""
    dataset = xr.Dataset({"value": (("chain", "draw", "quantity"), chains)})
    return chains.mean(axis=(0, 1)), az.mcse(dataset, method="mean")["value"].to_numpy(), az.ess(dataset)["value"]


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "draws", "every"), [("galaxies, K = 6", 4000, 50), ("eight groups, K = 8", 1000, 20)])
def test_exchange_agrees_with_an_allocation_sampler(name, draws, every):
    spec, data = next(p for p in PROBLEMS if p.name == name).make()
    dt = bm.sample(spec, data, sampler="exchange", seed=1, progress=False)
    pairs = np.random.default_rng(1).choice(len(data), (10, 2))
    flat = dt["posterior"].to_dataset().stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    ours = quantities(*(flat[v].to_numpy() for v in ("weights", "means", "covariances")), data.x, pairs)
    ours = ours.reshape(dt["posterior"].sizes["chain"], -1, ours.shape[1])
    settings = {"draws": draws, "every": every, "warm_up": 5000}
    chains = [gibbs(bm.resolve(spec, data), data.x, seed=s, **settings) for s in range(CHAINS)]
    theirs = np.array([quantities(*chain, data.x, pairs) for chain in chains])
    (a, e, _), (b, f, ess) = means_and_errors(ours), means_and_errors(theirs)
    error = np.hypot(e, f)
    print(name, "smallest effective size of the allocation sampler", float(ess.min()))
    moving = error > 1e-6
    assert (np.abs(a - b)[moving] < 4 * error[moving]).all(), (np.abs(a - b) / error).round(1)
