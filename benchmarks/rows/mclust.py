"""EM to convergence beside R's mclust and scikit-learn, from the same responsibilities."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bayesmix.estep import reference
from benchmarks import em
from benchmarks.figures import Case, Figure, median
from benchmarks.problems import simulated
from benchmarks.process import SCRIPTS
from benchmarks.timing import budget, repeated, take_turns


def cases(*, quick: bool) -> Iterator[Case]:
    """One problem; where R or mclust is missing, that is what the table says."""
    problem = simulated(1_000 if quick else 10_000, 4, 3, apart=1.0)
    likelihood, X = em.bound(problem), problem.X
    z = reference.responsibilities(likelihood, em.kmeans_start(X, 3, 0))
    start = likelihood.m_step(likelihood.sums(z, problem.params), problem.params)
    mixture = em.sklearn_fit(X, start)
    found = _r(X, z, 3 if quick else 15)
    if found is None:
        yield Case(problem.name, remark="not measured: Rscript with the package mclust is not installed")
        return
    goals = {"mclust": found["log_likelihood"], "scikit-learn": float(mixture.score(X)) * len(X)}
    contestants = {
        f"ours, to {peer}'s": repeated(_iterated_to(likelihood, start, goal)) for peer, goal in goals.items()
    }
    contestants["scikit-learn"] = repeated(lambda: em.sklearn_fit(X, start))
    seconds = take_turns(contestants, budget(quick), one_thread=True) | {"mclust": found["runs"]}
    time = {name: median(s, "ms", 1e3) for name, s in seconds.items()}
    iterations = {"mclust": found["iterations"], "scikit-learn": mixture.n_iter_}
    for peer, goal in goals.items():
        ours = time[f"ours, to {peer}'s"]
        figures = {"peer": time[peer], "ours": ours, "ratio": time[peer].per(ours)}
        figures |= {"iterations": Figure(iterations[peer]), "its log-likelihood": Figure(goal)}
        yield Case(f"{problem.name}, {peer}", figures, found["version"] if peer == "mclust" else "")


def _iterated_to(likelihood: Any, start: Any, goal: float) -> Any:
    return lambda: em.iterate_to(likelihood, start, goal - 1e-3)


def _r(X: np.ndarray, z: np.ndarray, rounds: int) -> dict[str, Any] | None:
    """Runs of mclust; None where it is not installed."""
    if shutil.which("Rscript") is None:
        return None
    if subprocess.run(["Rscript", "-e", "library(mclust)"], capture_output=True, check=False).returncode:
        return None
    with TemporaryDirectory() as folder:
        files = [Path(folder) / "X.csv", Path(folder) / "Z.csv"]
        for file, array in zip(files, (X, z), strict=True):
            np.savetxt(file, array, delimiter=",", fmt="%.17g")
        command = ["Rscript", str(SCRIPTS / "mclust_em.R"), *map(str, files), str(rounds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
