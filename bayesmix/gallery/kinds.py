"""What the columns of an unknown table hold: names of rows, dates, answers, counts, measurements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from pandas.api.types import is_hashable

from bayesmix.inputs.covariates import FEWEST_LEVELS, level_text
from bayesmix.inputs.csv_columns import DATE
from bayesmix.inputs.tables.numbers import possible, written
from bayesmix.inputs.tables.options import Options
from bayesmix.inputs.tables.words import some

UNIT = re.compile(
    r"[(\[]\s*([^()\[\]]{1,12}?)\s*[)\]]\s*$|"
    r"[ _.](mm|cm|km|m|mg|kg|g|ml|l|ms|s|sec|min|h|hz|bpm|pct|usd|eur)$"
)
"""A unit at the end of a column's name."""
MEASURED = re.compile(
    r"\b(age|alter|year of|height|length|width|depth|weight|size|mass|area|volume|temp\w*|pressure|speed|distance|"
    r"duration|time|price|cost|income|salary|score|percent\w*|share|ratio|bmi|dose|density)\b"
)
"""Names of what is measured, though it may be given in whole numbers."""
NAMING = re.compile(
    r"(id|nr|no|number|index|key|code|row|rownames|unnamed: 0|patient|subject|participant|case|name)|"
    r".*\b(id|ids|nr|no|number|code|key)"
)
"""Names of columns that name rows, where all their cells differ."""
MONTH = r"(jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*"
WRITTEN_DATE = re.compile(
    rf"\s*(\d{{1,2}}[-. ]*{MONTH}[-.,' ]*\d{{2,4}}|{MONTH}[ .]*\d{{1,2}},? *\d{{2,4}}|"
    r"\d{1,2}:\d{2}(:\d{2})?)( .*)?",
    re.IGNORECASE,
)
"""Dates with the month in words, and times of the day."""
SORTED_DATE = re.compile(r"\d{4}-\d{2}-\d{2}.*")
"""Dates that are in the order of time where they are in that of the alphabet."""
CLASSES = re.compile(r"label|labels|class|classes|truth|true class|target|species|diagnosis|cluster|group")
"""Names of columns of classes."""
YEARS = (1800, 2100)
"""Whole numbers between these are years, where the column's name says so."""
MOST_CODES = 7
"""Answers in codes, such as 1 to 5, have at most so many; more are counts."""
ROWS_PER_CODE = 4
NEAR_ZERO = 0.2
"""Whole numbers that come so near to zero, as a share of their mean, are counts; others are measurements."""
SMALL = 30
"""Whole numbers up to here, whose name is that of nothing measured, are counts."""
STAND_INS = (-9, -99, -999, -9999, 99, 999, 9999)
"""Numbers by which people mark a missing cell."""
FAR_OFF = 2.0
"""A stand-in is further from all other cells than so many times their range."""


class Kind(StrEnum):
    """What a column is. Of the last three there are mixtures; they are called as families call what they observe."""

    ID = "id"
    """Names of rows."""
    DATE = "date"
    EMPTY = "empty"
    """Or constant."""
    TEXT = "text"
    """With a level for most rows."""
    MEASUREMENT = "measurement"
    ANSWER = "answer"
    COUNT = "count"


@dataclass(frozen=True)
class Column:
    """A column of an unknown table.

    Attributes
    ----------
    name : str
    kind : Kind
    told : str
        What it holds, in a few words.
    missing : int
        How many of its cells are.
    stand_in : int or None
        A number that seems to stand for a missing cell, for it is far from all others and there several times.
    """

    name: str
    kind: Kind
    told: str
    missing: int
    stand_in: int | None = None

    def __str__(self) -> str:
        return f"{some([self.name])}: {self.told}{f'; {self.missing} missing' if self.missing else ''}"

    @property
    def named_so(self) -> bool:
        """Whether the name says that the column names rows."""
        return _names_rows(self.name)

    @property
    def classes(self) -> bool:
        """Whether it seems to hold the classes that a mixture looks for."""
        return self.kind == Kind.ANSWER and bool(CLASSES.fullmatch(_plain(self.name)))


def described(frame: pd.DataFrame) -> dict[str, Column]:
    """What every column holds.

    Examples
    --------
    >>> found = described(pd.DataFrame({"id": [7, 8, 9], "height (cm)": [170.5, 181.0, None], "visits": [0, 4, 11]}))
    >>> [str(column) for column in found.values()]
    ['id: names the rows', 'height (cm): measurements in cm, 170.5 to 181; 1 missing', 'visits: counts, 0 to 11']
    """
    return {str(name): _column(str(name), frame[name]) for name in frame.columns}


def _column(name: str, column: pd.Series) -> Column:
    there = column.dropna()
    missing = len(column) - len(there)
    if not all(is_hashable(cell) for cell in there):
        return Column(name, Kind.TEXT, "lists or the like", missing)
    levels = there.nunique()
    if levels < 2:
        told = f"constant ({some([level_text(there.iloc[0])])})" if levels else "empty"
        return Column(name, Kind.EMPTY, told, missing)
    if pd.api.types.is_datetime64_any_dtype(there) or _all_dates(there):
        return Column(name, Kind.DATE, f"dates, {_span(there)}", missing)
    if pd.api.types.is_bool_dtype(there) or not pd.api.types.is_numeric_dtype(there):
        kind, told = _words(name, there, levels, missing)
        return Column(name, kind, told, missing)
    values = there.to_numpy(dtype=float)
    kind, told = _numbers(name, values, missing)
    return Column(name, kind, told, missing, None if kind == Kind.ID else _stand_in(values))


def _all_dates(there: pd.Series) -> bool:
    cells = there.unique()
    return all(isinstance(cell, str) and (DATE.fullmatch(cell) or WRITTEN_DATE.fullmatch(cell)) for cell in cells)


def _span(there: pd.Series) -> str:
    """The first date and the last; as the file has them where text does not sort by time."""
    sorted_so = not all(isinstance(cell, str) for cell in there) or all(map(SORTED_DATE.fullmatch, there))
    first, last = (there.min(), there.max()) if sorted_so else (there.iloc[0], there.iloc[-1])
    return f"{some([first])} to {some([last])}{'' if sorted_so else ', in the order of the rows'}"


def _two_ways(there: pd.Series) -> bool:
    """Whether every cell is a number in text, and they do not say how decimals and thousands are written."""
    cells = there.unique()
    if not all(isinstance(cell, str) and possible([cell.strip()], Options()) for cell in cells):
        return False
    found = written(there, Options())
    return found is None or found.agreed is None


def _words(name: str, there: pd.Series, levels: int, missing: int) -> tuple[Kind, str]:
    """Text: names of rows, answers, or neither."""
    if _two_ways(there):
        return Kind.TEXT, "numbers that may be read in two ways: set decimal or thousands"
    if levels == len(there):
        return (Kind.ID, "names the rows") if not missing else (Kind.TEXT, "texts that all differ")
    if levels >= FEWEST_LEVELS and 2 * levels > len(there):
        return Kind.TEXT, f"text, {levels} different ones in {len(there)} rows"
    return Kind.ANSWER, f"answers or categories in words: {some(there.map(level_text).value_counts().index)}"


def _numbers(name: str, values: np.ndarray, missing: int) -> tuple[Kind, str]:
    low, high, levels = values.min(), values.max(), len(np.unique(values))
    unit = _unit(name)
    span = f"{low:g} to {high:g}"
    if not (values == np.floor(values)).all():
        return Kind.MEASUREMENT, f"measurements{f' in {unit}' if unit else ''}, {span}"
    if levels == len(values) > 2 and not missing and (_names_rows(name) or (np.diff(values) == 1).all()):
        return Kind.ID, "names the rows"
    if _names_rows(name) and levels > MOST_CODES:
        return Kind.TEXT, f"numbers that name groups of rows ({levels} of them)"
    if set(np.unique(values)) == {0.0, 1.0}:
        return Kind.ANSWER, "answers, 0 and 1"
    if YEARS[0] <= low and high <= YEARS[1] and re.search(r"year|jahr|date", _plain(name)):
        return Kind.DATE, f"years, {span}"
    if unit or MEASURED.search(_plain(name)):
        return Kind.MEASUREMENT, f"measurements{f' in {unit}' if unit else ''}, whole numbers, {span}"
    if low >= 1 and high <= MOST_CODES and len(values) >= ROWS_PER_CODE * levels:
        return Kind.ANSWER, f"answers in codes, {span}"
    if low >= 0 and (low <= 1 or low < NEAR_ZERO * values.mean() or high <= SMALL):
        return Kind.COUNT, f"counts, {span}"
    return Kind.MEASUREMENT, f"measurements, whole numbers, {span}"


def _unit(name: str) -> str:
    found = UNIT.search(name)
    return next((unit for unit in found.groups() if unit), "") if found else ""


def _plain(name: str) -> str:
    return re.sub(r"[_.\-]+", " ", name).strip().lower()


def _names_rows(name: str) -> bool:
    return bool(NAMING.fullmatch(_plain(name)))


def _stand_in(values: np.ndarray) -> int | None:
    """A number that stands for a missing cell, as it seems: there more than once, and far from all others."""
    for value in STAND_INS:
        rest = values[values != value]
        if len(values) - len(rest) < 2 or len(np.unique(rest)) < 2:
            continue
        low, high = rest.min(), rest.max()
        away = max(low - value, value - high)
        if away > FAR_OFF * (high - low) or value < 0 <= low:
            return value
    return None
