"""Levels of factors: one encoding, as text, wherever a factor comes from (memory, a file, new rows)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def level_text(value: Any) -> str:
    """A level as text: 1, 1.0 and "1" are one level (a column with an empty cell holds its integers as floats)."""
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
