"""Fits whose parameters are known, without sampling: draws written down as a posterior, or as an estimate."""

import json

import numpy as np
import xarray as xr

from bayesmix.em.fit_em import EMFit
from bayesmix.mixture.estimates import to_dataset
from bayesmix.mixture.spec import resolved


def posterior(spec, data, draws, *, chains=2):
    """A DataTree as bm.sample gives it, with these draws (dicts of the likelihood's parameters) in their order."""
    likelihood = resolved(spec, data)
    named = [likelihood.named(p) for p in draws]
    variables = {}
    for v, dims in likelihood.dims.items():
        stacked = np.stack([one[v] for one in named])
        variables[v] = (("chain", "draw", *dims), stacked.reshape(chains, -1, *stacked.shape[1:]))
    used = {d for dims in likelihood.dims.values() for d in dims} | {"component"}
    coords = {d: c for d, c in likelihood.coords.items() if d in used}
    coords |= {"chain": np.arange(chains), "draw": np.arange(len(draws) // chains)}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(variables, coords=coords), "input": data.to_dataset()})
    tree.attrs |= {"spec": json.dumps(likelihood.spec.to_dict()), "seed": 1}
    return tree


def estimate(spec, data, params):
    """An EMFit at these parameters."""
    likelihood = resolved(spec, data)
    return EMFit(
        params=to_dataset(likelihood, likelihood.named(params)),
        log_likelihood=0.0,
        log_posterior=np.nan,
        converged=True,
        n_iter=1,
        history=np.zeros(2),
        reasons=(),
        ends=(),
        method="ml",
        likelihood=likelihood,
    )
