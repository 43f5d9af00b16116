"""The clock: contestants take turns in one process, after a warm-up, and every turn is long enough to be measured."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

type Contestant = Callable[[int], object]
"""Does its work that many times."""


@dataclass(frozen=True)
class Budget:
    """``rounds`` turns for each contestant, each of at least ``least`` seconds (and at least one run)."""

    rounds: int
    least: float


def one_core() -> None:
    """Keep this process, and the thread pools it will start, to one core: XLA has no other switch for its own."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def budget(quick: bool) -> Budget:
    """Enough for quartiles; or just enough to see that it works."""
    return Budget(3, 0.02) if quick else Budget(15, 0.2)


def repeated(work: Callable[[], object]) -> Contestant:
    """A contestant that calls ``work`` in a Python loop: for work much longer than a call."""

    def run(times: int) -> None:
        for _ in range(times):
            work()

    return run


def take_turns(contestants: Mapping[str, Contestant], plan: Budget, *, one_thread: bool) -> dict[str, list[float]]:
    """Seconds per run of every contestant, one value per round; the order is turned round after every round."""
    times = {name: _calibrated(work, plan.least) for name, work in contestants.items()}
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(plan.rounds):
        for name in names if turn % 2 == 0 else reversed(names):
            wall, busy = _clocked(contestants[name], times[name])
            if one_thread and wall > 0.05 and busy > 1.3 * wall:
                raise RuntimeError(f"{name}: used {busy / wall:.1f} threads where one was to be measured")
            seconds[name].append(wall / times[name])
    return seconds


def _calibrated(work: Contestant, least: float) -> int:
    """How many runs fill ``least`` seconds; warms up on the way."""
    work(1)
    times = 1
    while (wall := _clocked(work, times)[0]) < least:
        times = max(2 * times, int(times * least / max(wall, 1e-9)))
    return times


def _clocked(work: Contestant, times: int) -> tuple[float, float]:
    """Wall seconds and processor seconds."""
    wall, busy = time.perf_counter(), time.process_time()
    work(times)
    return time.perf_counter() - wall, time.process_time() - busy


def timed[T](work: Callable[[], T]) -> tuple[float, T]:
    """Wall seconds of one run, and what it returns."""
    begin = time.perf_counter()
    value = work()
    return time.perf_counter() - begin, value


@dataclass
class Watch:
    """Seconds spent inside a function."""

    seconds: float = 0.0
    calls: int = 0


@contextmanager
def watching(module: Any, name: str) -> Iterator[Watch]:
    """Sum the time of all calls of ``module.name`` that others make."""
    watch, original = Watch(), getattr(module, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        begin = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            watch.seconds += time.perf_counter() - begin
            watch.calls += 1

    with patch.object(module, name, watched):
        yield watch


def peak_memory() -> float:
    """The largest resident set of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
