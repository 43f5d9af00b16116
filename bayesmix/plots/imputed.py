"""Missing cells as the fit would have them, over the rows that are there."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.style import MUTED, colour, legend_above, line, new_figure, panels_abreast, plain, styled
from bayesmix.inputs.data import Data, evenly
from bayesmix.posterior.responsibilities import Fit
from bayesmix.rows.impute import IMPUTED_DRAWS, drawn_cells

MOST_GAPPY = 4
"""Columns with a panel of their own."""
MOST_INTERVALS = 150
"""Missing cells of a column that are drawn."""
UPRIGHT = 40
"""Names of answers under a panel are turned where they have more letters than this in all."""
FEWEST_PAIRS = 3
"""So many rows must have two columns for one to be drawn against the other."""


@styled
def imputed(fit: Fit, *, data: Data | None = None) -> Figure:
    """Posterior medians and 90% intervals of missing cells over the observed rows.

    One panel for each of the up to four columns with most gaps, against the column that it is most correlated with.
    Cells whose other column is missing too stand at the left edge. Of cells that are 0 or 1, the probability of a 1; of
    answers in words, how often each is expected among the missing cells.

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior, or a point estimate.
    data : Data, optional
        New rows; by default those of the fit.
    """
    likelihood, cells = drawn_cells(fit, draws=IMPUTED_DRAWS, data=data, seed=1)
    rows = likelihood.data
    gaps = np.isnan(rows.x).sum(axis=0)
    shown = [int(j) for j in np.argsort(-gaps, kind="stable")[:MOST_GAPPY] if gaps[j]]
    columns = min(len(shown), 2)
    panels = -(-len(shown) // columns)
    fig = new_figure(4.3 * columns if columns > 1 else 6.2, 3.2 * panels + 0.4)
    words, bits = any(rows.levels), bool(np.isin(rows.x[~np.isnan(rows.x)], (0, 1)).all())
    panel = _shares if words else _probabilities if bits else _intervals
    for ax, j in zip(panels_abreast(fig, len(shown), columns), shown, strict=True):
        panel(ax, rows, cells, j)
    mark = line("missing cell: probability of 1", color=colour(0), marker="o", markersize=4, linestyle="none")
    interval = line(f"missing cell: median and {LEVEL:.0%} interval", color=colour(0), marker="o", markersize=4)
    observed = line("observed rows", color=MUTED, marker="o", markersize=4, linestyle="none", alpha=0.6)
    share = line(f"missing cells: expected share, {LEVEL:.0%} interval", color=colour(0), marker="o", markersize=4)
    given = line("observed cells: share", color=MUTED, marker="_", markersize=12, linestyle="none")
    legend_above(fig, [given, share] if words else [mark] if bits else [observed, interval])
    return fig


def _partner(rows: Data, j: int) -> int | None:
    """The column with the largest absolute correlation with column j over the rows that have both."""
    best: tuple[float, int | None] = (-1.0, None)
    for m in range(rows.n_features):
        both = rows.x[~np.isnan(rows.x[:, [j, m]]).any(axis=1)][:, [j, m]]
        if m != j and len(both) >= FEWEST_PAIRS and (np.ptp(both, axis=0) > 0).all():
            best = max(best, (abs(float(np.corrcoef(both.T)[0, 1])), m))
    return best[1]


def _intervals(ax: Axes, rows: Data, cells: xr.DataArray, j: int) -> None:
    partner = _partner(rows, j)
    at, of_j = np.isnan(rows.x[:, j]), cells.to_numpy()[:, cells["feature"].to_numpy() == rows.feature_names[j]]
    x = np.full(len(rows), np.nan) if partner is None else rows.x[:, partner]
    ax.plot(x[~at], rows.x[~at, j], "o", color=MUTED, alpha=0.5, markersize=3.2, markeredgewidth=0, gid="observed")
    some = evenly(int(at.sum()), MOST_INTERVALS)
    lower, middle, upper = np.quantile(of_j[:, some], [TAILS[0], 0.5, TAILS[1]], axis=0)
    there = x[at][some]
    span = (np.nanmin(x), np.nanmax(x)) if np.isfinite(x).any() else (0.0, 1.0)
    edge = span[0] - 0.06 * (span[1] - span[0])
    there = np.where(np.isnan(there), edge, there)
    ax.vlines(there, lower, upper, color=colour(0), linewidth=1.1, alpha=0.55, gid="intervals")
    ax.plot(there, middle, "o", color=colour(0), markersize=3.8, markeredgecolor="white", markeredgewidth=0.4)
    ax.set(xlabel="" if partner is None else plain(rows.feature_names[partner]), ylabel=plain(rows.feature_names[j]))
    left = f", {len(some)} shown" if len(some) < at.sum() else ""
    ax.set_title(f"{int(at.sum())} cells missing{left}", fontsize=9)


def _shares(ax: Axes, rows: Data, cells: xr.DataArray, j: int) -> None:
    of_j, levels = cells.to_numpy()[:, cells["feature"].to_numpy() == rows.feature_names[j]], rows.levels[j]
    at = np.arange(len(levels))
    there = rows.x[~np.isnan(rows.x[:, j]), j]
    ax.plot(at, [(there == level).mean() for level in at], "_", color=MUTED, markersize=18, gid="observed")
    drawn = np.stack([(of_j == level).mean(axis=1) for level in at])
    lower, upper = np.quantile(drawn, TAILS, axis=1)
    ax.vlines(at, lower, upper, color=colour(0), linewidth=1.6, alpha=0.55, gid="intervals")
    ax.plot(at, drawn.mean(axis=1), "o", color=colour(0), markersize=4.5, gid="shares")
    names = [plain(level, limit=14) for level in levels]
    ax.set_xticks(at, names, rotation=0 if sum(map(len, names)) < UPRIGHT else 20)
    ax.set(xlim=(-0.6, len(levels) - 0.4), ylabel=f"share, {plain(rows.feature_names[j])}")
    ax.set_ylim(bottom=0)
    ax.set_title(f"{of_j.shape[1]} cells missing", fontsize=9)


def _probabilities(ax: Axes, rows: Data, cells: xr.DataArray, j: int) -> None:
    of_j = cells.to_numpy()[:, cells["feature"].to_numpy() == rows.feature_names[j]]
    share = np.sort(of_j.mean(axis=0))
    ax.plot(np.arange(1, len(share) + 1), share, "o", color=colour(0), markersize=4, gid="probabilities")
    ax.axhline(float(np.nanmean(rows.x[:, j])), color=MUTED, linewidth=1, gid="observed share")
    ax.set(xlabel="missing cells, sorted", ylabel=f"P({plain(rows.feature_names[j])} = 1)", ylim=(-0.03, 1.03))
    ax.set_title(f"{len(share)} cells missing; line: share of the observed", fontsize=9)
