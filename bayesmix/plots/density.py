"""The density of a fit with its highest-density regions, and the rows that lie far out."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.counts import count_axis, observed, shown_counts
from bayesmix.drawing.histogram import histogram
from bayesmix.drawing.level import LEVEL
from bayesmix.drawing.style import (
    ALARM,
    FAINT,
    INK,
    MUTED,
    colour,
    legend_above,
    line,
    new_figure,
    patch,
    plain,
    rows_shown,
    styled,
)
from bayesmix.drawing.view import POINTS
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.responsibilities import Fit
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.outliers import LISTED_OUTLIERS, outliers_of
from bayesmix.rows.regions import CONTENTS, Regions, regions_at
from bayesmix.rows.tails import Tails

KNOWN = (0.05, 0.95)
"""Between these shares of the draws a point lies in the band of a region's boundary."""
SHELLS = ("#08306b", "#4292c6", "#9ecae1", "#dbe4ee")
"""Regions from the innermost outwards."""
FINE = 110
NAMED_OUTLIERS = 4
MOST_PAIR_COLUMNS = 6


def density(fit: Fit) -> Figure:
    """The density of a fit, its highest-density regions with bands, and its least dense rows.

    One column: the density with its band, below it the regions that hold 50, 90 and 95% of the rows; dark where all
    draws agree. Two: density contours, the boundaries of the regions and, shaded, where draws put them. More: the rows
    of every pair of columns by the region that they lie in.

    Parameters
    ----------
    fit : DataTree or EMFit
        Of measurements, or of counts in one column.

    Raises
    ------
    ValueError
        Where rows have laws of their own, by covariates, or are counts or answers in several columns.
    """
    fitted = Fitted.of(fit)
    return density_of(fitted, outliers_of(fitted, min(LISTED_OUTLIERS, len(fitted.likelihood.data))))


def has_density(likelihood: Likelihood) -> bool:
    """Whether there is one density to be drawn."""
    return likelihood.alike and (not likelihood.family.counts or likelihood.data.n_features == 1)


@styled
def density_of(fitted: Fitted, out: pd.DataFrame) -> Figure:
    """:func:`density` of a fit that was read, with its outliers."""
    likelihood = fitted.likelihood
    if not has_density(likelihood):
        raise ValueError(
            f"fit: {likelihood.name} rows with covariates, or counts in several columns, have no one density to draw; "
            "see bayesmix.plots.outliers"
        )
    d = likelihood.data.n_features
    return (_line if d == 1 else _plane if d == 2 else _pairs)(fitted, out)


def _line(fitted: Fitted, out: pd.DataFrame) -> Figure:
    """Density above, regions below."""
    data = fitted.likelihood.data
    counts = fitted.likelihood.family.counts
    x = data.x[:, 0]
    low, high = np.nanmin(x), np.nanmax(x)
    margin = 0.08 * (high - low)
    at = shown_counts(data).astype(float) if counts else np.linspace(low - margin, high + margin, 600)
    regions = regions_at(fitted, at[:, None])
    fig = new_figure(8, 4.4)
    top, below = fig.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    if counts:
        top.bar(at, observed(data, shown_counts(data)) / data.row_weights.sum(), color=FAINT, width=0.8)
        top.vlines(at, regions.lower, regions.upper, color=colour(0), linewidth=3, alpha=0.5)
        top.plot(at, regions.density, "o", color=INK, markersize=4, gid="density")
        count_axis(below, data)
    else:
        histogram(top, data, 0)
        top.fill_between(at, regions.lower, regions.upper, color=colour(0), alpha=0.3, linewidth=0, gid="band")
        top.plot(at, regions.density, color=INK, linewidth=1.4, gid="density")
        below.set_xlabel(plain(data.feature_names[0]))
    marked = x[_positions(fitted, out)]
    top.plot(marked, np.zeros(len(marked)), "v", color=ALARM, markersize=5, clip_on=False, zorder=5, gid="outliers")
    top.set(ylabel="share of the rows" if counts else "density", ylim=(0, None))
    _strips(below, at, regions, step=1.0 if counts else at[1] - at[0])
    entries: list[Artist] = [patch("the rows", color=FAINT), line("posterior mean", color=INK)]
    entries += [] if fitted.point else [patch(f"{LEVEL:.0%} band", color=colour(0), alpha=0.3)]
    entries += [
        line(f"the {len(out)} least dense rows", color="none", marker="v", markerfacecolor=ALARM, markeredgecolor=ALARM)
    ]
    legend_above(fig, entries)
    return fig


def _strips(ax: Axes, at: np.ndarray, regions: Regions, *, step: float) -> None:
    """A bar for every region: dark where all draws have it, light where some do."""
    edges = np.append(at - step / 2, at[-1] + step / 2)
    for row, (content, inside) in enumerate(zip(CONTENTS, regions.inclusion, strict=True)):
        shades = np.where(inside >= KNOWN[1], 1.0, np.where(inside > KNOWN[0], 0.35, 0.0))
        for a, b in _runs(shades):
            ax.broken_barh(
                [(edges[a], edges[b] - edges[a])],
                (row - 0.36, 0.72),
                color=SHELLS[row],
                alpha=shades[a],
                linewidth=0,
                gid=f"region {content}",
            )
    ax.set_yticks(range(len(CONTENTS)), [f"{c:.0%}" for c in CONTENTS])
    ax.set_ylim(len(CONTENTS) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_title("highest-density regions; light: some draws only", fontsize=8, color=MUTED)


def _runs(shades: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end of every stretch of one shade above 0."""
    cuts = np.flatnonzero(np.diff(shades)) + 1
    ends = np.r_[0, cuts, len(shades)]
    return [(int(a), int(b)) for a, b in pairwise(ends) if shades[a] > 0]


def _mesh(x: np.ndarray) -> list[np.ndarray]:
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    return list(np.meshgrid(*[np.linspace(a, b, FINE) for a, b in zip(low, high, strict=True)]))


def _plane(fitted: Fitted, out: pd.DataFrame) -> Figure:
    """The density as a surface; contours, regions and rows beside it."""
    data = fitted.likelihood.data
    mesh = _mesh(data.x)
    regions = regions_at(fitted, np.column_stack([m.ravel() for m in mesh]))
    shape = mesh[0].shape
    fig = new_figure(10, 4.8)
    left = fig.add_subplot(1, 2, 1, projection="3d")
    right = fig.add_subplot(1, 2, 2)
    left.plot_surface(
        *mesh, regions.density.reshape(shape), cmap="Blues", linewidth=0, antialiased=True, rcount=FINE, ccount=FINE
    )
    _regions(right, mesh, regions)
    rows = rows_shown(len(data), POINTS)
    right.scatter(
        data.x[rows, 0],
        data.x[rows, 1],
        s=7,
        color=INK,
        alpha=0.35,
        linewidths=0,
        rasterized=len(rows) > 1000,
        gid="rows",
    )
    _mark(right, fitted, out, (0, 1))
    left.set_zlabel("density")
    names = [plain(name) for name in data.feature_names]
    for ax in (left, right):
        ax.set(xlabel=names[0], ylabel=names[1])
    legend_above(fig, _region_entries(fitted, out))
    return fig


def _regions(ax: Axes, mesh: list[np.ndarray], regions: Regions) -> None:
    """Boundaries of the regions of the mean density, over bands in which draws have theirs."""
    shape = mesh[0].shape
    for row, level in enumerate(regions.levels):
        inside = regions.inclusion[row].reshape(shape)
        if ((inside > KNOWN[0]) & (inside < KNOWN[1])).any():
            ax.contourf(*mesh, inside, levels=list(KNOWN), colors=[SHELLS[row]], alpha=0.35)
        ax.contour(*mesh, regions.density.reshape(shape), levels=[level], colors=[SHELLS[row]], linewidths=1.4)


def _region_entries(fitted: Fitted, out: pd.DataFrame) -> list[Artist]:
    entries: list[Artist] = [line(f"{c:.0%} region", color=SHELLS[k]) for k, c in enumerate(CONTENTS)]
    if not fitted.point:
        entries.append(patch(f"where {LEVEL:.0%} of draws have its boundary", color=SHELLS[1], alpha=0.35))
    return [*entries, _outlier_entry(out)]


def _outlier_entry(out: pd.DataFrame) -> Artist:
    ring = {"marker": "o", "color": "none", "markerfacecolor": "none", "markeredgecolor": ALARM}
    return line(f"the {len(out)} least dense rows", **ring)


def _positions(fitted: Fitted, out: pd.DataFrame) -> np.ndarray:
    """Numbers of the rows that a table of outliers names."""
    number = {name: i for i, name in enumerate(fitted.likelihood.data.obs_names)}
    return np.array([number[str(name)] for name in out.index], dtype=int)


def _mark(ax: Axes, fitted: Fitted, out: pd.DataFrame, pair: tuple[int, int], *, named: bool = True) -> None:
    """Rings around the least dense rows, and the names of the first."""
    at = fitted.likelihood.data.x[_positions(fitted, out)][:, list(pair)]
    ax.scatter(at[:, 0], at[:, 1], s=34, facecolors="none", edgecolors=ALARM, linewidths=1.2, zorder=4, gid="outliers")
    for k, (name, (a, b)) in enumerate(zip(out.index[:NAMED_OUTLIERS] if named else [], at, strict=False)):
        where = (5, 4) if k % 2 == 0 else (5, -10)
        ax.annotate(plain(name, limit=14), (a, b), xytext=where, textcoords="offset points", fontsize=7.5, color=ALARM)


def _pairs(fitted: Fitted, out: pd.DataFrame) -> Figure:
    """Rows of every pair of columns by the region that holds them."""
    data = fitted.likelihood.data
    rows = rows_shown(len(data), POINTS)
    shown = fitted.over(data.take(rows))
    shell = np.searchsorted([1 - c for c in CONTENTS[::-1]], Tails(fitted).means(shown), side="right")
    shell = len(CONTENTS) - shell
    d = min(data.n_features, MOST_PAIR_COLUMNS)
    fig = new_figure(min(9.0, 1.6 + 1.9 * d), min(8.6, 1.2 + 1.75 * d))
    axes = fig.subplots(d - 1, d - 1, sharex="col", sharey="row", squeeze=False)
    for j, i in combinations(range(d), 2):
        ax = axes[i - 1, j]
        for k in range(len(CONTENTS) + 1):
            mine = data.x[rows][shell == k]
            ax.scatter(
                mine[:, j], mine[:, i], s=8, color=(*SHELLS[:3], ALARM)[k], alpha=0.8, linewidths=0, gid=f"shell {k}"
            )
        _mark(ax, fitted, out, (j, i), named=False)
        ax.locator_params(nbins=4)
        if i == d - 1:
            ax.set_xlabel(plain(data.feature_names[j], limit=16))
        if j == 0:
            ax.set_ylabel(plain(data.feature_names[i], limit=16))
    for i, j in combinations(range(d - 1), 2):
        axes[i, j].remove()
    fig.legend(handles=_shell_entries(data.n_features, out), loc="upper right", bbox_to_anchor=(0.99, 0.985))
    return fig


def _shell_entries(d: int, out: pd.DataFrame) -> list[Artist]:
    dot = {"color": "none", "marker": "o", "markeredgecolor": "none"}
    entries: list[Artist] = [
        line(f"row in the {c:.0%} region", markerfacecolor=SHELLS[k], **dot) for k, c in enumerate(CONTENTS)
    ]
    entries.append(line(f"outside the {CONTENTS[-1]:.0%} region", markerfacecolor=ALARM, **dot))
    entries.append(_outlier_entry(out))
    return entries + (
        [line(f"first {MOST_PAIR_COLUMNS} of {d} columns", color="none")] if d > MOST_PAIR_COLUMNS else []
    )
