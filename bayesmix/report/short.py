"""The report on at most four printed pages: the verdict, two figures, the tables that a colleague asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bayesmix.report.blocks import Block, Figure, Inline, Paragraph, Section, Table
from bayesmix.report.text import plural

SHORT = "short.html"
"""Beside the whole page."""
PICTURED = ("components", "forest")
WITH_TABLES = ("comparison", "responsibilities")
"""Sections whose tables it has, and what the first of them says."""
MOST_SHORT_ROWS = 28
"""Of a table."""


def shortened(sections: Sequence[Section]) -> list[Section]:
    """The verdict as it stands, then pictures and numbers, of the sections of a whole report.

    Examples
    --------
    >>> figure = Figure("forest", "Intervals: 3 of 4 hold EM's", "Intervals.")
    >>> [s.title for s in shortened([Section("verdict", "Verdict", []), Section("posterior", "", [figure])])]
    ['Verdict', 'In pictures']
    """
    blocks = [block for section in sections for block in section.blocks]
    drawn = {block.name: block for block in blocks if isinstance(block, Figure)}
    pictures: list[Block] = [drawn[name] for name in PICTURED if name in drawn]
    by_id = {section.id: section for section in sections}
    told = [by_id[name] for name in WITH_TABLES if name in by_id]
    numbers: list[Block] = [*[block for s in told[:1] for block in s.blocks if isinstance(block, Paragraph)][:1]]
    numbers += [_first_rows(block) for s in told for block in s.blocks if isinstance(block, Table)]
    made = [sections[0], Section("pictures", "In pictures", pictures), Section("numbers", "In numbers", numbers)]
    return [section for section in made if section.blocks or section is sections[0]]


def _first_rows(table: Table) -> Table:
    """The table, cut where it is long."""
    rest = len(table.rows) - MOST_SHORT_ROWS
    if rest <= 0:
        return table
    last: Sequence[Inline] = [f"{plural(rest, 'more row is', 'more rows are')} in the whole report"]
    return replace(table, rows=[*table.rows[:MOST_SHORT_ROWS], last])
