"""Every free scalar with its posterior intervals and the point estimates, one panel per unit of measurement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.checks.compare import Comparison
from bayesmix.drawing.level import TAILS
from bayesmix.drawing.style import (
    EM_MARK,
    FAINT,
    INK,
    MUTED,
    Style,
    colour,
    legend_above,
    line,
    new_figure,
    plain,
    styled,
)
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture import scalars
from bayesmix.posterior.record import Posterior, Record

QUANTILES = (TAILS[0], 0.25, 0.75, TAILS[1])
MAP_MARK: Style = {"marker": "D", "color": "black", "markerfacecolor": "none", "markersize": 4, "linestyle": "none"}


@dataclass(frozen=True)
class Row:
    """One scalar in a panel: its label in the tables, what its tick says, its colour."""

    scalar: str
    tick: str
    colour: str


@dataclass(frozen=True)
class Panel:
    """Scalars of one unit of measurement; ``centred``: whether zero means something."""

    title: str
    centred: bool
    rows: list[Row]

    @property
    def height(self) -> float:
        """Inches: a title, an axis, and a line per row."""
        return 0.55 + 0.25 * len(self.rows)


@styled
def forest(dt: Posterior, cmp: Comparison) -> Figure:
    """Posterior mean with 50% and 90% intervals of every scalar; EM as a cross, MAP as a diamond where given.

    Features have units of their own, so means and scales have one panel per feature, as have answers; correlations one
    per component.
    """
    record = Record.of(dt)
    draws = scalars.of_posterior(record.likelihood, record.posterior, derived=True)
    columns = _columns(panels(record.likelihood))
    tallest = max(sum(panel.height for panel in column) for column in columns)
    fig = new_figure(4.6 if len(columns) == 1 else 8.6, max(2.2, 0.5 + tallest))
    parts = fig.subfigures(1, len(columns), squeeze=False)[0]
    for part, column in zip(parts, columns, strict=True):
        axes = part.subplots(len(column), 1, height_ratios=[panel.height for panel in column], squeeze=False)[:, 0]
        for ax, panel in zip(axes, column, strict=True):
            _draw(ax, panel.rows, draws, cmp)
            ax.set_title(panel.title)
            if panel.centred:
                ax.axvline(0, color=MUTED, linewidth=0.9, zorder=1)
    has_map = "map" in cmp.parameters
    entries = [
        line("posterior mean, 50% and 90% interval", color=MUTED, marker="o", markerfacecolor="white", linewidth=2.5),
        line("EM", **EM_MARK),
        *([line("MAP", **MAP_MARK)] if has_map else []),
    ]
    legend_above(fig, entries, columns=3 if len(columns) > 1 else 1)
    return fig


def panels(likelihood: Likelihood) -> list[Panel]:
    """The scalars in panels of one unit each."""
    by_title: dict[str, Panel] = {}
    known, profile = {p.name: p for p in likelihood.parameters}, likelihood.component.profile
    for variable, where, label in scalars.index_of(likelihood, derived=True):
        dims = likelihood.dims[variable]
        names = {d: likelihood.coords[d][i] for d, i in zip(dims, where, strict=True)}
        own = "component" if "pair" in dims else "feature"
        shared = names.pop(own, None)
        if profile is not None and known[variable].blocks:
            shared = profile.columns[profile.column[where[-1]]]
            names[dims[-1]] = profile.entries[where[-1]]
        title = known[variable].label + ("" if shared is None else f", {plain(shared, limit=26)}")
        limit = 34 if "pair" in names else 24 if len(names) == 1 else 16
        tick = ", ".join(plain(name, limit=limit) for name in names.values()) or "all"
        tint = colour(where[0]) if dims[:1] == ("component",) else INK
        by_title.setdefault(title, Panel(title, known[variable].centred, [])).rows.append(Row(label, tick, tint))
    return list(by_title.values())


def _columns(shown: list[Panel]) -> list[list[Panel]]:
    """One column, or two of about the same height, in reading order."""
    heights = np.cumsum([panel.height for panel in shown])
    if heights[-1] < 3 or len(shown) == 1:
        return [shown]
    cut = 1 + int(np.argmin(np.maximum(heights, heights[-1] - heights)[:-1]))
    return [shown[:cut], shown[cut:]]


def _draw(ax: Axes, rows: list[Row], draws: xr.DataArray, cmp: Comparison) -> None:
    flat = draws.sel(scalar=[row.scalar for row in rows]).to_numpy().reshape(-1, len(rows))
    outer_low, low, high, outer_high = np.quantile(flat, QUANTILES, axis=0)
    table = cmp.parameters.loc[[row.scalar for row in rows]]
    y = np.arange(len(rows))
    tints = [row.colour for row in rows]
    ax.hlines(y, outer_low, outer_high, colors=tints, linewidth=1.2, gid="90%")
    ax.hlines(y, low, high, colors=tints, linewidth=3.6, gid="50%")
    ax.scatter(flat.mean(axis=0), y, s=20, facecolors="white", edgecolors=tints, zorder=3, gid="mean")
    ax.plot(table["em"], y - 0.25, **EM_MARK, zorder=4, gid="em")
    if "map" in table:
        ax.plot(table["map"], y + 0.25, **MAP_MARK, zorder=4, gid="map")
    ax.set_yticks(y, [row.tick for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=FAINT, linewidth=0.6)
    ax.locator_params(axis="x", nbins=6)
