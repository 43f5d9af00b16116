"""Counts: whole numbers, not negative, not too large."""

from __future__ import annotations

import numpy as np

from bayesmix.inputs.data import Data

LARGEST_COUNT = 2**31 - 1


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
