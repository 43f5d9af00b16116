"""Pictures of a zero-inflated Poisson: counts from 0 to the largest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.special import softmax
from scipy.stats import poisson

from bayesmix.drawing.histogram import LEVEL, TAILS
from bayesmix.drawing.picture import Picture
from bayesmix.drawing.style import (
    FAINT,
    INK,
    MUTED,
    Style,
    bare,
    colour,
    legend_above,
    line,
    new_figure,
    patch,
    plain,
)
from bayesmix.drawing.view import View
from bayesmix.families.zero_inflated_poisson.maths import ZeroInflatedPoisson
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Params

MOST_COUNTS = 60
"""Larger counts are left out of the pictures, and the axis says how many rows that are."""
ZERO, POISSON = 0, 1
EM_MARK: Style = {"marker": "x", "color": "black", "linestyle": "none", "markersize": 5.5, "markeredgewidth": 1.3}


class Counts(Picture):
    """Bars over 0..max; the zeros in the colour of the structural zeros."""

    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """Bars of the counts, zeros marked and counted; rows that a label calls Poisson hatched."""
        counts = shown_counts(data)
        bars = observed(data, counts)
        fig = new_figure(8, 3.4)
        ax = fig.subplots()
        ax.bar(counts, bars, color=[colour(ZERO) if m == 0 else "#b8b8b8" for m in counts], width=0.8)
        zeros = data.x[:, 0] == 0
        entries: list[Artist] = [
            patch(f"zeros: {zeros.sum()} of {len(data)} rows ({zeros.mean():.1%})", color=colour(ZERO))
        ]
        if data.labelled.any():
            known = observed(data.take(data.labelled), counts)
            ax.bar(counts, known, width=0.8, facecolor="none", edgecolor="black", hatch="///", linewidth=0.6)
            entries.append(patch("labelled rows", facecolor="none", edgecolor="black", hatch="///"))
        _count_axis(ax, data)
        ax.set_ylabel("rows")
        legend_above(fig, entries)
        return fig

    def components(self, view: View) -> Figure:
        """Observed counts beside those expected, by component, with the total's band and EM's total."""
        family = cast(ZeroInflatedPoisson, view.family)
        fig = new_figure(8, 4)
        ax = fig.subplots()
        _stacks(ax, family, view.params, width=0.42, shift=0.22)
        counts = shown_counts(family.data)
        ax.bar(counts - 0.22, observed(family.data, counts), width=0.42, color=MUTED, gid="observed")
        total = expected(family, view.params, counts).sum(axis=-1)
        lower, upper = np.quantile(total, TAILS, axis=0)
        ax.vlines(counts + 0.22, lower, upper, color=INK, linewidth=1.2, gid="band")
        if view.em is not None:
            ax.plot(
                counts + 0.22,
                expected(family, view.em, counts).sum(axis=-1),
                **EM_MARK,
                clip_on=False,
                zorder=5,
                gid="em",
            )
        _count_axis(ax, family.data)
        ax.set_ylabel("rows")
        entries: list[Artist] = [patch("observed", color=MUTED)]
        entries += [patch(f"expected: {name}", color=colour(k)) for k, name in enumerate(family.components)]
        entries.append(line(f"{LEVEL:.0%} interval of the expected total", color=INK, linewidth=1.2))
        legend_above(fig, entries + ([line("expected total, EM", **EM_MARK)] if view.em is not None else []), columns=3)
        return fig

    def small(self, ax: Axes, view: View) -> None:
        """Observed counts as steps over the expected stacks."""
        family = cast(ZeroInflatedPoisson, view.family)
        _stacks(ax, family, view.some(30), width=0.9, shift=0.0)
        counts = shown_counts(family.data)
        ax.stairs(observed(family.data, counts), np.arange(len(counts) + 1) - 0.5, color=INK, linewidth=1.2)
        bare(ax)

    def predictive(self, data: Data, replicates: np.ndarray) -> Figure:
        """Hanging rootogram with a 90% band; replicated numbers of zeros against the observed one."""
        new = replicates[:, :, 0]
        fig = new_figure(8.4, 3.8)
        left, right = fig.subplots(1, 2, width_ratios=[1.6, 1])
        _rootogram(left, data, new)
        _zeros(right, data, new)
        entries = [
            patch("observed, hanging from the expected", color="#b8b8b8"),
            line("expected (predictive mean)", color=colour(POISSON), marker="o", markersize=3.5),
            patch(f"{LEVEL:.0%} band of replicates", color=colour(ZERO), alpha=0.3),
        ]
        legend_above(fig, entries)
        return fig


def shown_counts(data: Data) -> np.ndarray:
    """0, 1, ... to the largest count, or to ``MOST_COUNTS``."""
    return np.arange(min(int(data.x.max()), MOST_COUNTS) + 1)


def observed(data: Data, counts: np.ndarray) -> np.ndarray:
    """Weight of the rows at each count."""
    x = data.x[:, 0]
    shown = x <= counts[-1]
    return np.bincount(x[shown].astype(int), weights=data.row_weights[shown], minlength=len(counts))


def expected(family: ZeroInflatedPoisson, params: Params, counts: np.ndarray) -> np.ndarray:
    """sum_i v_i P(z_i = k) P(x_i = m | z_i = k) at each count m: (..., counts, 2). Labels enter P(z_i = k)."""
    share = family.row_weights[:, None] * softmax(family.log_weights(params) + family.evidence, axis=-1)
    rate = np.exp(family.linear_predictors(params)[0])
    by_count = [(share[..., POISSON] * poisson.pmf(m, rate)).sum(axis=-1) for m in counts]
    from_poisson = np.stack(by_count, axis=-1)
    from_zero = np.where(counts == 0, share[..., ZERO].sum(axis=-1)[..., None], 0.0)
    return np.stack([from_zero, from_poisson], axis=-1)


def _stacks(ax: Axes, family: ZeroInflatedPoisson, params: Params, *, width: float, shift: float) -> None:
    counts = shown_counts(family.data)
    by_component = expected(family, params, counts).mean(axis=0)
    ax.bar(counts + shift, by_component[:, POISSON], width=width, color=colour(POISSON), gid="poisson")
    base = by_component[:1, POISSON]
    ax.bar(shift, by_component[:1, ZERO], bottom=base, width=width, color=colour(ZERO), gid="structural zeros")


def _count_axis(ax: Axes, data: Data) -> None:
    beyond = int((data.x[:, 0] > MOST_COUNTS).sum())
    note = f" (not shown, above {MOST_COUNTS}: {beyond:,} of {len(data):,} rows)" if beyond else ""
    ax.set_xlabel(plain(data.feature_names[0]) + note)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _rootogram(ax: Axes, data: Data, new: np.ndarray) -> None:
    """Bars of height sqrt(observed) hang from sqrt(expected); their feet belong near 0 (Kleiber and Zeileis 2016)."""
    counts = shown_counts(data)
    v = data.row_weights
    replicated = np.array([[v[row == m].sum() for m in counts] for row in new])
    top = np.sqrt(replicated.mean(axis=0))
    lower, upper = np.quantile(top - np.sqrt(replicated), TAILS, axis=0)
    height = np.sqrt(observed(data, counts))
    ax.bar(counts, height, bottom=top - height, width=0.8, color="#b8b8b8", gid="observed")
    ax.fill_between(counts, lower, upper, step="mid", color=colour(ZERO), alpha=0.3, linewidth=0, gid="band")
    ax.plot(counts, top, color=colour(POISSON), marker="o", markersize=3.5, linewidth=1.2, gid="expected")
    ax.axhline(0, color=INK, linewidth=0.8)
    _count_axis(ax, data)
    ax.set(ylabel=r"$\sqrt{\mathrm{rows}}$", title="Hanging rootogram")


def _zeros(ax: Axes, data: Data, new: np.ndarray) -> None:
    zeros = (new == 0).sum(axis=1)
    here = int((data.x[:, 0] == 0).sum())
    low, high = min(zeros.min(), here), max(zeros.max(), here)
    step = max(1, round((high - low) / 25))
    ax.hist(zeros, list(np.arange(low, high + step + 1, step) - 0.5), color=FAINT, edgecolor="white", linewidth=0.5)
    ax.axvline(here, color=INK, linewidth=1.6, gid="observed zeros")
    share = (zeros >= here).mean()
    ax.set(xlabel="rows that are zero, of a replicate", ylabel="replicates")
    ax.set_title(f"{here} zeros observed (line); {share:.0%}\nof replicates have as many")
