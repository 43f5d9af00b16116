"""Fit, judge, and what is kept of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from benchmarks.alarm.case import Case


def separate_modes(dt: xr.DataTree) -> int:
    """How many regions of the posterior hold draws, whether chains cross between them or not."""
    region = dt["modes"]["region"].to_numpy()
    return len(np.unique(region[region > 0]))


def verdict(dt: xr.DataTree) -> dict[str, Any]:
    """Whether the alarm goes off, and why: problems, or separate modes that the notes announce."""
    check, n_modes = bm.diagnose(dt), separate_modes(dt)
    several = (f"The posterior has {n_modes} separate modes", "Chains cross between")
    announced = any(note.startswith(several) for note in check.notes)
    return {
        "flagged": not (check.ok and check.labels_ok) or announced,
        "modes": n_modes,
        "problems": {p.name: str(p) for p in (*check.problems, *check.limits)},
        "notes": list(check.notes),
        "max_r_hat": float(check.parameters["r_hat"].max()),
        "min_ess": float(check.parameters[["ess_bulk", "ess_tail"]].min(axis=None)),
    }


def switched(dt: xr.DataTree) -> float:
    """The share of draws whose labels differ from those of most draws, as the sampler made them."""
    if "relabelling" not in dt.children:
        return 0.0
    order = dt["relabelling"]["permutation"].to_numpy()
    counts = np.unique(order.reshape(-1, order.shape[-1]), axis=0, return_counts=True)[1]
    return float(1 - counts.max() / counts.sum())


@dataclass
class Fitter:
    """Fits with default settings; every layout is compiled once."""

    draws: int = 1000
    compiled_by_layout: dict[str, CompiledModel] = field(default_factory=dict)

    def fit(self, case: Case) -> xr.DataTree:
        """The posterior of a case, seed 1."""
        spec, data = case.make()
        model = bm.build(spec, data)
        known = self.compiled_by_layout.get(case.layout)
        compiled = self.compiled_by_layout[case.layout] = (
            CompiledModel(model) if known is None else known.with_data(model)
        )
        return bm.sample(spec, data, compiled=compiled, draws=self.draws, seed=1, log_likelihood=False, progress=False)

    def __call__(self, case: Case) -> dict[str, Any]:
        """What is kept of a case."""
        began = time.perf_counter()
        dt = self.fit(case)
        sizes = {"n": dt["observed_data"].sizes["obs"], "switched": switched(dt)}
        return {"name": case.name, **sizes, **verdict(dt), "seconds": time.perf_counter() - began}
