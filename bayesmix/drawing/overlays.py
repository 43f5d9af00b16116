"""Replicated measurements over the observed ones: histograms, and differences of distribution functions."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bayesmix.drawing.histogram import bin_edges
from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.style import INK, colour, line, patch, plain
from bayesmix.inputs.data import Data, evenly
from bayesmix.parts.gaps import seen

BANDS = {LEVEL: 0.22, 0.5: 0.35}
"""Share of replicates between the ends of a band, and its shade."""


def overlay(ax: Axes, data: Data, new: np.ndarray, j: int) -> None:
    """The histogram of the observed rows over what the replicated ones (S, n, d) expect of each bin: 50 and 90%."""
    data, there = seen(data, j)
    x, simulated = data.x[:, j], new[:, there, j]
    low, high = np.quantile(simulated, [0.002, 0.998])
    width = np.diff(bin_edges(x, most=40))[0]
    first = x.min() - width * max(0, np.ceil((x.min() - low) / width))
    edges = np.arange(first, max(high, x.max()) + width, width)
    heights = [_heights(row, data, edges) for row in simulated]
    for share, shade in BANDS.items():
        lower, upper = np.quantile(heights, [(1 - share) / 2, (1 + share) / 2], axis=0)
        ax.stairs(upper, edges, baseline=lower, fill=True, color=colour(0), alpha=shade, gid=f"band {share}")
    ax.stairs(_heights(x, data, edges), edges, color=INK, linewidth=1.6, gid="observed")
    ax.set_xlabel(plain(data.feature_names[j]))
    ax.set_xlim(edges[0], edges[-1])


def _heights(x: np.ndarray, data: Data, edges: np.ndarray) -> np.ndarray:
    """Density of weighted rows per bin, of all rows: those beyond the edges count too."""
    mass = np.histogram(x, edges, weights=data.row_weights)[0]
    return np.asarray(mass / data.row_weights.sum() / np.diff(edges))


def distribution(ax: Axes, x: np.ndarray, new: np.ndarray) -> None:
    """The replicates' distribution functions minus the observed one at the observed rows: median and 90% band."""
    x, new = x[~np.isnan(x)], new[:, ~np.isnan(x)]
    at = np.sort(x)[evenly(len(x), 400)]
    observed = np.searchsorted(np.sort(x), at, side="right")
    replicated = np.stack([np.searchsorted(np.sort(row), at, side="right") for row in new])
    lower, middle, upper = np.quantile((replicated - observed) / len(x), [TAILS[0], 0.5, TAILS[1]], axis=0)
    ax.fill_between(at, lower, upper, color=colour(0), alpha=0.3, linewidth=0, gid="band")
    ax.plot(at, middle, color=colour(0), linewidth=1, gid="median")
    ax.axhline(0, color=INK, linewidth=1.2)
    ax.set_ylabel("share of rows up to $x$")
    ax.set_title(f"Replicated minus observed,\n{LEVEL:.0%} band", fontsize=9)


def overlay_entries(n: int) -> list[Artist]:
    """The legend of the overlaid histograms."""
    return [
        line("observed", color=INK, linewidth=1.6),
        *(
            patch(f"{share:.0%} of {n} data sets from the posterior predictive", color=colour(0), alpha=shown)
            for share, shown in ((0.5, 0.5), (LEVEL, 0.22))
        ),
    ]
