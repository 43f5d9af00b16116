"""What components are like, column by column: marks with intervals, a line for a column or a panel for its answers."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.style import (
    DATA,
    EM_MARK,
    FAINT,
    INK,
    MUTED,
    colour,
    component_entries,
    legend_above,
    line,
    new_figure,
    one_panel,
    panels_abreast,
    patch,
    plain,
)
from bayesmix.drawing.view import View
from bayesmix.parts.profile import BOUNDED, Profile

MOST_LINES = 40
"""Columns in a profile, one line each."""
MOST_PROFILED = 24
"""Columns in a profile, a panel each."""
ROOM = 0.64
"""Of a line: where the components' marks stand, one under the other."""
WIDE_RANGE = 20.0
"""Positive estimates that differ by such a factor are drawn on a logarithmic scale."""
NO_ANSWER = "no answer"


def draw_profile(view: View) -> Figure | None:
    """The profile of the components; None where no estimate says what they are like."""
    profile = view.likelihood.component.profile
    if profile is None:
        return None
    return _panels(view, profile) if profile.by_level else _lines(view, profile)


def _marks(ax: Axes, view: View, profile: Profile, entries: np.ndarray, offset: np.ndarray, factor: np.ndarray) -> None:
    """Posterior means with intervals, EM's crosses, of some entries under each other; (value - offset) / factor."""
    name, K = profile.parameter.name, len(view.likelihood.components)
    values = (view.params[name][..., entries] - offset) / factor
    lower, upper = np.quantile(values, TAILS, axis=0)
    at = np.arange(len(entries))
    for k in range(K):
        y = at + ROOM * ((k + 0.5) / K - 0.5)
        ax.hlines(y, lower[k], upper[k], color=colour(k), linewidth=2.2, alpha=0.55, gid=f"interval {k}")
        ax.plot(values[:, k].mean(axis=0), y, "o", color=colour(k), markersize=4.5, gid=f"component {k}")
        if view.em is not None:
            ax.plot((view.em[name][k, entries] - offset) / factor, y, gid=f"em {k}", zorder=4, **EM_MARK)


def _legend(fig: Figure, view: View, rows: Artist) -> None:
    entries = [*component_entries(view.likelihood.components), rows]
    entries.append(line(f"posterior mean, {LEVEL:.0%} interval", color=MUTED, marker="o", markersize=4))
    legend_above(fig, entries + ([line("EM", **EM_MARK)] if view.em is not None else []), columns=4)


def _lines(view: View, profile: Profile) -> Figure:
    """A line for every column: standardized measurements, other estimates as they are."""
    shown = np.arange(min(len(profile.columns), MOST_LINES))
    standardized = profile.parameter.support not in (*BOUNDED, "positive")
    offset = profile.average[shown] if standardized else np.zeros(len(shown))
    factor = profile.scale[shown] if standardized else np.ones(len(shown))
    K = len(view.likelihood.components)
    fig, ax = one_panel(8.4, 1.2 + (0.22 + 0.09 * K) * len(shown))
    for y in shown[1:]:
        ax.axhline(y - 0.5, color=FAINT, linewidth=0.6, zorder=0)
    ax.vlines(
        (profile.average[shown] - offset) / factor, shown - 0.42, shown + 0.42, color=DATA, linewidth=2, gid="rows"
    )
    _marks(ax, view, profile, shown, offset, factor)
    ax.set_yticks(shown, [plain(profile.columns[j], limit=30) for j in shown])
    ax.set(ylim=(len(shown) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    _value_axis(ax, view, profile, standardized=standardized)
    if len(profile.columns) > MOST_LINES:
        ax.set_title(f"the first {MOST_LINES} of {len(profile.columns)} columns")
    _legend(fig, view, line("mean of all rows", color=DATA, linewidth=2))
    return fig


def _value_axis(ax: Axes, view: View, profile: Profile, *, standardized: bool) -> None:
    parameter = profile.parameter
    if standardized:
        ax.set_xlabel("(mean of the component \N{MINUS SIGN} mean of all rows) / standard deviation of the column")
        return
    ax.set_xlabel(parameter.label)
    if parameter.support in BOUNDED:
        ax.set_xlim(-0.02, 1.02)
        return
    values = np.quantile(view.params[parameter.name], TAILS, axis=0)
    if values.max() > WIDE_RANGE * max(values.min(), np.finfo(float).tiny):
        ax.set_xscale("log")


def _panels(view: View, profile: Profile) -> Figure:
    """A panel for every column: its answers under each other, the shares of all rows as bars."""
    n = min(len(profile.columns), MOST_PROFILED)
    K, across = len(view.likelihood.components), abreast(n)
    sizes = np.bincount(profile.column)[:n]
    lines = [int(sizes[i : i + across].max()) for i in range(0, n, across)]
    fig = new_figure(3.4 * across if across > 1 else 7, 0.7 + sum(0.55 + (0.16 + 0.08 * K) * m for m in lines))
    axes = panels_abreast(fig, n, across, sharex=True, height_ratios=[m + 1.5 for m in lines])
    for j, ax in enumerate(axes):
        answer_bars(ax, view, profile, j)
        _marks(ax, view, profile, np.flatnonzero(profile.column == j), np.zeros(sizes[j]), np.ones(sizes[j]))
        if j + across >= n:
            ax.set_xlabel("probability")
            ax.tick_params(labelbottom=True)
    if n < len(profile.columns):
        fig.suptitle(f"the first {n} of {len(profile.columns)} columns", fontsize=9)
    _legend(fig, view, patch("all rows", color=FAINT))
    return fig


def abreast(n: int) -> int:
    """How many of n panels stand side by side: three, or two where that leaves none alone."""
    return 2 if n in (2, 4) else min(n, 3)


def answer_bars(ax: Axes, view: View, profile: Profile, j: int) -> None:
    """The shares of a column's answers among all rows, its answers named, and how many rows gave none."""
    entries = np.flatnonzero(profile.column == j)
    at = np.arange(len(entries))
    ax.barh(at, profile.average[entries], height=0.86, color=FAINT, gid="rows")
    ax.set_yticks(at, [plain(profile.entries[e], limit=24) for e in entries])
    ax.set(ylim=(len(entries) - 0.5, -0.5), xlim=(0, 1))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    gaps = int(profile.missing[j])
    ax.set_title(plain(profile.columns[j], limit=30), color=INK)
    if gaps:
        note = f"{gaps:,} {NO_ANSWER}"
        ax.set_title(note, loc="right", fontsize=7.5, color=MUTED)
