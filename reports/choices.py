"""How many components, on four data sets: write every page of `choose`, and what each route chose.

    uv run python -m reports.choices [--em] [--again] [NAME ...]

Finished candidates are kept in ``choices/NAME/records``, so that a run that was stopped goes on. ``--em``: columns of
EM alone, into ``build/choices``, to look at in seconds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import bayesmix as bm
from benchmarks.environment import describe
from benchmarks.markdown import machine

HERE = Path(__file__).resolve().parent
COMMAND = "uv run python -m reports.choices"
RESAMPLES = 50
CENTRES = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [6.0, 6.0]])
"""Of four groups of 75 rows, whose standard deviations are 1."""


def simulated() -> tuple[bm.Mixture, bm.Data]:
    """300 rows of four groups."""
    rng = np.random.default_rng(1)
    truth = np.repeat(np.arange(4), 75)
    X = CENTRES[truth] + rng.normal(size=(300, 2))
    return bm.Mixture("gaussian", n_components=4), bm.Data(X)


@dataclass(frozen=True)
class Page:
    """What is asked of a data set."""

    name: str
    title: str
    make: Callable[[], tuple[bm.Mixture, bm.Data]]
    asked: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, Any] = field(default_factory=dict)


PAGES = [
    Page("faithful", "Old Faithful", lambda: bm.load("old_faithful"), {"n_components": range(1, 6)}),
    Page("simulated", "Four groups, simulated", simulated, {"n_components": range(1, 8)}),
    Page("galaxies", "Galaxies", lambda: bm.load("galaxies"), {"n_components": range(1, 10)}),
    Page(
        "iris",
        "Iris",
        lambda: bm.load("iris"),
        {"n_components": range(1, 7), "covariance": ("full", "tied", "diag", "VEE")},
        {"evidence_error": 0.08, "minutes": 0.5},
    ),
]


def write(page: Page, folder: Path, mode: str) -> dict[str, Any]:
    """Choose, look how it holds, write the page; what each route chose, and how long it took."""
    spec, data = page.make()
    spec = spec.replace(order=None)
    began = time.perf_counter()
    more = {"until": "trusted"} | page.sampling if mode == "full" else {}
    choice = bm.choose(spec, data, **page.asked, mode=mode, out=folder / "records", **more)
    chosen = time.perf_counter()
    held = bm.stability(spec, data, **page.asked, resamples=RESAMPLES)
    command = f"{COMMAND} {page.name}" + (" --em" if mode == "em" else "")
    bm.write_choice(choice, folder, title=page.title, command=command, stability=held)
    print(choice, held, sep="\n\n")
    return {
        "title": page.title,
        "rows": len(data),
        "candidates": len(choice.candidates),
        "routes": choice.routes,
        "ok": choice.ok,
        "wins": float(held.wins.loc[held.name, "resamples"]),
        "seconds": chosen - began,
        "seconds_of_stability": time.perf_counter() - chosen,
        "date": describe(COMMAND, one_thread=False)["date"],
    }


def summary(found: dict[str, dict[str, Any]], environment: dict[str, Any]) -> str:
    """The pages, and what each route chose."""
    routes = list(dict.fromkeys(route for record in found.values() for route in record["routes"]))
    heads = [
        "data",
        "rows",
        "candidates",
        *routes,
        "trusted",
        "same in resamples",
        "seconds",
        "and of resamples",
        "date",
    ]
    lines = ["# How many components", "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, record in found.items():
        cells = [f"[{record['title']}](choices/{name}/index.html)", f"{record['rows']}", f"{record['candidates']}"]
        cells += [record["routes"].get(route, "") for route in routes]
        cells += ["yes" if record["ok"] else "no", f"{record['wins']:.0%}"]
        cells += [f"{record['seconds']:.0f}", f"{record['seconds_of_stability']:.0f}", record["date"]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"`{COMMAND}`, {machine(environment)}"]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """0 where every page was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *[page.name for page in PAGES]], help="all by default")
    parser.add_argument("--em", action="store_true", help="the columns of EM alone, into build/choices")
    parser.add_argument("--again", action="store_true", help="from the beginning, to time it")
    asked = parser.parse_args(arguments)
    root = HERE.parent / "build" / "choices" if asked.em else HERE / "choices"
    root.mkdir(parents=True, exist_ok=True)
    path = root / "record.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for page in PAGES:
        if asked.names and page.name not in asked.names:
            continue
        if asked.again:
            shutil.rmtree(root / page.name / "records", ignore_errors=True)
        found[page.name] = write(page, root / page.name, "em" if asked.em else "full")
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    text = summary(found, describe(COMMAND, one_thread=False))
    (root.with_suffix(".md") if asked.em else HERE / "CHOICES.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
