"""One labelling of a group of modes: draws brought into it, and the integral of the posterior density over it."""

from __future__ import annotations

import arviz as az
import numpy as np
import xarray as xr

from bayesmix.evidence.bridge import DRAWS_PER_DIMENSION, Evidence, bridge
from bayesmix.families import Family, Params
from bayesmix.kernels import responsibilities
from bayesmix.runs import COMPARED_ROWS
from bayesmix.spec import Mixture, exchange_groups
from bayesmix.switching import best_permutations, permute
from bayesmix.target import Target

EVIDENCE_DRAWS = 2000


def sampled_rows(family: Family) -> Family:
    """The family over at most ``COMPARED_ROWS`` rows, evenly spaced."""
    rows = np.unique(np.linspace(0, len(family.data) - 1, COMPARED_ROWS).astype(int))
    return family.rebind(family.data.take(rows))


def switching_groups(spec: Mixture, family: Family) -> np.ndarray:
    """A group number per component; the labels of one group may switch between draws. Ordered ones do not."""
    groups = exchange_groups(spec, family)
    return groups if spec.order is None else np.arange(len(groups))


def agreement_with(family: Family, params: Params, pivot: Params) -> np.ndarray:
    """sum_i v_i r_ik q_ij of parameters (..., K, K) with the pivot's responsibilities q."""
    q = responsibilities(family, pivot) * family.row_weights[:, None]
    return np.asarray(np.swapaxes(responsibilities(family, params), -1, -2) @ q)


def local_evidence(target: Target, family: Family, spec: Mixture, posterior: xr.Dataset, lp: np.ndarray) -> Evidence:
    """Integral of the posterior density over one labelling of the region that these draws (chain, draw) come from.

    The labelling's cell: points whose components match those of the best draw without permutation. Draws are permuted
    into it first. Points of the cell in other regions count as well where the proposal reaches them.
    """
    rows, groups = sampled_rows(family), switching_groups(spec, family)
    free = [rv.name for rv in target.model.free_RVs]
    wanted = max(EVIDENCE_DRAWS, 3 * DRAWS_PER_DIMENSION * target.n_dim)
    flat = posterior.stack(sample=("draw", "chain"), create_index=False).transpose("sample", ...)
    picked = np.unique(np.linspace(0, flat.sizes["sample"] - 1, wanted).astype(int))
    pivot_at = int(np.argmax(lp.T.ravel()))
    pivot = {v: flat[v][pivot_at].to_numpy() for v in family.parameter_names}
    flat = flat.isel(sample=picked)
    params = {v: flat[v].to_numpy() for v in family.parameter_names}
    order = best_permutations(agreement_with(rows, params, pivot), groups)
    moved = {
        v: permute(flat[v].to_numpy(), order, flat[v].dims.index("component"))
        if "component" in flat[v].dims
        else flat[v].to_numpy()
        for v in free
    }
    draws = np.array([target.start({v: a[s] for v, a in moved.items()}) for s in range(len(picked))])
    switching = len(np.unique(groups)) < len(groups)

    def log_density(x: np.ndarray) -> float:
        value = target.log_density(x)[0]
        if not np.isfinite(value) or not switching:
            return value if np.isfinite(value) else -np.inf
        values = target.values(x)
        at = agreement_with(rows, {v: np.asarray(values[v]) for v in family.parameter_names}, pivot)
        return value if (best_permutations(at[None], groups)[0] == np.arange(len(groups))).all() else -np.inf

    effective = float(az.ess(xr.Dataset({"lp": (("chain", "draw"), lp)}), method="mean")["lp"])
    return bridge(log_density, draws, efficiency=min(1.0, effective / len(picked)))
