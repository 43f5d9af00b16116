"""Fit what is missing in results.jsonl, and write RESULTS.md: ``uv run python -m benchmarks.alarm``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from bayesmix.mixture.permutations import METHODS
from benchmarks.alarm import ambiguous, ordinary
from benchmarks.alarm.page import page
from benchmarks.alarm.shuffles import PATTERNS, undone
from benchmarks.alarm.verdict import Fitter
from benchmarks.environment import describe

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
SETS = {"ambiguous": ambiguous.CASES, "ordinary": ordinary.CASES}
SHUFFLED = ("1-D K=2 full", "1-D K=3 full", "1-D K=4 full", "2-D K=2 full", "2-D K=3 full", "2-D K=3 tied")
"""Of these kinds the first ordinary fit that is not flagged is shuffled."""


def read() -> list[dict[str, Any]]:
    """The records so far."""
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def records(sets: list[str], fitter: Fitter) -> Iterator[dict[str, Any]]:
    """A record of every case that has none yet, cases of one layout after one another."""
    known = {(r["set"], r["name"]) for r in read()}
    left = [(name, case) for name in sets for case in SETS[name] if (name, case.name) not in known]
    for name, case in sorted(left, key=lambda pair: pair[1].layout):
        yield {"set": name, **fitter(case)}


def shuffles(fitter: Fitter) -> Iterator[dict[str, Any]]:
    """A record of every pattern and method on one good fit of each kind."""
    done = read()
    known = {r["name"] for r in done if r["set"] == "shuffled"}
    good = [r["name"] for r in done if r["set"] == "ordinary" and not r["flagged"]]
    for kind in SHUFFLED:
        name = next((name for name in good if name.startswith(kind)), None)
        if name is not None and name not in known:
            dt = fitter.fit(next(case for case in ordinary.CASES if case.name == name))
            for pattern, method in product(PATTERNS, METHODS):
                yield {"set": "shuffled", "name": name, **undone(dt, pattern, method)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", help=f"of {', '.join(SETS)}, shuffled; all by default")
    sets = parser.parse_args().sets or [*SETS, "shuffled"]
    fitter = Fitter()
    environment = describe(f"uv run python -m benchmarks.alarm {' '.join(sets)}", one_thread=False)
    with RESULTS.open("a") as file:
        for part in (records([name for name in SETS if name in sets], fitter), shuffles(fitter)):
            for record in part:
                file.write(json.dumps(record | {"date": environment["date"], "commit": environment["commit"]}) + "\n")
                file.flush()
                print(record["set"], record["name"], "flagged" if record["flagged"] else "ok", flush=True)
            if "shuffled" not in sets:
                break
    (HERE / "RESULTS.md").write_text(page(read(), environment))


if __name__ == "__main__":
    main()
