"""results.json as a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.markdown import machine
from benchmarks.reference_posteriors.summary import LIMIT, STATISTICS, Summary, farthest

HEAD = """# A reference posterior

posteriordb's `low_dim_gauss_mix`: 1,000 values, two Gaussians, ordered means ~ Normal(0, 2), scales ~ HalfNormal(2),
weights ~ Dirichlet(5, 5). Compared are mean, sd, 5% and 95% quantile of the six parameters, by their distance in
combined Monte Carlo errors (ArviZ' MCSE of each statistic); the limit is {limit:g}. Every verdict of ours was good, or
the run would have stopped.

* **ordered**, **relabelled**: `bm.sample` with `order="means"`, and without (labels sorted out after sampling);
  4 x 5,000 draws.
* **textbook**: `pm.NormalMixture` with the `ordered` transform, written by hand (`runs.py`), by nutpie;
  4 x 25,000 draws, seed {seed}.
* **posteriordb**: the 10,000 draws that Stan's posterior database publishes (commit 28f8d3d; rstan 2.19.2, 10 chains of
  10,000 draws after warm-up, every tenth kept).
"""


def page(done: Mapping[str, Any]) -> str:
    """The whole of RESULTS.md."""
    environment = done["textbook"]["environment"]
    dates = sorted({run["environment"]["date"] for run in done.values() if "environment" in run})
    parts = [HEAD.format(limit=LIMIT, seed=environment["seed"]), "## Distances\n", *_distances(done), ""]
    parts += [
        "## Values\n",
        "Value (Monte Carlo error in units of the last digit); ours: seed 1.\n",
        *_values(done),
        "",
    ]
    parts += [f"`{environment['command']}`, {dates[0]} to {dates[-1]}, seeds 1 to 5 · {machine(environment)}"]
    return "\n".join(parts) + "\n"


def pairs(done: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The runs that are compared."""
    yield "textbook", "posteriordb"
    for seed in sorted({int(name.split()[1]) for name in done if " " in name}):
        ordered, relabelled = f"ordered {seed}", f"relabelled {seed}"
        yield ordered, relabelled
        yield from ((ours, other) for ours in (ordered, relabelled) for other in ("textbook", "posteriordb"))


def _distances(done: Mapping[str, Any]) -> Iterator[str]:
    yield "| run (seed) | against | largest distance | where |\n|---|---|---|---|"
    for a, b in pairs(done):
        value, where = farthest(done[a]["summary"], done[b]["summary"])
        yield f"| {a} | {b} | {value:.2f}{'' if value < LIMIT else ' **over**'} | {where} |"


def _values(done: Mapping[str, Any]) -> Iterator[str]:
    runs = ("ordered 1", "relabelled 1", "textbook", "posteriordb")
    summaries: list[Summary] = [done[run]["summary"] for run in runs]
    yield "| parameter | statistic | " + " | ".join(runs) + " |\n" + "|---" * (len(runs) + 2) + "|"
    for name in summaries[0]:
        for s in STATISTICS:
            cells = [f"{value:.5f} ({1e5 * error:.0f})" for value, error in (one[name][s] for one in summaries)]
            yield f"| {name} | {s} | " + " | ".join(cells) + " |"
