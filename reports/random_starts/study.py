"""EM from one random start at a time, many starts, and the posterior: log-likelihood and agreement with the species."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

import bayesmix as bm
from bayesmix.em.iterations import iterate
from bayesmix.estep import responsibilities
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import resolved
from benchmarks.environment import describe

TO_THE_END = 2000
"""E-steps that no start needs."""
SETTINGS: dict[str, Any] = {"draws": 1000, "tune": 500, "chains": 4, "seed": 1}

type Record = dict[str, Any]
"""What is kept, as JSON."""


@dataclass(frozen=True)
class Manner:
    """How a single start begins, and after how many E-steps it is left."""

    name: str
    kind: str
    steps: int


MANNERS = (
    Manner("random rows", "random rows", TO_THE_END),
    Manner("random rows, 10 steps", "random rows", 10),
    Manner("random partition", "random partition", TO_THE_END),
    Manner("random partition, 10 steps", "random partition", 10),
)
"""The first is the one that is drawn."""


def agreement(z: np.ndarray, truth: np.ndarray) -> float:
    """The share of rows in the species that their group stands for, groups and species paired as well as can be."""
    names, species = np.unique(truth, return_inverse=True)
    table = np.zeros((max(int(z.max()) + 1, len(names)), len(names)))
    np.add.at(table, (z, species), 1)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / len(z))


def single_starts(likelihood: Likelihood, manner: Manner, n: int) -> dict[str, list[Any]]:
    """The ends of ``n`` single starts, by seed: nothing else is tried, and no saddle is left."""
    found: dict[str, list[Any]] = {"log_likelihood": [], "agreement": [], "degenerate": []}
    for seed in range(n):
        start = likelihood.initial(manner.kind, np.random.default_rng(seed))
        result = iterate(likelihood, manner.kind, start, max_iter=manner.steps, tolerance=1e-9)
        z = responsibilities(likelihood, result.params).argmax(axis=1)
        found["log_likelihood"].append(round(result.log_likelihood, 4) if np.isfinite(result.log_likelihood) else None)
        found["agreement"].append(round(agreement(z, truth_of(likelihood.data)), 6))
        found["degenerate"].append(bool(result.reasons))
    return found


def truth_of(data: Data) -> np.ndarray:
    """The species."""
    assert data.truth is not None
    return data.truth


def record(n: int) -> Record:
    """All single starts, EM from 20 starts, the posterior."""
    spec, data = bm.load("iris")
    likelihood = resolved(spec, data)
    em = bm.fit_em(spec, data)
    dt = bm.sample(spec, data, progress=False, **SETTINGS)
    r = bm.responsibilities(dt).stack(sample=("chain", "draw")).transpose("sample", "obs", "component").to_numpy()
    by_draw = [agreement(z, truth_of(data)) for z in r.argmax(axis=2)[::10]]
    return {
        "environment": describe(f"uv run python -m reports.random_starts --starts {n}", one_thread=True),
        "starts": {manner.name: single_starts(likelihood, manner, n) for manner in MANNERS},
        "em": {
            "n_starts": len(em.starts),
            "log_likelihood": em.log_likelihood,
            "agreement": agreement(bm.responsibilities(em).to_numpy().argmax(axis=1), truth_of(data)),
        },
        "posterior": {
            "trusted": bm.diagnose(dt).ok,
            "agreement": agreement(r.mean(axis=0).argmax(axis=1), truth_of(data)),
            "by_draw": np.quantile(by_draw, [0.05, 0.5, 0.95]).tolist(),
            "log_likelihood": np.quantile(dt["sample_stats"]["log_likelihood"], [0.05, 0.5, 0.95]).tolist(),
        },
    }
