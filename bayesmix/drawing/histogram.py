"""Histograms of measurements, and the legend entries of what is drawn over them."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from bayesmix.drawing.style import FAINT, Style, line
from bayesmix.drawing.view import View
from bayesmix.inputs.data import Data
from bayesmix.parts.gaps import seen

EM_LINE: Style = {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 1.3}


def bin_edges(x: np.ndarray, *, most: int = 80) -> np.ndarray:
    """Edges of a histogram of x (n,), 5 to ``most`` bins: finer than NumPy's rule, which smooths over modes."""
    edges = np.histogram_bin_edges(x, "auto")
    n = int(np.clip(max(1.6 * (len(edges) - 1), 3 * np.cbrt(len(x))), 5, most))
    return np.linspace(edges[0], edges[-1], n + 1)


def histogram(ax: Axes, data: Data, j: int) -> None:
    """Density histogram of a feature, rows by their weights."""
    data, _ = seen(data, j)
    x = data.x[:, j]
    ax.hist(
        x, list(bin_edges(x)), weights=data.row_weights, density=True, color=FAINT, edgecolor="white", linewidth=0.4
    )


def em_entries(view: View, label: str) -> list[Artist]:
    """The legend entry of the point estimate, where there is one."""
    return [] if view.em is None else [line(label, **EM_LINE)]


def labelled_entries(data: Data) -> list[Artist]:
    """The legend entry of labelled rows, where only some carry a label."""
    if not 0 < data.labelled.sum() < len(data):
        return []
    marker = {"marker": "o", "color": "none", "markerfacecolor": FAINT, "markeredgecolor": "black", "markersize": 6}
    return [line("labelled row", **marker)]
