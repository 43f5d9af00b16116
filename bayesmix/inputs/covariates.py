"""Columns as numbers or as factors: covariates as a formula may use them, and observed columns as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.inputs.csv_columns import DATE, PLAIN_NUMBERS, WRITTEN_NUMBER, floats, numeric

FEWEST_LEVELS = 5
"""A factor with so many levels must have two rows for each, on average."""
TEXTS_OF_NOTHING = ("nan", "NaN", "<NA>", "NaT")
"""What becomes of missing values where they are made text; no class and no answer is called so without a word."""
BOOLEANS = ("False", "True")
"""Levels of a column of truth values, whose codes are numbers as well."""

type Levels = tuple[str, ...]
"""What the codes 0, 1, ... of a column stand for; empty where it holds numbers."""


def cells(frame: pd.DataFrame) -> tuple[np.ndarray, tuple[Levels, ...]]:
    """Observed columns (n, n_columns): numbers, or codes of levels; NaN where a cell is missing; and the levels.

    Text, truth values and pandas' categories have levels: in the categories' own order, else sorted. Numbers in their
    order, as categories or as text, are numbers. Whether words are welcome is for the family to say
    (:mod:`bayesmix.likelihood.cells`).

    Examples
    --------
    >>> x, levels = cells(pd.DataFrame({"smokes": ["yes", None, "no"], "age": [40, 31, 60]}))
    >>> x[:, 0].tolist(), levels
    ([1.0, nan, 0.0], (('no', 'yes'), ()))
    """
    if all(isinstance(t, np.dtype) and t.kind in "iuf" and t.itemsize <= 8 for t in frame.dtypes):
        x = np.array(frame.to_numpy(dtype=float), order="C")  # its own copy
        if not np.isinf(x).any():  # numbers as they are: nothing to be told from a cell
            return x, ((),) * x.shape[1]
    columns = [_cells(frame[[name]]) for name in frame.columns]
    return np.ascontiguousarray(np.column_stack([x for x, _ in columns])), tuple(levels for _, levels in columns)


def decoded(x: np.ndarray, levels: Levels) -> pd.Series:
    """A column of :func:`cells` as it was given: numbers, or a factor in the order of its levels."""
    if not levels:
        return pd.Series(x)
    codes = np.where(np.isnan(x), -1, x).astype(int)
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(levels, dtype=object)))


def _cells(frame: pd.DataFrame) -> tuple[np.ndarray, Levels]:
    column = frame.iloc[:, 0]
    there = column.notna().to_numpy()
    if pd.api.types.infer_dtype(column, skipna=True) == "boolean":
        return column.astype("boolean").to_numpy(dtype=float, na_value=np.nan), BOOLEANS
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories
        words = not (pd.api.types.is_numeric_dtype(categories) and categories.is_monotonic_increasing)
    else:
        text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
        values = floats(column[there]) if text else None
        words = values is not None and bool(np.isnan(values).any())
    if words:
        factor = as_levels(column)
        _check_answers(factor)
        codes = factor.cat.codes.to_numpy().astype(float)
        return np.where(codes < 0, np.nan, codes), tuple(factor.cat.categories)
    x = np.full(len(column), np.nan)
    x[there] = numeric(frame[there])[:, 0]
    return x, ()


def _check_answers(factor: pd.Series) -> None:
    """ValueError where an answer is called as missing values are that were made text."""
    odd = np.flatnonzero(factor.isin(TEXTS_OF_NOTHING))
    if len(odd):
        raise ValueError(
            f"X: column {str(factor.name)!r}, row {factor.index[odd[0]]} is the text {factor.iloc[odd[0]]!r}, which "
            "NumPy makes of a missing cell; use None or a real NaN there, in an array of dtype object or a DataFrame"
        )


def covariate(
    column: pd.Series, *, as_factor: bool, encoded: bool = False, known: Sequence[str] | None = None
) -> pd.Series:
    """A column as floats, or as a factor whose levels are text.

    Parameters
    ----------
    column : Series
        Its index names the rows.
    as_factor : bool
        Whether the formula asks for a factor: ``C(column)``.
    encoded : bool
        Whether the formula was evaluated before, on other rows; ``known`` are the levels it met there, None where it
        met numbers.

    Raises
    ------
    ValueError
        Naming column, row and value: a missing cell; a date; numbers that came as text; a level that the fit never
        saw; a factor with a level for most rows.

    Examples
    --------
    >>> covariate(pd.Series(["a", "b", "a"]), as_factor=False).cat.categories.tolist()
    ['a', 'b']
    """
    name = str(column.name)
    missing = np.flatnonzero(column.isna())
    if len(missing):
        raise ValueError(f"column {name!r}, row {column.index[missing[0]]} is missing")
    column = column.infer_objects()
    if not (as_factor or isinstance(column.dtype, pd.CategoricalDtype)):
        numbers = _as_numbers(column, name)
        if numbers is not None:
            if known is not None:
                raise ValueError(f"column {name!r} holds numbers; the fit knew the levels {', '.join(known)}")
            return numbers
        if not encoded:
            _check_text(column, name)
    factor = as_levels(column)
    if encoded:
        return _with_levels(factor, column, name, known)
    count = len(factor.cat.categories)
    if count >= FEWEST_LEVELS and 2 * count > len(factor):
        raise ValueError(
            f"column {name!r} has {count} levels in {len(factor)} rows, too many for a coefficient each: leave it out "
            "if it only names the rows; group its levels if not"
        )
    return factor


def known_levels(column: pd.Series) -> tuple[str, ...] | None:
    """The levels of a factor from :func:`covariate`; None where it is numbers."""
    return tuple(column.cat.categories) if isinstance(column.dtype, pd.CategoricalDtype) else None


def _as_numbers(column: pd.Series, name: str) -> pd.Series | None:
    """The column as floats, None where it is text."""
    if pd.api.types.is_complex_dtype(column):
        raise ValueError(f"column {name!r} must hold real numbers; got complex ones")
    kinds = {pd.api.types.infer_dtype(column)}
    if kinds & {"datetime64", "datetime", "date", "timedelta64", "timedelta", "period", "time"}:
        raise ValueError(_dated(column, name, column.iloc[0]))
    if pd.api.types.is_numeric_dtype(column) or kinds & {"decimal", "mixed-integer-float"}:
        return column.astype(float)
    return None


def _check_text(column: pd.Series, name: str) -> None:
    """Text whose levels mostly look like numbers or dates is neither in silence."""
    text = column.map(level_text)
    levels = pd.Series(text.unique())
    for pattern, told in ((DATE, _dated), (WRITTEN_NUMBER, _textual)):
        like = levels.map(lambda level, pattern=pattern: bool(pattern.fullmatch(level)))
        if 2 * like.sum() >= len(levels):
            odd = [v for v in levels if not _is_plain(v)] if pattern is WRITTEN_NUMBER else list(levels)
            raise ValueError(told(column, name, (odd or list(levels))[0]))


def _is_plain(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _dated(column: pd.Series, name: str, value: Any) -> str:
    return (
        f"column {name!r}{_row(column, value)} holds dates or times ({value}), which have no unit of their own: make "
        f"it numbers, such as days since the first, or a factor by C({name})"
    )


def _textual(column: pd.Series, name: str, value: str) -> str:
    return (
        f"column {name!r}{_row(column, value)} is the text {value!r} in a column that mostly holds numbers: make it "
        f"numbers, with {PLAIN_NUMBERS}, or a factor by C({name})"
    )


def _row(column: pd.Series, value: Any) -> str:
    rows = np.flatnonzero(column.map(level_text) == level_text(value))
    return f", row {column.index[rows[0]]}" if len(rows) else ""


def _with_levels(factor: pd.Series, column: pd.Series, name: str, known: Sequence[str] | None) -> pd.Series:
    if known is None:
        raise ValueError(f"column {name!r} must hold numbers, as in the fit; got {column.iloc[0]!r}")
    new = np.flatnonzero(~factor.isin(list(known)))
    if len(new):
        value, row = str(factor.iloc[new[0]]), factor.index[new[0]]
        raise ValueError(f"column {name!r}, row {row} has the level {value!r}; the fit knew {', '.join(known)}")
    return factor.cat.set_categories(list(known))


def level_text(value: Any) -> str:
    """A level or a class as text: 1, 1.0 and "1" are one (a column with an empty cell holds its integers as floats)."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def as_levels(column: Any, *, unused: bool = False) -> pd.Series:
    """A factor whose levels are text; their order is the categories' own, else sorted, numbers by size.

    Categories that no row has are dropped, but where ``unused`` is set.

    Examples
    --------
    >>> as_levels(pd.Series([10, 9, 10])).cat.categories.tolist()
    ['9', '10']
    """
    values = pd.Series(column)
    factor = values if isinstance(values.dtype, pd.CategoricalDtype) else pd.Series(_sorted_categorical(values))
    factor = factor if unused else factor.cat.remove_unused_categories()
    text = [level_text(level) for level in factor.cat.categories]
    names = list(dict.fromkeys(text))  # 1 and "1" are two categories of pandas and one level
    codes = np.array([names.index(name) for name in text] + [-1])[factor.cat.codes.to_numpy()]
    encoded = pd.Categorical.from_codes(codes, pd.Index(names, dtype=object), ordered=factor.cat.ordered)
    return pd.Series(encoded, index=values.index, name=values.name)


def _sorted_categorical(values: pd.Series) -> pd.Categorical[Any]:
    try:
        return pd.Categorical(values)
    except TypeError:  # lists and dicts have no hash: their text stands for them
        return pd.Categorical(values.map(str))
