"""Run what is missing in results.json, and write RESULTS.md: ``uv run python -m benchmarks.reference_posteriors``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from benchmarks.environment import describe
from benchmarks.reference_posteriors.page import page
from benchmarks.reference_posteriors.runs import NAME, read_posteriordb, run_ours, run_textbook
from benchmarks.reference_posteriors.summary import Summary

HERE = Path(__file__).parent
SEEDS = (1, 2, 3, 4, 5)
TEXTBOOK_SEED = 20261121


def missing(done: dict[str, Any]) -> Iterator[tuple[str, int, Callable[[], Summary]]]:
    """Name, seed and function of every run that is not in the results."""
    if "textbook" not in done:
        yield "textbook", TEXTBOOK_SEED, lambda: run_textbook(TEXTBOOK_SEED)
    for kind, order in (("ordered", "means"), ("relabelled", None)):
        seeds = [seed for seed in SEEDS if f"{kind} {seed}" not in done]
        if seeds:
            spec, data = bm.load(NAME)
            compiled = CompiledModel(bm.build(spec.replace(order=order), data))
            for seed in seeds:
                yield f"{kind} {seed}", seed, lambda o=order, s=seed, t=compiled: run_ours(s, order=o, compiled=t)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posteriordb", type=Path, help="posteriordb's zip of published draws, to read them anew")
    path = HERE / "results.json"
    done = json.loads(path.read_text()) if path.exists() else {}
    given = parser.parse_args().posteriordb
    if given:
        done["posteriordb"] = {"summary": read_posteriordb(given), "file": given.name}
    for name, seed, run in missing(done):
        environment = describe("uv run python -m benchmarks.reference_posteriors", one_thread=False)
        done[name] = {"summary": run(), "environment": environment | {"seed": seed}}
        print(name, flush=True)
        path.write_text(json.dumps(done, indent=1) + "\n")
    path.write_text(json.dumps(done, indent=1) + "\n")
    (HERE / "RESULTS.md").write_text(page(done))


if __name__ == "__main__":
    main()
