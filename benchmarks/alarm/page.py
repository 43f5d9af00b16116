"""results.jsonl as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.alarm import ambiguous, ordinary
from benchmarks.markdown import machine

type Record = Mapping[str, Any]

HEAD = """# The alarm

A fit is flagged where `bm.diagnose(dt).ok` is False, or where its notes say that the posterior has several separate
modes. Default settings: 4 chains of 500 + 1,000 draws, seed 1. The data sets and the rules that made them were fixed
before any was fitted (`ambiguous.py`, `ordinary.py`).
"""
SHUFFLED = """The draws of good fits, their labels permuted: by chain, at one draw in fifty, at every draw; then
relabelled by each of the three methods.
"""


def page(records: Sequence[Record], environment: Mapping[str, Any]) -> str:
    """The whole of RESULTS.md."""
    by = {name: [r for r in records if r["set"] == name] for name in ("ambiguous", "ordinary", "shuffled")}
    parts = [
        HEAD,
        _title("Competing modes or labels that nothing tells apart", by["ambiguous"]),
        *_ambiguous(by),
        "",
    ]
    parts += [_title("Ordinary fits", by["ordinary"]), *_ordinary(by["ordinary"]), ""]
    parts += [_title("Label switching alone", by["shuffled"]), SHUFFLED, *_shuffled(by["shuffled"]), ""]
    dates, commits = (sorted({str(r[key]) for r in records}) for key in ("date", "commit"))
    parts += [f"`uv run python -m benchmarks.alarm`, {dates[0]} to {dates[-1]}, at {', '.join(commits)}."]
    return "\n".join([*parts, machine(environment)]) + "\n"


def _title(text: str, records: Sequence[Record]) -> str:
    return f"## {text}: {sum(r['flagged'] for r in records)} of {len(records)} flagged\n"


def _ambiguous(by: Mapping[str, Sequence[Record]]) -> Iterator[str]:
    yield "| data | why | n | flagged | separate modes | problems |\n|---|---|---|---|---|---|"
    found = {r["name"]: r for r in by["ambiguous"]}
    for case in ambiguous.CASES:
        if r := found.get(case.name):
            flag = "yes" if r["flagged"] else "**no**"
            yield f"| {case.name} | {case.why} | {r['n']} | {flag} | {r['modes']} | {', '.join(r['problems'])} |"


def _ordinary(records: Sequence[Record]) -> Iterator[str]:
    """One line per kind, then the flagged ones."""
    yield "| kind | fits | flagged | largest R-hat | smallest ESS | fits whose chains switched labels |"
    yield "|---|---|---|---|---|---|"
    kinds: dict[str, list[Record]] = {}
    for case in ordinary.CASES[: len(ordinary.KINDS)]:
        kind = case.name.split(",")[0]
        kinds[kind] = [r for r in records if r["name"].split(",")[0] == kind]
    for kind, own in kinds.items():
        if own:
            r_hat, ess = max(r["max_r_hat"] for r in own), min(r["min_ess"] for r in own)
            counts = f"{len(own)} | {sum(r['flagged'] for r in own)} | {r_hat:.4f} | {ess:.0f}"
            yield f"| {kind} | {counts} | {sum(r['switched'] > 0 for r in own)} |"
    yield ""
    for r in records:
        if r["flagged"]:
            yield f"* {r['name']} (n = {r['n']}): {' '.join([*r['problems'].values(), *r['notes']])}"


def _shuffled(records: Sequence[Record]) -> Iterator[str]:
    yield "| fit | pattern | method | flagged |\n|---|---|---|---|"
    for r in records:
        yield f"| {r['name']} | {r['pattern']} | {r['method']} | {', '.join(r['problems']) or 'no'} |"
