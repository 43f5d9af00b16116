"""Pictures of the draws: traces and ranks by chain, and pairs of scalars."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binom, rankdata

from bayesmix.checks.convergence import of_parameters, parts
from bayesmix.drawing.style import (
    ALARM,
    FAINT,
    INK,
    MUTED,
    chain_colour,
    colour,
    legend_above,
    line,
    new_figure,
    plain,
    styled,
)
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture import scalars
from bayesmix.posterior.record import Posterior, Record

MOST_TRACES = 8
MOST_PAIRED = 5
TRACE_POINTS = 250
RANK_BINS = 20
LONGEST_LINE = 18


@styled
def traces(dt: Posterior) -> Figure:
    """Trace and rank plot of at most eight free scalars, the worst R-hat first.

    The chains as they were made, also where several modes are resampled. Ranks of every chain's draws among those of
    all (Vehtari et al. 2021, doi:10.1214/20-BA1221): where chains agree, each chain's histogram stays within the grey
    99% band of a uniform one (which takes draws as independent).
    """
    record = Record.of(dt)
    values = free_scalars(record.likelihood, record.as_made("posterior"))
    table = of_parameters(record, parts(record)).loc[values["scalar"].to_numpy()]
    table = table.sort_values("r_hat", ascending=False, na_position="first").head(MOST_TRACES)
    fig = new_figure(8.4, 0.6 + 1.25 * len(table))
    axes = fig.subplots(len(table), 2, width_ratios=[2.2, 1], squeeze=False, sharex="col")
    for (trace, rank), (label, row) in zip(axes, table.iterrows(), strict=True):
        array = values.sel(scalar=label).transpose("chain", "draw").to_numpy()
        _trace(trace, array)
        _ranks(rank, array)
        trace.set_title(plain(label, limit=60))
        rank.set_title(f"R-hat {row['r_hat']:.3f}, bulk ESS {row['ess_bulk']:,.0f}", fontsize=8.5)
    axes[-1, 0].set_xlabel("draw")
    axes[-1, 1].set_xlabel("rank among all chains")
    n = values.sizes["chain"]
    names = [str(c) for c in values["chain"].to_numpy()]
    legend_above(
        fig, [line(f"chain {c}", color=chain_colour(i, n), linewidth=2) for i, c in enumerate(names)], columns=8
    )
    return fig


@styled
def pairs(dt: Posterior) -> Figure:
    """Pairs of at most five free scalars, those most correlated in the posterior; divergences marked."""
    record = Record.of(dt)
    values = free_scalars(record.likelihood, record.posterior)
    flat = values.to_numpy().reshape(-1, values.sizes["scalar"])
    labels = [str(s) for s in values["scalar"].to_numpy()]
    chosen = most_correlated(flat)
    diverging = record.dt["sample_stats"]["diverging"].to_numpy().astype(bool).ravel()
    n = len(chosen)
    fig = new_figure(2.2 + 1.35 * n, 1.5 + 1.25 * n)
    axes = fig.subplots(n, n, sharex="col", squeeze=False)
    keep = evenly(len(flat), 2000)
    for a, ax in enumerate(axes.diagonal()):
        ax.hist(flat[:, chosen[a]], 30, color=FAINT, edgecolor="white", linewidth=0.3)
    for a, b in combinations(range(n), 2):
        axes[a, b].remove()
        x, y = flat[:, chosen[a]], flat[:, chosen[b]]
        axes[b, a].scatter(x[keep], y[keep], s=4, color=colour(0), alpha=0.25, linewidths=0, rasterized=True)
        axes[b, a].plot(x[diverging], y[diverging], "x", color=ALARM, markersize=4, gid="divergences")
        axes[b, a].set_title(f"r = {np.corrcoef(x, y)[0, 1]:.2f}", fontsize=8, color=MUTED, loc="right", pad=2)
    _label(axes, [labels[c] for c in chosen])
    legend = [line("draw", marker="o", color="none", markerfacecolor=colour(0), markeredgecolor="none")]
    legend += (
        [line(f"divergent ({diverging.sum()})", marker="x", color="none", markeredgecolor=ALARM)]
        if diverging.any()
        else []
    )
    legend_above(fig, legend)
    return fig


def free_scalars(likelihood: Likelihood, posterior: xr.Dataset) -> xr.DataArray:
    """The free scalars without the last weight, which the others determine: (chain, draw, scalar)."""
    values = scalars.of_posterior(likelihood, posterior)
    weights = [label for label in values["scalar"].to_numpy() if str(label).startswith("weights[")]
    return values.drop_sel(scalar=weights[-1:])


def most_correlated(flat: np.ndarray, *, most: int = MOST_PAIRED) -> list[int]:
    """Columns of ``flat``: the most correlated pair, then one by one the column most correlated with one of them."""
    n = flat.shape[1]
    if n <= 2:
        return list(range(n))
    strength = np.abs(np.corrcoef(flat.T))
    np.fill_diagonal(strength, -1.0)
    chosen = [int(i) for i in np.unravel_index(strength.argmax(), strength.shape)]
    while len(chosen) < min(most, n):
        best = strength[chosen].max(axis=0)
        best[chosen] = -1.0
        chosen.append(int(best.argmax()))
    return sorted(chosen)


def _trace(ax: Axes, values: np.ndarray) -> None:
    step = max(1, values.shape[1] // TRACE_POINTS)
    at = np.arange(0, values.shape[1], step)
    for chain, row in enumerate(values):
        ax.plot(at, row[at], color=chain_colour(chain, len(values)), linewidth=0.6, alpha=0.8, gid=f"chain {chain}")
    ax.locator_params(axis="y", nbins=4)
    ax.set_xlim(0, values.shape[1] - 1)


def _ranks(ax: Axes, values: np.ndarray) -> None:
    """Histograms of ranks as steps, one per chain, each divided by what a uniform one has."""
    total, n = values.size, values.shape[1]
    ranks = rankdata(values).reshape(values.shape)
    edges = np.linspace(0.5, total + 0.5, RANK_BINS + 1)
    even = n / RANK_BINS
    band = np.array(binom.ppf([0.005, 0.995], n, 1 / RANK_BINS)) / even
    ax.axhspan(*band, color=FAINT, alpha=0.6, linewidth=0)
    for chain, row in enumerate(ranks):
        heights = np.histogram(row, edges)[0] / even
        ax.stairs(
            heights, edges, color=chain_colour(chain, len(values)), linewidth=1.1, baseline=None, gid=f"chain {chain}"
        )
    ax.axhline(1, color=INK, linewidth=0.6, linestyle=":")
    ax.set_ylim(0, max(2.0, ax.get_ylim()[1]))
    ax.set_yticks([0, 1, 2])
    ax.locator_params(axis="x", nbins=4)


def _label(axes: np.ndarray, labels: list[str]) -> None:
    """Names on the left and below; long ones broken after the comma."""
    n = len(axes)
    broken = [_broken(label) for label in labels]
    for b in range(n):
        for a in range(b + 1):
            axes[b, a].locator_params(nbins=4)
            axes[b, a].tick_params(labelbottom=b == n - 1, labelleft=a == 0 and b > 0)
        axes[b, b].set_yticks([])
        axes[b, b].spines["left"].set_visible(False)
        axes[n - 1, b].set_xlabel(broken[b], fontsize=8)
        if b:
            axes[b, 0].set_ylabel(broken[b], fontsize=8)


def _broken(label: str) -> str:
    """A long ``means[component_1, waiting]`` on several lines."""
    if len(label) <= LONGEST_LINE:
        return plain(label)
    head, bracket, inside = label.partition("[")
    rest = bracket + inside
    ways = [rest], rest.split(", ", 1), rest.split(", ")
    parts = next((way for way in ways if max(map(len, way)) <= LONGEST_LINE), ways[-1])
    return "\n".join([head, ",\n".join(_halved(part) for part in parts)])


def _halved(part: str) -> str:
    """A pair of columns whose names are long, one under the other."""
    names = part.split(" ~ ") if len(part) > LONGEST_LINE else [part]
    return " ~\n".join(plain(name, limit=22) for name in names)
