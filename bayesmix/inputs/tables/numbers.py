"""How a column writes its numbers: decimal point or comma, thousands set off or not, words for a missing cell.

A spelling is a decimal mark and a mark of thousands. A column has those spellings under which every cell of it is a
number; it is read where they agree on all values, and left as text where they do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import pandas as pd

from bayesmix.inputs.tables.options import DECIMALS, THOUSANDS, Options

WRITTEN_GAPS = (
    *("", "-", "--", ".", "?", "*", "na", "n/a", "n.a.", "nan", "none", "null", "nil", "missing"),
    *("#n/a", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"),
)
"""Texts, in small letters, by which people and spreadsheets mark a missing cell."""
LONG_MINUS = "\u2212"
"""The minus of typesetters, which some programs write."""
LARGEST_WHOLE = 2.0**53
"""Whole numbers up to here are held as integers: floats have every one of them."""


@dataclass(frozen=True)
class Spelling:
    """A decimal mark, and what is between groups of three digits ("" for nothing).

    Examples
    --------
    >>> Spelling(",", ".").value("1.234,5")
    1234.5
    """

    decimal: str = "."
    thousands: str = ""

    def allows(self, text: str) -> bool:
        """Whether a text is a number so written."""
        return bool(_pattern(self.decimal, self.thousands).fullmatch(text))

    def value(self, text: str) -> float:
        """The number that a text of this spelling is."""
        text = text.replace(self.thousands, "") if self.thousands else text
        return float(text.replace(self.decimal, ".").replace(LONG_MINUS, "-"))


PLAINLY = Spelling()


@cache
def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    d, t = re.escape(decimal), re.escape(thousands)
    whole = rf"(?:[1-9]\d{{0,2}}(?:{t}\d{{3}})+|\d+)" if thousands else r"\d+"
    return re.compile(rf"[+\-{LONG_MINUS}]?(?:{whole}(?:{d}\d*)?|{d}\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Written:
    """A column of numbers in text: its cells without spaces around them, which are missing, how it may be spelled.

    Attributes
    ----------
    texts : Series
        None where the cell is missing.
    gaps : dict of str to int
        Texts that stand for a missing cell, and how many cells hold them.
    spellings : tuple of Spelling
        Those under which every cell is a number, simplest first.
    """

    texts: pd.Series
    gaps: dict[str, int]
    spellings: tuple[Spelling, ...]

    @property
    def shows_decimal(self) -> bool:
        """Whether its cells leave one decimal mark, and it is not spelled plainly."""
        return PLAINLY not in self.spellings and len({spelling.decimal for spelling in self.spellings}) == 1

    @cached_property
    def agreed(self) -> Spelling | None:
        """The spelling to read by: a plain one where that is possible, else any, if all agree; None if they do not."""
        first = self.spellings[0]
        if first == PLAINLY or not self.contested():
            return first
        return None

    def contested(self) -> str:
        """The first cell that would be different numbers under different spellings; empty where there is none."""
        for text in self.texts.dropna().unique():
            if len({spelling.value(text) for spelling in self.spellings}) > 1:
                return str(text)
        return ""

    def narrowed(self, decimal: str) -> Written:
        """As far as the decimal mark is known."""
        kept = tuple(s for s in self.spellings if s.decimal == decimal)
        return replace(self, spellings=kept) if kept else self

    def numbers(self, spelling: Spelling) -> pd.Series:
        """The column as numbers: whole ones where all are and none is missing."""
        values = self.texts.map({text: spelling.value(text) for text in self.texts.dropna().unique()}).astype(float)
        whole = not values.isna().any() and bool(((values % 1 == 0) & (values.abs() < LARGEST_WHOLE)).all())
        return values.astype(np.int64) if whole else values


def written(column: pd.Series, options: Options) -> Written | None:
    """A column of text as numbers with gaps; None where some cell is neither, or all are gaps.

    Examples
    --------
    >>> prices = written(pd.Series(["1,5", "2.000,0", "-"]), Options())
    >>> prices.agreed, prices.gaps, prices.numbers(prices.agreed).tolist()
    (Spelling(decimal=',', thousands='.'), {'-': 1}, [1.5, 2000.0, nan])
    """
    there = column.dropna()
    if not all(isinstance(cell, str) for cell in there.head(1)):
        return None
    counts = {str(text): int(n) for text, n in there.value_counts(sort=False).items()}
    gaps = {text: n for text, n in counts.items() if text.strip().lower() in WRITTEN_GAPS}
    texts = [text for text in counts if text not in gaps]
    spellings = possible([text.strip() for text in texts], options) if texts else ()
    if not spellings:
        return None
    held = column.map({text: text.strip() for text in texts}).astype(object)
    return Written(held.where(held.notna(), None), gaps, spellings)


def possible(texts: Sequence[str], options: Options) -> tuple[Spelling, ...]:
    """The spellings under which all texts are numbers, the simplest first; of thousands with marks that occur alone."""
    there = set("".join(texts))
    left = [spelling for spelling in _spellings(options) if not spelling.thousands or spelling.thousands in there]
    for text in texts:
        left = [spelling for spelling in left if spelling.allows(text)]
        if not left:
            return ()
    return tuple(left)


def _spellings(options: Options) -> list[Spelling]:
    decimals: Sequence[str] = DECIMALS if options.decimal is None else (options.decimal,)
    if options.decimal is None and options.thousands == ",":
        decimals = ["."]
    thousands = THOUSANDS if options.thousands is None else (options.thousands,)
    plain = [Spelling(d) for d in decimals]
    return [*plain, *(Spelling(d, t) for d in decimals for t in thousands if t != d)]
