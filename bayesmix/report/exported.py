"""The tables of a page as CSV files, each with the numbers that the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from bayesmix.drawing.style import MINUS
from bayesmix.inputs.tables.write import write_csv
from bayesmix.report.blocks import Inline, Section, Table
from bayesmix.report.text import DASH, THIN

FOLDER = "tables"
BOTH_ENDS = re.compile(r"(\S+) to (\S+)")
FOR_COMPUTERS = str.maketrans({MINUS: "-", THIN: "", "\N{NON-BREAKING HYPHEN}": "-", "\N{NO-BREAK SPACE}": " "})
"""What a page writes otherwise than a file."""
GROUP = "Of"
"""The column of the headings that stand between rows."""


def write_tables(sections: Sequence[Section], folder: Path) -> list[str]:
    """Every table of these sections into ``folder``, by section and number; the names of the files."""
    folder.mkdir(exist_ok=True)
    return [write_csv(frame, folder / f"{name}.csv", index=False).name for name, frame in _tables(sections)]


def _tables(sections: Sequence[Section]) -> Iterator[tuple[str, pd.DataFrame]]:
    for section in sections:
        blocks = [block for block in section.blocks if isinstance(block, Table)]
        for number, block in enumerate(blocks, start=1):
            yield section.id if number == 1 else f"{section.id}_{number}", as_frame(block)


def as_frame(table: Table) -> pd.DataFrame:
    """A table of a page as numbers and text: signs as computers write them, both ends of an interval in their columns.

    A row that heads others becomes a first column.

    Examples
    --------
    >>> shown = Table(("Row", "Mean", "90% interval"), [["means"], ["a", "−1.5", "−2 to −1"]], (False, True, True))
    >>> as_frame(shown).to_dict("records")
    [{'Of': 'means', 'Row': 'a', 'Mean': -1.5, '90% interval, lower': -2, '90% interval, upper': -1}]
    """
    heads = _distinct([GROUP, *(plain(head) for head in table.columns)])[1:]
    group, rows = "", []
    for row in table.rows:
        if len(row) == 1 < len(heads):
            group = plain(row[0])
        else:
            rows.append({GROUP: group} | dict(zip(heads, map(plain, row), strict=True)))
    frame = pd.DataFrame(rows, columns=[GROUP, *heads])
    parts = [
        _numbers(frame[name]) if numeric else frame[[name]] for name, numeric in zip(heads, table.numeric, strict=True)
    ]
    return pd.concat([frame[[GROUP]] if group else frame[[]], *parts], axis=1)


def plain(cell: Inline) -> str:
    """A cell without tags, with a hyphen for a minus and nothing for what is missing."""
    text = (cell.striptags() if isinstance(cell, Markup) else cell).translate(FOR_COMPUTERS)
    return "" if text == DASH else text


def _distinct(heads: Sequence[str]) -> list[str]:
    """Heads that occur twice, as two intervals do, are called after the one before them."""
    named = [f"{heads[j - 1]}, {head}" if head in heads[:j] else head for j, head in enumerate(heads)]
    return [f"{head} ({j + 1})".strip() if head in named[:j] or not head else head for j, head in enumerate(named)]


def _numbers(column: pd.Series) -> pd.DataFrame:
    """A column of numbers, or the two of an interval's ends; as it is where it is neither."""
    ends = [BOTH_ENDS.fullmatch(cell) for cell in column]
    if any(ends) and all(end or not cell for end, cell in zip(ends, column, strict=True)):
        sides = {side: [plain(end.group(i)) if end else "" for end in ends] for i, side in ((1, "lower"), (2, "upper"))}
        frames = [_numbers(pd.Series(cells, name=f"{column.name}, {side}")) for side, cells in sides.items()]
        return pd.concat(frames, axis=1)
    values = pd.to_numeric(column.replace("", None), errors="coerce")
    return column.to_frame() if values.isna().sum() > (column == "").sum() else values.to_frame()
