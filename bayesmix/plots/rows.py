"""Responsibilities row by row: posterior mean with its interval, EM beside it, the most ambiguous rows by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.checks.compare import CLEAR_ROW, Comparison
from bayesmix.drawing.level import LEVEL
from bayesmix.drawing.style import (
    EM_MARK,
    FAINT,
    MUTED,
    Style,
    blend,
    colour,
    component_entries,
    legend_above,
    line,
    new_figure,
    plain,
    styled,
)
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.record import Posterior, Record
from bayesmix.posterior.responsibilities import open_rows

MOST_AMBIGUOUS = 20
LEAST_AMBIGUOUS = 5
SHOWN_ROWS = 400


@styled
def responsibilities(dt: Posterior, cmp: Comparison) -> Figure:
    """Posterior mean responsibilities with 90% intervals, rows sorted; beside them the most ambiguous rows by name.

    With two components the responsibility of the first; with more, that of each row's most probable component. Rows
    that can belong to one component only (labelled rows, positive counts) say nothing and are left out; of rows that
    are alike the first is named, with how many more there are.
    """
    record = Record.of(dt)
    likelihood = record.likelihood
    table = responsibility_table(likelihood, cmp)
    fig = new_figure(8.4, 4.4)
    left, right = fig.subplots(1, 2, width_ratios=[1.75, 1])
    _sorted_rows(left, table, len(likelihood.components))
    _ambiguous_rows(right, table, len(likelihood.components))
    certain = len(likelihood.data) - len(table)
    note = f"\n{certain:,} rows with one possible component left out" if certain else ""
    step = len(table) / min(len(table), SHOWN_ROWS)
    left.set_xlabel(f"{len(table):,} rows, sorted" + (f" (one in {step:.0f} shown)" if step > 1 else "") + note)
    several = len(likelihood.components) > 2
    what = "$r$ of the most probable component" if several else f"$r$ of {plain(likelihood.components[0])}"
    left.set_ylabel(what)
    right.set_xlabel(what)
    mark = line(f"posterior mean, {LEVEL:.0%} interval", color=MUTED, marker="o", markersize=4)
    names = component_entries(likelihood.components) if several else []
    legend_above(fig, [*names, mark, line("EM", **EM_MARK)])
    return fig


def responsibility_table(likelihood: Likelihood, cmp: Comparison) -> pd.DataFrame:
    """``component, mean, lower, upper, em, entropy`` of the responsibility that is shown of each row, sorted by it."""
    rows, names = cmp.responsibilities, list(likelihood.components)
    mean = rows[[f"mean[{k}]" for k in names]].to_numpy()
    which = mean.argmax(axis=1) if len(names) > 2 else np.zeros(len(mean), dtype=int)
    each = np.arange(len(rows))
    columns = {v: rows[[f"{v}[{k}]" for k in names]].to_numpy()[each, which] for v in ("mean", "lower", "upper", "em")}
    table = pd.DataFrame({"component": which, **columns, "entropy": rows["entropy"].to_numpy()}, index=rows.index)
    undecided = open_rows(likelihood, cmp.em.arrays)
    return (table[undecided] if undecided.any() else table).sort_values(["component", "mean"], kind="stable")


def _colours(table: pd.DataFrame, K: int) -> list[Any]:
    if K > 2:
        return [colour(k) for k in table["component"]]
    mean = table["mean"].to_numpy()
    return list(blend(np.stack([mean, 1 - mean], axis=1)[:, :K]))


def _sorted_rows(ax: Axes, table: pd.DataFrame, K: int) -> None:
    shown = table.iloc[evenly(len(table), SHOWN_ROWS)]
    at, tints = np.arange(len(shown)), _colours(shown, K)
    few = len(shown) <= 120
    few_mark: Style = {"markersize": 5, "zorder": 4}
    mark = few_mark if few else {"markersize": 2.5, "markeredgewidth": 0.7, "zorder": 2.5}
    width = 2.0 if few else 1.0
    ax.vlines(at, shown["lower"], shown["upper"], colors=tints, linewidth=width, alpha=0.55, gid="interval")
    ax.scatter(at, shown["mean"], s=14 if few else 6, c=tints, zorder=3, gid="mean")
    ax.plot(at, shown["em"], gid="em", **EM_MARK | mark)
    for edge in np.flatnonzero(np.diff(shown["component"])):
        ax.axvline(edge + 0.5, color=MUTED, linewidth=0.7, linestyle=":")
    ax.set(ylim=(-0.03, 1.03), xlim=(-0.02 * len(shown) - 0.5, 1.02 * len(shown)), xticks=[], title="All rows")
    ax.grid(axis="y", color=FAINT, linewidth=0.6)


def _ambiguous_rows(ax: Axes, table: pd.DataFrame, K: int) -> None:
    told = table[["component", "mean", "lower", "upper", "em"]].round(9)
    alike = told.groupby(list(told.columns))["mean"].transform("size")
    table = table.assign(alike=alike)[~told.duplicated()]
    shown = table.nlargest(MOST_AMBIGUOUS, "entropy")
    shown = shown[(shown["entropy"] > CLEAR_ROW) | (np.arange(len(shown)) < LEAST_AMBIGUOUS)]
    at, tints = np.arange(len(shown)), _colours(shown, K)
    ax.hlines(at, shown["lower"], shown["upper"], colors=tints, linewidth=2.4, alpha=0.55)
    ax.scatter(shown["mean"], at, s=18, c=tints, zorder=3, gid="ambiguous")
    ax.plot(shown["em"], at, zorder=4, **EM_MARK)
    more = [f" (+{n - 1:,})" if n > 1 else "" for n in shown["alike"]]
    ax.set_yticks(at, [plain(name, limit=16) + own for name, own in zip(shown.index, more, strict=True)], fontsize=7.5)
    ax.set(ylim=(len(shown) - 0.4, -0.6), xlim=(-0.03, 1.03), title="Most ambiguous rows")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=FAINT, linewidth=0.6)
