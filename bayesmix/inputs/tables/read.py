"""A file as a table: what is not said of it is found out where it cannot be mistaken, and told in one line."""

from __future__ import annotations

import codecs
import csv
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from bayesmix.inputs.arguments import of_file
from bayesmix.inputs.tables.columnar import is_columnar, read_columnar
from bayesmix.inputs.tables.encoding import UTF_8, find_encoding
from bayesmix.inputs.tables.lines import COMMA, NAMED_SEPARATORS, Layout, layout
from bayesmix.inputs.tables.numbers import PLAINLY, Spelling, Written, written
from bayesmix.inputs.tables.options import MOST_BYTES, Options
from bayesmix.inputs.tables.words import some

MOST_TOLD = 4
"""Columns whose words for a missing cell are told one by one."""


@dataclass(frozen=True)
class Table:
    """What was read.

    Attributes
    ----------
    frame : DataFrame
        Its rows count from 1.
    told : str
        What was understood that is not as usual (commas, decimal points, UTF-8, a header); empty where all is.
    """

    frame: pd.DataFrame
    told: str


def read_table(path: Path | str, *, text: Sequence[str] = (), **options: Any) -> Table:
    """Read a file of rows: text with any separator, encoding and spelling of numbers; Parquet; Arrow.

    Cells are read as numbers where a whole column is. A cell is missing that pandas takes for it (empty, NA, N/A, None,
    null, nan or the like), and, among numbers, what people write for it (``-``, ``?``, ``missing``, ``#DIV/0!``). Every
    line must have as many fields as the first: pandas would cut long lines, fill short ones and drop blank ones in
    silence. Columns at the end that hold nothing, not even a name, are left out, and so is a first line ``sep=;`` by
    which spreadsheets are told the separator. A column whose numbers may be read in two ways stays text, so that its
    use is an error and not a guess.

    Parameters
    ----------
    path
        The file.
    text
        Columns that are read as text whatever is in them, such as names of rows.
    **options
        ``sep, decimal, thousands, encoding, na, header``: see :class:`bayesmix.inputs.tables.options.Options`.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        Naming the file, the line and what is wrong with it, or the option to set.
    """
    path, chosen = Path(path), Options.of(options)
    try:
        size = path.stat().st_size
        if not (path.is_file() or path.is_dir()):
            raise ValueError("is no plain file")
        if size > MOST_BYTES:
            raise ValueError(f"has {size:,} bytes; at most {MOST_BYTES:,} are read")
        if is_columnar(path):
            return Table(_without_stand_ins(_counted(read_columnar(path)), chosen), _told(path, [], chosen))
        encoding = _said(chosen.encoding) or find_encoding(path.read_bytes())
        found = layout(path, encoding, chosen)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return _read(path, encoding, found, chosen, text)
    except FileNotFoundError:
        raise ValueError(f"{path}: the file does not exist") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeError as error:
        raise ValueError(f"{path}: is not {chosen.encoding} text: {error}") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as CSV: {str(error).strip()}") from None
    except ValueError as error:
        raise of_file(path, str(error)) from None


def _said(encoding: str | None) -> str | None:
    """The encoding that was said; UTF-8 may begin with a mark."""
    return UTF_8 if encoding is not None and codecs.lookup(encoding).name == "utf-8" else encoding


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows count from 1 where they have no names."""
    return frame.set_axis(pd.RangeIndex(1, len(frame) + 1)) if isinstance(frame.index, pd.RangeIndex) else frame


def _read(path: Path, encoding: str, found: Layout, options: Options, text: Sequence[str]) -> Table:
    settings: dict[str, Any] = {
        "sep": found.sep,
        "header": 0 if found.header else None,
        "names": list(found.names),
        "usecols": range(len(found.names)),
        "skiprows": found.skipped,
        "encoding": encoding,
        "index_col": False,
        "skipinitialspace": True,
        "na_values": list(options.na) or None,
        "low_memory": False,
        "compression": None,  # a name that ends in .zip is no archive
    }
    raw: dict[str, Any] = {"decimal": options.decimal or PLAINLY.decimal, "dtype": dict.fromkeys(text, str)}
    frame = _counted(pd.read_csv(path, **settings, **raw))
    if frame.shape != (found.rows, len(found.names)):  # pandas and Python cut lines alike, or it is not to be trusted
        raise ValueError(f"cannot be read as CSV: {found.rows} rows were found, and {len(frame)} when read again")
    there = _columns_of_numbers(frame, options, text)
    if {c.agreed.decimal for c in there.values() if c.agreed and c.shows_decimal} == {","}:
        commas = {name: column.narrowed(",") for name, column in there.items() if PLAINLY not in column.spellings}
        if options.decimal is None:
            _check_points(pd.read_csv(path, **settings, dtype=str), frame, commas)
        there |= commas
    read = {name: (column, column.agreed) for name, column in there.items() if column.agreed}
    for name, (column, spelling) in read.items():
        frame[name] = column.numbers(spelling)
    gaps = {name: column.gaps for name, (column, _) in read.items()} | _gaps_in_words(path, settings, frame, options)
    frame = _without_stand_ins(frame, options)
    return Table(frame, _told(path, [*_in_words(encoding, found, options, read), *_gaps_told(gaps)], options))


def _columns_of_numbers(frame: pd.DataFrame, options: Options, text: Sequence[str]) -> dict[str, Written]:
    """Columns of text every cell of which is a number so or so, or stands for a missing one."""
    columns = {str(name): frame[name] for name in frame.columns if name not in text and _is_text(frame[name])}
    found = {name: written(column, options) for name, column in columns.items()}
    return {name: column for name, column in found.items() if column is not None}


def _is_text(column: pd.Series) -> bool:
    return column.dtype == object or isinstance(column.dtype, pd.StringDtype)


def _gaps_in_words(
    path: Path, settings: Mapping[str, Any], frame: pd.DataFrame, options: Options
) -> dict[str, dict[str, int]]:
    """Of columns of words the texts that were taken for a missing cell and not said to be, and how often they stand."""
    where = [j for j, name in enumerate(frame.columns) if _is_text(frame[name]) and frame[name].isna().any()]
    if not where:
        return {}
    own = {"usecols": where, "names": list(frame.columns[where]), "na_values": None, "keep_default_na": False}
    raw = pd.read_csv(path, **{**settings, **own}, dtype=str)
    hidden = {name: raw[name][frame[name].isna().to_numpy()].value_counts(sort=False) for name in raw.columns}
    return {
        str(name): {str(text): int(n) for text, n in counts.items() if text not in options.na}
        for name, counts in hidden.items()
    }


def _without_stand_ins(frame: pd.DataFrame, options: Options) -> pd.DataFrame:
    """The table with gaps for the numbers and texts that mark a missing cell, however the numbers are written."""
    numbers = [PLAINLY.value(text) for text in options.na if PLAINLY.allows(text)]
    frame = frame.copy(deep=False)
    for position, (_, column) in enumerate(frame.items() if options.na else ()):
        if is_numeric_dtype(column) and not is_bool_dtype(column):
            marked = column.isin(numbers)
        else:
            marked = column.astype(object).map(lambda cell: isinstance(cell, str) and cell in options.na).astype(bool)
        if marked.any():
            frame.isetitem(position, column.mask(marked).array)
    return frame


def _check_points(raw: pd.DataFrame, frame: pd.DataFrame, commas: Mapping[str, Written]) -> None:
    """ValueError where a file with decimal commas has a column of points that may set off thousands."""
    for name in raw.columns:
        column = None if name in commas or frame[name].dtype.kind in "iub" else written(raw[name], Options())
        odd = column.contested() if column is not None else ""
        if odd:
            row = frame.index[(raw[name].str.strip() == odd).to_numpy()][0]
            either = f"{Spelling().value(odd):.15g} or {Spelling(',', '.').value(odd):.15g}"
            raise ValueError(
                f"column {str(name)!r}, row {row}: {odd!r} may be {either}, for other columns ({some(commas)}) have "
                "decimal commas: set decimal"
            )


def _told(path: Path, parts: Sequence[str], options: Options) -> str:
    """In one line what is not as usual."""
    parts = [*parts, *([f"missing wherever {', '.join(map(repr, options.na))} stands"] if options.na else [])]
    return f"Read {path.name}: {'; '.join(parts)}." if parts else ""


def _in_words(
    encoding: str, found: Layout, options: Options, read: Mapping[str, tuple[Written, Spelling]]
) -> list[str]:
    """How the file is written, where that is not as usual."""
    parts = [] if found.sep == COMMA else [f"separated by {NAMED_SEPARATORS.get(found.sep, repr(found.sep))}"]
    spelled: dict[Spelling, list[str]] = {}
    for name, (_, spelling) in read.items():
        spelled.setdefault(spelling, []).append(name)
    for spelling, names in spelled.items():
        parts += [f"{_spelling_in_words(spelling)} ({some(names)})"] if spelling != PLAINLY else []
    if options.decimal == "," and not spelled:
        parts.append(_spelling_in_words(Spelling(",")))
    parts += [] if encoding == UTF_8 else [f"encoding {encoding}"]
    parts += [] if found.header else [f"no header, so that columns are {some(found.names)}"]
    empty = found.width - len(found.names)
    parts += [f"empty columns left out at the end: {empty}"] if empty else []
    return parts


def _gaps_told(gaps: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Which texts stand for a missing cell in which column, blank ones aside."""
    written = {name: {text: n for text, n in texts.items() if text.strip()} for name, texts in gaps.items()}
    told = {name: some(f"{text!r} ({n})" for text, n in texts.items()) for name, texts in written.items() if texts}
    parts = [f"missing in {some([name])}: {texts}" for name, texts in list(told.items())[:MOST_TOLD]]
    return [*parts, *([f"missing cells in {len(told) - MOST_TOLD} more columns"] if len(told) > MOST_TOLD else [])]


def _spelling_in_words(spelling: Spelling) -> str:
    parts = ["decimal comma"] if spelling.decimal == "," else []
    return ", ".join([*parts, *([f"thousands by {spelling.thousands!r}"] if spelling.thousands else [])])
