"""The study in four pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from bayesmix.drawing.style import FAINT, INK, MUTED, OKABE_ITO, legend_above, line, new_figure, patch, styled
from reports.em_against_mcmc import scoring, tables
from reports.em_against_mcmc.tables import Results

LOOKS = {
    "em": {"color": OKABE_ITO[1], "marker": "o"},
    "bootstrap": {"color": OKABE_ITO[3], "marker": "D", "linestyle": "--"},
    "map": {"color": OKABE_ITO[2], "marker": "^", "linestyle": "-."},
    "posterior": {"color": OKABE_ITO[0], "marker": "s"},
}
LOOKS["information"] = LOOKS["em"]
LEGENDS = {
    "em": "EM (maximum likelihood)",
    "map": "MAP (same priors as the posterior)",
    "posterior": "posterior",
    "information": "EM ± z standard errors",
    "bootstrap": "EM, bootstrap",
}
SMALL = {"markersize": 4.5, "linewidth": 1.4}


def draw(results: Sequence[Results], folder: Path) -> None:
    """All pictures of the cells without labels."""
    plain = [result for result in results if not result.cell.labelled]
    overlaps = sorted({result.cell.overlap for result in plain})
    columns = [[r for r in plain if r.cell.overlap == overlap] for overlap in overlaps]
    pictures = {"log_score": log_score, "reliability": reliability, "coverage": coverage, "failures": failures}
    for name, picture in pictures.items():
        picture(columns).savefig(folder / f"{name}.png", dpi=130)


def _entries(kinds: Sequence[str]) -> list:
    return [line(LEGENDS[kind], **LOOKS[kind], **SMALL) for kind in kinds]


def _title(ax: Axes, column: Sequence[Results]) -> None:
    ax.set_title(f"overlap {column[0].cell.overlap:.0%}")


def _sizes(ax: Axes, sizes: Sequence[int]) -> None:
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.grid(axis="y", color=FAINT, linewidth=0.6)


def _n(column: Sequence[Results]) -> np.ndarray:
    return np.array([result.cell.n for result in column])


@styled
def log_score(columns: Sequence[Sequence[Results]]) -> Figure:
    """How far the log score is from the best possible, against the number of rows."""
    fig = new_figure(9.0, 3.4)
    axes = np.ravel(fig.subplots(1, len(columns), sharey=True))
    for ax, column in zip(axes, columns, strict=True):
        n = _n(column)
        for shift, fit in zip((0.94, 1.0, 1.06), tables.FITS, strict=True):
            mean, error = np.array([tables.mean_and_error(result.excess(fit)) for result in column]).T
            bars = np.array([np.minimum(2 * error, 0.8 * np.abs(mean)), 2 * error])
            ax.errorbar(n * shift, mean, yerr=bars, elinewidth=1.0, **LOOKS[fit], **SMALL)
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        _title(ax, column)
        _sizes(ax, n)
        ax.set_xlabel("rows")
    axes[0].set_ylabel("log score above the best possible\n(nats per row; lower is better)")
    legend_above(fig, _entries(tables.FITS))
    return fig


@styled
def reliability(columns: Sequence[Sequence[Results]]) -> Figure:
    """Stated probability of the more probable group against the share of rows in it; areas say how many rows."""
    sizes = [result.cell.n for result in columns[0]][:3]
    fig = new_figure(9.0, 2.6 * len(sizes) + 0.6)
    grid = fig.subplots(len(sizes), len(columns), sharex=True, sharey=True, squeeze=False)
    for row, n in zip(grid, sizes, strict=True):
        for ax, column in zip(row, columns, strict=True):
            ax.plot([0.5, 1], [0.5, 1], color=MUTED, linewidth=0.8)
            for result in (r for r in column if r.cell.n == n):
                for fit in tables.FITS:
                    rows, stated, right = result.reliability(fit)
                    there = rows >= 30
                    x, y, look = stated[there] / rows[there], right[there] / rows[there], LOOKS[fit]
                    ax.plot(x, y, color=look["color"], linestyle=look.get("linestyle", "-"), linewidth=1.2)
                    area = 6 + 160 * rows[there] / rows.sum()
                    ax.scatter(x, y, area, color=look["color"], marker=look["marker"], zorder=3, clip_on=False)
            ax.set(xlim=(0.5, 1.01), ylim=(0.4, 1.01), title=f"overlap {column[0].cell.overlap:.0%}, {n} rows")
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            ax.grid(color=FAINT, linewidth=0.6)
    for ax in grid[:, 0]:
        ax.set_ylabel("share that is right")
    for ax in grid[-1]:
        ax.set_xlabel("stated probability")
    as_stated = line("right as often as stated", color=MUTED, linewidth=0.8)
    legend_above(fig, [*_entries(tables.FITS), as_stated])
    return fig


@styled
def coverage(columns: Sequence[Sequence[Results]]) -> Figure:
    """How often intervals of 95% hold the truth; bars: 95% intervals (Wilson) of that share."""
    fig = new_figure(9.0, 5.0)
    grid = fig.subplots(len(tables.PARTS), len(columns), sharex=True, sharey=True, squeeze=False)
    kinds = ("information", "bootstrap", "posterior")
    for row, part in zip(grid, tables.PARTS, strict=True):
        for ax, column in zip(row, columns, strict=True):
            n = _n(column)
            for shift, kind in zip((0.95, 1.0, 1.05), kinds, strict=True):
                found = np.array([tables.coverage_of(result, kind, part)[0][-1] for result in column])
                sets = [len(result.ends(kind)[0]) for result in column]
                bars = [tables.wilson(share, m) for share, m in zip(found, sets, strict=True)]
                error = np.abs(np.transpose(bars) - found)
                ax.errorbar(n * shift, found, yerr=error, elinewidth=0.8, **LOOKS[kind], **SMALL)
            ax.axhline(scoring.LEVELS[-1], color=INK, linewidth=0.8, linestyle=":")
            ax.set(ylim=(-0.02, 1.03), title=f"{part}, overlap {column[0].cell.overlap:.0%}")
            ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            _sizes(ax, n)
    for ax in grid[:, 0]:
        ax.set_ylabel("95% intervals that\nhold the truth")
    for ax in grid[-1]:
        ax.set_xlabel("rows")
    legend_above(fig, [*_entries(kinds), line("95% wanted", color=INK, linewidth=0.8, linestyle=":")])
    return fig


@styled
def failures(columns: Sequence[Sequence[Results]]) -> Figure:
    """How often EM stops elsewhere than next to the truth, with one start and with twenty."""
    looks = {"spike": (OKABE_ITO[5], ""), "above": (OKABE_ITO[0], "//"), "below": (OKABE_ITO[4], "")}
    fig = new_figure(9.0, 3.7)
    axes = np.ravel(fig.subplots(1, len(columns), sharey=True))
    for ax, column in zip(axes, columns, strict=True):
        x = np.arange(len(column), dtype=float)
        for shift, key in ((-0.2, "first"), (0.2, "kept")):
            foot = np.zeros(len(column))
            for place, (colour, hatch) in looks.items():
                height = np.array([tables.share(result, key, place) for result in column])
                ax.bar(x + shift, height, 0.34, foot, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
                foot += height
            for at, top in zip(x + shift, foot, strict=True):
                ax.text(at, top + 0.01, "1" if key == "first" else "20", ha="center", fontsize=7.5, color=MUTED)
        ax.set_xticks(x, [f"{result.cell.n:,}" for result in column])
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.grid(axis="y", color=FAINT, linewidth=0.6)
        _title(ax, column)
        ax.set_xlabel("rows; on the bars: starts")
    axes[0].set_ylabel("share of data sets")
    axes[0].set_ylim(0, 1.1 * max(0.1, axes[0].get_ylim()[1]))
    entries = [
        patch(tables.PLACES[place], facecolor=colour, hatch=hatch, edgecolor="white")
        for place, (colour, hatch) in looks.items()
    ]
    legend_above(fig, entries)
    return fig
