"""From a cold Python to 1,000 effective draws of Old Faithful."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.environment import SEED
from benchmarks.figures import Case, Figure, median
from benchmarks.process import script

ENOUGH = 1000
MOST_DRAWS = 64_000
AT_LEAST = 4.0
DATA = Path(__file__).parents[2] / "models" / "old_faithful" / "data.csv"
SIDES = {
    "ours": partial(script, "ours_old_faithful.py"),
    "textbook, pm.sample": partial(script, "textbook_old_faithful.py", DATA),
}


def cases(*, quick: bool) -> Iterator[Case]:
    """Pilot runs find the draws that are needed and fill the caches on disk; then both sides take turns."""
    enough = 100 if quick else ENOUGH
    draws = {name: _fewest(side, enough) for name, side in SIDES.items()}
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    ess: dict[str, list[float]] = {name: [] for name in SIDES}
    for turn in range(1 if quick else 5):
        for name in list(SIDES)[:: 1 if turn % 2 == 0 else -1]:
            run = SIDES[name](draws[name], SEED)
            seconds[name].append(run["seconds"])
            ess[name].append(run["ess"])
    imports = median([script("imports_alone.py")["seconds"] for _ in range(1 if quick else 5)], "s")
    time = {name: median(s, "s") for name, s in seconds.items()}
    for name in SIDES:
        figures = {"whole process": time[name], "draws per chain": Figure(draws[name])}
        figures["smallest bulk ESS"] = median(ess[name], "")
        if name != "ours":
            figures["ratio"] = time[name].per(time["ours"], at_least=AT_LEAST)
        yield Case(name, figures)
    ceiling = time["textbook, pm.sample"].per(imports)
    yield Case("imports of PyMC, nutpie and ArviZ alone", {"whole process": imports, "ratio": ceiling}, "the ceiling")


def _fewest(side: Any, enough: int) -> int:
    """Draws per chain, doubled from 250 until the smallest ESS is enough."""
    draws = 250
    while side(draws, SEED)["ess"] < enough:
        draws *= 2
        if draws > MOST_DRAWS:
            raise RuntimeError(f"{draws} draws per chain do not give an ESS of {enough}")
    return draws
