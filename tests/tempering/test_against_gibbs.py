"""Replica exchange beside a long run of an allocation sampler: what labels do not change, within Monte Carlo errors."""

import arviz as az
import numpy as np
import pytest

import bayesmix as bm
from benchmarks.many_modes.invariants import dataset, of_posterior, pairs_of, quantities
from benchmarks.many_modes.problems import PROBLEMS
from tests.gibbs import gibbs

CHAINS = 4


def means_and_errors(chains):
    """Of (chain, draw, quantity)."""
    values = dataset(chains)
    return chains.mean(axis=(0, 1)), az.mcse(values, method="mean")["value"].to_numpy(), az.ess(values)["value"]


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "draws", "every"), [("galaxies, K = 6", 4000, 50), ("eight groups, K = 8", 1000, 20)])
def test_exchange_agrees_with_an_allocation_sampler(name, draws, every):
    spec, data = next(p for p in PROBLEMS if p.name == name).make()
    ours = of_posterior(bm.sample(spec, data, sampler="exchange", minutes=30, seed=1, progress=False), data)
    settings = {"draws": draws, "every": every, "warm_up": 5000}
    chains = [gibbs(bm.resolve(spec, data), data.x, seed=s, **settings) for s in range(CHAINS)]
    theirs = np.array([quantities(*chain, data.x, pairs_of(data)) for chain in chains])
    (a, e, _), (b, f, ess) = means_and_errors(ours), means_and_errors(theirs)
    error = np.hypot(e, f)
    print(name, "smallest effective size of the allocation sampler", float(ess.min()))
    moving = error > 1e-6
    assert (np.abs(a - b)[moving] < 4 * error[moving]).all(), (np.abs(a - b) / error).round(1)
