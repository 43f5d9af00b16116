"""Observations, label evidence and row weights, validated before anything compiles."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike


@dataclass(frozen=True, init=False, eq=False)
class Data:
    """What was observed: measurements or counts, with what is known of each row's component.

    Parameters
    ----------
    X : array or DataFrame, shape (n,) or (n, n_features)
        Finite numbers. With ``response``, a DataFrame of which one column is the response and the others are
        covariates that formulas may use.
    labels : sequence, optional
        What is known of each row. One entry per row: None, NaN or -1 for nothing; a class for a hard label; a set of
        classes for "one of these". Or an array or DataFrame (n, n_classes) of probabilities, a row that sums to 1
        per observation (NaN throughout for nothing known).
    classes : sequence, optional
        The class names; by default those that occur in ``labels``, sorted. Needed for a class that no row carries.
    row_weights : array, shape (n,), optional
        Non-negative weights v_i of the rows' log-likelihoods; 1 by default.
    response : str, optional
        The column of ``X`` that is observed (counts); the others are covariates.
    truth : sequence, optional
        True classes, used for scoring alone: they never enter a fit.

    Raises
    ------
    ValueError
        Naming the column, the row (counted from 1, or its label in a named index) and the value.

    Notes
    -----
    The evidence is the log-weight a_ik of the design: 0 where class k is possible, -inf where it is excluded, log b_ik
    for a probability b_ik. See :meth:`evidence`.

    Examples
    --------
    >>> data = Data([[1.0], [2.0], [9.0]], labels=[None, "low", "high"])
    >>> data.classes
    ('high', 'low')
    >>> data.evidence(("high", "low", "component_1"))[1]
    array([-inf,   0., -inf])
    """

    x: np.ndarray
    """Observations, (n, n_features)."""
    feature_names: tuple[str, ...]
    covariates: pd.DataFrame
    """Columns that formulas may use, (n, n_covariates); no columns without ``response``."""
    classes: tuple[str, ...]
    class_evidence: np.ndarray
    """(n, n_classes) log-weights; only rows with ``labelled`` carry information."""
    labelled: np.ndarray
    """(n,) bool: rows that say anything of their component."""
    row_weights: np.ndarray
    """(n,)"""
    obs_names: tuple[str, ...]
    truth: np.ndarray | None
    """(n,) true class names, for scoring alone."""

    def __init__(
        self,
        X: ArrayLike | pd.DataFrame | pd.Series,
        labels: Any = None,
        *,
        classes: Sequence[Any] | None = None,
        row_weights: ArrayLike | None = None,
        response: str | None = None,
        truth: Sequence[Any] | None = None,
    ) -> None:
        frame, covariates = _split(_frame(X), response)
        x = numeric(frame)
        n = len(x)
        class_names, evidence, labelled = _label_evidence(labels, classes, n)
        values = {
            "x": x,
            "feature_names": tuple(str(c) for c in frame.columns),
            "covariates": covariates,
            "classes": class_names,
            "class_evidence": evidence,
            "labelled": labelled,
            "row_weights": _weights(row_weights, n),
            "obs_names": tuple(str(i) for i in frame.index),
            "truth": _truth(truth, n),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def n_features(self) -> int:
        """Number of columns of ``x``."""
        return self.x.shape[1]

    @property
    def weighted(self) -> bool:
        """True where some row's weight is not 1."""
        return bool((self.row_weights != 1).any())

    def evidence(self, components: Sequence[str]) -> np.ndarray:
        """Label evidence a_ik, shape (n, n_components), for components of these names.

        A labelled row excludes the components that are no class of its; an unlabelled one leaves all open (a_i = 0).
        """
        unknown = [c for c in self.classes if c not in components]
        if unknown:
            raise ValueError(f"labels: the class {unknown[0]!r} is none of the components {', '.join(components)}")
        full = np.zeros((len(self), len(components)))
        full[self.labelled] = -np.inf
        for k, name in enumerate(self.classes):
            full[self.labelled, components.index(name)] = self.class_evidence[self.labelled, k]
        return full

    def take(self, rows: ArrayLike) -> Data:
        """The same data with these rows only (a boolean mask or row numbers)."""
        index = np.arange(len(self))[np.asarray(rows)]
        new = object.__new__(Data)
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, pd.DataFrame):
                value = value.iloc[index]
            elif isinstance(value, np.ndarray):
                value = value[index]
            elif name == "obs_names":
                value = tuple(value[i] for i in index)
            object.__setattr__(new, name, value)
        return new

    def without_labels(self) -> Data:
        """The same rows with nothing known of their components."""
        new = self.take(np.arange(len(self)))
        object.__setattr__(new, "labelled", np.zeros(len(self), dtype=bool))
        return new

    def to_dataset(self) -> xr.Dataset:
        """All of it as a Dataset that NetCDF can hold; :meth:`from_dataset` is the inverse."""
        variables: dict[str, Any] = {
            "x": (("obs", "feature"), self.x),
            "class_evidence": (("obs", "class"), self.class_evidence),
            "labelled": ("obs", self.labelled.astype("int8")),
            "row_weights": ("obs", self.row_weights),
        }
        if self.truth is not None:
            variables["truth"] = ("obs", self.truth.astype(str))
        for column in self.covariates:
            values = self.covariates[column].to_numpy()
            numeric = np.issubdtype(values.dtype, np.number)
            variables[f"covariate:{column}"] = ("obs", values if numeric else values.astype(str))
        coords = {"obs": list(self.obs_names), "feature": list(self.feature_names), "class": list(self.classes)}
        dataset = xr.Dataset(variables, coords=coords if self.classes else coords | {"class": np.empty(0, dtype="U1")})
        return dataset

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Data:
        """The inverse of :meth:`to_dataset`."""
        new = object.__new__(cls)
        columns = [str(name) for name in dataset if str(name).startswith("covariate:")]
        names = pd.Index([str(v) for v in dataset["obs"].values])
        values = {
            "x": dataset["x"].to_numpy().astype(float),
            "feature_names": tuple(str(v) for v in dataset["feature"].values),
            "covariates": pd.DataFrame({c.removeprefix("covariate:"): dataset[c].to_numpy() for c in columns}, names),
            "classes": tuple(str(v) for v in dataset["class"].values),
            "class_evidence": dataset["class_evidence"].to_numpy(),
            "labelled": dataset["labelled"].to_numpy().astype(bool),
            "row_weights": dataset["row_weights"].to_numpy(),
            "obs_names": tuple(names),
            "truth": dataset["truth"].to_numpy().astype(str) if "truth" in dataset else None,
        }
        for name, value in values.items():
            object.__setattr__(new, name, value)
        return new


def read_csv(path: Path | str) -> pd.DataFrame:
    """Read a CSV file with a header line; the errors name the file, the line and what is wrong with it.

    Cells are read as numbers where a whole column is numeric; an empty cell is missing. Every line must have as many
    fields as the header: pandas would cut long lines, fill short ones and drop blank ones in silence.
    """
    path = Path(path)
    try:
        _check_lines(path)
        frame = pd.read_csv(path, index_col=False, skipinitialspace=True, encoding="utf-8-sig", low_memory=False)
    except FileNotFoundError:
        raise ValueError(f"{path}: the file does not exist") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read as CSV: {str(error).strip()}") from None
    return frame


def _check_lines(path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, skipinitialspace=True, strict=True)
        header = next(lines, [])
        if not any(header):
            raise ValueError(f"{path}: the file is empty, or its first line is blank: it needs a header line")
        _check_header(path, header)
        blank = row = 0
        for row, fields in enumerate(lines, start=1):
            if not fields:
                blank = blank or lines.line_num
            elif blank:
                raise ValueError(f"{path}: line {blank} is blank")
            elif len(fields) != len(header):
                raise ValueError(
                    f"{path}: row {row} (line {lines.line_num}) has {len(fields)} fields, the header has {len(header)}; "
                    f"the row is {','.join(fields)[:80]!r}"
                )
        if row == 0 or blank == 2:
            raise ValueError(f"{path}: there is a header and no rows")


def _check_header(path: Path, header: list[str]) -> None:
    for position, name in enumerate(header):
        if name in header[:position]:
            raise ValueError(f"{path}: the column {name!r} occurs twice in the header")


def column(frame: pd.DataFrame, name: str, argument: str) -> pd.Series:
    """One column by name, or an error that lists the columns there are."""
    if name not in frame.columns:
        raise ValueError(f"{argument}: no column {name!r}; the columns are {', '.join(map(str, frame.columns))}")
    return frame[name]


def _frame(X: Any) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        frame = X
    elif isinstance(X, pd.Series):
        frame = X.to_frame(name=X.name if X.name is not None else "x")
    else:
        array = np.asarray(X)
        if array.ndim not in (1, 2):
            raise ValueError(f"X: must have shape (n,) or (n, n_features); got shape {array.shape}")
        array = array[:, None] if array.ndim == 1 else array
        width = array.shape[1]
        frame = pd.DataFrame(array, columns=["x"] if width == 1 else [f"x{j + 1}" for j in range(width)])
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ValueError(f"X: needs at least one row and one column; got shape {frame.shape}")
    names = [str(c) for c in frame.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"X: column names must differ; got {', '.join(names)}")
    if isinstance(frame.index, pd.RangeIndex) or not frame.index.is_unique:
        frame = frame.set_axis(pd.RangeIndex(1, len(frame) + 1), axis=0)
    return frame


def _split(frame: pd.DataFrame, response: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    if response is None:
        return frame, frame[[]]
    column(frame, response, "response")
    return frame[[response]], frame.drop(columns=response)


def numeric(frame: pd.DataFrame) -> np.ndarray:
    """All columns as finite numbers, (n, n_columns); ValueError naming column, row and value of the first that is not."""
    columns = []
    for name in frame.columns:
        raw = frame[name]
        if pd.api.types.is_complex_dtype(raw):
            raise ValueError(f"X: column {str(name)!r} must hold real numbers; got complex ones")
        values = pd.to_numeric(raw, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        bad = np.flatnonzero(~np.isfinite(values))
        if len(bad):
            shown = raw.iloc[bad[0]]
            what = "is missing" if pd.isna(shown) else f"is not a finite number: {shown!r}"
            more = f" (and {len(bad) - 1} more rows)" if len(bad) > 1 else ""
            raise ValueError(f"X: column {str(name)!r}, row {frame.index[bad[0]]} {what}{more}")
        columns.append(values)
    return np.ascontiguousarray(np.column_stack(columns))


def _weights(row_weights: ArrayLike | None, n: int) -> np.ndarray:
    if row_weights is None:
        return np.ones(n)
    weights = np.asarray(row_weights, dtype=float)
    if weights.shape != (n,):
        raise ValueError(f"row_weights: must have shape ({n},), one per row; got shape {weights.shape}")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise ValueError(f"row_weights: must be finite and not negative; row {bad[0] + 1} is {weights[bad[0]]}")
    if not weights.any():
        raise ValueError("row_weights: at least one must be positive; all are 0")
    return weights


def _truth(truth: Sequence[Any] | None, n: int) -> np.ndarray | None:
    if truth is None:
        return None
    values = np.asarray([_name(value) for value in truth])
    if len(values) != n:
        raise ValueError(f"truth: must have one entry per row, {n}; got {len(values)}")
    return values


def _name(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _is_nothing(entry: Any) -> bool:
    if entry is None or entry is pd.NA or (isinstance(entry, str) and entry == ""):
        return True
    return isinstance(entry, int | float | np.number) and (bool(np.isnan(entry)) or entry == -1)


def _label_evidence(
    labels: Any, classes: Sequence[Any] | None, n: int
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    given = None if classes is None else tuple(_name(c) for c in classes)
    if given is not None and len(set(given)) < len(given):
        raise ValueError(f"classes: names must differ; got {', '.join(given)}")
    if labels is None:
        names = given or ()
        return names, np.zeros((n, len(names))), np.zeros(n, dtype=bool)
    if len(labels) != n:
        raise ValueError(f"labels: must have one entry per row, {n}; got {len(labels)}")
    if getattr(labels, "ndim", 1) == 2:
        return _probability_rows(labels, given)
    return _label_sets(labels, given)


def _label_sets(labels: Any, given: tuple[str, ...] | None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Hard labels and sets of allowed classes, from one entry per row."""
    allowed: list[tuple[Any, ...]] = []
    for row, entry in enumerate(labels, start=1):
        is_set = isinstance(entry, Collection) and not isinstance(entry, str)
        if is_set and not len(entry):
            raise ValueError(f"labels: row {row} allows no class at all; use None where nothing is known")
        allowed.append(tuple(entry) if is_set else () if _is_nothing(entry) else (entry,))
    found = {_name(c): c for entry in allowed for c in entry}
    names = given if given is not None else tuple(_name(c) for c in _sorted(found.values()))
    position = {name: k for k, name in enumerate(names)}
    evidence = np.zeros((len(allowed), len(names)))
    for i, entry in enumerate(allowed):
        if not entry:
            continue
        evidence[i] = -np.inf
        for c in entry:
            if _name(c) not in position:
                raise ValueError(f"labels: row {i + 1} has the class {c!r}; classes are {', '.join(names)}")
            evidence[i, position[_name(c)]] = 0.0
    return names, evidence, np.array([bool(entry) for entry in allowed])


def _sorted(values: Collection[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def _probability_rows(labels: Any, given: tuple[str, ...] | None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Soft labels: one probability per class, rows that sum to 1."""
    if isinstance(labels, pd.DataFrame) and given is None:
        given = tuple(str(c) for c in labels.columns)
    b = np.asarray(labels, dtype=float)
    names = given if given is not None else tuple(f"class_{k + 1}" for k in range(b.shape[1]))
    if len(names) != b.shape[1]:
        raise ValueError(f"labels: {b.shape[1]} probability columns for {len(names)} classes ({', '.join(names)})")
    labelled = ~np.isnan(b).all(axis=1)
    with np.errstate(invalid="ignore"):
        wrong = labelled & ~((b >= 0).all(axis=1) & (np.abs(b.sum(axis=1) - 1) < 1e-6))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"labels: probabilities must be >= 0 and sum to 1; row {row + 1} is {b[row].tolist()}")
    with np.errstate(divide="ignore"):
        return names, np.where(labelled[:, None], np.log(b), 0.0), labelled
