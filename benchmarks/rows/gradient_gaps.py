"""Log-posterior and gradient where cells are missing, beside the same rows without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, islice

import numpy as np

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from benchmarks.compiled import Compiled
from benchmarks.environment import SEED
from benchmarks.figures import Case, Figure, median
from benchmarks.problems import simulated
from benchmarks.timing import budget, one_core, take_turns

AT_MOST = 3.0
"""Times the gradient of whole rows."""
SHARE, PATTERNS = 0.1, 20
"""Of the cells that are missing, in so many patterns, whole rows among them."""


def cases(*, quick: bool) -> Iterator[Case]:
    """Six and ten features, 10,000 rows; with ``quick`` one small size."""
    one_core()
    for d, n in ((6, 500),) if quick else ((6, 10_000), (10, 10_000)):
        yield _case(d, n, quick)


def with_gaps(X: np.ndarray) -> np.ndarray:
    """The rows with a tenth of the cells missing: one cell, or two, as many rows of each pattern on average."""
    rng, d = np.random.default_rng(SEED), X.shape[1]
    cells = islice(chain.from_iterable(combinations(range(d), n) for n in (1, 2)), PATTERNS - 1)
    gone = np.array([np.isin(np.arange(d), missing) for missing in cells])
    incomplete = rng.random(len(X)) < SHARE * d / gone.sum(axis=1).mean()
    return np.where(gone[rng.integers(len(gone), size=len(X))] & incomplete[:, None], np.nan, X)


def _case(d: int, n: int, quick: bool) -> Case:
    problem = simulated(n, d, 3)
    gappy = bm.Data(with_gaps(problem.X))
    whole = Compiled(lambda: CompiledModel(bm.build(problem.spec, problem.data)).nutpie_model)
    gaps = Compiled(lambda: CompiledModel(bm.build(problem.spec, gappy)).nutpie_model)
    at = {"whole": whole.contestant(problem.theta), "gaps": gaps.contestant(problem.theta)}
    time = {name: median(s, "ms", 1e3) for name, s in take_turns(at, budget(quick), one_thread=True).items()}
    missing = np.isnan(gappy.x)
    figures = {
        "whole rows": time["whole"],
        "with gaps": time["gaps"],
        "ratio": time["gaps"].per(time["whole"], at_most=AT_MOST),
        "patterns": Figure(float(len(np.unique(missing, axis=0))), ""),
    }
    return Case(f"d = {d}, n = {n:,}, K = 3", figures, f"{missing.mean():.1%} of the cells are missing")
