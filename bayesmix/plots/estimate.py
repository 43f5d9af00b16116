"""Pictures of the point estimate: how it climbed, and where every start ended."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bayesmix.drawing.style import ALARM, FAINT, INK, MINUS, Style, colour, legend_above, line, new_figure, styled
from bayesmix.em.fit_em import EMFit

MOST_SOLUTIONS = 16
SOLUTION, UNFINISHED, DEGENERATE = "solution (number of starts)", "not carried to an end", "degenerate"
END_MARKS: dict[str, Style] = {
    SOLUTION: {"marker": "o", "markerfacecolor": colour(0), "markeredgecolor": "none"},
    UNFINISHED: {"marker": "o", "markerfacecolor": "white", "markeredgecolor": colour(0)},
    DEGENERATE: {"marker": "s", "markerfacecolor": ALARM, "markeredgecolor": "none"},
}
VALUES = {"ml": ("log_likelihood", "log-likelihood $L$"), "map": ("log_posterior", "log-posterior")}


@styled
def em_history(em: EMFit) -> Figure:
    """The log-likelihood over the iterations of the kept run, and its distance to the end on a log scale.

    A straight line on the right is EM's linear rate of convergence.
    """
    name = VALUES[em.method][1]
    steps = np.arange(len(em.history))
    fig = new_figure(8, 3.2)
    left, right = fig.subplots(1, 2, sharex=True)
    left.plot(steps, em.history, color=colour(0), marker="o", markersize=3 if len(steps) < 60 else 0)
    left.set(xlabel="iteration", ylabel=name, title="EM climbs" if em.method == "ml" else "The climb to the mode")
    left.ticklabel_format(axis="y", useOffset=False)
    gap = em.history[-1] - em.history
    rising = gap > 0
    right.plot(steps[rising], gap[rising], color=colour(0), marker="o", markersize=3 if len(steps) < 60 else 0)
    if rising.any():
        right.set_yscale("log")
    right.set(xlabel="iteration", ylabel="distance to the end", title="Distance to the end, log scale")
    for ax in (left, right):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return fig


@styled
def em_starts(em: EMFit) -> Figure:
    """Where the starts ended: solutions from the best to the worst, how high each is, each kind's share.

    Numbers in the marks count starts; the kept solution is ringed. Degenerate ones are squares; runs that were given up
    or ran out of iterations are no solutions, and hollow.
    """
    column, name = VALUES[em.method]
    table = em.starts.rename(columns={column: "value"})
    of_solution = table.groupby("solution")[["degenerate", "converged"]].transform("any")
    ended = np.where(of_solution["converged"], SOLUTION, UNFINISHED)
    table["end"] = np.where(of_solution["degenerate"], DEGENERATE, ended)
    shown = table[table["solution"] <= MOST_SOLUTIONS]
    kinds = list(dict.fromkeys(table["kind"]))
    columns = int(shown["solution"].max())
    fig = new_figure(8, 2.6 + 0.34 * len(kinds))
    top, below = fig.subplots(2, 1, sharex=True, height_ratios=[3, 1.2 + len(kinds)])
    _heights(top, shown, name)
    _counts(below, shown, kinds)
    values = shown.groupby("solution")["value"].max()
    labels = [f"{values[s]:.2f}".replace("-", MINUS) if np.isfinite(values[s]) else r"$-\infty$" for s in values.index]
    below.set_xticks(values.index, labels, rotation=45 if columns > 7 else 0, ha="right" if columns > 7 else "center")
    half = max(columns, 5) / 2
    below.set_xlim((columns + 1) / 2 - half, (columns + 1) / 2 + half)
    left_out = table["solution"].max() - columns
    below.set_xlabel(f"solution, by its {name}" + (f" ({left_out} lower ones not shown)" if left_out else ""))
    marks = [
        line(end, color="none", markersize=8, **END_MARKS[end]) for end in END_MARKS if (shown["end"] == end).any()
    ]
    ring = line("kept", marker="o", color="none", markerfacecolor="none", markeredgecolor=INK, markersize=10, mew=1.6)
    legend_above(fig, [marks[0], ring, *marks[1:]])
    return fig


def _heights(ax: Axes, table: pd.DataFrame, name: str) -> None:
    """One mark per solution, at its best value."""
    best = table[np.isfinite(table["value"])].sort_values("value").groupby("solution").last()
    for end, rows in best.groupby("end"):
        ax.plot(rows.index, rows["value"], linestyle="none", markersize=6, gid=str(end), **END_MARKS[str(end)])
    kept = table[table["chosen"]]
    ax.plot(
        kept["solution"],
        kept["value"],
        "o",
        markersize=11,
        markerfacecolor="none",
        markeredgecolor=INK,
        mew=1.6,
        gid="kept",
    )
    ax.ticklabel_format(axis="y", useOffset=False)
    pad = max(0.5, 0.2 * np.ptp(best["value"])) if len(best) else 0.5
    ax.set_ylim(best["value"].min() - pad, best["value"].max() + pad) if len(best) else None
    ax.set_ylabel(name)
    ax.grid(axis="y", color=FAINT, linewidth=0.6)


def _counts(ax: Axes, table: pd.DataFrame, kinds: list[str]) -> None:
    for (kind, number), rows in table.groupby(["kind", "solution"]):
        at = float(str(number)), kinds.index(str(kind))
        end = str(rows["end"].iloc[0])
        ink = colour(0) if end == UNFINISHED else "white"
        ax.plot(*at, markersize=15, gid="cell", **END_MARKS[end])
        ax.text(*at, str(len(rows)), ha="center", va="center", color=ink, fontsize=8, fontweight="bold")
    ax.set_yticks(range(len(kinds)), kinds)
    ax.set_ylim(len(kinds) - 0.5, -0.5)
    ax.grid(color=FAINT, linewidth=0.6)
