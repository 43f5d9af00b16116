"""Missing cells: how many, in which patterns, what is assumed of them, what the fit says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.parts.gaps import patterns
from bayesmix.report.blocks import Block, Inline, Notice, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.text import listed, percent, plural, whole

MOST_PATTERNS = 8
AT_RANDOM = (
    "The likelihood of a row is that of the cells that were observed; the others are summed out, and no value is "
    "filled in. This is right where cells are missing at random: whether a cell is missing may depend on what was "
    "observed of its row, but, given that, neither on the value that it would have had nor on the row's group. The "
    "data cannot tell whether that holds. It does not where, for example, large values were less often recorded than "
    "small ones."
)
COMPLETELY = (
    "What is left is a fair sample of all rows only where cells are missing completely at random: for reasons that "
    'have nothing to do with any value, observed or not. With missing = "model" the rows are kept, where the family '
    "can sum their gaps out."
)


def gaps(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """Counts by column, patterns, missing at random in words, the missing cells over the data."""
    data = fits.data
    if not (data.gaps or data.dropped):
        return None
    blocks: list[Block] = []
    if data.dropped:
        left = (
            f"{plural(data.dropped, 'row was', 'rows were')} left out for a missing cell; {whole(len(data))} are left."
        )
        blocks += [Paragraph(left, "lead"), Notice("note", "Missing completely at random", COMPLETELY)]
    if data.gaps:
        blocks += [Paragraph(_in_words(data), "lead"), Notice("note", "Missing at random", AT_RANDOM)]
        blocks += [_columns(data), _patterns(data), *figures(fits, summary, "imputed")]
    return Section("gaps", "Missing cells", blocks)


def _in_words(data: Data) -> str:
    gone = np.isnan(data.x)
    cells, share = whole(int(gone.sum())), percent(float(gone.mean()), 1)
    rows, empty = plural(int(gone.any(axis=1).sum()), "row"), int(gone.all(axis=1).sum())
    none = f"; {plural(empty, 'row has', 'rows have')} no cell at all" if empty else ""
    return f"{cells} of {whole(gone.size)} cells ({share}) are missing, in {rows} of {whole(len(data))}{none}."


def _columns(data: Data) -> Table:
    gone = np.isnan(data.x).sum(axis=0)
    rows: list[Sequence[Inline]] = [
        [name, whole(int(n)), percent(n / len(data), 1)] for name, n in zip(data.feature_names, gone, strict=True) if n
    ]
    return Table(("Column", "Missing", "Share of the rows"), rows, (False, True, True), "Missing cells by column.")


def _patterns(data: Data) -> Table:
    found = sorted(((len(rows), there) for there, rows in patterns(data.x)), key=lambda pattern: -pattern[0])
    shown: list[Sequence[Inline]] = [[_missing(data, there), whole(n)] for n, there in found[:MOST_PATTERNS]]
    rest = found[MOST_PATTERNS:]
    if rest:
        shown.append([f"{len(rest)} other patterns", whole(sum(n for n, _ in rest))])
    return Table(("Missing together", "Rows"), shown, (False, True), "Which cells are missing in the same rows.")


def _missing(data: Data, there: np.ndarray) -> str:
    gone = [name for j, name in enumerate(data.feature_names) if j not in there]
    return "every cell" if len(gone) == data.n_features else listed(gone, most=6) if gone else "nothing"
