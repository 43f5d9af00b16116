"""results.json as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.figures import Case
from benchmarks.table import ROWS

HEAD = """# Benchmarks

Written by `uv run --group bench python -m benchmarks` from `results.json`; how to run it is in [README.md](README.md).
Times are medians of alternating runs in one process, quartiles in brackets; a ratio says how many times less ours takes
(or, for draws per second, how many times more it gives), and the target beside it is that of the project's plan.
"""


def page(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole of RESULTS.md, rows in the order of the table."""
    known = [name for name in ROWS if name in rows]
    machines = list(dict.fromkeys(machine(rows[name]["environment"]) for name in known))
    parts = [HEAD]
    parts += [_section(name, rows[name], machines) for name in known]
    parts += ["## Machine and versions\n", *(f"{i + 1}. {text}" for i, text in enumerate(machines))]
    return "\n".join(parts) + "\n"


def machine(environment: Mapping[str, Any]) -> str:
    """CPU, cores, memory and versions in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    return f"{environment['cpu']}, {environment['cores']} cores, {environment['memory_gb']:.0f} GB; {versions}."


def _section(name: str, row: Mapping[str, Any], machines: list[str]) -> str:
    environment = row["environment"]
    run = [environment["date"], f"`{environment['command']}`", f"seed {environment['seed']}"]
    run += [f"OMP_NUM_THREADS={environment['omp_num_threads']}", f"machine {machines.index(machine(environment)) + 1}"]
    run += [] if row["finished"] else ["**not finished**"]
    cases = [Case.from_dict(entry) for entry in row["cases"]]
    return f"## {ROWS[name].title}\n\n{ROWS[name].about}\n\n{table(cases)}\n\n{' · '.join(run)}\n"


def table(cases: list[Case]) -> str:
    """A Markdown table: one line per case, one column per figure that any case has."""
    columns = list(dict.fromkeys(column for case in cases for column in case.figures))
    remarks = any(case.remark for case in cases)
    head = ["", *columns, *(["remark"] if remarks else [])]
    lines = [head, ["---"] * len(head)]
    for case in cases:
        cells = [case.figures[c].text() if c in case.figures else "" for c in columns]
        lines.append([case.name, *cells, *([case.remark] if remarks else [])])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
