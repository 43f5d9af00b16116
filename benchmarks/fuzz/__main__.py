"""Read folders that were made wrong: ``uv run python -m benchmarks.fuzz --inputs 1000000 --seed 1``."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from benchmarks.environment import describe
from benchmarks.fuzz.trial import Tally, batch

RESULTS = Path(__file__).parent / "RESULTS.md"
BATCH = 500
"""Folders that a process reads before it reports."""
HEAD = """# Folders made wrong

Written by `uv run python -m benchmarks.fuzz`, a line a run. Models of the gallery, with few rows, are changed in one to
four places (`mutations.py`): pieces erased, doubled, replaced by odd values, lines from elsewhere, other separators and
encodings, bytes flipped; then `bayesmix.gallery.read.read` reads them. *Refused*: a ValueError in one line that begins
with the file that is wrong. *Crashed*: anything else, any warning, more than 20 seconds. Every input can be made again:
`benchmarks.fuzz.mutations.mutated(Random("SEED:NUMBER"))`.

| date | commit | seed | inputs | accepted | refused | crashed | seconds | processes | processor |
|---|---|---|---|---|---|---|---|---|---|
"""


def main() -> int:
    """Run, report, and append a line to RESULTS.md; 1 where anything crashed."""
    parser = ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--inputs", type=int, default=20_000, help="how many folders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    begun, tally = time.perf_counter(), Tally()
    for part in tallies(given.seed, given.inputs, given.processes):
        tally.add(part)
        for number, found in part.crashes:
            print(f"--- input {number}\n{found[:3000]}", file=sys.stderr, flush=True)
        done = sum(tally.counts.values())
        if done % (20 * BATCH) == 0:
            print(f"{done} of {given.inputs}: {dict(tally.counts)}, {time.perf_counter() - begun:.0f} s", flush=True)
    seconds = time.perf_counter() - begun
    if not RESULTS.exists():
        RESULTS.write_text(HEAD)
    with RESULTS.open("a") as file:
        file.write(line(tally, given.seed, seconds, given.processes))
    print(dict(tally.counts), f"{seconds:.0f} s")
    return int(tally.counts["crashed"] > 0)


def tallies(seed: int, inputs: int, processes: int) -> Iterator[Tally]:
    """What batches of the inputs came to."""
    numbers = [range(first, min(first + BATCH, inputs)) for first in range(0, inputs, BATCH)]
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(batch, repeat(seed), numbers)


def line(tally: Tally, seed: int, seconds: float, processes: int) -> str:
    """A line of the table."""
    where = describe("", one_thread=True)
    counts = [tally.counts[kind] for kind in ("accepted", "refused", "crashed")]
    cells = [where["date"], where["commit"], seed, sum(counts), *counts, f"{seconds:.0f}", processes, where["cpu"]]
    return f"| {' | '.join(f'{v:,}' if isinstance(v, int) else str(v) for v in cells)} |\n"


if __name__ == "__main__":
    sys.exit(main())
