"""The lines of a text file: which character separates fields, whether the first line is a header, all of one width."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path

from bayesmix.inputs.tables.numbers import WRITTEN_GAPS, possible
from bayesmix.inputs.tables.options import MOST_FILE_COLUMNS, MOST_FILE_ROWS, MOST_LINE, Options
from bayesmix.inputs.tables.words import array_names

COMMA = ","
SEPARATORS = (COMMA, ";", "\t", "|")
HEADER_ROWS = 1000
"""Rows by which a first line of values is told from one of names."""
SAID_SEPARATOR = re.compile(r"(\"?)sep=([^\r\n])\1\r?\n?", re.IGNORECASE)
"""A first line by which spreadsheets are told the separator; it is no row."""
NAMED_SEPARATORS = {COMMA: "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}

OF_ROWS = re.compile(
    r"(.*[\W_])?(id|name|row|index|case|subject|patient|person|sample|site|plot|group|date)", re.IGNORECASE
)
"""What the column is called that names the rows."""
DIGITS = re.compile(r"\d+")
"""By which alone names of rows differ that were counted."""

type Record = tuple[int, list[str]]
"""Where a record ends, as a line counted from 1, and its fields."""


@dataclass(frozen=True)
class Layout:
    """How the lines of a file are to be read.

    Attributes
    ----------
    sep : str
        Between fields.
    header : bool
        Whether the first line holds names.
    names : tuple of str
        Of the columns, without spaces around them; empty ones at the end of every line are left out.
    width : int
        How many fields a line has.
    rows : int
        How many there are.
    skipped : int
        Lines before the first, which say how the file is written: 0 or 1.
    """

    sep: str
    header: bool
    names: tuple[str, ...]
    width: int
    rows: int = 0
    skipped: int = 0


def layout(path: Path, encoding: str, options: Options) -> Layout:
    """Separator, header and names of a text file, every line of which has one width.

    ValueError, without the file's name, that says what is wrong in which line.
    """
    said = said_separator(path, encoding)
    sep = options.sep or said or _separator(path, encoding)
    first = next(records(path, encoding, sep), (1, []))[1]
    if not any(first):
        raise ValueError("the file is empty, or its first line is blank: it needs a header line")
    header = _is_header(path, encoding, sep) if options.header is None else options.header
    found = Layout(sep, header, (), len(first), skipped=int(bool(said)))
    rows, used = _checked_rows(path, encoding, found)
    return replace(found, rows=rows, names=_names(first, header, used))


def _names(first: Sequence[str], header: bool, used: int) -> tuple[str, ...]:
    """Of the columns up to the last that holds anything, ``used`` of them by their rows; ValueError for one twice."""
    fields = [field.strip() for field in first]
    while len(fields) > used and not fields[-1]:
        fields.pop()
    if not header:
        return array_names(len(fields))
    for position, name in enumerate(fields):
        if name in fields[:position]:
            raise ValueError(
                f"the column {name!r} occurs twice in the header (set header = false where the first line is no header)"
            )
    return tuple(name or f"Unnamed: {position}" for position, name in enumerate(fields))


def said_separator(path: Path, encoding: str) -> str:
    """The separator that the first line says and does nothing else; empty where it does not."""
    with path.open(encoding=encoding, newline="") as file:
        said = SAID_SEPARATOR.fullmatch(file.readline(len('"sep=;"\r\n')))
    return said[2] if said else ""


def records(path: Path, encoding: str, sep: str) -> Iterator[Record]:
    """The records of a file; a blank line is one without fields, one that says the separator alone is none."""
    skipped = int(bool(said_separator(path, encoding)))
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(islice(_bounded(file), skipped, None), delimiter=sep, skipinitialspace=True, strict=True)
        for fields in reader:
            yield reader.line_num + skipped, fields


def _bounded(file: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if len(line) > MOST_LINE:
            raise ValueError(f"line {number} has more than {MOST_LINE:,} characters: is this a table?")
        if number > MOST_FILE_ROWS + 1:
            raise ValueError(f"there are more than {MOST_FILE_ROWS:,} rows, the most that are read")
        yield line


def _separator(path: Path, encoding: str) -> str:
    """The character that cuts every line into as many fields as the header, more than one."""
    widths = {sep: _width(path, encoding, sep) for sep in SEPARATORS}
    wide = [sep for sep, width in widths.items() if width > 1]
    if len(wide) == 1:
        return wide[0]
    if not wide:
        return _single_column(path, encoding)
    even = [sep for sep in wide if _is_even(path, encoding, sep)]
    if len(even) == 1:
        return even[0]
    if not even:
        return max(wide, key=lambda sep: widths[sep])
    plain = [sep for sep in even if not _cuts_numbers(path, encoding, sep, [other for other in even if other != sep])]
    if len(plain) == 1:
        return plain[0]
    told = " or ".join(NAMED_SEPARATORS[sep] for sep in even)
    raise ValueError(f"fields may be separated by {told}: set sep, such as sep = {even[0]!r}")


def _width(path: Path, encoding: str, sep: str) -> int:
    """How many fields the first line has; none where its quotes do not go with this separator."""
    try:
        return len(next(records(path, encoding, sep), (1, []))[1])
    except csv.Error:
        return 0


def _single_column(path: Path, encoding: str) -> str:
    """Where no separator is in the first line: one that cuts no line; with commas in every other line, none is sure."""
    even = [sep for sep in SEPARATORS if _is_even(path, encoding, sep)]
    if COMMA in even or not even:
        return COMMA
    line, fields = next((line, fields) for line, fields in records(path, encoding, COMMA) if len(fields) > 1)
    raise ValueError(
        f"line {line} has {len(fields)} fields between commas, the first line 1: where these are decimal commas in a "
        'single column, set sep = ";"; where they separate fields, the header lacks names'
    )


def _is_even(path: Path, encoding: str, sep: str) -> bool:
    """Whether all lines have as many fields as the first."""
    try:
        widths = (len(fields) for _, fields in records(path, encoding, sep) if fields)
        first = next(widths, None)
        return all(width == first for width in widths)
    except csv.Error:
        return False


def _cuts_numbers(path: Path, encoding: str, sep: str, others: Sequence[str]) -> bool:
    """Whether another separator has every cell with ``sep`` in it as a number: then that is a decimal comma."""
    for other in others:
        rows = islice(records(path, encoding, other), 1, None)
        cells = (cell for _, fields in rows for cell in fields if sep in cell)
        if all(possible([cell.strip()], Options()) for cell in cells):
            return True
    return False


def _is_header(path: Path, encoding: str, sep: str) -> bool:
    """Whether the first line holds names: it does unless it can only be a row."""
    _, first = next(records(path, encoding, sep))
    numbers = {j: bool(possible([field.strip()], Options())) for j, field in enumerate(first) if field}
    if all(numbers.values()):
        if _may_be_names([first[j] for j in numbers]):
            if not first[0]:  # a table written with its index, which has no name
                return True
            raise ValueError(
                f"the first line holds numbers alone ({sep.join(first)[:60]}), which may be names or values: set "
                "header = true or header = false"
            )
        return False
    rows = [fields for _, fields in islice(records(path, encoding, sep), 1, HEADER_ROWS)]
    rows = [fields for fields in rows if len(fields) == len(first) and fields != first]
    words = [j for j, number in numbers.items() if not number]
    if not any(numbers.values()):
        return True
    if any(row[j] == first[j] for row in rows for j in words):
        return False
    values = [j for j, number in numbers.items() if number]
    of_rows = any(OF_ROWS.fullmatch(first[j].strip()) for j in words)
    named = _heads_numbers(first, words, rows) or (of_rows and _may_be_doses(first, values, rows))
    if _reads_as_row(first, words, rows) or not named:
        raise ValueError(
            f"the first line holds words and numbers ({sep.join(first)[:60]}), which may be names or values: set "
            "header = true or header = false"
        )
    return True


def _heads_numbers(first: Sequence[str], words: Sequence[int], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a word of the first line stands above numbers alone."""
    names = [j for j in words if first[j].strip().lower() not in WRITTEN_GAPS]
    return any(all(possible([row[j].strip()], Options()) for row in rows) for j in names)


def _may_be_doses(first: Sequence[str], values: Sequence[int], rows: Sequence[Sequence[str]]) -> bool:
    """Whether numbers beside words may be names of columns: several, ascending, unlike the numbers below."""
    if len(values) < 2 or not all(_number(first[j]) < _number(first[k]) for j, k in pairwise(values)):
        return False
    below = ((j, [_number(row[j]) for row in rows if possible([row[j].strip()], Options())]) for j in values)
    return any(not column or not min(column) <= _number(first[j]) <= max(column) for j, column in below)


def _number(field: str) -> float:
    """A field that is a number in some spelling."""
    return possible([field.strip()], Options())[0].value(field.strip())


def _reads_as_row(first: Sequence[str], words: Sequence[int], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a word with digits, such as p001, differs from all below by its digits alone."""
    named = [j for j in words if any(character.isdigit() for character in first[j])]
    return any(rows and all(DIGITS.sub("0", row[j]) == DIGITS.sub("0", first[j]) for row in rows) for j in named)


def _may_be_names(fields: Sequence[str]) -> bool:
    """Whether numbers may be names of columns: years, doses, places; always ascending, and of several columns."""
    if len(fields) < 2 or not all(field.isdecimal() for field in fields):
        return False
    values = [int(field) for field in fields]
    if len(values) == 2:
        return values[1] == values[0] + 1
    return all(a < b for a, b in pairwise(values))


def _checked_rows(path: Path, encoding: str, found: Layout) -> tuple[int, int]:
    """The number of rows, and up to which column they hold anything.

    ValueError for a line of another width, a blank one among the others, no row.
    """
    width, ragged, more, blank, rows, used = found.width, "", 0, 0, 0, 0
    if width > MOST_FILE_COLUMNS:
        raise ValueError(f"there are {width:,} columns; at most {MOST_FILE_COLUMNS:,} are read")
    for line, fields in islice(records(path, encoding, found.sep), int(found.header), None):
        if not fields:
            blank = blank or line
            continue
        if blank:
            raise ValueError(f"line {blank} is blank")
        rows += 1
        if len(fields) == width:
            while used < width and any(map(str.strip, fields[used:])):
                used += 1
            continue
        more += 1
        ragged = ragged or (
            f"row {rows} (line {line}) has {len(fields)} fields, the {'header' if found.header else 'first line'} has "
            f"{width}; the row is {found.sep.join(fields)[:80]!r}"
        )
    if ragged:
        others = f" (rows of another width: {more:,} of {rows:,})" if more > 1 else ""
        raise ValueError(f"{ragged}{others}")
    if rows == 0:
        raise ValueError("there is a header and no rows")
    return rows, used
