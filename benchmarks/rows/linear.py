"""What a row of data costs in a gradient, from ten thousand rows to a million."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import compiled
from benchmarks.figures import Case, Figure, median
from benchmarks.problems import simulated, three_on_a_line
from benchmarks.timing import budget, one_core, take_turns

MOST = 1.5


def cases(*, quick: bool) -> Iterator[Case]:
    """Four features and one."""
    one_core()
    sizes = (1_000, 4_000) if quick else (10_000, 100_000, 1_000_000)
    for d in (4, 1):
        problems = {n: three_on_a_line(n) if d == 1 else simulated(n, d, 5) for n in sizes}
        contestants = {str(n): compiled.ours(p).contestant(p.theta) for n, p in problems.items()}
        seconds = take_turns(contestants, budget(quick), one_thread=True)
        figures: dict[str, Figure] = {f"n = {n:,}": median(seconds[str(n)], "ns per row", 1e9 / n) for n in sizes}
        first, last = figures[f"n = {sizes[0]:,}"], figures[f"n = {sizes[-1]:,}"]
        figures["largest to smallest"] = last.per(first, at_most=MOST)
        yield Case(f"{d}-D, K = {problems[sizes[0]].coordinates.K}", figures)
