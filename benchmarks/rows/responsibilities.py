"""Summaries of responsibilities over all draws: time and memory, beside NumPy and SciPy by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.figures import Case, Figure, median
from benchmarks.process import script

MOST_MEMORY = 1000.0
"""MB beyond what the process held before."""


def cases(*, quick: bool) -> Iterator[Case]:
    """Both ways by turns, each in a process of its own; their results are compared before anything is reported."""
    n_draws, n = (200, 1_000) if quick else (4_000, 10_000)
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "hand": []}
    with TemporaryDirectory() as folder:
        files = {way: Path(folder) / f"{way}.npy" for way in runs}
        for _ in range(1 if quick else 3):
            for way, found in runs.items():
                found.append(script("responsibilities.py", way, n_draws, n, files[way]))
        difference = np.abs(np.load(files["ours"]) - np.load(files["hand"])).max()
    if not difference < 1e-10:
        raise RuntimeError(f"responsibilities differ by {difference:.1e} from those by hand")
    time = {way: median([run["seconds_of_call"] for run in found], "s") for way, found in runs.items()}
    for way, found in runs.items():
        extra = max(run["peak"] - run["before"] for run in found)
        figures = {
            "time": time[way],
            "peak memory": Figure(max(run["peak"] for run in found), "MB"),
            "beyond that before": Figure(extra, "MB", at_most=MOST_MEMORY if way == "ours" else None),
        }
        figures |= {"ratio": time["hand"].per(time["ours"])} if way == "hand" else {}
        yield Case(way, figures, f"results differ by at most {difference:.0e}")
