"""Cells as a family can read them: words where it takes them, gaps where it takes those."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesmix.inputs.arguments import shown
from bayesmix.inputs.covariates import BOOLEANS, Levels
from bayesmix.inputs.csv_columns import LOOKED_THROUGH, number_advice, telling
from bayesmix.inputs.data import Data
from bayesmix.likelihood.family import Family

LARGEST_COUNT = 2**31 - 1


def readable(family: Family, data: Data) -> Data:
    """The rows; categories that are numbers by name as numbers, where the family takes no words.

    ValueError naming the column, the row and the value of the first cell that it cannot read.
    """
    columns = zip(data.feature_names, data.x.T, data.levels, strict=True)
    levels = list(data.levels)
    x = data.x
    for j, (name, codes, own) in enumerate(columns):
        if own and not family.takes_levels:
            x = x.copy() if x is data.x else x
            if own == BOOLEANS and family.observation == "count":
                raise _refused(data, name, ~np.isnan(codes), "is a truth value, not a count")
            x[:, j], levels[j] = _numbers(data, name, codes, own), ()
    return data if x is data.x else data.coded(x, levels)


def _numbers(data: Data, name: str, codes: np.ndarray, levels: Levels) -> np.ndarray:
    """A column of codes as the numbers that its levels are called by."""
    if levels == BOOLEANS:
        return codes
    values = pd.to_numeric(pd.Series(levels), errors="coerce").to_numpy(dtype=float)
    there = ~np.isnan(codes)
    x = np.where(there, values[np.where(there, codes, 0).astype(int)], np.nan)
    words = there & ~np.isfinite(x)
    if words.any():
        found = [levels[int(code)] for code in codes[words][:LOOKED_THROUGH]]
        at = telling(found)
        what, advice = f"is not a finite number: {shown(found[at])}", number_advice(found[at])
        raise _refused(data, name, words, what, advice, at=at)
    return x


def _refused(data: Data, name: str, which: np.ndarray, what: str, advice: str = "", *, at: int = 0) -> ValueError:
    rows = np.flatnonzero(which)
    more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
    return ValueError(f"X: column {name!r}, row {data.obs_names[rows[at]]} {what}{more}{advice}")


def check_counts(data: Data, family: str, *, one_column: bool = True) -> None:
    """ValueError naming the column, row and value that is no count; missing ones pass."""
    if one_column and data.n_features != 1:
        raise ValueError(
            f"X: a {family} takes one column of counts; got {data.n_features} "
            f"({', '.join(data.feature_names)}). Name it with response=, the others become covariates"
        )
    for name, x in zip(data.feature_names, data.x.T, strict=True):
        rules = [(x < 0, "must not be negative"), (~np.isnan(x) & (x != np.floor(x)), "must be a whole number")]
        rules += [(x > LARGEST_COUNT, f"must be at most {LARGEST_COUNT}")]
        for broken, rule in rules:
            if broken.any():
                row = int(np.flatnonzero(broken)[0])
                raise ValueError(f"X: column {name!r}, row {data.obs_names[row]}: a count {rule}; got {x[row]:.15g}")
