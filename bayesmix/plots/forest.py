"""Every free scalar with its posterior intervals and the point estimates, one panel per unit of measurement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix import scalars
from bayesmix.comparison import Comparison
from bayesmix.families import Family
from bayesmix.plots.style import FAINT, INK, MUTED, SYMBOLS, colour, legend_above, line, new_figure, plain, styled
from bayesmix.predict import family_of

QUANTILES = (0.05, 0.25, 0.75, 0.95)
CENTRED = ("correlations", "rate_coef", "zero_coef")
"""Variables for which zero means something."""
EM_MARK = {"marker": "x", "color": "black", "markersize": 5, "markeredgewidth": 1.3, "linestyle": "none"}
MAP_MARK = {"marker": "D", "color": "black", "markerfacecolor": "none", "markersize": 4, "linestyle": "none"}


@dataclass(frozen=True)
class Row:
    """One scalar in a panel: its label in the tables, what its tick says, its colour."""

    scalar: str
    tick: str
    colour: str


@styled
def forest(dt: xr.DataTree, cmp: Comparison) -> Figure:
    """Posterior mean with 50% and 90% intervals of every scalar; EM as a cross, MAP as a diamond where given.

    Features have units of their own, so means and scales have one panel per feature; correlations one per component.
    """
    family = family_of(dt)
    draws = scalars.of_posterior(family, dt["posterior"].to_dataset(), derived=True)
    columns = _columns(panels(family))
    tallest = max(sum(map(_height, column)) for column in columns)
    fig = new_figure(4.6 if len(columns) == 1 else 8.6, max(2.2, 0.5 + tallest))
    parts = np.atleast_1d(fig.subfigures(1, len(columns)))
    for part, column in zip(parts, columns, strict=True):
        axes = part.subplots(len(column), 1, height_ratios=[_height(panel) for panel in column], squeeze=False)[:, 0]
        for ax, (title, rows) in zip(axes, column, strict=True):
            _panel(ax, rows, draws, cmp)
            ax.set_title(title)
            if title in [SYMBOLS[v] for v in CENTRED] or title.startswith("correlations"):
                ax.axvline(0, color=MUTED, linewidth=0.8, linestyle=":", zorder=0)
    has_map = "map" in cmp.parameters
    entries = [
        line("posterior mean, 50% and 90% interval", color=MUTED, marker="o", markerfacecolor="white", linewidth=2.5),
        line("EM", **EM_MARK),
        *([line("MAP", **MAP_MARK)] if has_map else []),
    ]
    legend_above(fig, entries, columns=3 if len(columns) > 1 else 1)
    return fig


def panels(family: Family) -> list[tuple[str, list[Row]]]:
    """The scalars in panels of one unit each: (title, rows)."""
    found: dict[str, list[Row]] = {}
    for variable, where, label in scalars.index_of(family, derived=True):
        dims = family.dims[variable]
        names = {d: family.coords[d][i] for d, i in zip(dims, where, strict=True)}
        own = "component" if "feature_bis" in dims else "feature"
        shared = names.pop(own, None)
        title = SYMBOLS[variable] + ("" if shared is None else f", {plain(shared, limit=26)}")
        tick = ", ".join(plain(name, limit=24) for name in names.values()) or "all"
        tint = colour(where[0]) if dims[:1] == ("component",) else INK
        found.setdefault(title, []).append(Row(label, tick, tint))
    return list(found.items())


def _height(panel: tuple[str, list[Row]]) -> float:
    """Inches: a title, an axis, and a line per row."""
    return 0.55 + 0.25 * len(panel[1])


def _columns(found: list[tuple[str, list[Row]]]) -> list[list[tuple[str, list[Row]]]]:
    """One column, or two of about the same height, in reading order."""
    heights = np.cumsum([_height(panel) for panel in found])
    if heights[-1] < 3 or len(found) == 1:
        return [found]
    cut = 1 + int(np.argmin(np.maximum(heights, heights[-1] - heights)[:-1]))
    return [found[:cut], found[cut:]]


def _panel(ax: Axes, rows: list[Row], draws: xr.DataArray, cmp: Comparison) -> None:
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
