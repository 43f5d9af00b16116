"""Pictures of answers: bars by level, classes as stacked bars, replicated shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.picture import Picture
from bayesmix.drawing.profile import NO_ANSWER, abreast
from bayesmix.drawing.style import (
    DATA,
    INK,
    MUTED,
    bare,
    colour,
    legend_above,
    line,
    new_figure,
    panels_abreast,
    patch,
    plain,
)
from bayesmix.drawing.view import View
from bayesmix.families.categorical.answers import answers
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

MOST_SHOWN = 24
"""Columns with a panel of their own."""
READABLE = 0.16
"""Segments of a stacked bar that are wider have their level written in."""


class AnswersPicture(Picture):
    """Of every column a panel."""

    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """How many rows give each answer, and how many none."""
        fig, axes = _panels(data)
        for j, ax in enumerate(axes):
            _bars(ax, data, j, _counts(data, data.x, j), "rows")
        return fig

    def components(self, view: View) -> Figure:
        """The answers of all rows and of every class, stacked."""
        data, K = view.likelihood.data, len(view.likelihood.components)
        n = min(data.n_features, MOST_SHOWN)
        across = abreast(n)
        down = -(-n // across)
        fig = new_figure(3.4 * across if across > 1 else 7, 0.7 + (0.5 + 0.24 * (K + 1)) * down)
        axes = panels_abreast(fig, n, across, sharex=True, sharey=True)
        same = len(set(data.levels[:n])) == 1
        for j, ax in enumerate(axes):
            _stack(ax, view.likelihood, _by_class(view.likelihood, view.params), j, named=not same)
        for ax in axes[max(0, n - across) :]:
            ax.tick_params(labelbottom=True)
        names = ["all rows", *(plain(name, limit=18) for name in view.likelihood.components)]
        axes[0].set_yticks(np.arange(K + 1), names)
        axes[0].set(ylim=(K + 0.5, -0.5), xlim=(0, 1))
        if same:
            levels = data.levels[0]
            shades = _shades(len(levels))
            legend_above(fig, [patch(plain(v, limit=26), color=s) for v, s in zip(levels, shades, strict=True)])
        return fig

    def small(self, ax: Axes, view: View) -> None:
        """The first answers of up to eight columns, by class."""
        by_class = _by_class(view.likelihood, view.params)
        component = answers(view.likelihood)
        first = component.first[:8]
        for k in range(component.K):
            ax.plot(np.arange(len(first)), by_class[k + 1, first], "o-", color=colour(k), markersize=4, linewidth=1.2)
        ax.set_ylim(-0.05, 1.05)
        bare(ax)

    def prior(self, data: Data, params: Params, new: np.ndarray) -> Figure:
        """The shares of the answers in data sets from the prior, beside those of the rows."""
        return _replicated(data, new, "data sets from the prior")

    def predictive(self, data: Data, replicates: np.ndarray) -> Figure:
        """The shares of the answers in replicated data sets, beside those of the rows."""
        return _replicated(data, replicates, "replicates")


def _panels(data: Data) -> tuple[Figure, list[Axes]]:
    n = min(data.n_features, MOST_SHOWN)
    across = abreast(n)
    lines = [max(map(len, data.levels[i : i + across])) for i in range(0, n, across)]
    fig = new_figure(3.4 * across if across > 1 else 7, 0.5 + sum(0.6 + 0.19 * m for m in lines))
    axes = panels_abreast(fig, n, across, height_ratios=[m + 2 for m in lines])
    if n < data.n_features:
        fig.suptitle(f"the first {n} of {data.n_features} columns", fontsize=9)
    return fig, axes


def _counts(data: Data, x: np.ndarray, j: int) -> np.ndarray:
    """Weight of the rows that give each answer of column j."""
    there = np.isfinite(data.x[:, j])
    codes = x[there, j].astype(int)
    return np.bincount(codes, weights=data.row_weights[there], minlength=len(data.levels[j]))


def _bars(ax: Axes, data: Data, j: int, height: np.ndarray, what: str) -> None:
    levels = data.levels[j]
    at = np.arange(len(levels))
    ax.barh(at, height, height=0.75, color=DATA, gid="observed")
    ax.set_yticks(at, [plain(level, limit=24) for level in levels])
    ax.set(ylim=(len(levels) - 0.5, -0.5), xlabel=what)
    ax.tick_params(axis="y", length=0)
    ax.set_title(plain(data.feature_names[j], limit=30))
    gaps = int(np.isnan(data.x[:, j]).sum())
    if gaps:
        ax.set_title(f"{gaps:,} {NO_ANSWER}", loc="right", fontsize=7.5, color=MUTED)


def _by_class(likelihood: Likelihood, params: Params) -> np.ndarray:
    """Shares of the answers among all rows, then posterior means by class, (1 + K, A)."""
    component = answers(likelihood)
    return np.vstack([component.average, params["probs"].mean(axis=0)])


def _shades(n: int) -> list[Any]:
    """From light to dark, in the order of the levels."""
    return [matplotlib.colormaps["GnBu"](0.2 + 0.75 * i / max(1, n - 1)) for i in range(n)]


def _stack(ax: Axes, likelihood: Likelihood, by_class: np.ndarray, j: int, *, named: bool) -> None:
    """All rows above, then every class: a bar of length 1 each, cut by answers."""
    component = answers(likelihood)
    own = np.flatnonzero(component.column == j)
    at, left, shades = np.arange(len(by_class)), np.zeros(len(by_class)), _shades(len(own))
    for i, (entry, shade) in enumerate(zip(own, shades, strict=True)):
        width = by_class[:, entry]
        ax.barh(at, width, left=left, height=0.78, color=shade, edgecolor="white", linewidth=0.4, gid=f"answer {entry}")
        if named:
            level, ink = plain(component.levels[j][i], limit=10), "white" if i > len(own) / 2 else INK
            for y in at[width > READABLE]:
                ax.text(left[y] + width[y] / 2, y, level, ha="center", va="center", fontsize=6.5, color=ink)
        left = left + width
    ax.axhline(0.5, color=MUTED, linewidth=0.7, linestyle=":")
    ax.tick_params(axis="y", length=0)
    ax.set_title(plain(likelihood.data.feature_names[j], limit=30))


def _replicated(data: Data, new: np.ndarray, what: str) -> Figure:
    """Shares among the rows that answer: of the data as bars, of data sets (S, n, d) as intervals."""
    fig, axes = _panels(data)
    for j, ax in enumerate(axes):
        here = _counts(data, data.x, j)
        shares = np.array([_counts(data, x, j) for x in new]) / here.sum()
        _bars(ax, data, j, here / here.sum(), "share")
        ax.set_xlim(0, 1)
        at = np.arange(len(here))
        lower, middle, upper = np.quantile(shares, [TAILS[0], 0.5, TAILS[1]], axis=0)
        ax.hlines(at, lower, upper, color=colour(0), linewidth=2.2, alpha=0.6, gid="band")
        ax.plot(middle, at, "o", color=colour(0), markersize=4, gid="median")
    entries: list[Artist] = [patch("the data", color=DATA)]
    legend_above(fig, [*entries, line(f"{what}: median, {LEVEL:.0%}", color=colour(0), marker="o", markersize=4)])
    return fig


PICTURES = (AnswersPicture(),)
