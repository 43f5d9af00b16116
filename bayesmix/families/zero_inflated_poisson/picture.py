"""Pictures of a zero-inflated Poisson: counts from 0 to the largest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import softmax
from scipy.stats import poisson

from bayesmix.drawing.counts import (
    count_axis,
    observed,
    prior_shares,
    rootogram,
    rootogram_entries,
    shown_counts,
    zeros,
)
from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.picture import Picture
from bayesmix.drawing.style import EM_MARK, INK, MUTED, bare, colour, legend_above, line, new_figure, one_panel, patch
from bayesmix.drawing.view import View
from bayesmix.families.zero_inflated_poisson.maths import parts_of
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

ZERO, COUNTED = 0, 1


class Counts(Picture):
    """Bars over 0..max; the zeros in the colour of the structural zeros."""

    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """Bars of the counts, zeros marked and counted; rows that a label calls Poisson hatched."""
        counts = shown_counts(data)
        bars = observed(data, counts)
        fig, ax = one_panel(8, 3.4)
        ax.bar(counts, bars, color=[colour(ZERO) if m == 0 else "#b8b8b8" for m in counts], width=0.8)
        zeros = data.x[:, 0] == 0
        entries: list[Artist] = [
            patch(f"zeros: {zeros.sum()} of {len(data)} rows ({zeros.mean():.1%})", color=colour(ZERO))
        ]
        if data.labelled.any():
            known = observed(data.take(data.labelled), counts)
            ax.bar(counts, known, width=0.8, facecolor="none", edgecolor="black", hatch="///", linewidth=0.6)
            entries.append(patch("labelled rows", facecolor="none", edgecolor="black", hatch="///"))
        count_axis(ax, data)
        ax.set_ylabel("rows")
        legend_above(fig, entries)
        return fig

    def components(self, view: View) -> Figure:
        """Observed counts beside those expected, by component, with the total's band and EM's total."""
        likelihood = view.likelihood
        fig, ax = one_panel(8, 4)
        _stacks(ax, likelihood, view.params, width=0.42, shift=0.22)
        counts = shown_counts(likelihood.data)
        ax.bar(counts - 0.22, observed(likelihood.data, counts), width=0.42, color=MUTED, gid="observed")
        total = expected(likelihood, view.params, counts).sum(axis=-1)
        lower, upper = np.quantile(total, TAILS, axis=0)
        ax.vlines(counts + 0.22, lower, upper, color=INK, linewidth=1.2, gid="band")
        if view.em is not None:
            ax.plot(
                counts + 0.22,
                expected(likelihood, view.em, counts).sum(axis=-1),
                **EM_MARK,
                clip_on=False,
                zorder=5,
                gid="em",
            )
        count_axis(ax, likelihood.data)
        ax.set_ylabel("rows")
        entries: list[Artist] = [patch("observed", color=MUTED)]
        entries += [patch(f"expected: {name}", color=colour(k)) for k, name in enumerate(likelihood.components)]
        entries.append(line(f"{LEVEL:.0%} interval of the expected total", color=INK, linewidth=1.2))
        legend_above(fig, entries + ([line("expected total, EM", **EM_MARK)] if view.em is not None else []), columns=3)
        return fig

    def small(self, ax: Axes, view: View) -> None:
        """Observed counts as steps over the expected stacks."""
        likelihood = view.likelihood
        _stacks(ax, likelihood, view.some(30), width=0.9, shift=0.0)
        counts = shown_counts(likelihood.data)
        ax.stairs(observed(likelihood.data, counts), np.arange(len(counts) + 1) - 0.5, color=INK, linewidth=1.2)
        bare(ax)

    def prior(self, data: Data, params: Params, new: np.ndarray) -> Figure:
        """Shares of each count, and of zeros."""
        return prior_shares(data, new)

    def predictive(self, data: Data, replicates: np.ndarray) -> Figure:
        """Hanging rootogram with a 90% band; replicated numbers of zeros against the observed one."""
        new = replicates[:, :, 0]
        fig = new_figure(8.4, 3.8)
        left, right = fig.subplots(1, 2, width_ratios=[1.6, 1])
        rootogram(left, data, new)
        zeros(right, data, new)
        legend_above(fig, rootogram_entries())
        return fig


def expected(likelihood: Likelihood, params: Params, counts: np.ndarray) -> np.ndarray:
    """sum_i v_i P(z_i = k) P(x_i = m | z_i = k) at each count m: (..., counts, 2). Labels enter P(z_i = k)."""
    share = likelihood.row_weights[:, None] * softmax(likelihood.log_weights(params) + likelihood.evidence, axis=-1)
    rate = np.exp(parts_of(likelihood)[0].predictor(params))
    by_count = [(share[..., COUNTED] * poisson.pmf(m, rate)).sum(axis=-1) for m in counts]
    from_poisson = np.stack(by_count, axis=-1)
    from_zero = np.where(counts == 0, share[..., ZERO].sum(axis=-1)[..., None], 0.0)
    return np.stack([from_zero, from_poisson], axis=-1)


def _stacks(ax: Axes, likelihood: Likelihood, params: Params, *, width: float, shift: float) -> None:
    counts = shown_counts(likelihood.data)
    by_component = expected(likelihood, params, counts).mean(axis=0)
    ax.bar(counts + shift, by_component[:, COUNTED], width=width, color=colour(COUNTED), gid="poisson")
    base = by_component[:1, COUNTED]
    ax.bar(shift, by_component[:1, ZERO], bottom=base, width=width, color=colour(ZERO), gid="structural zeros")


PICTURES = (Counts(),)
