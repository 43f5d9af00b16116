"""Counts: bars from 0 to the largest, rootograms, what a prior expects of them."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.style import DATA, FAINT, INK, colour, legend_above, line, new_figure, patch, plain
from bayesmix.inputs.data import Data
from bayesmix.parts.gaps import seen

MOST_COUNTS = 60
"""Larger counts are left out of the pictures, and the axis says how many rows that are."""


def shown_counts(data: Data, j: int = 0) -> np.ndarray:
    """0, 1, ... to the largest count, or to ``MOST_COUNTS``."""
    return np.arange(min(int(np.nanmax(data.x[:, j])), MOST_COUNTS) + 1)


def observed(data: Data, counts: np.ndarray, j: int = 0) -> np.ndarray:
    """Weight of the rows at each count."""
    x = data.x[:, j]
    shown = x <= counts[-1]
    return np.bincount(x[shown].astype(int), weights=data.row_weights[shown], minlength=len(counts))


def count_axis(ax: Axes, data: Data, j: int = 0) -> None:
    """Whole numbers, and how many rows lie beyond them."""
    beyond = int((data.x[:, j] > MOST_COUNTS).sum())
    note = f" (not shown, above {MOST_COUNTS}: {beyond:,} of {len(data):,} rows)" if beyond else ""
    ax.set_xlabel(plain(data.feature_names[j]) + note)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def rootogram(ax: Axes, data: Data, new: np.ndarray, j: int = 0) -> None:
    """Bars of height sqrt(observed) hang from sqrt(expected); their feet belong near 0 (Kleiber and Zeileis 2016)."""
    data, there = seen(data, j)
    counts, new = shown_counts(data, j), new[:, there]
    v = data.row_weights
    replicated = np.array([[v[row == m].sum() for m in counts] for row in new])
    top = np.sqrt(replicated.mean(axis=0))
    lower, upper = np.quantile(top - np.sqrt(replicated), TAILS, axis=0)
    height = np.sqrt(observed(data, counts, j))
    ax.bar(counts, height, bottom=top - height, width=0.8, color="#b8b8b8", gid="observed")
    ax.fill_between(counts, lower, upper, step="mid", color=colour(0), alpha=0.3, linewidth=0, gid="band")
    ax.plot(counts, top, color=colour(1), marker="o", markersize=3.5, linewidth=1.2, gid="expected")
    ax.axhline(0, color=INK, linewidth=0.8)
    count_axis(ax, data, j)
    ax.set(ylabel=r"$\sqrt{\mathrm{rows}}$", title="Hanging rootogram")


def rootogram_entries() -> list[Artist]:
    """What the legend of a rootogram says."""
    return [
        patch("observed, hanging from the expected", color="#b8b8b8"),
        line("expected (predictive mean)", color=colour(1), marker="o", markersize=3.5),
        patch(f"{LEVEL:.0%} band of replicates", color=colour(0), alpha=0.3),
    ]


def zeros(ax: Axes, data: Data, new: np.ndarray, j: int = 0) -> None:
    """Replicated numbers of zeros (S, n) against the observed one."""
    data, there = seen(data, j)
    replicated = (new[:, there] == 0).sum(axis=1)
    here = int((data.x[:, j] == 0).sum())
    low, high = min(replicated.min(), here), max(replicated.max(), here)
    step = max(1, round((high - low) / 25))
    ax.hist(
        replicated, list(np.arange(low, high + step + 1, step) - 0.5), color=FAINT, edgecolor="white", linewidth=0.5
    )
    ax.axvline(here, color=INK, linewidth=1.6, gid="observed zeros")
    share = (replicated >= here).mean()
    ax.set(xlabel="rows that are zero, of a replicate", ylabel="replicates")
    ax.set_title(f"{here} zeros observed (line); {share:.0%}\nof replicates have as many")


def prior_shares(data: Data, new: np.ndarray) -> Figure:
    """The share of each count in data sets (S, n, 1) from the prior, and the shares of zeros."""
    new = new[:, :, 0]
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
    shares_of_zeros, here = (new == 0).mean(axis=1), float((data.x[:, 0] == 0).mean())
    right.hist(shares_of_zeros, list(np.linspace(0, 1, 26)), color=FAINT, edgecolor="white", linewidth=0.5)
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
