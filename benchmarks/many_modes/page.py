"""results.jsonl as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import chi2

from benchmarks.many_modes.problems import PROBLEMS
from benchmarks.markdown import machine

type Record = Mapping[str, Any]

HEAD = """# Many components, many modes

`bm.sample(spec, data, seed=..., until="trusted", minutes=...)`, all else by default, on two cores: what a user gets
who asks for a verdict within five minutes (three for the galaxies). The twelve tied values are sampled by exchange with
8,000 draws a chain, for the sake of their evidence. Verdict: "good" where the draws can be trusted, "without labels"
where they can for all that labels do not change (density, co-clustering, predictions), while labels cannot be told.
ESS: the smallest bulk effective size of what labels do not change. Evidence: the mean over seeds, the errors that the
seeds state, and the p-value of their spread beyond these errors. Records of commit 6e3e77a are of an Intel Xeon, the
later ones of an AMD EPYC, on which tests ran beside textbook K = 9, overlap, enzyme and iris of seed 1 (but for its
K = 4).
"""
EXACT = dict(enumerate((-35.50085821, -32.52193986, -32.33942724, -32.32522576, -32.35447940, -32.39662602), start=1))
"""Log evidence of the twelve tied values, summed over all partitions."""
COLUMNS = "| problem | seeds | verdict | sampler | seconds | ESS | round trips | log evidence | error | p | exact |"


def page(records: Sequence[Record], environment: Mapping[str, Any]) -> str:
    """The whole of RESULTS.md."""
    lines = [HEAD, COLUMNS, "|" + "---|" * 11]
    for problem in PROBLEMS:
        own = [r for r in records if r["problem"] == problem.name]
        if own:
            exact = EXACT[problem.K] if problem.name.startswith("twelve") else None
            lines.append("| " + " | ".join(_row(problem.name, own, exact)) + " |")
    lines += ["", *_failures(records), ""]
    dates, commits = (sorted({str(r[key]) for r in records}) for key in ("date", "commit"))
    lines.append(f"`uv run python -m benchmarks.many_modes`, {dates[0]} to {dates[-1]}, at {', '.join(commits)}.")
    return "\n".join([*lines, machine(environment)]) + "\n"


def _row(name: str, own: Sequence[Record], exact: float | None) -> Iterator[str]:
    yield name
    yield ", ".join(str(r["seed"]) for r in own)
    good, free = sum(r["ok"] and r["labels_ok"] for r in own), sum(r["ok"] and not r["labels_ok"] for r in own)
    kinds = {"good": good, "without labels": free, "**bad**": len(own) - good - free}
    yield ", ".join(f"{n} {kind}" for kind, n in kinds.items() if n)
    yield ", ".join(sorted({str(r["sampler"]) for r in own}))
    yield _span([r["seconds"] for r in own], ".0f")
    yield f"{min(r['ess'] for r in own):,.0f}"
    trips = [r["round_trips"] for r in own if r["round_trips"] is not None]
    yield f"{min(trips):,}" if trips else ""
    known = [r for r in own if r["established"]]
    values, errors = (np.array([r[key] for r in known]) for key in ("log_evidence", "error"))
    yield f"{values.mean():.3f}" if len(known) else "unknown"
    yield _span(errors, ".3f") if len(known) else ""
    weights = 1 / np.maximum(errors, 1e-9) ** 2
    spread = float(weights @ (values - np.average(values, weights=weights)) ** 2) if len(known) > 1 else np.nan
    yield f"{chi2.sf(spread, len(known) - 1):.2g}" if len(known) > 1 else ""
    off = np.abs(values - exact) / errors if exact is not None and len(known) else None
    yield "" if off is None else f"{exact:.3f}, at most {off.max():.1f} errors away"


def _span(values: Sequence[float] | np.ndarray, form: str) -> str:
    """From the smallest to the largest."""
    low, high = (format(float(f(values)), form) for f in (np.min, np.max))
    return low if low == high else f"{low} to {high}"


def _failures(records: Sequence[Record]) -> Iterator[str]:
    for r in records:
        if not r["ok"]:
            yield f"* {r['problem']}, seed {r['seed']}: {', '.join(r['problems'])}"
