"""How every figure looks: colours, sizes, names that are safe to print, legends that hide no data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

type Style = dict[str, Any]
"""Keyword arguments of an artist."""
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#999933")
"""Component colours: Okabe and Ito's without black and yellow, and two more that are told apart from them."""
ALARM = "#D55E00"
INK = "#222222"
MUTED = "#7a7a7a"
FAINT = "#dcdcdc"
MINUS = "\N{MINUS SIGN}"
EM_MARK: Style = {"marker": "x", "color": "black", "linestyle": "none", "markersize": 5, "markeredgewidth": 1.3}
"""A point estimate beside a posterior."""
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "text.usetex": False,
}
DATA = "#b0b0b0"
"""The rows behind what a model says of them."""


def styled[**P](draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A figure function that draws in the style of this package and leaves the reader's own alone."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            return draw(*args, **kwargs)

    return inside


def new_figure(width: float = 8.0, height: float = 4.0) -> Figure:
    """An empty figure, inches; no window, no pyplot state."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.03)
    return Figure(figsize=(width, height), layout=layout)


def one_panel(width: float = 8.0, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure of one panel."""
    fig = new_figure(width, height)
    return fig, fig.subplots()


def panels_abreast(fig: Figure, n: int, across: int, **options: Any) -> list[Axes]:
    """The n panels of a figure, so many abreast; the last row may be shorter."""
    axes = np.ravel(fig.subplots(-(-n // across), across, squeeze=False, **options))
    for ax in axes[n:]:
        ax.remove()
    return list(axes[:n])


def plain(text: object, *, limit: int = 34) -> str:
    """A user's name as printed text: no mathtext, one line, signs with a glyph, cut in the middle to ``limit``."""
    one_line = " ".join("".join(c for c in str(text) if c.isprintable() or c.isspace()).split())
    if len(one_line) > limit:
        one_line = f"{one_line[: limit // 2]}…{one_line[-(limit // 2 - 1) :]}"
    return one_line.replace("$", r"\$")


def colour(k: int) -> str:
    """The colour of component k, the same in every figure."""
    return OKABE_ITO[k % len(OKABE_ITO)]


def blend(r: np.ndarray) -> np.ndarray:
    """One colour per row, (n, 3): the components' colours mixed by responsibilities (n, K)."""
    palette = np.array([matplotlib.colors.to_rgb(colour(k)) for k in range(r.shape[1])])
    return np.clip(r @ palette, 0, 1)


def chain_colour(chain: int, n: int) -> tuple[float, ...]:
    """Chains run from dark to light, so that nobody takes them for components."""
    return matplotlib.colormaps["viridis"](0.9 * chain / max(1, n - 1))


def line(label: str, **style: Any) -> Line2D:
    """A legend entry."""
    return Line2D([], [], label=visible(label), **style)


def patch(label: str, **style: Any) -> Patch:
    """A legend entry."""
    return Patch(label=visible(label), **style)


def visible(label: str) -> str:
    """Matplotlib leaves labels that begin with an underscore out of legends."""
    return f" {label}" if label.startswith("_") else label


def component_entries(components: Sequence[str]) -> list[Artist]:
    """Legend entries of the components."""
    return [patch(plain(name, limit=26), color=colour(k)) for k, name in enumerate(components)]


def legend_above(fig: Figure, entries: Sequence[Artist], *, columns: int = 5) -> None:
    """The legend above the panels, never on the data."""
    if entries:
        rows = -(-len(entries) // columns)
        fig.legend(handles=list(entries), loc="outside upper left", ncols=-(-len(entries) // rows))


def bare(ax: Axes) -> None:
    """No ticks and no frame."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def rows_shown(n: int, limit: int) -> np.ndarray:
    """Row numbers: all, or a fixed random sample of ``limit``."""
    return np.arange(n) if n <= limit else np.sort(np.random.default_rng(0).choice(n, limit, replace=False))
