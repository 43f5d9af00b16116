"""results.jsonl as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.evidence_atlas.cells import BY_GIBBS, DATA, NUMBERS
from benchmarks.markdown import machine

type Record = Mapping[str, Any]

PUBLISHED = {
    "galaxies": {2: -235.37, 3: -226.85, 4: -226.11, 5: -225.83, 6: -225.75},
    "enzyme": {2: -76.5, 3: -74.2, 4: -74.3, 5: -75.0, 6: -76.7},
}
"""Celeux, Fruehwirth-Schnatter and Robert (2019), doi:10.1201/9780429055911."""
SPREAD = {"galaxies": "-225.0 to -236.0", "enzyme": "-76.8 to -89.1"}
"""Six published estimators at K = 6 (arXiv:2504.21812)."""
SHAPES = {
    "Richardson and Green (1997)": [0.061, 0.128, 0.182, 0.199, 0.160, 0.109, 0.071],
    "R package telescope": [0.05, 0.15, 0.21, 0.20, 0.16, 0.11, 0.06],
}
"""P(K | y) of the galaxies, K = 3 to 9, K uniform on 1 to 30."""
SHOWN = range(3, 10)
LARGEST_ERROR = 0.2
"""Of an evidence by telescoping: beyond it the sampler hardly came by."""
HEAD = """# Evidence under Richardson and Green's priors

Mixtures of normals in one column: weights ~ Dirichlet(1), means ~ Normal(midrange, R), variances ~ InverseGamma(2, C),
C ~ Gamma(0.2, 10 / R^2), R the range; every evidence with all labellings. *Default*: `bm.sample(..., until="trusted",
minutes=10, draws=4000)` and `bm.log_evidence`, by bridge sampling (b) or along the ladder of a replica exchange (e);
in parentheses where it is not established. *Exchange*: `sampler="exchange"`, whatever the default does, and bridge
sampling over its draws. *Gibbs*: bridge sampling to a mixture of full conditionals in all labellings, four chains; and
*telescoping*: p(K | y) of a sampler over the number of components, hung up at one of Gibbs'. The last two share nothing
with the package (`tests/full_conditionals.py`, `tests/telescoping.py`). After +- are standard errors.
"""
COLUMNS = "| K | published | default | exchange | bridge over it | Gibbs | telescoping |"


def page(records: Sequence[Record], environment: Mapping[str, Any], command: str) -> str:
    """The whole of RESULTS.md."""
    by_cell = {r["cell"]: r for r in records}
    lines = [HEAD]
    for name in DATA:
        lines += [f"## {name.capitalize()}", "", COLUMNS, "|" + "---|" * 7]
        lines += ["| " + " | ".join(_row(by_cell, name, K)) + " |" for K in NUMBERS]
        lines += ["", f"Six published estimators at K = 6: {SPREAD[name]}. {_off(by_cell, name)}".rstrip(), ""]
    lines += _shape(by_cell)
    lines += _seconds(records)
    dates, commits = (sorted({str(r[key]) for r in records}) for key in ("date", "commit"))
    lines.append(f"`{command}`, {dates[0]} to {dates[-1]}, at {', '.join(commits)}.")
    return "\n".join([*lines, machine(environment)]) + "\n"


def _row(by_cell: Mapping[str, Record], name: str, K: int) -> Iterator[str]:
    yield str(K)
    published = PUBLISHED[name].get(K)
    yield "" if published is None else f"{published:g}"
    default = by_cell.get(f"{name} default {K}")
    yield _default(default) if default else ""
    exchange = by_cell.get(f"{name} exchange {K}")
    yield _with_error(exchange["value"], exchange["error"]) if exchange else ""
    yield _with_error(exchange["bridge"], exchange["bridge_error"]) if exchange and exchange["bridge_known"] else ""
    gibbs = by_cell.get(f"{name} gibbs {K}")
    yield _with_error(gibbs["value"], gibbs["error"]) if gibbs else ""
    yield _telescoped(by_cell, name, K)


def _off(by_cell: Mapping[str, Record], name: str) -> str:
    """Where the published evidence is further from Gibbs' than its rounding and three standard errors."""
    told = []
    for K, published in PUBLISHED[name].items():
        gibbs = by_cell.get(f"{name} gibbs {K}")
        half = 0.5 * 10.0 ** -len(f"{published:g}".partition(".")[2])
        if gibbs and abs(gibbs["value"] - published) > half + 3 * gibbs["error"]:
            told.append(f"that of K = {K} by {published - gibbs['value']:+.3f}")
    return f"Published values that Gibbs contradicts: {', '.join(told)}." if told else ""


def _default(record: Record) -> str:
    text = _with_error(record["value"], record["error"])
    text = text if record["established"] else f"({text})"
    return f"{text} {'b' if 'bridge' in record['method'] else 'e'}" + ("" if record["ok"] else ", draws not trusted")


def _telescoped(by_cell: Mapping[str, Record], name: str, K: int) -> str:
    """log p(K | y) - log p(k | y) + log Z_k, with Gibbs' log Z_k that leaves the smallest error, of another k."""
    found = by_cell.get(f"{name} telescoping")
    if not found:
        return ""
    p, error = np.array(found["probability"]), np.array(found["errors"])
    relative = error / np.maximum(p, 1e-300)
    anchors = [(k, by_cell[f"{name} gibbs {k}"]) for k in BY_GIBBS if k != K and f"{name} gibbs {k}" in by_cell]
    ways = [
        (float(np.sqrt(relative[K - 1] ** 2 + relative[k - 1] ** 2 + anchor["error"] ** 2)), k, anchor["value"])
        for k, anchor in anchors
        if min(p[K - 1], p[k - 1]) > 0
    ]
    if not ways or min(ways)[0] > LARGEST_ERROR:
        return ""
    whole, k, value = min(ways)
    return _with_error(float(np.log(p[K - 1] / p[k - 1])) + value, whole)


def _shape(by_cell: Mapping[str, Record]) -> Iterator[str]:
    """How many groups of galaxies, K uniform on 1 to 30."""
    yield from ("## How many groups of galaxies", "")
    held = [by_cell.get(f"galaxies default {K}") for K in NUMBERS]
    last = "; in the last row on 2 to 10, from the evidences by default" if all(held) else ""
    yield f"p(K | y), K uniform on 1 to 30{last}."
    yield ""
    yield "| | " + " | ".join(f"K = {K}" for K in SHOWN) + " |"
    yield "|---|" + "---|" * len(SHOWN)
    for name, p in SHAPES.items():
        yield f"| {name} | " + " | ".join(f"{v:g}" for v in p) + " |"
    found = by_cell.get("galaxies telescoping")
    if found:
        at = [(found["probability"][K - 1], found["errors"][K - 1]) for K in SHOWN]
        yield "| telescoping | " + " | ".join(_with_error(v, e) for v, e in at) + " |"
        off = max(abs(v - p) for (v, _), p in zip(at, SHAPES["Richardson and Green (1997)"], strict=True))
        own = np.array(found["probability"])[NUMBERS.start - 1 : NUMBERS.stop - 1]
        at_most_ten = dict(zip(NUMBERS, own / own.sum(), strict=True))
        yield "| telescoping, 2 to 10 | " + " | ".join(f"{at_most_ten[K]:.3f}" for K in SHOWN) + " |"
    if all(held):
        log_z = np.array([r["value"] for r in held if r])
        p = dict(zip(NUMBERS, np.exp(log_z - np.logaddexp.reduce(log_z)), strict=True))
        yield "| evidences by default, 2 to 10 | " + " | ".join(f"{p[K]:.3f}" for K in SHOWN) + " |"
    if found:
        mean = float(np.arange(1, len(found["probability"]) + 1) @ found["probability"])
        yield ""
        yield f"Telescoping is within {off:.3f} of Richardson and Green's; its mean of K is {mean:.2f}."
    yield ""


def _seconds(records: Sequence[Record]) -> Iterator[str]:
    yield from ("## What it took", "", "| way | cells | seconds, all | longest |", "|---|---|---|---|")
    for way in dict.fromkeys(r["way"] for r in records):
        own = [r["seconds"] for r in records if r["way"] == way]
        yield f"| {way} | {len(own)} | {sum(own):.0f} | {max(own):.0f} |"
    yield ""


def _with_error(value: float, error: float) -> str:
    return f"{value:.3f} +- {error:.3f}"
