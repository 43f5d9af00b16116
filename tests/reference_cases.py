"""Posteriors with several modes, and what a long tempered run says of their masses and evidence.

    python tests/reference_cases.py iris_3 --seconds 60 --state FOLDER

goes on with the run kept in FOLDER for that long and writes what there is to ``tests/reference_masses.json``.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import scipy

import bayesmix as bm
from tempering import Problem, Tempering, log_evidence, masses

RESULTS = Path(__file__).parent / "reference_masses.json"
NEAR_EMPTY = 5.0
"""A component that is expected to hold fewer rows counts as near-empty."""


def corners(stretch=1.0):
    """Forty rows, ten about each corner of a square; a turn by 90 degrees maps them to themselves where stretch is 1.

    Two components may split them from left to right or from top to bottom. ``stretch`` moves the corners apart along
    the first axis; the scatter about them stays.
    """
    offsets = np.random.default_rng(7).standard_normal((10, 2))
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    rows = []
    for quarter in range(4):
        rotation = np.linalg.matrix_power(turn, quarter)
        rows.append(offsets @ rotation.T + np.array([3.0, 3.0]) @ rotation.T * [stretch, 1.0])
    return np.vstack(rows)


def split_axis(params, r):
    """0: the components lie side by side, 1: one above the other."""
    gap = np.abs(params["means"][..., 0, :] - params["means"][..., 1, :])
    return gap.argmax(axis=-1)


def near_empty(params, r):
    """1 where a component holds fewer than NEAR_EMPTY expected rows."""
    return (r.sum(axis=-2).min(axis=-1) < NEAR_EMPTY).astype(int)


@dataclass(frozen=True)
class Case:
    """A mixture, its data, and which mode label-free parameters belong to; what the tempered run needs."""

    spec: bm.Mixture
    data: bm.Data
    modes: tuple[str, ...] = ("all",)
    mode: Callable | None = None
    rungs: int = 16
    replicas: int = 8
    axis: int = 0

    @cached_property
    def resolved(self):
        return bm.resolve(self.spec, self.data)

    @cached_property
    def problem(self):
        return Problem.of(self.resolved, self.data.x, axis=self.axis)

    def mode_of(self, states):
        """Number of the mode of states (..., K, size)."""
        if self.mode is None:
            return np.zeros(states.shape[:-2], dtype=int)
        return self.mode(self.problem.params(states), self.problem.responsibilities(states))


SQUARE = bm.Mixture(
    "gaussian",
    n_components=2,
    covariance="diag",
    priors={
        "weights": bm.Prior("Dirichlet", a=[2.0, 2.0]),
        "means": bm.Prior("Normal", mu=0.0, sigma=5.0),
        "scales": bm.Prior("InverseGamma", alpha=2.0, beta=2.0),
    },
)
TEXTBOOK_GALAXIES = {
    "weights": bm.Prior("Dirichlet", a=[1.0, 1.0, 1.0]),
    "means": bm.Prior("Normal", mu=20.0, sigma=10.0),
    "scales": bm.Prior("HalfNormal", sigma=5.0),
}
SIDES = ("side by side", "one above the other")


def four_corners(stretch=1.0):
    return Case(SQUARE, bm.Data(corners(stretch)), modes=SIDES, mode=split_axis)


def galaxies(n_components, priors=None):
    spec, data = bm.load("galaxies")
    return Case(spec.replace(n_components=n_components, priors=priors or {}), data)


def iris():
    return Case(*bm.load("iris"), modes=("three groups", "a near-empty one"), mode=near_empty, rungs=40, axis=2)


CASES: dict[str, Callable[[], Case]] = {
    "four_corners": four_corners,
    "stretched_corners": partial(four_corners, 1.03),
    "galaxies_3_textbook": partial(galaxies, 3, TEXTBOOK_GALAXIES),
    "galaxies_3": partial(galaxies, 3),
    "galaxies_4": partial(galaxies, 4),
    "iris_3": iris,
}
"""What makes each: reading a model takes a moment."""


def tempered(name, *, seed=1, sweeps=2000, thin=5):
    """Parameters of the draws (records, replicas, ...), their modes, and the sampler, from a run from the beginning."""
    case = CASES[name]()
    sampler = Tempering(case.problem, rungs=case.rungs, replicas=case.replicas, seed=seed)
    states, values = sampler.run(sweeps, thin=thin)
    return case.problem.params(states), case.mode_of(states), log_evidence(sampler.ladder, values)


def reference(name):
    """The recorded result: ``masses, mass_errors, log_evidence, log_evidence_error`` and how they were found."""
    return json.loads(RESULTS.read_text())[name]


def go_on(name, state, seconds, seed):
    """One slice of a long run."""
    case, file, stop = CASES[name](), state / f"{name}.pickle", time.monotonic() + seconds
    if file.exists():
        sampler, states, values = pickle.loads(file.read_bytes())
    else:
        sampler, states, values = Tempering(case.problem, rungs=case.rungs, replicas=case.replicas, seed=seed), [], []
    while time.monotonic() < stop or not states:
        new = sampler.run(20, thin=10)
        states.extend(new[0])
        values.extend(new[1])
    file.write_bytes(pickle.dumps((sampler, states, values)))
    record(name, case, sampler, np.array(states), np.array(values), seed)


def record(name, case, sampler, states, values, seed):
    """Write the results; the first tenth is warm-up."""
    begin = len(states) // 10
    modes = case.mode_of(states[begin:])
    share, share_error = masses(modes, len(case.modes))
    value, error = log_evidence(sampler.ladder, values[begin:])
    rejected = sampler.rejected / (sampler.sweeps / 2)
    found = {
        "modes": list(case.modes),
        "masses": share.round(5).tolist(),
        "mass_errors": share_error.round(5).tolist(),
        "changes_of_mode": int((np.diff(modes, axis=0) != 0).sum()),
        "log_evidence": round(value, 4),
        "log_evidence_error": round(error, 4),
        "sweeps": sampler.sweeps,
        "rungs": len(sampler.ladder),
        "replicas": case.replicas,
        "rejection_rates": [float(rejected.min().round(3)), float(rejected.max().round(3))],
        "seed": seed,
        "date": str(date.today()),
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
        "command": f"python tests/reference_cases.py {name} --seed {seed}",
    }
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(known | {name: found}, indent=2, sort_keys=True) + "\n")
    print(name, {key: found[key] for key in ("masses", "mass_errors", "log_evidence", "log_evidence_error", "sweeps")})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Go on with a long tempered run.")
    parser.add_argument("name", choices=list(CASES))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--state", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.state.mkdir(parents=True, exist_ok=True)
    go_on(arguments.name, arguments.state, arguments.seconds, arguments.seed)
