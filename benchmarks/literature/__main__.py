"""Fit them all and write RESULTS.md: ``uv run python -m benchmarks.literature``; exit code 1 where one is missed."""

from __future__ import annotations

from pathlib import Path

from benchmarks.environment import describe
from benchmarks.literature.cases import Case, cases
from benchmarks.markdown import machine

COMMAND = "uv run python -m benchmarks.literature"
HEAD = f"""# Published numbers, and ours

Written by `{COMMAND}`. *Reached*: equal to the digits that were published; a higher likelihood that is no spike is
*bettered*. *Corrected*: an estimate whose last digits differ, where the score vanishes at ours (below 1e-8 in units of
each parameter, after Newton's method), so that the published one is not quite at the maximum.
"""


def verdict(case: Case, ours: float) -> str:
    """``reached``, ``bettered``, ``corrected`` or ``missed``."""
    half = 0.5000001 * 10.0**-case.digits
    if abs(ours - case.published) <= half:
        return "reached"
    if case.at_least:
        return "bettered" if ours > case.published else "**missed**"
    return "corrected" if case.stationary else "**missed**"


def main() -> int:
    """The command."""
    lines = ["| data | model | quantity | published | ours | | source |", "|---|---|---|---|---|---|---|"]
    missed = 0
    for case in cases():
        ours = case.ours()
        found = verdict(case, ours)
        missed += "missed" in found
        cells = [
            case.data,
            case.model,
            case.quantity,
            f"{case.published:.{case.digits}f}",
            f"{ours:.{case.digits + 1}f}",
        ]
        lines.append("| " + " | ".join([*cells, found, case.source]) + " |")
        print(lines[-1], flush=True)
    environment = describe(COMMAND, one_thread=False)
    where = f"{environment['date']}, seed {environment['seed']}, {machine(environment)}"
    page = "\n".join([HEAD, *lines, "", where]) + "\n"
    (Path(__file__).parent / "RESULTS.md").write_text(page, encoding="utf-8")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
