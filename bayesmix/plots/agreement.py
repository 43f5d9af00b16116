"""EM against the posterior: estimates, responsibilities, calibration where the true classes are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import beta

from bayesmix.checks.compare import Comparison
from bayesmix.checks.scores import BINS, class_of_component, scored_rows
from bayesmix.drawing.level import TAILS
from bayesmix.drawing.style import (
    ALARM,
    FAINT,
    INK,
    MINUS,
    MUTED,
    Style,
    colour,
    component_entries,
    legend_above,
    line,
    new_figure,
    plain,
    rows_shown,
    styled,
)
from bayesmix.inputs.data import Data

MOST_SCALARS = 30
MOST_POINTS = 4000
FAR_APART = 2.0
CHANCES = (("em", "EM", "x", INK), ("mean", "posterior mean", "o", colour(0)))


@styled
def em_against_posterior(cmp: Comparison) -> Figure:
    """Left: (EM - posterior mean) / posterior sd of every scalar. Right: responsibilities, EM against posterior mean.

    Rows whose most probable component differs between the two are ringed.
    """
    distance = standardized_difference(cmp.parameters)
    shown = distance.loc[distance.abs().sort_values(ascending=False).index[:MOST_SCALARS]]
    shown = distance[distance.index.isin(shown.index)]
    fig = new_figure(9, max(4.0, 1.0 + 0.18 * len(shown)))
    left, right = fig.subplots(1, 2, width_ratios=[1, 1.25])
    _distances(left, shown, len(distance))
    names = component_names(cmp)
    _against(right, cmp, names[:1] if len(names) <= 2 else names)
    ring = line("row whose most probable component differs", marker="o", color="none", markeredgecolor=ALARM)
    entries = component_entries(names) if len(names) > 2 else []
    legend_above(fig, entries + ([ring] if len(cmp.flips) else []))
    return fig


def component_names(cmp: Comparison) -> list[str]:
    """The components, in the posterior's order."""
    return [str(name) for name in cmp.em.params["component"].to_numpy()]


def standardized_difference(parameters: pd.DataFrame) -> pd.Series:
    """(EM - mean) / sd; 0 for a scalar that cannot vary."""
    sd = parameters["sd"].where(parameters["sd"] > 0, np.inf)
    return (parameters["em"] - parameters["mean"]) / sd


def _distances(ax: Axes, shown: pd.Series, n: int) -> None:
    y = np.arange(len(shown))
    tints = [ALARM if abs(z) > FAR_APART else INK for z in shown]
    ax.axvspan(-FAR_APART, FAR_APART, color=FAINT, alpha=0.5, linewidth=0)
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.hlines(y, 0, shown, colors=tints, linewidth=1)
    ax.scatter(shown, y, s=18, c=tints, zorder=3, gid="difference")
    ax.set_yticks(y, [plain(label, limit=64) for label in shown.index], fontsize=7.5)
    ax.tick_params(axis="y", length=0)
    widest = max(2.5, 1.1 * shown.abs().max())
    ax.set(ylim=(len(shown) - 0.3, -0.7), xlim=(-widest, widest), xlabel=f"(EM {MINUS} posterior mean) / posterior sd")
    ax.set_title("Estimates" if len(shown) == n else f"Estimates: the {len(shown)} of {n} furthest apart")


def _against(ax: Axes, cmp: Comparison, names: list[str]) -> None:
    table = cmp.responsibilities
    rows = table.iloc[rows_shown(len(table), MOST_POINTS)]
    ax.axline((0, 0), slope=1, color=MUTED, linewidth=0.8, linestyle=":")
    style: Style = {"alpha": 0.6, "linewidths": 0, "rasterized": len(rows) > 1000}
    for k, name in enumerate(names):
        ax.scatter(rows[f"em[{name}]"], rows[f"mean[{name}]"], s=14, color=colour(k), gid=f"rows {k}", **style)
        flips = cmp.flips
        if len(names) > 1:
            flips = flips[flips["posterior_component"] == name]
        at = flips[f"em[{name}]"], flips[f"mean[{name}]"]
        ax.scatter(*at, s=40, facecolors="none", edgecolors=ALARM, linewidths=1, zorder=4, gid="flips")
    of = f" of {plain(names[0], limit=24)}" if len(names) == 1 else ""
    ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=f"EM: $r${of}", ylabel=f"posterior mean: $r${of}")
    ax.set_title(f"Responsibilities: {len(cmp.flips):,} of {len(table):,} rows change")
    ax.set_aspect("equal", anchor="N")


@styled
def calibration(cmp: Comparison, data: Data) -> Figure:
    """How often the most probable class is the true one, against how sure the fit is of it, for EM and the posterior.

    Bars: 90% intervals of the share (Jeffreys). Below: how many rows are how sure. On rows whose label the fit did not
    know.

    Raises
    ------
    ValueError
        Where the true classes are not known.
    """
    if data.truth is None:
        raise ValueError("data: calibration needs the true classes (Data(..., truth=...)); they are not known")
    fig = new_figure(6.4, 4.8)
    top, below = fig.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    for i, (key, name, marker, tint) in enumerate(CHANCES):
        confidence, right = _hits(cmp, data, key)
        table = reliability(confidence, right)
        shift = (i - 0.5) * 0.012
        at = table["confidence"] + shift
        top.vlines(at, table["lower"], table["upper"], color=tint, linewidth=1)
        top.plot(at, table["share"], marker, color=tint, markersize=6, label=name, gid=key)
        edges = np.linspace(0, 1, BINS + 1)
        below.stairs(np.histogram(confidence, edges)[0], edges, color=tint, linewidth=1.4)
    top.axline((0, 0), slope=1, color=MUTED, linewidth=0.8, linestyle=":")
    lowest = max(0.0, 1 / max(2, len(component_names(cmp))) - 0.08)
    top.set(ylim=(-0.03, 1.03), ylabel="share that is right")
    below.set(xlim=(lowest, 1.02), xlabel="responsibility of the most probable component", ylabel="rows")
    entries = [line(name, marker=marker, color=tint, linestyle="none") for _, name, marker, tint in CHANCES]
    legend_above(fig, [*entries, line("perfect calibration", color=MUTED, linestyle=":")])
    return fig


def reliability(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Per bin of confidence that holds rows: mean ``confidence``, ``share`` right with ``lower, upper``, ``rows``."""
    cell = np.minimum((confidence * BINS).astype(int), BINS - 1)
    grouped = pd.DataFrame({"confidence": confidence, "right": right}).groupby(cell)
    hits, n = grouped["right"].sum(), grouped.size()
    lower, upper = (beta.ppf(p, hits + 0.5, n - hits + 0.5) for p in TAILS)
    share = hits / n
    columns = {"share": share, "lower": np.minimum(lower, share), "upper": np.maximum(upper, share), "rows": n}
    return pd.DataFrame({"confidence": grouped["confidence"].mean(), **columns})


def _hits(cmp: Comparison, data: Data, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of, and whether right about, the rows whose class was not known (all, where all were)."""
    assert data.truth is not None
    names = component_names(cmp)
    r = cmp.responsibilities[[f"{key}[{k}]" for k in names]].to_numpy()
    open_rows = scored_rows(data)
    r, truth = r[open_rows], data.truth[open_rows]
    classes = np.array(class_of_component(r, truth, names, data.truth))
    return r.max(axis=1), classes[r.argmax(axis=1)] == truth
