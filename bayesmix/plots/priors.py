"""What the prior expects of the data, beside the data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bayesmix.checks.prior import PriorPredictive
from bayesmix.drawing.histogram import LEVEL, TAILS, bin_edges
from bayesmix.drawing.style import FAINT, INK, colour, legend_above, line, new_figure, patch, plain, styled
from bayesmix.families.gaussian.panels import component_densities
from bayesmix.families.zero_inflated_poisson.picture import observed, shown_counts

DATA = "#b0b0b0"
MOST_PANELS = 4
CURVES = 40
WIDEST = 3.0
"""The axis of a measurement shows so many ranges of the data on either side at most."""
MIDDLE = (0.05, 0.95)
HEADROOM = 2.0
"""Densities are shown up to so many times the highest bar of the data."""


@styled
def prior_predictive(prior: PriorPredictive) -> Figure:
    """Prior predictive check: data that the prior expects beside the observed ones.

    Measurements: the density of 40 prior draws, and their mean, over the histogram of each of up to 4 features. Counts:
    the share of each count in data sets from the prior, and the shares of zeros.
    """
    return PICTURES[prior.family.name](prior)


def _measurements(prior: PriorPredictive) -> Figure:
    names = prior.family.data.feature_names[:MOST_PANELS]
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    fig = new_figure(4.2 * columns if columns > 1 else 7, 2.7 * rows + 0.5)
    axes = np.ravel(fig.subplots(rows, columns, squeeze=False))
    for j, name in enumerate(names):
        _densities(axes[j], prior, j)
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


def _densities(ax: Axes, prior: PriorPredictive, j: int) -> None:
    """Densities of feature j under draws from the prior, over the histogram of the data."""
    x, new = prior.family.data.x[:, j], prior.x[:, :, j]
    span, (low, high) = np.ptp(x), np.quantile(new, MIDDLE)
    low = max(min(low, x.min()), x.min() - WIDEST * span) - 0.05 * span
    high = min(max(high, x.max()), x.max() + WIDEST * span) + 0.05 * span
    grid = np.linspace(low, high, 500)
    bars, *_ = ax.hist(x, list(bin_edges(x)), density=True, color=DATA, edgecolor="white", linewidth=0.4, gid="data")
    densities = component_densities(grid, prior.params, j).sum(axis=-1)
    for curve in densities[:CURVES]:
        ax.plot(grid, curve, color=colour(0), linewidth=0.6, alpha=0.3, gid="prior draw")
    ax.plot(grid, densities.mean(axis=0), color=INK, linewidth=1.6, gid="prior mean")
    ax.set(xlim=(low, high), ylim=(0, HEADROOM * np.max(bars)))


def _counts(prior: PriorPredictive) -> Figure:
    data, new = prior.family.data, prior.x[:, :, 0]
    counts = shown_counts(data)
    fig = new_figure(8.4, 3.6)
    left, right = fig.subplots(1, 2, width_ratios=[1.6, 1])
    shares = np.stack([(new == m).mean(axis=1) for m in counts], axis=-1)
    lower, upper = np.quantile(shares, TAILS, axis=0)
    left.bar(counts, observed(data, counts) / len(data), width=0.8, color=DATA, gid="observed")
    left.vlines(counts, lower, upper, color=colour(0), linewidth=2, alpha=0.5, gid="band")
    left.plot(counts, np.median(shares, axis=0), "o", color=colour(0), markersize=3.5, gid="median")
    beyond = f" (data from the prior beyond {counts[-1]}: {(new > counts[-1]).mean():.0%})"
    left.set(xlabel=plain(data.feature_names[0]) + beyond, ylabel="share of the rows")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    zeros, here = (new == 0).mean(axis=1), float((data.x[:, 0] == 0).mean())
    right.hist(zeros, list(np.linspace(0, 1, 26)), color=FAINT, edgecolor="white", linewidth=0.5)
    right.axvline(here, color=INK, linewidth=1.6, gid="observed zeros")
    right.set(
        xlabel="share of zeros in a data set from the prior", ylabel="data sets", title=f"{here:.0%} zeros observed"
    )
    right.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    entries = [
        patch("the data", color=DATA),
        line("median of data sets from the prior", color=colour(0), marker="o", markersize=3.5, linestyle="none"),
        line(f"middle {LEVEL:.0%} of them", color=colour(0), linewidth=2, alpha=0.5),
    ]
    legend_above(fig, entries)
    return fig


PICTURES: dict[str, Callable[[PriorPredictive], Figure]] = {
    "gaussian": _measurements,
    "zero_inflated_poisson": _counts,
}
