"""Missing cells as the fit would have them, over the rows that are there."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.style import MUTED, colour, legend_above, line, new_figure, panels_abreast, plain, styled
from bayesmix.inputs.data import Data, evenly
from bayesmix.posterior.predict import Fit, bound
from bayesmix.rows.impute import impute

MOST_GAPPY = 4
"""Columns with a panel of their own."""
MOST_INTERVALS = 150
"""Missing cells of a column that are drawn."""
FEWEST_PAIRS = 3
"""So many rows must have two columns for one to be drawn against the other."""


@styled
def imputed(fit: Fit, *, data: Data | None = None) -> Figure:
    """Posterior medians and 90% intervals of missing cells over the observed rows.

    One panel for each of the up to four columns with most gaps, against the column that it is most correlated with.
    Cells whose other column is missing too stand at the left edge. Of answers, 0 or 1, the probability of a 1.

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior, or a point estimate.
    data : Data, optional
        New rows; by default those of the fit.
    """
    rows = bound(fit, data)[0].data
    cells = impute(fit, data=data)
    gaps = np.isnan(rows.x).sum(axis=0)
    shown = [int(j) for j in np.argsort(-gaps, kind="stable")[:MOST_GAPPY] if gaps[j]]
    columns = min(len(shown), 2)
    panels = -(-len(shown) // columns)
    fig = new_figure(4.3 * columns if columns > 1 else 6.2, 3.2 * panels + 0.4)
    answers = bool(np.isin(rows.x[~np.isnan(rows.x)], (0, 1)).all())
    for ax, j in zip(panels_abreast(fig, len(shown), columns), shown, strict=True):
        (_probabilities if answers else _intervals)(ax, rows, cells, j)
    mark = line("missing cell: probability of 1", color=colour(0), marker="o", markersize=4, linestyle="none")
    interval = line(f"missing cell: median and {LEVEL:.0%} interval", color=colour(0), marker="o", markersize=4)
    observed = line("observed rows", color=MUTED, marker="o", markersize=4, linestyle="none", alpha=0.6)
    legend_above(fig, [mark] if answers else [observed, interval])
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


def _probabilities(ax: Axes, rows: Data, cells: xr.DataArray, j: int) -> None:
    of_j = cells.to_numpy()[:, cells["feature"].to_numpy() == rows.feature_names[j]]
    share = np.sort(of_j.mean(axis=0))
    ax.plot(np.arange(1, len(share) + 1), share, "o", color=colour(0), markersize=4, gid="probabilities")
    ax.axhline(float(np.nanmean(rows.x[:, j])), color=MUTED, linewidth=1, gid="observed share")
    ax.set(xlabel="missing cells, sorted", ylabel=f"P({plain(rows.feature_names[j])} = 1)", ylim=(-0.03, 1.03))
    ax.set_title(f"{len(share)} cells missing; line: share of the observed", fontsize=9)
