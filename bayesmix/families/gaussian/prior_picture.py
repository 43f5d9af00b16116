"""What the prior expects of measurements, beside them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.histogram import bin_edges
from bayesmix.drawing.style import DATA, INK, colour, legend_above, line, new_figure, patch, plain
from bayesmix.families.gaussian.panels import component_densities
from bayesmix.inputs.data import Data
from bayesmix.parts.part import Params

MOST_PANELS = 4
CURVES = 40
WIDEST = 3.0
"""The axis of a measurement shows so many ranges of the data on either side at most."""
MIDDLE = (0.05, 0.95)
HEADROOM = 2.0
"""Densities are shown up to so many times the highest bar of the data."""


def measurements(data: Data, params: Params, new: np.ndarray) -> Figure:
    """Densities of prior draws, and their mean, over the histogram of each of up to 4 features."""
    names = data.feature_names[:MOST_PANELS]
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    fig = new_figure(4.2 * columns if columns > 1 else 7, 2.7 * rows + 0.5)
    axes = np.ravel(fig.subplots(rows, columns, squeeze=False))
    for j, name in enumerate(names):
        _densities(axes[j], data, params, new, j)
        axes[j].set(xlabel=plain(name), ylabel="density", yticks=[])
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    entries = [
        patch("the data", color=DATA),
        line("one draw from the prior", color=colour(0), linewidth=0.8, alpha=0.6),
        line("mean of the prior's draws", color=INK, linewidth=1.6),
    ]
    legend_above(fig, entries)
    return fig


def _densities(ax: Axes, data: Data, params: Params, new: np.ndarray, j: int) -> None:
    """Densities of feature j under draws from the prior, over the histogram of the data."""
    x = data.x[:, j]
    span, (low, high) = np.ptp(x), np.quantile(new[:, :, j], MIDDLE)
    low = max(min(low, x.min()), x.min() - WIDEST * span) - 0.05 * span
    high = min(max(high, x.max()), x.max() + WIDEST * span) + 0.05 * span
    grid = np.linspace(low, high, 500)
    bars, *_ = ax.hist(x, list(bin_edges(x)), density=True, color=DATA, edgecolor="white", linewidth=0.4, gid="data")
    densities = component_densities(grid, params, j).sum(axis=-1)
    for curve in densities[:CURVES]:
        ax.plot(grid, curve, color=colour(0), linewidth=0.6, alpha=0.3, gid="prior draw")
    ax.plot(grid, densities.mean(axis=0), color=INK, linewidth=1.6, gid="prior mean")
    ax.set(xlim=(low, high), ylim=(0, HEADROOM * np.max(bars)))
