"""What users keep data in (pandas, NumPy with or without masks, polars, arrow, lists), as pandas and lists, row by row.

Nothing that has names, a mask or an index loses it: columns keep their names, masked cells are missing, and what has an
index goes by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.inputs.arguments import listed
from bayesmix.inputs.covariates import level_text
from bayesmix.inputs.csv_columns import column, floats
from bayesmix.inputs.tables.words import array_names


def frame_of(X: Any) -> pd.DataFrame:
    """The columns of ``X``, named by text, with the index that ``X`` has (numbers from 0 where it has none).

    ValueError for what is no table: another number of dimensions, no row or column, a name that occurs twice.
    """
    X = _as_pandas(X)
    if isinstance(X, pd.DataFrame):
        frame = X
    elif isinstance(X, pd.Series):
        frame = X.to_frame(name=X.name if X.name is not None else "x")
    else:
        array = _array_of(X)
        if array.ndim not in (1, 2):
            raise ValueError(f"X: must have shape (n,) or (n, n_features); got shape {array.shape}")
        array = array[:, None] if array.ndim == 1 else array
        frame = pd.DataFrame(array, columns=list(array_names(array.shape[1])))
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ValueError(f"X: needs at least one row and one column; got shape {frame.shape}")
    names = [str(c) for c in frame.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"X: column names must differ; got {listed(names)}")
    return frame.set_axis(names, axis=1)


def _array_of(X: Any) -> np.ndarray:
    """An array, with None or NaN where a mask hides what stood there; ValueError for what is no table."""
    if isinstance(X, np.ma.MaskedArray):
        plain = X.dtype.kind in "biuf"
        return np.ma.filled(X.astype(float if plain else object), np.nan if plain else None)
    if hasattr(X, "toarray"):
        raise ValueError("X: a sparse matrix is another kind of table; use X.toarray()")
    try:
        array = np.asarray(X)
    except ValueError:  # NumPy's word for ragged rows
        sizes = sorted({np.size(row) for row in X})
        raise ValueError(f"X: every row must have as many entries; got rows of {', '.join(map(str, sizes))}") from None
    if array.ndim == 0:
        got = repr(X) if np.isscalar(X) or X is None else f"a {type(X).__name__}"
        advice = "; use pandas.DataFrame(X)" if isinstance(X, Mapping) else ""
        raise ValueError(f"X: must be a table, or an array of shape (n,) or (n, n_features); got {got}{advice}")
    return array


def with_row_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows are called by their index, or by numbers from 1."""
    if isinstance(frame.index, pd.RangeIndex) or not frame.index.is_unique:
        return frame.set_axis(pd.RangeIndex(1, len(frame) + 1), axis=0)
    return frame


def named_by(frame: pd.DataFrame, id: str) -> pd.DataFrame:
    """The rows called by a column, which is left out; ValueError where a name is missing or occurs twice."""
    ids = column(frame, id, "id")
    if frame.shape[1] == 1:
        raise ValueError(f"id: {id!r} is the only column; a row needs something that was observed beside its name")
    missing = np.flatnonzero(ids.isna() | (ids.map(str) == ""))
    if len(missing):
        raise ValueError(f"id: column {id!r}, row {missing[0] + 1} is missing; every row needs a name of its own")
    names = pd.Index(ids.map(level_text), dtype=object)
    if not names.is_unique:
        again = names[names.duplicated()][0]
        first, second = np.flatnonzero(names == again)[:2] + 1
        raise ValueError(f"id: column {id!r} names rows {first} and {second} alike, {again!r}; names must differ")
    return frame.drop(columns=id).set_axis(names, axis=0)


def split(frame: pd.DataFrame, response: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is observed, and the covariates: all columns and none, or the response and the others."""
    if response is None:
        return frame, frame[[]]
    column(frame, response, "response")
    return frame[[response]], frame.drop(columns=response).set_axis([str(i) for i in frame.index], axis=0)


def has_index(X: Any) -> bool:
    """Whether the rows of ``X`` have an index of their own."""
    return isinstance(X, pd.DataFrame | pd.Series)


def by_row(values: Any, rows: pd.Index | None, n: int, argument: str) -> Any:
    """One entry per row, in the order of the rows: a list or array, or a table where there are several columns.

    Parameters
    ----------
    values : Series, DataFrame, array, masked array, polars or arrow column, list, tuple
        A pandas index that holds the labels of ``rows`` in another order is put in theirs. A masked entry is None. One
        column is one entry per row.
    rows : Index or None
        The index of ``X``; None where it has none: then entries are taken by position.
    n : int
        Number of rows.
    argument : str
        For the errors.
    """
    if isinstance(values, Mapping | Set | str | bytes) or not (
        hasattr(values, "__len__") or hasattr(values, "__array__")
    ):
        got = repr(values) if isinstance(values, str) or np.isscalar(values) else f"a {type(values).__name__}"
        raise ValueError(
            f"{argument}: must be a sequence with one entry per row (or a pandas.Series, which goes by its index); "
            f"got {got}"
        )
    rows = rows if has_index(values) else None  # polars and arrow have no index, only pandas gives them one
    values = _as_pandas(values)
    if len(values) != n:
        raise ValueError(f"{argument}: must have one entry per row, {n}; got {len(values)}")
    if has_index(values):
        values = values if rows is None else _aligned(values, rows, argument)
        values = values.iloc[:, 0] if isinstance(values, pd.DataFrame) and values.shape[1] == 1 else values
        return values if isinstance(values, pd.DataFrame) else values.to_numpy(dtype=object)
    if isinstance(values, np.ma.MaskedArray):
        cells = values.data.astype(object)
        cells[np.ma.getmaskarray(values)] = None
        values = cells
    if isinstance(values, np.ndarray):
        values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        return values
    if all(isinstance(entry, list | tuple | np.ndarray) and len(entry) == 1 for entry in values):
        return [entry[0] for entry in values]
    return list(values)


def _as_pandas(values: Any) -> Any:
    """Polars, arrow and whatever else can say itself in pandas; structured arrays by their fields."""
    if isinstance(values, np.ndarray) and values.dtype.names:
        return pd.DataFrame({name: values[name] for name in values.dtype.names})
    if hasattr(values, "to_pandas"):
        return values.to_pandas()
    if hasattr(values, "collect") and hasattr(values, "lazy"):
        raise ValueError("X: a lazy table holds no rows yet; use X.collect()")
    return values


def _aligned(values: Any, rows: pd.Index, argument: str) -> Any:
    if values.index.equals(rows):
        return values
    if rows.is_unique and values.index.is_unique and len(rows.difference(values.index)) == 0:
        return values.loc[rows]
    raise ValueError(
        f"{argument}: their index differs from that of X, and is not the same labels in another order; use "
        f"{argument}.loc[X.index], or .to_numpy() by position"
    )


def by_position(values: Any, X: Any, n: int, argument: str) -> Any:
    """:func:`by_row` as scikit-learn has it, by position whatever the index; None of None.

    ValueError where X has the same labels in another order: somebody will be wrong.
    """
    both = has_index(values) and has_index(X) and len(values) == len(X)
    if both and not values.index.equals(X.index) and values.index.symmetric_difference(X.index).empty:
        raise ValueError(f"{argument}: its index is that of X in another order; use {argument}.loc[X.index]")
    return (
        None
        if values is None
        else by_row(values if hasattr(values, "__len__") else np.asarray(values), None, n, argument)
    )


def check_column(entries: Any, argument: str, what: str) -> None:
    """ValueError where entries by row are several columns, or of several sizes."""
    try:
        shape = f"shape {np.shape(entries)}" if np.ndim(entries) != 1 else ""
    except ValueError:  # NumPy's word for ragged rows
        shape = "rows of several sizes"
    if shape:
        raise ValueError(f"{argument}: must be one column, one {what} per row; got {shape}")


def sample_weights(sample_weight: Any, X: Any, n: int) -> np.ndarray:
    """:func:`weights_by_row` as scikit-learn has it: by position, and one number is that of every row."""
    weights = np.full(n, sample_weight) if isinstance(sample_weight, Real) else sample_weight
    return weights_by_row(by_position(weights, X, n, "sample_weight"), None, n, "sample_weight")


def weights_by_row(row_weights: Any, rows: pd.Index | None, n: int, argument: str = "row_weights") -> np.ndarray:
    """v_i (n,), 1 where none are given; ValueError naming the row and the value."""
    if row_weights is None:
        return np.ones(n)
    entries = by_row(row_weights, rows, n, argument)
    check_column(entries, argument, "weight")
    weights = floats(pd.Series(list(entries), dtype=object))
    if weights is None:
        raise ValueError(f"{argument}: must be real numbers; got complex ones")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise ValueError(f"{argument}: must be finite and not negative; row {bad[0] + 1} is {entries[bad[0]]}")
    if not weights.any():
        raise ValueError(f"{argument}: at least one must be positive; all are zero")
    with np.errstate(over="ignore"):
        if not np.isfinite(weights.sum()):
            raise ValueError(f"{argument}: their sum must be finite; got weights up to {weights.max():g}")
    return weights
