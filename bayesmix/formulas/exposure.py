"""Exposure: how much of time, area or effort each row's count stands for, an offset log(exposure) in the log rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmix.formulas.design import check_formula
from bayesmix.inputs.covariates import covariate


def check_exposure(exposure: Any, formula: str) -> str:
    """The name of a column, with which the rate's formula can be extended; ValueError where it is none."""
    if not isinstance(exposure, str) or not exposure.strip() or "`" in exposure:
        raise ValueError(f"exposure: must be the name of a column, without backticks; got {exposure!r}")
    check_formula(with_exposure(formula, exposure), "exposure")
    return exposure


def with_exposure(formula: str, exposure: str | None) -> str:
    """The formula of the log rate with its offset.

    Examples
    --------
    >>> with_exposure("1 + age", "days at sea")
    '1 + age + offset(log(`days at sea`))'
    """
    return formula if exposure is None else f"{formula} + offset(log(`{exposure}`))"


def check_exposures(exposure: str, covariates: pd.DataFrame) -> None:
    """Positive numbers in every row; ValueError naming column, row and value."""
    if exposure not in covariates:
        there = ", ".join(map(str, covariates.columns)) or "none: name the counts with response= to keep the others"
        raise ValueError(f"exposure: no column {exposure!r}; the covariates are {there}")
    try:
        values = covariate(covariates[exposure], as_factor=False)
    except ValueError as error:
        raise ValueError(f"exposure: {error}") from None
    if isinstance(values.dtype, pd.CategoricalDtype):
        raise ValueError(f"exposure: column {exposure!r} must hold numbers; got {covariates[exposure].iloc[0]!r}")
    bad = np.flatnonzero(~((values > 0) & np.isfinite(values)))
    if len(bad):
        row, value = values.index[bad[0]], values.iloc[bad[0]]
        raise ValueError(f"exposure: column {exposure!r}, row {row} must be positive and finite; got {value:g}")
