"""Design matrices from formulas, and the encoders that make the same columns from other rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import DataMismatchWarning, FormulaicError


def design_matrix(formula: str | ModelSpec, frame: pd.DataFrame, part: str) -> tuple[pd.DataFrame, ModelSpec]:
    """The design matrix of a right-hand side, and the encoder that makes the same one from other rows."""
    required = formula.required_variables if isinstance(formula, ModelSpec) else Formula(formula).required_variables
    for variable in sorted(map(str, required)):
        if variable not in frame.columns:
            there = ", ".join(map(str, frame.columns)) or "none: name the counts with response= to keep the others"
            raise ValueError(f"{part}: no column {variable!r} for the formula; the covariates are {there}")
        missing = np.flatnonzero(frame[variable].isna())
        if len(missing):
            raise ValueError(f"{part}: column {variable!r}, row {frame.index[missing[0]]} is missing")
    source = formula if isinstance(formula, ModelSpec) else Formula(formula)
    if isinstance(formula, ModelSpec):
        _refuse_new_levels(formula, frame, part)
    with_levels = frame.select_dtypes("category").columns
    frame = frame.assign(**{c: frame[c].cat.remove_unused_categories() for c in with_levels})
    context = frame if len(frame.columns) else pd.DataFrame({"": np.zeros(len(frame))}, index=frame.index)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            matrix = source.get_model_matrix(context, na_action="raise", output="pandas")
    except (FormulaicError, DataMismatchWarning, ValueError, TypeError, SyntaxError) as error:
        raise ValueError(f"{part}: the formula cannot be evaluated: {first_line(error)}") from None
    plain = pd.DataFrame(matrix).astype(float)
    if plain.shape[1] == 0:
        raise ValueError(f"{part}: the formula has no terms; use '1' for a constant")
    if not np.isfinite(plain.to_numpy()).all():
        raise ValueError(f"{part}: the formula gives values that are not finite")
    return plain, matrix.model_spec


def _refuse_new_levels(encoder: ModelSpec, frame: pd.DataFrame, part: str) -> None:
    """Rows with a level that the encoder has not seen have no coefficient."""
    for variable, (_, state) in encoder.encoder_state.items():
        if "categories" in state and variable in frame:
            known = state["categories"]
            new = np.flatnonzero(~frame[variable].isin(known))
            if len(new):
                value, row = frame[variable].iloc[new[0]], frame.index[new[0]]
                levels = ", ".join(map(str, known))
                raise ValueError(
                    f"{part}: column {variable!r}, row {row} has the level {value!r}; the fit knew {levels}"
                )


def first_line(error: Exception) -> str:
    """The first line of a library's message; its class where it says nothing."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
