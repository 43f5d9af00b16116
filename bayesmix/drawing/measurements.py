"""Pictures of normal components: one feature, two, or more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, combinations_with_replacement

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import softmax

from bayesmix.drawing import histogram as histograms
from bayesmix.drawing import normal_panels as panels
from bayesmix.drawing import overlays
from bayesmix.drawing.level import LEVEL
from bayesmix.drawing.picture import Picture
from bayesmix.drawing.style import (
    FAINT,
    INK,
    MUTED,
    Style,
    bare,
    blend,
    colour,
    component_entries,
    legend_above,
    line,
    new_figure,
    one_panel,
    panels_abreast,
    patch,
    plain,
    rows_shown,
)
from bayesmix.drawing.view import POINTS, View
from bayesmix.inputs.data import Data
from bayesmix.parts.gaps import seen
from bayesmix.parts.normal import MEANS
from bayesmix.parts.part import Params

MOST_FEATURES = 6
RUG_ROWS = 400


class Measurements(Picture):
    """What one feature, two and more have in common."""

    def prior(self, data: Data, params: Params, new: np.ndarray) -> Figure:
        """Densities of prior draws over the histograms."""
        return panels.measurements(data, params, new)


class OneFeature(Measurements):
    """A histogram, and densities over it."""

    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """Histogram; labelled rows stacked in it by class, and as ticks below it where they are few."""
        data, _ = seen(data, 0)
        fig, ax = one_panel(8, 3.4)
        x, likely = data.x[:, 0], _likely(data, components)
        groups = [likely < 0, *(likely == k for k in range(len(components)))]
        colours = [FAINT if data.labelled.any() else "#b8b8b8", *(colour(k) for k in range(len(components)))]
        weights = [data.row_weights[g] for g in groups]
        edges = histograms.bin_edges(x)
        style: Style = {"stacked": True, "color": colours, "edgecolor": "white", "linewidth": 0.4}
        ax.hist([x[g] for g in groups], list(edges), weights=weights, **style)
        _rug(ax, data, likely)
        ax.set(xlabel=plain(data.feature_names[0]), ylabel="rows" if not data.weighted else "row weights")
        legend_above(fig, _class_entries(data, components))
        return fig

    def components(self, view: View) -> Figure:
        """Histogram, posterior mean density with its band, weighted components, EM dashed."""
        fig, ax = one_panel(8, 4)
        panels.density(ax, view, 0)
        _rug(ax, view.likelihood.data, _likely(view.likelihood.data, view.likelihood.components))
        ax.set(xlabel=plain(view.likelihood.data.feature_names[0]), ylabel="density")
        legend_above(fig, _density_entries(view))
        return fig

    def small(self, ax: Axes, view: View) -> None:
        """The densities alone."""
        panels.density(ax, view, 0, band=False)
        bare(ax)

    def predictive(self, data: Data, replicates: np.ndarray) -> Figure:
        """Histograms of replicated data over the observed one; beside it, distribution functions."""
        fig = new_figure(8, 3.6)
        left, right = fig.subplots(1, 2, width_ratios=[1.7, 1])
        overlays.overlay(left, data, replicates, 0)
        left.set_ylabel("density")
        overlays.distribution(right, data.x[:, 0], replicates[:, :, 0])
        right.set_xlabel(plain(data.feature_names[0]))
        legend_above(fig, overlays.overlay_entries(len(replicates)))
        return fig


class TwoFeatures(Measurements):
    """A scatter plot, and ellipses over it."""

    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """Scatter plot; labelled rows in their class's colour."""
        fig, ax = one_panel(7, 4.8)
        _points(ax, data, components, (0, 1), size=18)
        ax.set(xlabel=plain(data.feature_names[0]), ylabel=plain(data.feature_names[1]))
        legend_above(fig, _class_entries(data, components))
        return fig

    def components(self, view: View) -> Figure:
        """Rows coloured by responsibility, ellipses of posterior draws, the point estimate, density contours."""
        fig, ax = one_panel(7.6, 5.2)
        panels.contours(ax, view)
        panels.plane(ax, view, (0, 1), size=20)
        names = view.likelihood.data.feature_names
        ax.set(xlabel=plain(names[0]), ylabel=plain(names[1]))
        contour = patch("highest-density regions, 20% to 95%", color=panels.REGION_SHADES[-1])
        legend_above(fig, [*_ellipse_entries(view, 30), contour], columns=3)
        return fig

    def small(self, ax: Axes, view: View) -> None:
        """Rows and a few ellipses of the two features whose components lie furthest apart."""
        panels.plane(ax, view, _apart(view), draws=12, size=5)
        bare(ax)

    def predictive(self, data: Data, replicates: np.ndarray) -> Figure:
        """Marginal histograms of replicated data over the observed ones, one panel per feature."""
        shown = min(data.n_features, 2 * MOST_FEATURES)
        rows = -(-shown // 3)
        columns = -(-shown // rows)
        fig = new_figure(8.4, 0.6 + 2.4 * rows)
        axes = panels_abreast(fig, shown, columns)
        for j, ax in enumerate(axes):
            overlays.overlay(ax, data, replicates, j)
        for ax in axes[::columns]:
            ax.set_ylabel("density")
        legend_above(fig, overlays.overlay_entries(len(replicates)))
        return fig


class PairGrid(TwoFeatures):
    """Every pair of features, marginal densities on the diagonal; at most ``MOST_FEATURES`` of them."""

    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """Histograms on the diagonal, scatter plots below it."""
        fig, axes = _grid(data)
        for j, ax in enumerate(axes.diagonal()):
            histograms.histogram(ax, data, j)
        for i, j in combinations(range(len(axes)), 2):
            _points(axes[j, i], data, components, (i, j), size=9)
        _label_grid(axes, data)
        _legend_in_corner(fig, axes, [*_class_entries(data, components), *_cut_entry(data)])
        return fig

    def components(self, view: View) -> Figure:
        """Densities on the diagonal, rows and ellipses below it."""
        data = view.likelihood.data
        fig, axes = _grid(data)
        for j, ax in enumerate(axes.diagonal()):
            panels.density(ax, view, j, band=False)
        for i, j in combinations(range(len(axes)), 2):
            panels.plane(axes[j, i], view, (i, j), draws=15, size=9)
        _label_grid(axes, data)
        _legend_in_corner(fig, axes, [*_ellipse_entries(view, 15), *_cut_entry(data)])
        return fig


def _likely(data: Data, components: Sequence[str]) -> np.ndarray:
    """The component that each row's label favours, -1 for rows without one, (n,)."""
    return np.where(data.labelled, data.evidence(components).argmax(axis=1), -1)


def _rug(ax: Axes, data: Data, likely: np.ndarray) -> None:
    """Labelled rows as ticks under the axis, in the colour of their class."""
    if not 0 < data.labelled.sum() <= RUG_ROWS:
        return
    for k in np.unique(likely[likely >= 0]):
        x = data.x[likely == k, 0]
        y = np.full(len(x), 0.03)
        at: Style = {"transform": ax.get_xaxis_transform(), "clip_on": False, "zorder": 5, "gid": f"labels {k}"}
        ax.plot(x, y, "d", color=colour(int(k)), markeredgecolor="black", markeredgewidth=0.6, markersize=5.5, **at)


def _points(ax: Axes, data: Data, components: Sequence[str], pair: tuple[int, int], *, size: float) -> None:
    rows = rows_shown(len(data), POINTS)
    x, labelled = data.x[rows][:, list(pair)], data.labelled[rows]
    size = size if len(x) < 1500 else size / 3
    open_x, known_x = x[~labelled].T, x[labelled].T
    ax.scatter(open_x[0], open_x[1], s=size, color=MUTED, alpha=0.6, linewidths=0, rasterized=len(x) > 1000)
    if labelled.any():
        colours = blend(softmax(data.evidence(components)[rows][labelled], axis=1))
        some: Style = {"s": 1.8 * size, "edgecolors": "black", "linewidths": 0.6}
        style = {"s": size, "linewidths": 0, "alpha": 0.8} if labelled.all() else some
        ax.scatter(known_x[0], known_x[1], c=colours, gid="labelled", **style)
    ax.margins(0.06)


def _class_entries(data: Data, components: Sequence[str]) -> list[Artist]:
    if not data.labelled.any():
        return []
    likely = _likely(data, components)
    entries: list[Artist] = [patch("no label", color=FAINT)] if (likely < 0).any() else []
    counts = [int((likely == k).sum()) for k in range(len(components))]
    names = [f"{plain(name, limit=26)} ({count:,} labelled)" for name, count in zip(components, counts, strict=True)]
    return entries + [patch(names[k], color=colour(k)) for k, count in enumerate(counts) if count]


def _density_entries(view: View) -> list[Artist]:
    entries = component_entries(view.likelihood.components)
    entries += [line("mixture, posterior mean", color=INK), patch(f"{LEVEL:.0%} band", facecolor=INK, alpha=0.25)]
    entries += histograms.em_entries(view, "mixture, EM")
    if 0 < view.likelihood.data.labelled.sum() <= RUG_ROWS:
        entries.append(line("labelled row", marker="d", color="none", markerfacecolor=FAINT, markeredgecolor="black"))
    return entries


def _ellipse_entries(view: View, draws: int) -> list[Artist]:
    entries = component_entries(view.likelihood.components)
    entries.append(line(f"{LEVEL:.0%} ellipses of {draws} posterior draws", color=MUTED, linewidth=0.8))
    entries += histograms.em_entries(view, f"EM, {LEVEL:.0%} ellipse")
    return entries + histograms.labelled_entries(view.likelihood.data)


def _apart(view: View) -> tuple[int, int]:
    """The two features in which the components' means lie furthest apart, in standard deviations of the data."""
    spread_of = view.params[MEANS.name].mean(axis=0).std(axis=0) / np.nanstd(view.likelihood.data.x, axis=0)
    first, second = sorted(np.argsort(-spread_of, kind="stable")[:2])
    return int(first), int(second)


def _grid(data: Data) -> tuple[Figure, np.ndarray]:
    """A square of panels, the upper triangle left empty."""
    d = min(data.n_features, MOST_FEATURES)
    fig = new_figure(min(9.0, 1.2 + 1.9 * d), min(8.6, 0.8 + 1.75 * d))
    axes = fig.subplots(d, d, sharex="col", squeeze=False)
    for i, j in combinations(range(d), 2):
        axes[i, j].remove()
    return fig, axes


def _label_grid(axes: np.ndarray, data: Data) -> None:
    """Limits that a row and a column share, names and numbers at the outer panels only."""
    d = len(axes)
    limit = 22 if d < 5 else 13
    for j, x in enumerate(data.x.T[:d]):
        low, high = np.nanmin(x), np.nanmax(x)
        margin = 0.15 * (high - low)
        axes[j, j].set_xlim(low - margin, high + margin)
    for j, i in combinations_with_replacement(range(d), 2):
        ax = axes[i, j]
        if j < i:
            ax.set_ylim(axes[i, i].get_xlim())
        ax.locator_params(nbins=4)
        ax.tick_params(labelbottom=i == d - 1, labelleft=j == 0 and i > 0)
        if i == j:
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
        if i == d - 1:
            ax.set_xlabel(plain(data.feature_names[j], limit=limit))
        if j == 0 and i > 0:
            ax.set_ylabel(plain(data.feature_names[i], limit=limit))


def _legend_in_corner(fig: Figure, axes: np.ndarray, entries: list[Artist]) -> None:
    """The empty upper triangle has room for the legend."""
    fig.legend(handles=entries, loc="upper right", bbox_to_anchor=(0.99, 0.985)) if entries else None


def _cut_entry(data: Data) -> list[Artist]:
    if data.n_features <= MOST_FEATURES:
        return []
    return [line(f"first {MOST_FEATURES} of {data.n_features} features", color="none")]


"""For one feature, two, and any larger number."""
