"""How a choice holds over other rows and single starts, as a section of its page: words, picture, table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from bayesmix.choosing.stability import SUBSAMPLE, Stability
from bayesmix.drawing.style import bare, colour, new_figure, plain, styled
from bayesmix.report.blocks import Block, Inline, Paragraph, Table
from bayesmix.report.blocks import Figure as Shown
from bayesmix.report.text import fixed, percent

STABILITY = "stability"
"""The name of its picture."""
WAYS = {"resamples": "resamples", "single_starts": "single starts"}
"""What the shares of :attr:`Stability.wins` are of."""
MOST_BARS = 16
"""Candidates that are drawn: those that win most often, where there are more."""


def blocks(stability: Stability) -> list[Block]:
    """The section."""
    alt = "How often each candidate has the smallest BIC, and how often two rows are in one group"
    caption = (
        "Every pixel of a square is a pair of rows, the darker the more often they are in one group; rows that are "
        f"together stand together. Clearness {fixed(stability.clearness, 2)}: 1 where every pair is always together or "
        "never, 0 where all are half and half."
    )
    return [Paragraph(in_words(stability), "lead"), Shown(STABILITY, alt, caption), _table(stability)]


def in_words(stability: Stability) -> str:
    """How often the candidate that is the best of all rows wins, and which wins most often."""
    rows = "drawn with replacement" if stability.bootstrap else f"{percent(SUBSAMPLE, 0)} of the rows, none twice"
    shares = [percent(float(stability.wins[way].loc[stability.name]), 0) for way in WAYS]
    text = (
        f"Of all rows BIC chooses K = {stability.name}. It does so in {shares[0]} of {stability.resamples} resamples "
        f"({rows}), and in {shares[1]} of as many runs of EM from a single random start."
    )
    most = str(stability.wins["resamples"].idxmax())
    return text if most == stability.name else f"{text} Resamples choose K = {most} most often: a few rows decide."


@styled
def stability_figure(stability: Stability, together: np.ndarray | None) -> Figure:
    """Shares of wins, the consensus over resamples, and the posterior's own co-clustering (n, n), where it is known."""
    squares = [("Together over resamples", stability.consensus.to_numpy())]
    squares += [] if together is None else [("Together over draws of the posterior", together)]
    fig = new_figure(3.0 + 2.9 * len(squares), 3.1)
    axes = fig.subplots(1, 1 + len(squares), width_ratios=[1.0, *[1.05] * len(squares)])
    _bars(axes[0], stability)
    order = _order(squares[0][1])
    for ax, (title, values) in zip(axes[1:], squares, strict=True):
        image = ax.imshow(values[np.ix_(order, order)], cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        bare(ax)
        ax.set_title(f"{title}, K = {plain(stability.name)}")
    fig.colorbar(image, ax=axes[1:], shrink=0.8, label="share")
    return fig


def _bars(ax: Axes, stability: Stability) -> None:
    wins = stability.wins
    shown = wins.loc[sorted(wins.sum(axis=1).nlargest(MOST_BARS).index, key=list(wins.index).index)]
    at = np.arange(len(shown))
    for j, (name, words) in enumerate(WAYS.items()):
        ax.barh(at + 0.4 * (j - 0.5), shown[name], 0.4, color=colour(j), label=words)
    ax.set_yticks(at, [plain(name) for name in shown.index])
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="share in which BIC is smallest", ylabel="K", title="Who wins")
    ax.legend(loc="best")


def _order(consensus: np.ndarray) -> np.ndarray:
    """Rows that are together side by side."""
    if len(consensus) < 3:
        return np.arange(len(consensus))
    apart = squareform(1 - (consensus + consensus.T) / 2, checks=False)
    return np.asarray(leaves_list(linkage(apart, "average")))


def _table(stability: Stability) -> Table:
    rows: list[Sequence[Inline]] = [
        [str(name), *(percent(row[way], 0) for way in WAYS)]
        for name, row in stability.wins.iterrows()
        if row.sum() > 0 or len(stability.wins) <= MOST_BARS
    ]
    caption = "How often each candidate has the smallest BIC of all. Ends of EM in spikes do not count."
    return Table(("K", "Of resamples", "Of single starts"), rows, (False, True, True), caption)
