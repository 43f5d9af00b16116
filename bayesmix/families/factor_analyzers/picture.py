"""Pictures of factor analysers: those of normal components, and the loadings."""

from __future__ import annotations

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.drawing.measurements import PairGrid, TwoFeatures
from bayesmix.drawing.picture import Picture
from bayesmix.drawing.style import (
    EM_MARK,
    FAINT,
    INK,
    MUTED,
    colour,
    component_entries,
    legend_above,
    line,
    new_figure,
    plain,
)
from bayesmix.drawing.view import View
from bayesmix.families.factor_analyzers.factors import loadings
from bayesmix.families.factor_analyzers.maths import analyzers
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

MOST_FACTORS, MOST_VARIABLES = 4, 40
"""Factors with a panel of their own, and columns of the data that are shown."""
SPREAD_OVER = 0.8
"""Of the space between two columns' rows, the part over which the components' marks are spread."""


class WithLoadings(Picture):
    """Loadings by factor, and what the factors explain of each column."""

    structured = True

    def structure(self, view: View) -> Figure:
        """One panel for each factor, and one for the share of variance explained; columns of the data are rows."""
        likelihood = view.likelihood
        draws, em = _shown(likelihood, view.params), None if view.em is None else _shown(likelihood, view.em)
        d, q = min(likelihood.data.n_features, MOST_VARIABLES), min(draws[0].shape[-1], MOST_FACTORS)
        K = len(likelihood.components)
        fig = new_figure(min(9.0, 2.4 + 2.3 * (q + 1)), 1.1 + d * max(0.28, 0.13 * K))
        axes = fig.subplots(1, q + 1, sharey=True, squeeze=False)[0]
        for m, ax in enumerate(axes[:-1]):
            _marks(ax, draws[0][:, :, :d, m], None if em is None else em[0][:, :d, m])
            ax.axvline(0, color=MUTED, linewidth=0.9, zorder=1)
            ax.set(title=plain(likelihood.coords["factor"][m]), xlabel="loading, in sd of the column")
        _marks(axes[-1], draws[1][:, :, :d], None if em is None else em[1][:, :d])
        axes[-1].set(title="explained by the factors", xlabel="share of the variance", xlim=(-0.02, 1.02))
        axes[0].set_yticks(np.arange(d), [plain(name, limit=22) for name in likelihood.data.feature_names[:d]])
        axes[0].set_ylim(d - 0.5, -0.5)
        entries: list[Artist] = component_entries(likelihood.components) if K > 1 else []
        entries.append(line(f"posterior mean, {LEVEL:.0%} interval", color=INK, marker="o", markersize=4))
        legend_above(fig, entries + ([line("EM", **EM_MARK)] if em is not None else []))
        return fig


class TwoColumns(WithLoadings, TwoFeatures):
    """Of two columns of measurements."""


class MoreColumns(WithLoadings, PairGrid):
    """Of more."""


def _shown(likelihood: Likelihood, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Loadings in standard deviations of the columns, and shares explained within the components."""
    own = loadings(likelihood, params)
    explained = (own**2).sum(axis=-1)
    return own / analyzers(likelihood).sd[:, None], explained / (explained + analyzers(likelihood).psi(params))


def _marks(ax: Axes, values: np.ndarray, em: np.ndarray | None) -> None:
    """Means and intervals of draws (S, K, d), by column and component; crosses of an estimate (K, d)."""
    lower, upper = np.quantile(values, TAILS, axis=0)
    K, d = lower.shape
    for k in range(K):
        y = np.arange(d) + SPREAD_OVER * ((k + 0.5) / K - 0.5)
        tint = colour(k) if K > 1 else INK
        ax.hlines(y, lower[k], upper[k], color=tint, linewidth=1.6, gid=f"interval {k}")
        ax.plot(values[:, k].mean(axis=0), y, "o", color=tint, markersize=4, gid=f"component {k}")
        if em is not None:
            ax.plot(em[k], y, **EM_MARK, gid=f"em {k}")
    ax.grid(axis="y", color=FAINT, linewidth=0.6)
    ax.tick_params(axis="y", length=0)


PICTURES = (TwoColumns(), TwoColumns(), MoreColumns())
"""For two columns, and any larger number."""
