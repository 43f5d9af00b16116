"""Simulation-based calibration in pictures: where ranks leave their band, how often intervals hold the truth."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.calibration import uniformity
from bayesmix.calibration.ranks import RANKED_DRAWS
from bayesmix.calibration.result import CALIBRATION_LEVEL, INTERVALS, Calibration
from bayesmix.drawing.style import (
    ALARM,
    FAINT,
    INK,
    MUTED,
    colour,
    legend_above,
    line,
    new_figure,
    panels_abreast,
    patch,
    plain,
    styled,
)

PANELS_ABREAST = 4


@styled
def rank_ecdf(result: Calibration) -> Figure:
    """Of every quantity, the share of ranks up to each place less what it should be, inside its simultaneous band.

    The bands hold all curves together with probability 0.99 where the posterior is right; a curve that leaves its
    band is drawn in red. A curve above zero at the left: too many low ranks, the truth lies below the draws.
    """
    names = list(result.ranks.columns)
    rows = -(-len(names) // PANELS_ABREAST)
    fig = new_figure(9.0, 0.6 + 1.35 * rows)
    axes = panels_abreast(fig, len(names), PANELS_ABREAST, sharex=True, sharey=True)
    n, places = len(result.ranks), np.arange(1, RANKED_DRAWS + 1) / (RANKED_DRAWS + 1)
    low, high = uniformity.band(n, RANKED_DRAWS, CALIBRATION_LEVEL / len(names))
    for ax, name in zip(axes, names, strict=True):
        counts = np.bincount(result.ranks[name], minlength=RANKED_DRAWS + 1).cumsum()[:-1]
        outside = bool(((counts < low) | (counts > high)).any())
        ax.fill_between(places, low / n - places, high / n - places, color=FAINT, linewidth=0, gid="band")
        ax.axhline(0.0, color=MUTED, linewidth=0.6)
        ax.plot(places, counts / n - places, color=ALARM if outside else colour(0), linewidth=1.3, gid="difference")
        ax.set_title(_short(name), fontsize=7.5)
    axes[0].set(xlim=(0, 1), xticks=[0, 0.5, 1])
    fig.supxlabel("rank of the truth among the draws, as a share", fontsize=9)
    fig.supylabel("ECDF of the ranks less uniform", fontsize=9)
    entries = [line("ranks", color=colour(0)), patch("where 99% of right posteriors stay", color=FAINT)]
    legend_above(fig, [*entries, line("outside", color=ALARM)])
    return fig


@styled
def coverage(result: Calibration) -> Figure:
    """How often central 50, 80 and 95% intervals hold the truth, by quantity; grey: within two standard errors."""
    names = list(result.ranks.columns)
    fig = new_figure(8.0, 0.9 + 0.2 * len(names))
    axes = fig.subplots(1, len(INTERVALS), sharey=True)
    for ax, interval in zip(axes, INTERVALS, strict=True):
        _covered(ax, result, interval)
    axes[0].set_yticks(range(len(names)), [_short(name) for name in names], fontsize=7.5)
    axes[0].invert_yaxis()
    axes[0].set_ylabel("")
    return fig


def _short(name: str) -> str:
    """A quantity's name in the room of a small panel: components that have but a number are that number."""
    return plain(name.replace("component_", "").replace(" x ", " \N{MULTIPLICATION SIGN} "), limit=34)


def _covered(ax: Axes, result: Calibration, interval: float) -> None:
    table = result.coverage[interval]
    expected, error = table["expected"].iloc[0], table["error"].iloc[0]
    places = np.arange(len(table))
    ax.axvspan(expected - 2 * error, expected + 2 * error, color=FAINT, linewidth=0)
    ax.axvline(expected, color=MUTED, linewidth=0.8)
    ax.plot(table["observed"], places, "o", color=INK, markersize=3.5, gid=f"coverage {interval}")
    ax.set(title=f"{interval:.0%} interval", xlabel="share that holds the truth")
    ax.set_xlim(right=min(1.0, ax.get_xlim()[1]))
