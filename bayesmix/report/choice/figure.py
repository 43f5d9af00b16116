"""A choice as one picture: the criteria against the number of components, and what the rows say of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bayesmix.choosing.choice import Choice
from bayesmix.drawing.style import INK, MUTED, Style, colour, new_figure, plain, styled

CRITERIA = {"bic": "BIC", "icl": "ICL", "aic": "AIC"}
SHOWN_GAP = 40.0
"""Criteria are shown up to this far from the best, and further for kinds of which there would be nothing to see."""
SPARE_GAP = 1.2
"""Above the best of the kind that is furthest."""
BARS = {"probability": "K components", "occupied": "K+ with rows", "modes": "modes of the density"}
WIDTH = 0.8
"""Of all bars of a number, side by side."""
ABOVE_BARS = 1.35
"""The height of their panel, of what the bars need: room for the legend."""


@styled
def choice_figure(choice: Choice) -> Figure:
    """Panels: EM's criteria and predictive density, and, where there are posteriors, evidence and probabilities."""
    panels = [_criteria, _predictive] if choice.sampled or choice.table["held_out"].notna().any() else [_criteria]
    panels += [_evidence, _probabilities] if choice.sampled else []
    fig = new_figure(4.0 * min(2, len(panels)), 2.8 * -(-len(panels) // 2))
    axes = fig.subplots(-(-len(panels) // 2), min(2, len(panels)), squeeze=False)
    for draw, ax in zip(panels, axes.ravel(), strict=True):
        draw(ax, choice)
        ax.set_xlabel("components")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return fig


def _by_kind(choice: Choice) -> list[tuple[str, pd.DataFrame]]:
    return [(str(kind), rows.set_index("n_components")) for kind, rows in choice.table.groupby("kind", sort=False)]


def _criteria(ax: Axes, choice: Choice) -> None:
    """Each above its own best; of several kinds BIC alone."""
    kinds = _by_kind(choice)
    columns = CRITERIA if len(kinds) == 1 else {"bic": "BIC"}
    furthest = _furthest(choice, {v: 1 for v in columns})
    highest = 0.0
    for j, (column, name) in enumerate(columns.items()):
        best = choice.table[column].min()
        for i, (kind, rows) in enumerate(kinds):
            gap = rows[column] - best
            highest = max(highest, gap.max())
            ax.plot(gap.index, gap, "o-", label=plain(kind) or name, **_line(max(i, j)))
    title = "EM: criteria above their best" if len(kinds) == 1 else "EM: BIC above its best"
    ax.set_title(f"{title} (smaller is better)")
    top = min(1.05 * highest, furthest)
    ax.set_ylim(-0.05 * top, top)
    ax.legend()


def _furthest(choice: Choice, columns: dict[str, int]) -> float:
    """How far to show distances from the best: columns with a sign, 1 where smaller is better."""
    far = [SHOWN_GAP]
    for column, sign in columns.items():
        gaps = sign * choice.table[column]
        best = (gaps - gaps.min()).groupby(choice.table["kind"]).min()
        far.append(SPARE_GAP * float(best.max()) if len(best) > 1 else 0.0)
    return max(far)


def _predictive(ax: Axes, choice: Choice) -> None:
    """Leave-one-out below its best with the error of that difference; held-out density of EM below its own best.

    Where both are there the former says how far the panel reaches: held out of EM, spikes fall without end.
    """
    kinds = _by_kind(choice)
    deepest = 0.0
    for i, (kind, rows) in enumerate(kinds):
        if choice.sampled:
            name = f"leave-one-out {kind}".strip()
            ax.errorbar(rows.index, rows["elpd_diff"], rows["elpd_diff_se"], fmt="o-", label=plain(name), **_line(i))
            deepest = min(deepest, (rows["elpd_diff"] - rows["elpd_diff_se"]).min())
        if (rows["held_out"].notna().any() and len(kinds) == 1) or not choice.sampled:
            gap = rows["held_out"] - choice.table["held_out"].max()
            look = {"color": MUTED} if choice.sampled else _line(i)
            ax.plot(
                gap.index,
                gap,
                "s--",
                label=plain(kind) if len(kinds) > 1 else "held out, EM",
                **look | {"markersize": 3.5},
            )
            deepest = deepest if choice.sampled else min(deepest, gap.min())
    what = "Log-density of rows left out" if choice.sampled else "EM: log-density of rows held out"
    ax.set_title(f"{what} (larger is better)")
    bottom = max(1.2 * deepest, -_furthest(choice, {"elpd_loo" if choice.sampled else "held_out": -1}))
    ax.set_ylim(bottom, -0.08 * bottom)
    ax.legend()


def _evidence(ax: Axes, choice: Choice) -> None:
    """With two standard errors; the second estimate beside it."""
    kinds, lowest = _by_kind(choice), choice.table["log_evidence"].max() - SHOWN_GAP
    for i, (kind, rows) in enumerate(kinds):
        look = _line(i)
        ax.errorbar(rows.index, rows["log_evidence"], 2 * rows["log_evidence_error"], fmt="o-", label=kind, **look)
        mark: Style = {"marker": "x", "linestyle": "none", "color": INK, "markersize": 6}
        ax.plot(rows.index + 0.12, rows["nobile"], **mark, label="Nobile's identity" if i == 0 else None)
    ax.set_title("Log evidence, with two standard errors")
    ax.set_ylim(bottom=max(ax.get_ylim()[0], lowest))
    if len(kinds) > 1 or choice.table["nobile"].notna().any():
        ax.legend(loc="lower right")


def _probabilities(ax: Axes, choice: Choice) -> None:
    """Of K, of K+ and of modes, with their errors."""
    found = choice.posterior
    x = found.index.to_numpy()
    bars: Style = {"error_kw": {"ecolor": MUTED, "elinewidth": 1}}
    shown = {name: label for name, label in BARS.items() if name in found}
    width = WIDTH / len(shown)
    for j, (name, label) in enumerate(shown.items()):
        at = x + (j - (len(shown) - 1) / 2) * width
        ax.bar(at, found[name], width, yerr=found[f"{name}_error"], color=colour(j), label=label, **bars)
    before = np.r_[x[0] - 1, x, x[-1] + 1], np.r_[0, found["prior"], 0]
    ax.step(*before, where="mid", color=MUTED, linewidth=0.8, label="p(K)")
    ax.set(title="Probability given the rows", xlim=(x[0] - 0.7, x[-1] + 0.7))
    top = ax.get_ylim()[1]
    ax.set_yticks([tick for tick in ax.get_yticks() if tick <= min(top, 1.0)])
    ax.set_ylim(0, ABOVE_BARS * top)
    ax.legend(ncols=2, loc="upper center")


def _line(i: int) -> Style:
    return {"color": colour(i), "markersize": 4, "linewidth": 1.3}
