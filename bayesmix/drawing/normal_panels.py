"""Panels of normal components that several figures share: one feature's density, two features' ellipses."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.stats import chi2, norm

from bayesmix.drawing.histogram import EM_LINE, bin_edges, histogram
from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.style import (
    DATA,
    INK,
    Style,
    blend,
    colour,
    legend_above,
    line,
    new_figure,
    panels_abreast,
    patch,
    plain,
)
from bayesmix.drawing.view import View
from bayesmix.inputs.data import Data
from bayesmix.parts.gaps import seen
from bayesmix.parts.normal import MEANS, SIGMA
from bayesmix.parts.part import Params
from bayesmix.parts.weights import WEIGHTS

MOST_PANELS = 4
CURVES = 40
WIDEST = 3.0
"""The axis of a measurement shows so many ranges of the data on either side at most."""
MIDDLE = (0.05, 0.95)
HEADROOM = 2.0
"""Densities are shown up to so many times the highest bar of the data."""
REGIONS = (0.95, 0.8, 0.6, 0.4, 0.2)
REGION_SHADES = ("#f5f5f5", "#eeeeee", "#e6e6e6", "#dedede", "#d5d5d5")


def component_densities(x: np.ndarray, params: Params, j: int) -> np.ndarray:
    """w_k N(x | mu_kj, Sigma_kjj) at x (G,): shape (..., G, K)."""
    sd = np.sqrt(params[SIGMA.name][..., j, j])[..., None, :]
    return params[WEIGHTS][..., None, :] * norm.pdf(x[:, None], params[MEANS.name][..., j][..., None, :], sd)


def density_grid(view: View, j: int, *, points: int = 300) -> np.ndarray:
    """Where a marginal density is drawn: over the data with a margin, finer around the components."""
    x = seen(view.likelihood.data, j)[0].x[:, j]
    margin = 0.1 * np.ptp(x)
    low, high = x.min() - margin, x.max() + margin
    centre = view.params[MEANS.name][..., j].mean(axis=0)
    sd = np.sqrt(view.params[SIGMA.name][..., j, j]).mean(axis=0)
    near = (centre[:, None] + sd[:, None] * np.linspace(-4, 4, 81)).ravel()
    return np.unique(np.r_[np.linspace(low, high, points), near[(near > low) & (near < high)]])


def density(ax: Axes, view: View, j: int, *, band: bool = True) -> None:
    """Histogram, posterior mean density with its band, weighted components, and the point estimate's density."""
    grid = density_grid(view, j)
    by_component = component_densities(grid, view.params, j)
    mixture = by_component.sum(axis=-1)
    histogram(ax, view.likelihood.data, j)
    for k, curve in enumerate(by_component.mean(axis=0).T):
        ax.fill_between(grid, curve, color=colour(k), alpha=0.25, linewidth=0)
        ax.plot(grid, curve, color=colour(k), linewidth=1.4, gid=f"component {k}")
    if band:
        lower, upper = np.quantile(mixture, TAILS, axis=0)
        ax.fill_between(grid, lower, upper, color=INK, alpha=0.25, linewidth=0, gid="band")
    ax.plot(grid, mixture.mean(axis=0), color=INK, linewidth=1.3, gid="mixture")
    if view.em is not None:
        ax.plot(grid, component_densities(grid, view.em, j).sum(axis=-1), **EM_LINE, gid="em")
    ax.set_xlim(grid[0], grid[-1])
    ax.set_ylim(bottom=0)


def ellipses(params: Params, pair: tuple[int, int]) -> np.ndarray:
    """Outlines of the ellipses that hold ``LEVEL`` of each component in two features, (..., K, 65, 2)."""
    angle = np.linspace(0, 2 * np.pi, 65)
    circle = np.sqrt(chi2.ppf(LEVEL, 2)) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    index = list(pair)
    C = np.linalg.cholesky(params[SIGMA.name][..., index, :][..., index])
    return params[MEANS.name][..., None, index] + np.einsum("...ij,tj->...ti", C, circle)


def plane(ax: Axes, view: View, pair: tuple[int, int], *, draws: int = 30, size: float = 14.0) -> None:
    """Two features: rows coloured by responsibility, ellipses of posterior draws, the point estimate's on top."""
    i, j = pair
    x = view.likelihood.data.x[view.rows]
    size = size if len(x) < 1500 else size / 3
    colours = blend(view.responsibilities)
    ax.scatter(x[:, i], x[:, j], s=size, c=colours, alpha=0.75, linewidths=0, rasterized=len(x) > 1000, gid="rows")
    outlines = ellipses(view.some(draws), pair)
    for k in range(outlines.shape[1]):
        style: Style = {"colors": colour(k), "linewidths": 0.8, "alpha": 0.35, "gid": f"component {k}"}
        ax.add_collection(LineCollection(list(outlines[:, k]), **style))
    centre = view.params[MEANS.name].mean(axis=0)
    for k, (a, b) in enumerate(centre[:, [i, j]]):
        ax.plot(a, b, "o", color=colour(k), markeredgecolor="white", markersize=5.5, gid=f"mean {k}")
    if view.em is not None:
        ax.add_collection(LineCollection(list(ellipses(view.em, pair)), **_plural(EM_LINE), gid="em"))
        ax.plot(
            *view.em[MEANS.name][:, [i, j]].T, "x", color="black", markersize=5, markeredgewidth=1.3, gid="em means"
        )
    labelled = view.likelihood.data.labelled[view.rows]
    if 0 < labelled.sum() < len(x):
        ax.scatter(
            x[labelled, i], x[labelled, j], s=2.2 * size, c=colours[labelled], edgecolors="black", linewidths=0.7
        )
    ax.margins(0.06)


def contours(ax: Axes, view: View, *, points: int = 90) -> None:
    """Highest-density regions of the posterior mean density of two features, as shades."""
    lowest, highest = np.nanmin(view.likelihood.data.x, axis=0), np.nanmax(view.likelihood.data.x, axis=0)
    margin = 0.08 * (highest - lowest)
    axes = [np.linspace(a, b, points) for a, b in zip(lowest - margin, highest + margin, strict=True)]
    mesh = np.meshgrid(*axes)
    at = view.likelihood.rebind(Data(np.column_stack([m.ravel() for m in mesh])))
    values = np.exp(at.log_joint(view.some(40))).sum(axis=-1).mean(axis=0)
    ordered = np.sort(values)[::-1]
    mass = ordered.cumsum() / ordered.sum()
    levels = np.unique([ordered[np.searchsorted(mass, p)] for p in REGIONS])
    shades = REGION_SHADES[: len(levels)]
    ax.contourf(*mesh, values.reshape(mesh[0].shape), levels=[*levels, np.inf], colors=shades, zorder=0.5)


def _plural(style: Style) -> Style:
    """A line's style as collections spell it."""
    return {f"{name}s" if name != "color" else "colors": value for name, value in style.items()}


def measurements(data: Data, params: Params, new: np.ndarray) -> Figure:
    """Densities of prior draws, and their mean, over the histogram of each of up to 4 features."""
    names = data.feature_names[:MOST_PANELS]
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    fig = new_figure(4.2 * columns if columns > 1 else 7, 2.7 * rows + 0.5)
    for j, ax in enumerate(panels_abreast(fig, len(names), columns)):
        _densities(ax, data, params, new, j)
        ax.set(xlabel=plain(names[j]), ylabel="density", yticks=[])
    entries = [
        patch("the data", color=DATA),
        line("one draw from the prior", color=colour(0), linewidth=0.8, alpha=0.6),
        line("mean of the prior's draws", color=INK, linewidth=1.6),
    ]
    legend_above(fig, entries)
    return fig


def _densities(ax: Axes, data: Data, params: Params, new: np.ndarray, j: int) -> None:
    """Densities of feature j under draws from the prior, over the histogram of the data."""
    x = seen(data, j)[0].x[:, j]
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
