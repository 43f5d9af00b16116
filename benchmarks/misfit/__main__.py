"""Fit what is missing in results.jsonl, and write RESULTS.md: ``uv run python -m benchmarks.misfit``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xarray as xr

import bayesmix as bm
from benchmarks.alarm import ordinary
from benchmarks.alarm.verdict import Fitter
from benchmarks.environment import describe
from benchmarks.misfit import planted
from benchmarks.misfit.page import page

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
FRESH = tuple(ordinary.case_of(seed) for seed in range(101, 201))
"""A hundred more data sets from the model, fitted once the level was fixed."""
SETS = {"planted": planted.CASES, "ordinary": ordinary.CASES, "fresh": FRESH}
DRAWS = 500


def read() -> list[dict[str, Any]]:
    """The records so far."""
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def judged(dt: xr.DataTree) -> dict[str, Any]:
    """What the data say of the model."""
    check = bm.diagnose(dt)
    return {
        "n": dt["observed_data"].sizes["obs"],
        "flagged": check.model_ok is False,
        "misfits": [misfit.name for misfit in check.misfits],
        "p_values": {str(name): float(p) for name, p in check.model.measures["p_value"].items()},
        "draws_ok": check.ok,
    }


def records() -> Iterator[dict[str, Any]]:
    """A record of every case that has none yet, cases of one layout after one another."""
    known, fitter = {(r["set"], r["name"]) for r in read()}, Fitter(draws=DRAWS)
    left = [(name, case) for name, cases in SETS.items() for case in cases if (name, case.name) not in known]
    for name, case in sorted(left, key=lambda pair: pair[1].layout):
        yield {"set": name, "name": case.name, **judged(fitter.fit(case))}


def main() -> None:
    environment = describe("uv run python -m benchmarks.misfit", one_thread=False)
    with RESULTS.open("a") as file:
        for record in records():
            file.write(json.dumps(record | {"date": environment["date"], "commit": environment["commit"]}) + "\n")
            file.flush()
            print(record["set"], record["name"], record["misfits"], flush=True)
    (HERE / "RESULTS.md").write_text(page(read(), environment))


if __name__ == "__main__":
    main()
