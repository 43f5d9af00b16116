"""RESULTS.md and the picture: log-likelihood against agreement with the species."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bayesmix.drawing.style import ALARM, INK, colour, legend_above, line, new_figure, patch, styled
from benchmarks.markdown import machine
from reports.random_starts.study import MANNERS, Record

PAGE = """# Single random starts of EM on iris

`uv run python -m reports.random_starts --starts {n}` · {date}

{machine}

A text that writes EM from scratch fits three Gaussians with full covariances to the 150 flowers of iris and reports
how far the groups agree with the species: 0.96 for one seed, 0.52 to 0.99 with a mean of 0.74 over 1,000 seeds. Here is
the same experiment: {n} single starts of every kind, each by its own seed, no other start tried and no saddle left.

![Where single starts end](ends.png)

| starts | lowest | 5% | median | mean | 95% | highest | degenerate | at the best L |
|---|---|---|---|---|---|---|---|---|
{rows}

* **random rows**: three flowers are the first centres, each flower belongs to the nearest. **random partition**: every
  flower's memberships are drawn at random. **10 steps**: stopped after ten E-steps, as hand-written loops often are.
* *degenerate*: ended in a spike or on hardly more rows than a Gaussian needs; such ends are in all figures of the row.
* *at the best L*: the share of starts that ended within 0.01 of the highest log-likelihood that is no spike.

**Many starts.** `bm.fit_em` with {em[n_starts]} starts keeps log-likelihood {L:.3f}, whose groups agree with the
species in {em[agreement]:.3f} of the flowers. The likelihood chooses this end without seeing a species.

**The posterior.** {verdict}. The most probable groups, averaged over all draws, agree in {p[agreement]:.3f}; single
draws in {low:.3f} to {high:.3f} (90%). Draws lie lower in L than the maximum, as they do in any posterior with
44 parameters: half of that, and more where the maximum is narrow.

**Reading it.** Over all rows of the table single seeds agree with the species in {least:.2f} to {most:.2f} of the
flowers, about the range of the text. Their mean depends on how starts are made and when they are stopped ({means});
that of the text lies among these. No start that ran to its end agrees in more than {end:.3f}: those above it were
stopped early. A lucky seed is luck, and seeing the species is the only way to know which seed it was; the highest
likelihood of many starts needs neither.
"""


def write(known: Record, path: Path) -> None:
    """RESULTS.md."""
    best = known["em"]["log_likelihood"]
    found = {m.name: _summary(known["starts"][m.name], best) for m in MANNERS}
    rows = [f"| {name} | " + " | ".join(_cell(v) for v in row.values()) + " |" for name, row in found.items()]
    p = known["posterior"]
    text = PAGE.format(
        n=len(known["starts"][MANNERS[0].name]["agreement"]),
        date=known["environment"]["date"],
        machine=machine(known["environment"]),
        rows="\n".join(rows),
        em=known["em"],
        L=best,
        p=p,
        verdict="Its draws can be trusted" if p["trusted"] else "Its draws cannot be trusted yet",
        low=p["by_draw"][0],
        high=p["by_draw"][2],
        least=min(row["lowest"] for row in found.values()),
        most=max(row["highest"] for row in found.values()),
        means=", ".join(f"{row['mean']:.2f}" for row in found.values()),
        end=max(found[m.name]["highest"] for m in MANNERS if "steps" not in m.name),
    )
    path.write_text(text, encoding="utf-8")


def _summary(starts: dict[str, list[Any]], best: float) -> dict[str, Any]:
    a = np.array(starts["agreement"])
    L = np.array([np.nan if v is None else v for v in starts["log_likelihood"]])
    degenerate = np.array(starts["degenerate"])
    low, middle, high = np.quantile(a, [0.05, 0.5, 0.95])
    return {
        "lowest": a.min(),
        "5%": low,
        "median": middle,
        "mean": a.mean(),
        "95%": high,
        "highest": a.max(),
        "degenerate": f"{degenerate.mean():.1%}",
        "best": f"{((np.abs(L - best) < 0.01) & ~degenerate).mean():.1%}",
    }


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.3f}"


@styled
def picture(known: Record) -> Figure:
    """One mark per end, its area by how many starts ended there; many starts and the posterior beside them."""
    fig = new_figure(7.6, 4.8)
    ax, side = fig.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    starts = known["starts"][MANNERS[0].name]
    ends: dict[tuple[float, float, bool], int] = {}
    for L, a, degenerate in zip(starts["log_likelihood"], starts["agreement"], starts["degenerate"], strict=True):
        if L is not None:
            end = (round(L, 1), a, degenerate)
            ends[end] = ends.get(end, 0) + 1
    for degenerate, face, marker in ((False, colour(0), "o"), (True, ALARM, "s")):
        at = [(L, a, n) for (L, a, d), n in ends.items() if d == degenerate]
        if at:
            x, y, n = np.array(at).T
            ax.scatter(x, y, s=10 + 2 * n, color=face, marker=marker, alpha=0.55, linewidths=0)
    em, p = known["em"], known["posterior"]
    ax.plot(em["log_likelihood"], em["agreement"], "x", color=INK, markersize=9, mew=2)
    low, high = p["log_likelihood"][0], p["log_likelihood"][2]
    ax.add_patch(
        Rectangle((low, p["by_draw"][0]), high - low, p["by_draw"][2] - p["by_draw"][0], color=colour(2), alpha=0.25)
    )
    ax.plot(p["log_likelihood"][1], p["agreement"], "D", color=colour(2), markersize=6)
    ax.set(xlabel="log-likelihood of the end", ylabel="agreement with the species", ylim=(0.43, 1.02))
    ax.ticklabel_format(axis="x", useOffset=False)
    side.hist(
        starts["agreement"],
        bins=np.arange(0.44, 1.005, 0.02).tolist(),
        orientation="horizontal",
        color=colour(0),
        alpha=0.55,
    )
    side.axhline(float(np.mean(starts["agreement"])), color=INK, linewidth=1)
    side.set_xlabel("starts")
    n = len(starts["agreement"])
    entries = [
        line(
            f"end of a single start (area: how many of {n:,})",
            marker="o",
            color="none",
            markerfacecolor=colour(0),
            mew=0,
        ),
        line("degenerate end", marker="s", color="none", markerfacecolor=ALARM, markeredgecolor="none"),
        line(f"{em['n_starts']} starts, the best kept", marker="x", color="none", markeredgecolor=INK, mew=2),
        line("posterior", marker="D", color="none", markerfacecolor=colour(2), markeredgecolor="none"),
        patch("its draws, 90%", color=colour(2), alpha=0.25),
        line("mean of the single starts", color=INK, linewidth=1),
    ]
    legend_above(fig, entries, columns=2)
    return fig
