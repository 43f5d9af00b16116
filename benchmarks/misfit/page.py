"""results.jsonl as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.markdown import machine
from benchmarks.misfit import planted

type Record = Mapping[str, Any]

HEAD = """# The second line of the verdict

A model is flagged where `bm.diagnose(dt).model_ok` is False. 4 chains of 500 + 500 draws, seed 1. The data sets and the
rules that made them were fixed before any was fitted: `planted.py`, and for data from the model itself
`benchmarks/alarm/ordinary.py` (100 to 1,000 rows, one to four components, a third of them with labels). The level
of the measures, 0.005, was chosen after a first look at the p-values of the 100 data sets from the model.
"""


def page(records: Sequence[Record], environment: Mapping[str, Any]) -> str:
    """The whole of RESULTS.md."""
    wrong, right, fresh = ([r for r in records if r["set"] == name] for name in ("planted", "ordinary", "fresh"))
    dates = [r["date"] for r in records]
    parts = [
        HEAD,
        f"## Data that the model cannot describe: {_flagged(wrong)}\n",
        *_planted(wrong),
        f"\n## Data from the model: {_flagged(right)}\n",
        *_ordinary(right),
        f"\n## Once the level was fixed, seeds 101 to 200: {_flagged(fresh)}\n",
        *_ordinary(fresh),
        f"\nFitted {min(dates)} to {max(dates)}. {machine(environment)}",
    ]
    return "\n".join(parts) + "\n"


def _flagged(records: Sequence[Record]) -> str:
    return f"{sum(r['flagged'] for r in records)} of {len(records)} flagged"


def _planted(records: Sequence[Record]) -> Iterator[str]:
    """One line per kind, with the measures that flagged it and in how many data sets each did."""
    yield "| misfit | what the data are | n | flagged | by |"
    yield "|---|---|---|---|---|"
    for kind, make in planted.KINDS.items():
        own = [r for r in records if r["name"].split(",")[0] == kind]
        counts: dict[str, int] = {}
        for name in (name for r in own for name in r["misfits"]):
            counts[name] = counts.get(name, 0) + 1
        by = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1]))
        n = ", ".join(map(str, sorted({r["n"] for r in own})))
        what = (make.__doc__ or "").strip().rstrip(".")
        yield f"| {kind} | {what} | {n} | {sum(r['flagged'] for r in own)} of {len(own)} | {by} |"


def _ordinary(records: Sequence[Record]) -> Iterator[str]:
    """The flagged ones, and the smallest p-values."""
    for r in records:
        if r["flagged"]:
            yield f"* {r['name']} (n = {r['n']}): {', '.join(r['misfits'])}"
    smallest = sorted(min(r["p_values"].values()) for r in records)[:5]
    yield f"\nThe five smallest p-values of all measures: {', '.join(f'{p:.4f}' for p in smallest)}."
