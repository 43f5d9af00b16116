"""Fit what is missing in results.jsonl, and write RESULTS.md: ``uv run python -m benchmarks.many_modes``."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import bayesmix as bm
from benchmarks.environment import describe
from benchmarks.many_modes.page import page
from benchmarks.many_modes.problems import PROBLEMS, Problem

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"


def read() -> list[dict[str, Any]]:
    """The records so far."""
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def fitted(problem: Problem, seed: int) -> dict[str, Any]:
    """What a default call with a budget comes to."""
    spec, data = problem.make()
    began = time.perf_counter()
    settings = {"until": "trusted", "minutes": problem.minutes, "progress": False} | problem.settings
    dt = bm.sample(spec, data, seed=seed, **settings)
    seconds = time.perf_counter() - began
    check = bm.diagnose(dt)
    evidence = bm.log_evidence(dt)
    tempering = dt["tempering"] if "tempering" in dt.children else None
    return {
        "problem": problem.name,
        "seed": seed,
        "seconds": seconds,
        "sampler": "nuts" if tempering is None else "exchange",
        "ok": check.ok,
        "labels_ok": check.labels_ok,
        "problems": sorted(p.name for p in check.problems),
        "limits": sorted(p.name for p in check.limits),
        "ess": float(check.invariants["ess_bulk"].min()),
        "r_hat": float(check.invariants["r_hat"].max()),
        "round_trips": None if tempering is None else int(tempering["round_trips"].sum()),
        "log_evidence": evidence.value,
        "error": evidence.standard_error,
        "established": bool(evidence.established),
        "bridge": None if tempering is None else [tempering.attrs.get("bridge"), tempering.attrs.get("bridge_error")],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("problems", nargs="*", help="begin of their names; all by default")
    given = parser.parse_args()
    environment = describe("uv run python -m benchmarks.many_modes", one_thread=False)
    wanted = [p for p in PROBLEMS if not given.problems or p.name.startswith(tuple(given.problems))]
    with RESULTS.open("a") as file:
        for seed in given.seeds:
            for problem in wanted:
                if any(r["problem"] == problem.name and r["seed"] == seed for r in read()):
                    continue
                record = fitted(problem, seed) | {"date": environment["date"], "commit": environment["commit"]}
                file.write(json.dumps(record) + "\n")
                file.flush()
                print(json.dumps(record), flush=True)
    (HERE / "RESULTS.md").write_text(page(read(), environment))


if __name__ == "__main__":
    main()
