"""A million rows in one process: minutes and memory."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.environment import SEED
from benchmarks.figures import Case, Figure
from benchmarks.process import script

MOST_SECONDS = 600.0


def cases(*, quick: bool) -> Iterator[Case]:
    """One run: 4 chains of 500 kept draws after 200 of warm-up: whitened, the step size is all there is to learn."""
    n, draws, tune = (2_000, 50, 50) if quick else (1_000_000, 500, 200)
    run = script("million.py", n, draws, tune, SEED)
    figures = {
        "whole process": Figure(run["seconds"], "s"),
        "bm.sample": Figure(run["seconds_of_call"], "s", at_most=MOST_SECONDS),
        "peak memory": Figure(run["peak"], "MB", at_most=3 * run["data"] + 1000),
        "before sampling": Figure(run["before"], "MB"),
        "data": Figure(run["data"], "MB"),
        "smallest bulk ESS": Figure(run["ess"]),
        "largest R-hat": Figure(run["r_hat"]),
        "gradients per draw": Figure(run["n_steps"]),
    }
    yield Case(f"4-D, n = {n:,}, K = 5, 4 x {draws} draws", figures)
