"""Posteriors with several modes, and what a long tempered run says of their masses and evidence.

    python tests/reference_cases.py galaxies_3 --seconds 60 --state FOLDER

goes on with the run kept in FOLDER for that long and writes what there is to ``tests/reference_masses.json``. Where a
tempered run would need days to cross, as with iris' 44 dimensions, every region has a run of its own instead.
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
from scipy.special import gammaln, logsumexp

import bayesmix as bm
from random_walks import Problem, Tempering, WithinRegion, log_evidence, masses

RESULTS = Path(__file__).parent / "reference_masses.json"
FEWEST_RECORDS = 100
"""A shorter run writes nothing."""
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


def three_species(params, r):
    """Three occupied components, ascending by petal length: one labelling of them."""
    ascending = (np.diff(params["means"][..., 2], axis=-1) > 0).all(axis=-1)
    return ascending & (r.sum(axis=-2).min(axis=-1) >= NEAR_EMPTY)


def two_and_an_empty_one(params, r):
    """Two occupied components, ascending by petal length, and a near-empty one last: one labelling of them."""
    rows = r.sum(axis=-2)
    ascending = params["means"][..., 0, 2] < params["means"][..., 1, 2]
    return ascending & (rows.argmin(axis=-1) == 2) & (rows.min(axis=-1) < NEAR_EMPTY)


@dataclass(frozen=True)
class Region:
    """A set of parameters in one labelling, and the rows of the components where a run in it begins."""

    rows: tuple[np.ndarray, ...]
    holds: Callable


@dataclass(frozen=True)
class Inside:
    """Whether states lie in a region of a problem."""

    problem: Problem
    region: Region

    def __call__(self, states):
        return self.region.holds(self.problem.params(states), self.problem.responsibilities(states))


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
    regions: tuple[Region, ...] = ()

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
    setosa, versicolor, virginica = np.arange(150).reshape(3, 50)
    regions = (
        Region((setosa, versicolor, virginica), three_species),
        Region((setosa, np.concatenate([versicolor, virginica]), setosa[:0]), two_and_an_empty_one),
    )
    names = ("three species", "setosa, the others, a near-empty one")
    return Case(*bm.load("iris"), modes=names, mode=near_empty, rungs=40, axis=2, regions=regions)


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
    case, stop = CASES[name](), time.monotonic() + seconds
    file = state / f"{name}_{seed}.pickle"
    runs = pickle.loads(file.read_bytes()) if file.exists() else [(sampler, []) for sampler in samplers(case, seed)]
    while time.monotonic() < stop or not runs[0][1]:
        for sampler, records in runs:
            records.extend(zip(*sampler.run(20, thin=10), strict=True))
    file.write_bytes(pickle.dumps(runs))
    if len(runs[0][1]) < FEWEST_RECORDS:
        return
    found = by_regions(case, runs) if case.regions else by_tempering(case, *runs[0])
    found |= {
        "modes": list(case.modes),
        "sweeps": runs[0][0].sweeps,
        "rungs": len(runs[0][0].ladder),
        "replicas": runs[0][0].shape[1],
        "seed": seed,
        "date": str(date.today()),
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__},
        "command": f"python tests/reference_cases.py {name} --seed {seed}",
    }
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(known | {name: found}, indent=2, sort_keys=True) + "\n")
    print(name, {key: found[key] for key in ("masses", "mass_errors", "log_evidence", "log_evidence_error", "sweeps")})


def samplers(case, seed):
    """One that crosses between all modes, or one for every region."""
    if not case.regions:
        return [Tempering(case.problem, rungs=case.rungs, replicas=case.replicas, seed=seed)]
    starts = [(case.problem.state(region.rows), Inside(case.problem, region)) for region in case.regions]
    return [WithinRegion(case.problem, start, inside, seed=seed) for start, inside in starts]


def by_tempering(case, sampler, records):
    """Shares of the cold states, the evidence over all; the first tenth is warm-up."""
    kept = records[len(records) // 10 :]
    states, values = (np.array(part) for part in zip(*kept, strict=True))
    modes = case.mode_of(states)
    share, share_error = masses(modes, len(case.modes))
    value, error = log_evidence(sampler.ladder, values)
    return {
        "method": "parallel tempering from the prior; stepping stone",
        "masses": share.round(5).tolist(),
        "mass_errors": share_error.round(5).tolist(),
        "changes_of_mode": int((np.diff(modes, axis=0) != 0).sum()),
        "log_evidence": round(value, 4),
        "log_evidence_error": round(error, 4),
    }


def by_regions(case, runs):
    """The evidence of every region, over all labellings, and the regions' shares of their sum."""
    found = [log_evidence(sampler.ladder, np.array([value for _, value in records])) for sampler, records in runs]
    value, error = np.array(found).T
    value = value + gammaln(1.0 + case.problem.K)
    total = logsumexp(value)
    share = np.exp(value - total)
    variance = share**2 * ((1 - 2 * share) * error**2 + (share**2 * error**2).sum())
    return {
        "method": "within each region, from a normal fitted there to the posterior; stepping stone",
        "masses": share.round(6).tolist(),
        "mass_errors": np.sqrt(variance).round(6).tolist(),
        "log_evidences": value.round(4).tolist(),
        "log_evidence_errors": error.round(4).tolist(),
        "log_evidence": round(float(total), 4),
        "log_evidence_error": round(float(np.sqrt((share**2 * error**2).sum())), 4),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Go on with a long tempered run.")
    parser.add_argument("name", choices=list(CASES))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--state", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.state.mkdir(parents=True, exist_ok=True)
    go_on(arguments.name, arguments.state, arguments.seconds, arguments.seed)
