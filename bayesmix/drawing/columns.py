"""Pictures of independent columns of counts or categories: their values, and the profile of every component."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bayesmix.drawing.counts import count_axis, observed, rootogram, rootogram_entries, shown_counts
from bayesmix.drawing.histogram import EM_LINE
from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.picture import Picture
from bayesmix.drawing.style import (
    DATA,
    INK,
    bare,
    colour,
    component_entries,
    legend_above,
    line,
    new_figure,
    one_panel,
    panels_abreast,
    patch,
    plain,
)
from bayesmix.drawing.view import View
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.columns import Columns
from bayesmix.parts.gaps import column_means, seen
from bayesmix.parts.part import Params

MOST_COLUMNS = 6
"""Columns with a panel of their own."""
MOST_PROFILE = 40
"""Columns in a profile."""
FEWEST_PLACES = 5
"""A picture of fewer columns leaves room beside them, so that a lone bar is no wall."""
SHIFT = 0.12
"""Between the marks of two components in a profile."""


class ColumnsPicture(Picture):
    """Bars by value, and the mean of every column in every component."""

    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """The values of up to six columns as bars; two values only: the share of ones in every column."""
        if _binary(data):
            fig, ax = one_panel(8, 3.4)
            share = column_means(data.x, data.row_weights)
            ax.bar(np.arange(len(share)), share, color=DATA, width=0.7, gid="observed")
            _names(ax, data)
            ax.set(ylabel="share of rows with 1", ylim=(0, 1))
            return fig
        fig, axes = _panels(data)
        for j, ax in enumerate(axes):
            ax.bar(
                shown_counts(data, j), observed(data, shown_counts(data, j), j), color=DATA, width=0.8, gid="observed"
            )
            count_axis(ax, data, j)
            ax.set_ylabel("rows")
        return fig

    def components(self, view: View) -> Figure:
        """One column of counts: observed beside expected. Else the profile: means of all columns by component."""
        data = view.likelihood.data
        if data.n_features == 1 and not _binary(data):
            return _one_column(view)
        fig, ax = one_panel(8.4, 3.8)
        _profile(ax, view)
        entries: list[Artist] = [*component_entries(view.likelihood.components)]
        entries.append(line(f"{LEVEL:.0%} interval", color=INK, linewidth=1.2))
        legend_above(fig, entries + ([line("EM", **EM_LINE)] if view.em is not None else []), columns=4)
        return fig

    def small(self, ax: Axes, view: View) -> None:
        """The profile, or stacked bars, without text."""
        if view.likelihood.data.n_features == 1 and not _binary(view.likelihood.data):
            _stacks(ax, view.likelihood, view.some(30))
        else:
            _profile(ax, view)
        bare(ax)

    def prior(self, data: Data, params: Params, new: np.ndarray) -> Figure:
        """The mean of every column in data sets from the prior, beside that of the rows."""
        fig, ax = one_panel(8, 3.4)
        _means_of_replicates(ax, data, new)
        legend_above(
            fig, [patch("the data", color=DATA), line("data sets from the prior: median, 90%", color=colour(0))]
        )
        return fig

    def predictive(self, data: Data, replicates: np.ndarray) -> Figure:
        """Hanging rootograms of up to six columns of counts; of two values, shares and numbers of ones in a row."""
        if not _binary(data):
            fig, axes = _panels(data)
            for j, ax in enumerate(axes):
                rootogram(ax, data, replicates[:, :, j], j)
            legend_above(fig, rootogram_entries())
            return fig
        fig = new_figure(8.4, 3.6)
        left, right = fig.subplots(1, 2, width_ratios=[1.6, 1])
        _means_of_replicates(left, data, replicates)
        _totals(right, data, replicates)
        legend_above(fig, [patch("the data", color=DATA), line(f"replicates: median, {LEVEL:.0%}", color=colour(0))])
        return fig


def _binary(data: Data) -> bool:
    return bool(((data.x == 0) | (data.x == 1) | np.isnan(data.x)).all())


def _panels(data: Data) -> tuple[Figure, list[Axes]]:
    """Axes for up to six columns."""
    n = min(data.n_features, MOST_COLUMNS)
    columns = min(n, 3)
    rows = -(-n // columns)
    fig = new_figure(3.4 * columns if columns > 1 else 7, 2.7 * rows + 0.5)
    return fig, panels_abreast(fig, n, columns)


def _names(ax: Axes, data: Data) -> None:
    names = [plain(name, limit=16) for name in data.feature_names[:MOST_PROFILE]]
    slanted = max(map(len, names)) * len(names) > 70
    ax.set_xticks(np.arange(len(names)), names, rotation=35 if slanted else 0, ha="right" if slanted else "center")
    outside = max(FEWEST_PLACES - len(names), 1) / 2
    ax.set_xlim(-outside, len(names) - 1 + outside)
    if data.n_features > MOST_PROFILE:
        ax.set_title(f"the first {MOST_PROFILE} of {data.n_features} columns")


def _profile(ax: Axes, view: View) -> None:
    """Means of every column by component: posterior mean and interval; the estimate dashed."""
    component = view.likelihood.made_of(Columns)
    name = component.means.name
    means = view.params[name][..., :MOST_PROFILE]
    at, K = np.arange(means.shape[-1]), means.shape[1]
    lower, upper = np.quantile(means, TAILS, axis=0)
    for k in range(K):
        x = at + SHIFT * (k - (K - 1) / 2)
        ax.vlines(x, lower[k], upper[k], color=colour(k), linewidth=2, alpha=0.6)
        ax.plot(x, means[:, k].mean(axis=0), "o-", color=colour(k), markersize=4.5, linewidth=1, gid=f"component {k}")
        if view.em is not None:
            ax.plot(x, view.em[name][k, :MOST_PROFILE], **EM_LINE, gid=f"em {k}")
    _names(ax, view.likelihood.data)
    ax.set_ylabel(component.means.label)
    if component.means.support == "unit":
        ax.set_ylim(-0.02, 1.02)


def _expected(likelihood: Likelihood, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Counts m, and the expected number of rows at each by component, (..., m, K), of one column."""
    component, counts = likelihood.made_of(Columns), shown_counts(likelihood.data)
    eta = component.natural(params)[..., 0]
    m = counts[:, None]
    log_pmf = m * eta[..., None, :] - component.model.b(eta)[..., None, :] + component.model.h(m)
    share = np.exp(likelihood.log_weights(params))[..., 0, :]
    return counts, seen(likelihood.data, 0)[0].row_weights.sum() * share[..., None, :] * np.exp(log_pmf)


def _stacks(ax: Axes, likelihood: Likelihood, params: Params) -> None:
    counts, by_component = _expected(likelihood, params)
    mean = by_component.mean(axis=0)
    for k in range(mean.shape[1]):
        base = mean[:, :k].sum(axis=1)
        ax.bar(counts, mean[:, k], bottom=base, width=0.8, color=colour(k), alpha=0.75, gid=f"component {k}")


def _one_column(view: View) -> Figure:
    fig, ax = one_panel(8, 3.6)
    likelihood = view.likelihood
    _stacks(ax, likelihood, view.params)
    counts, by_component = _expected(likelihood, view.params)
    lower, upper = np.quantile(by_component.sum(axis=-1), TAILS, axis=0)
    ax.vlines(counts, lower, upper, color=INK, linewidth=1.2, gid="band")
    ax.plot(
        counts, observed(likelihood.data, counts), "o", color=INK, markerfacecolor="white", markersize=5, gid="observed"
    )
    if view.em is not None:
        ax.plot(counts, _expected(likelihood, view.em)[1].sum(axis=-1), **EM_LINE, gid="em")
    count_axis(ax, likelihood.data)
    ax.set_ylabel("rows")
    entries: list[Artist] = [line("observed", color=INK, marker="o", markerfacecolor="white", linestyle="none")]
    entries += component_entries(likelihood.components)
    entries.append(line(f"{LEVEL:.0%} interval of the expected total", color=INK, linewidth=1.2))
    legend_above(fig, entries + ([line("expected total, EM", **EM_LINE)] if view.em is not None else []), columns=3)
    return fig


def _means_of_replicates(ax: Axes, data: Data, new: np.ndarray) -> None:
    """The mean of every column: of the rows as bars, of replicated data sets as intervals."""
    shown = slice(0, MOST_PROFILE)
    here = column_means(data.x[:, shown], data.row_weights)
    replicated = np.nanmean(np.where(np.isnan(data.x[:, shown]), np.nan, new[:, :, shown]), axis=1)
    lower, middle, upper = np.quantile(replicated, [TAILS[0], 0.5, TAILS[1]], axis=0)
    at = np.arange(len(here))
    ax.bar(at, here, color=DATA, width=0.7, gid="observed")
    ax.vlines(at, lower, upper, color=colour(0), linewidth=2, alpha=0.6, gid="band")
    ax.plot(at, middle, "o", color=colour(0), markersize=4, gid="median")
    _names(ax, data)
    ax.set_ylabel("mean of the column")


def _totals(ax: Axes, data: Data, new: np.ndarray) -> None:
    """How many columns of a row are 1: observed and replicated, of the rows without missing cells."""
    whole = ~np.isnan(data.x).any(axis=1)
    x, new = data.x[whole], new[:, whole]
    counts = np.arange(data.n_features + 1)
    here = np.array([(x.sum(axis=1) == m).sum() for m in counts])
    replicated = np.array([[(row.sum(axis=1) == m).sum() for m in counts] for row in new])
    lower, middle, upper = np.quantile(replicated, [TAILS[0], 0.5, TAILS[1]], axis=0)
    ax.bar(counts, here, color=DATA, width=0.7, gid="observed totals")
    ax.vlines(counts, lower, upper, color=colour(0), linewidth=2, alpha=0.6)
    ax.plot(counts, middle, "o", color=colour(0), markersize=4)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="ones in a row", ylabel="rows")
