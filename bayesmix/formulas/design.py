"""Design matrices and offsets from formulas, and the encoders that make the same columns from other rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from formulaic import Formula as Terms
from formulaic import ModelSpec
from formulaic.errors import DataMismatchWarning

from bayesmix.formulas.formula import Formula, first_line
from bayesmix.inputs.covariates import covariate, known_levels


@dataclass(frozen=True)
class Encoder:
    """A formula with what it took from the rows on which it was first evaluated: levels, centres, knots.

    Attributes
    ----------
    formula : Formula
    levels : mapping of str to tuple of str
        The levels of every factor, by formulaic's name for its column.
    terms : ModelSpec
    offsets : tuple of ModelSpec
    """

    formula: Formula
    levels: Mapping[str, tuple[str, ...]]
    terms: ModelSpec
    offsets: tuple[ModelSpec, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The covariates that the formula uses."""
        return self.formula.columns


class Design(NamedTuple):
    """What a formula makes of rows."""

    matrix: pd.DataFrame
    """(n, n_terms); no two columns have one name."""
    offset: np.ndarray
    """(n,): the sum of the formula's offsets, 0 where it has none."""
    encoder: Encoder


def check_formula(formula: Any, part: str) -> str:
    """The formula, stripped; ValueError naming the part and the piece of it that is not allowed."""
    try:
        return Formula.parse(formula).text.strip()
    except ValueError as error:
        raise ValueError(f"{part}: {error}") from None


def design_matrix(formula: str | Encoder, frame: pd.DataFrame, part: str) -> Design:
    """The design matrix and offset of a right-hand side, and the encoder that makes the same ones from other rows.

    Raises
    ------
    ValueError
        Naming the part of the model, and the piece of the formula, the column, row and value that is wrong.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [1.0, 2.0], "effort": [1.0, 10.0]})
    >>> design = design_matrix("1 + age + offset(log10(effort))", frame, "rate")
    >>> list(design.matrix), design.offset
    (['Intercept', 'age'], array([0., 1.]))
    """
    try:
        return _again(formula, frame) if isinstance(formula, Encoder) else _first(formula, frame)
    except ValueError as error:
        raise ValueError(f"{part}: {error}") from None


def _first(text: str, frame: pd.DataFrame) -> Design:
    formula = Formula.parse(text).over(list(frame.columns))
    used = _used(formula, frame)
    levels = {str(name): known_levels(column) for name, column in used.items()}
    terms, *offsets = [formula.terms, *(f"0 + {{{offset}}}" for offset in formula.offsets)]
    evaluated = [_evaluated(Terms(one), used, formula) for one in (terms, *offsets)]
    encoder = Encoder(
        formula,
        {name: known for name, known in levels.items() if known is not None},
        evaluated[0][1],
        tuple(spec for _, spec in evaluated[1:]),
    )
    return _design([matrix for matrix, _ in evaluated], encoder)


def _again(encoder: Encoder, frame: pd.DataFrame) -> Design:
    used = _used(encoder.formula, frame, encoder.levels)
    specs = (encoder.terms, *encoder.offsets)
    return _design([_evaluated(spec, used, encoder.formula)[0] for spec in specs], encoder)


def _used(formula: Formula, frame: pd.DataFrame, levels: Mapping[str, tuple[str, ...]] | None = None) -> pd.DataFrame:
    """The columns that a formula uses, under formulaic's names, as numbers or as factors."""
    columns: dict[str, pd.Series | np.ndarray] = {}
    for name, (column, as_factor) in formula.names.columns.items():
        if column not in frame.columns:
            raise ValueError(_no_column(column, formula.text, list(frame.columns)))
        known = None if levels is None else levels.get(name)
        columns[name] = covariate(frame[column], as_factor=as_factor, encoded=levels is not None, known=known)
    # formulaic counts the rows by the columns, of which there may be none
    return pd.DataFrame(columns or {"": np.zeros(len(frame))}, index=frame.index)


def _no_column(column: str, text: str, there: list[str]) -> str:
    meant = [name for name in there if not name.isidentifier() and name in text]
    advice = f" (the column {meant[0]!r} is written in backticks: `{meant[0]}`)" if meant else ""
    names = ", ".join(there) or "none: name the counts with response= to keep the others"
    return f"no column {column!r} for the formula; the covariates are {names}{advice}"


def _evaluated(source: Terms | ModelSpec, used: pd.DataFrame, formula: Formula) -> tuple[pd.DataFrame, ModelSpec]:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error", DataMismatchWarning)
            matrix = source.get_model_matrix(used, context=formula.names.context, na_action="ignore", output="pandas")
        plain = pd.DataFrame(matrix).astype(float)
    except Exception as error:  # whatever a library says of a user's expression is an error in that expression
        raise ValueError(f"the formula cannot be evaluated: {formula.names.restore(first_line(error))}") from None
    names = [formula.names.restore(str(name)) for name in plain.columns]
    bad = np.argwhere(~np.isfinite(plain.to_numpy()))
    if len(bad):
        row, name = used.index.tolist()[bad[0][0]], names[bad[0][1]]
        lagged = "; a lag leaves rows empty: make that column beforehand, and drop them" if "lag(" in name else ""
        raise ValueError(f"{name!r}, row {row} is not finite: {plain.to_numpy()[tuple(bad[0])]:g}{lagged}")
    plain = plain.set_axis(names, axis=1)
    return plain, matrix.model_spec


def _design(matrices: list[pd.DataFrame], encoder: Encoder) -> Design:
    matrix, *offsets = matrices
    if matrix.shape[1] == 0:
        raise ValueError("the formula has no terms; use '1' for a constant")
    if not matrix.columns.is_unique:
        twice = matrix.columns[matrix.columns.duplicated()][0]
        raise ValueError(f"two columns of the design are both called {twice!r}; rename a level")
    for offset in offsets:
        if offset.shape[1] != 1:
            raise ValueError(f"offset({offset.columns[0].partition('[')[0]}) must be a number for each row")
    return Design(matrix, sum((o.to_numpy()[:, 0] for o in offsets), start=np.zeros(len(matrix))), encoder)
