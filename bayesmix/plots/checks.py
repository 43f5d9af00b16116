"""Pictures of checks: influence of single rows, rows that lie far out, and the modes of the posterior."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from bayesmix.drawing.level import LEVEL
from bayesmix.drawing.style import (
    ALARM,
    FAINT,
    INK,
    MUTED,
    OKABE_ITO,
    Style,
    colour,
    legend_above,
    line,
    new_figure,
    one_panel,
    plain,
    styled,
)
from bayesmix.multimodality.thresholds import PARETO_K
from bayesmix.parts.weights import WEIGHTS
from bayesmix.posterior.responsibilities import Fit
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.outliers import LISTED_OUTLIERS, outliers_of

MOST_LABELS = 8
MOST_MODES = 12
LEAST_DRAWN = 1e-12


@styled
def pareto_k(loo: xr.Dataset) -> Figure:
    """Pareto shape k of every row (Vehtari et al. 2017, doi:10.1007/s11222-016-9696-4); rows above 0.7 are named."""
    k = loo["pareto_k"].to_numpy()
    names = [str(name) for name in loo["obs"].to_numpy()]
    bad = k > PARETO_K
    fig, ax = one_panel(8, 3.4)
    ax.scatter(
        np.flatnonzero(~bad) + 1, k[~bad], s=10 if len(k) < 2000 else 4, color=colour(0), linewidths=0, alpha=0.7
    )
    ax.scatter(np.flatnonzero(bad) + 1, k[bad], s=22, color=ALARM, linewidths=0, gid="bad")
    ax.axhline(PARETO_K, color=ALARM, linewidth=1, linestyle="--")
    ax.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    ax.set(xlim=(-0.02 * len(k) - 1, 1.02 * len(k)), xlabel="row", ylabel="Pareto $k$")
    ax.set_ylim(min(-0.1, k.min() - 0.05), max(PARETO_K + 0.15, k.max() + 0.1))
    ax.set_title(
        f"{bad.sum():,} of {len(k):,} rows above {PARETO_K}"
        + (": leave-one-out is unreliable there" if bad.any() else "")
    )
    worst = np.argsort(-k, kind="stable")[: min(MOST_LABELS, int(bad.sum()))]
    _name_in_margin(ax, worst, k, [plain(names[i], limit=14) for i in worst])
    return fig


def _name_in_margin(ax: Axes, rows: np.ndarray, k: np.ndarray, names: list[str]) -> None:
    """Names of rows to the right of the axes, pushed apart, each joined to its point by a thin line."""
    low, high = ax.get_ylim()
    gap = 0.065 * (high - low)
    y = high
    for row, name in zip(rows, names, strict=True):
        y = min(y - gap, k[row])
        arrow: Style = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "alpha": 0.7}
        at: Style = {"xy": (row + 1, k[row]), "xytext": (1.015, y), "textcoords": ax.get_yaxis_transform()}
        ax.annotate(name, va="center", fontsize=8, arrowprops=arrow, **at)


@styled
def modes(dt: xr.DataTree) -> Figure:
    """The modes of the posterior: relative mass by Laplace's approximation, and by bridge sampling where it was done.

    Colours are regions that chains cross between; grey modes are negligible, and no chain was sent there.
    """
    table = dt["modes"].to_dataset()
    table = table.isel(mode=slice(0, MOST_MODES))
    y = np.arange(table.sizes["mode"])
    region = table["region"].to_numpy().astype(int)
    tints = [OKABE_ITO[(g - 1) % len(OKABE_ITO)] if g else "#b0b0b0" for g in region]
    fig = new_figure(8.4, 1.3 + 0.46 * len(y))
    left, right = fig.subplots(1, 2, sharey=True, width_ratios=[1.3, 1])
    _laplace(left, table, tints)
    _bridge(right, table, tints)
    left.set_yticks(y, [_in_words(table.isel(mode=int(i))) for i in y])
    for ax in (left, right):
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(y) - 0.4, -0.6)
        ax.grid(axis="x", color=FAINT, linewidth=0.6)
    more = dt["modes"].sizes["mode"] - len(y)
    fig.supxlabel(f"{more} lower modes not shown", fontsize=8, color=MUTED) if more else None
    return fig


def _laplace(ax: Axes, table: xr.Dataset, tints: list[str]) -> None:
    """exp(laplace): mass relative to the first mode's."""
    mass = np.maximum(np.exp(np.minimum(table["laplace"].to_numpy(), 50)), LEAST_DRAWN)
    y = np.arange(len(mass))
    lowest = min(mass.min() / 10, 1e-3)
    ax.hlines(y, lowest, mass, colors=tints, linewidth=2)
    ax.scatter(mass, y, c=tints, s=36, zorder=3, gid="laplace")
    ax.set_xscale("log")
    ax.set_xlim(lowest, mass.max() * 5)
    ax.xaxis.set_major_locator(LogLocator(numticks=7))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="mass relative to mode 1 (Laplace)", title="Rough mass of each mode")


def _bridge(ax: Axes, table: xr.Dataset, tints: list[str]) -> None:
    """Mass of every region, at its first mode."""
    region = table["region"].to_numpy().astype(int)
    first = [int(np.flatnonzero(region == g)[0]) for g in np.unique(region[region > 0])]
    for i in first:
        mass, error = float(table["mass"][i]), float(table["mass_error"][i])
        sure = bool(table["established"][i])
        if not np.isfinite(mass):
            ax.text(0.02, i, "not known", va="center", fontsize=8, color=ALARM)
            continue
        ax.barh(
            i,
            mass,
            color=tints[i],
            height=0.5,
            hatch=None if sure else "///",
            edgecolor="white",
            gid=f"region {region[i]}",
        )
        if np.isfinite(error) and error > 0:
            ax.errorbar(mass, i, xerr=[[min(error, mass)], [error]], color=INK, linewidth=1.2, capsize=3)
        ax.text(
            min(1.0, mass + (error if np.isfinite(error) else 0)) + 0.02, i, _share(mass, sure), va="center", fontsize=8
        )
    ax.set(xlim=(0, 1.42), xlabel="share of the posterior mass", title="Mass of each region")
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0])


def _share(mass: float, sure: bool) -> str:
    text = f"{mass:.1%}" if mass >= 5e-4 else f"{mass:.1g}"
    return text if sure else f"about {text}, not established"


def _in_words(mode: xr.Dataset) -> str:
    """Number, how many starts led there, and the weights, the largest first."""
    head = f"mode {int(mode['mode'])}, {int(mode['reached'])} start{'s' if int(mode['reached']) > 1 else ''}"
    if WEIGHTS not in mode:
        return head
    weights = np.sort(mode[WEIGHTS].to_numpy())[::-1]
    more = " …" if len(weights) > 5 else ""
    return f"{head}\n$w$ = {', '.join(f'{w:.2f}' for w in weights[:5])}{more}"


def outliers(fit: Fit, n: int = LISTED_OUTLIERS) -> Figure:
    """The least dense rows: log-density, rank and tail probability, with intervals over draws.

    Parameters
    ----------
    fit : DataTree or EMFit
    n : int
        How many rows.
    """
    fitted = Fitted.of(fit)
    return outliers_figure(fitted, outliers_of(fitted, min(n, len(fitted.likelihood.data))))


@styled
def outliers_figure(fitted: Fitted, out: pd.DataFrame) -> Figure:
    """:func:`outliers` of a fit that was read."""
    at = np.arange(len(out))
    fig = new_figure(8.4, 1.5 + 0.24 * len(out))
    axes = fig.subplots(1, 3, sharey=True, width_ratios=[1.5, 1.2, 1.2])
    for ax, column, lower, upper in (
        (axes[0], "log_density", "lower", "upper"),
        (axes[1], "rank", "rank_lower", "rank_upper"),
    ):
        if not fitted.point:
            ax.hlines(at, out[lower], out[upper], color=colour(0), linewidth=2.6, alpha=0.5, gid="interval")
        ax.plot(out[column], at, "o", color=colour(0), markersize=5, gid=column)
    axes[2].plot(out["expected"], at, "o", color=ALARM, markersize=5, gid="expected")
    axes[2].axvline(1, color=MUTED, linewidth=0.8, linestyle=":")
    axes[2].set_xscale("log")
    ends = np.log10([min(1.0, out["expected"].min()), max(1.0, out["expected"].max())])
    axes[2].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if np.ptp(ends) < 1.5 else (1,), numticks=6))
    axes[2].xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes[2].xaxis.set_minor_locator(NullLocator())
    axes[0].set_yticks(at, [plain(name, limit=16) for name in out.index])
    axes[0].set_ylim(len(out) - 0.4, -0.6)
    axes[1].xaxis.set_major_locator(MaxNLocator(integer=True))
    labels = (
        "log-density",
        "rank, 1: least dense",
        f"expected as far out, of {len(fitted.likelihood.data):,} new rows",
    )
    for ax, label in zip(axes, labels, strict=True):
        ax.set_xlabel(label)
        ax.grid(axis="x", color=FAINT, linewidth=0.6)
    if not fitted.point:
        mark = line(f"posterior, {LEVEL:.0%} interval", color=colour(0), marker="o", markersize=4)
        legend_above(fig, [mark, line("expected number of rows", color=ALARM, marker="o", linestyle="none")])
    return fig
