"""The cells of the atlas: a data set, a number of components, and a way to its evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

import bayesmix as bm
from benchmarks.many_modes.problems import HERE as MANY_MODES
from tests.full_conditionals import log_evidence
from tests.telescoping import richardson_green, telescope

NUMBERS = range(2, 11)
JUDGED = (3, 6, 9)
"""By replica exchange, whatever the default would do."""
BY_GIBBS = (2, 3, 4)
"""All labellings of more components are too many."""
MOST = 30
"""Components that the sampler over their number may have."""
SEEDS = (1, 2, 3, 4)
"""Of the samplers that share nothing with the package."""
SAMPLING = {"draws": 4000, "until": "trusted", "minutes": 10, "progress": False, "seed": 1}

type Record = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One way to one evidence, or, of the sampler over the number of components, to all of them."""

    data: str
    way: str
    K: int
    run: Callable[[], Record]

    @property
    def name(self) -> str:
        """As records call it."""
        return f"{self.data} {self.way}" + (f" {self.K}" if self.K else "")


def galaxies() -> np.ndarray:
    """Velocities of 82 galaxies in 1,000 km/s; observation 78 is 26.96, as in the literature, not 26.69 as in MASS."""
    x = bm.load("galaxies")[1].x[:, 0]
    return np.where(np.isclose(x, 26.69), 26.96, x)


def enzyme() -> np.ndarray:
    """Enzymatic activity in the blood of 245 people."""
    return pd.read_csv(MANY_MODES / "enzyme.csv").to_numpy(dtype=float)[:, 0]


DATA: Mapping[str, Callable[[], np.ndarray]] = {"galaxies": galaxies, "enzyme": enzyme}


def by_sampling(name: str, K: int, sampler: str) -> Record:
    """A posterior by the package, and its evidence."""
    spec, data = bm.Mixture("gaussian", n_components=K, priors="richardson-green"), bm.Data(DATA[name]())
    dt = bm.sample(spec, data, sampler=sampler, **SAMPLING)
    check, found = bm.diagnose(dt), bm.log_evidence(dt)
    record = {"value": found.value, "error": found.standard_error, "established": bool(found.established)}
    record |= {"method": found.method, "ok": check.ok, "problems": sorted(p.name for p in check.problems)}
    if "tempering" in dt.children:
        held = dt["tempering"].attrs
        record |= {"bridge": held.get("bridge"), "bridge_error": held.get("bridge_error")}
        record |= {
            "bridge_known": bool(held.get("bridge_known")),
            "round_trips": int(dt["tempering"]["round_trips"].sum()),
        }
    return record


def by_full_conditionals(name: str, K: int) -> Record:
    """Bridge sampling of Gibbs draws, several chains."""
    x = DATA[name]()
    values = [log_evidence(x, richardson_green(x), K, conditionals=100, seed=seed) for seed in SEEDS]
    return {"value": float(np.mean(values)), "error": float(np.std(values, ddof=1) / np.sqrt(len(values)))}


def by_telescoping(name: str) -> Record:
    """p(K | y), K uniform on 1 to 30, several chains."""
    x = DATA[name]()
    flat = np.zeros(MOST)
    found = [telescope(x, richardson_green(x), flat, batches=100, every=5000, seed=seed) for seed in SEEDS]
    p = np.array([one.probability for one in found])
    occupied = np.mean([one.probability @ one.occupied for one in found], axis=0)
    error = np.sqrt(np.mean([one.errors**2 for one in found], axis=0) / len(found))
    apart = p.std(axis=0, ddof=1) / np.sqrt(len(p))
    return {
        "probability": p.mean(axis=0).tolist(),
        "errors": np.maximum(error, apart).tolist(),
        "occupied": occupied.tolist(),
    }


def cells() -> list[Cell]:
    """All of them, the cheapest first."""
    made = [Cell(name, "telescoping", 0, partial(by_telescoping, name)) for name in DATA]
    made += [Cell(name, "gibbs", K, partial(by_full_conditionals, name, K)) for K in BY_GIBBS for name in DATA]
    made += [Cell(name, "default", K, partial(by_sampling, name, K, "auto")) for name in DATA for K in NUMBERS]
    made += [Cell(name, "exchange", K, partial(by_sampling, name, K, "exchange")) for name in DATA for K in JUDGED]
    return made


def timed(cell: Cell) -> Record:
    """Its record, with how long it took."""
    began = time.perf_counter()
    found = cell.run()
    return {"cell": cell.name, "data": cell.data, "way": cell.way, "K": cell.K, **found} | {
        "seconds": time.perf_counter() - began
    }
