"""Observations, label evidence and row weights, validated before anything compiles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from bayesmix.coordinates import coordinates
from bayesmix.labels import class_name, label_evidence
from bayesmix.tables import column, numeric


@dataclass(frozen=True, init=False, eq=False)
class Data:
    """What was observed: measurements or counts, with what is known of each row's component.

    Parameters
    ----------
    X : array or DataFrame, shape (n,) or (n, n_features)
        Finite numbers. With ``response``, a DataFrame of which one column is the response and the others are
        covariates that formulas may use.
    labels : sequence, optional
        What is known of each row. One entry per row: None, NaN or -1 for nothing; a class for a hard label; a ``set``
        or ``frozenset`` of classes for "one of these". Or probabilities (n, n_classes), as an array, DataFrame or
        nested lists: per observation a row that sums to 1 (NaN throughout for nothing known).
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
    The evidence a_ik is 0 where class k is possible, -inf where it is excluded, log b_ik for a probability b_ik.

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
    """Columns that formulas may use, (n, n_covariates); no columns without ``response``. Its index names the rows."""
    classes: tuple[str, ...]
    class_evidence: np.ndarray
    """(n, n_classes) log-weights; only rows with ``labelled`` carry information."""
    labelled: np.ndarray
    """(n,) bool: rows that say anything of their component."""
    row_weights: np.ndarray
    """(n,)"""
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
        _check_index(X, labels)
        frame, covariates = _split(_frame(X), response)
        x = numeric(frame)
        n = len(x)
        class_names, evidence, labelled = label_evidence(labels, classes, n)
        values = {
            "x": x,
            "feature_names": tuple(str(c) for c in frame.columns),
            "covariates": covariates,
            "classes": class_names,
            "class_evidence": evidence,
            "labelled": labelled,
            "row_weights": _weights(row_weights, n),
            "truth": _truth(truth, n),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def obs_names(self) -> tuple[str, ...]:
        """The rows' names: the index of ``X``, or numbers from 1. Made where asked for: of many rows they are large."""
        return tuple(map(str, self.covariates.index))

    @property
    def n_features(self) -> int:
        """Number of columns of ``x``."""
        return self.x.shape[1]

    @property
    def weighted(self) -> bool:
        """True where some row's weight is not 1."""
        return bool((self.row_weights != 1).any())

    @property
    def known(self) -> np.ndarray:
        """(n,) bool: rows whose component is certain, for one class alone is possible."""
        return self.labelled & (np.isfinite(self.class_evidence).sum(axis=1) == 1)

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
            object.__setattr__(new, name, value)
        return new

    def with_features(self, names: Sequence[str]) -> Data:
        """The same rows with the columns of ``x`` in this order.

        Columns without names of their own (an array's: x, or x1, x2, ...) are taken by position. ValueError where the
        names are others.
        """
        own, wanted = self.feature_names, tuple(names)
        if own == wanted:
            return self
        order = list(range(len(wanted)))
        if set(own) == set(wanted):
            order = [own.index(name) for name in wanted]
        elif len(own) != len(wanted) or own != _array_names(len(own)):
            counts = f"{len(wanted)} columns, as the fit had ({', '.join(wanted)})"
            raise ValueError(f"data: must have {counts}; got {len(own)} ({', '.join(own)})")
        new = self.take(np.arange(len(self)))
        object.__setattr__(new, "x", self.x[:, order])
        object.__setattr__(new, "feature_names", wanted)
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
        for name in self.covariates:
            variables |= _stored_column(str(name), self.covariates[name])
        names = {"obs": self.obs_names, "feature": self.feature_names, "class": self.classes}
        return xr.Dataset(variables, coords=coordinates(names))

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Data:
        """The inverse of :meth:`to_dataset`."""
        new = object.__new__(cls)
        columns = [str(v).removeprefix("covariate:") for v in dataset if str(v).startswith("covariate:")]
        names = pd.Index([str(v) for v in dataset.indexes["obs"]])
        values = {
            "x": dataset["x"].to_numpy().astype(float),
            "feature_names": tuple(str(v) for v in dataset["feature"].values),
            "covariates": pd.DataFrame({c: _restored_column(dataset, c) for c in columns}).set_axis(names, axis=0),
            "classes": tuple(str(v) for v in dataset["class"].values),
            "class_evidence": dataset["class_evidence"].to_numpy(),
            "labelled": dataset["labelled"].to_numpy().astype(bool),
            "row_weights": dataset["row_weights"].to_numpy(),
            "truth": dataset["truth"].to_numpy().astype(str) if "truth" in dataset else None,
        }
        for name, value in values.items():
            object.__setattr__(new, name, value)
        return new


def evenly(n: int, most: int) -> np.ndarray:
    """At most so many of n places, evenly spaced from the first to the last."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)


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
        frame = pd.DataFrame(array, columns=list(_array_names(array.shape[1])))
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise ValueError(f"X: needs at least one row and one column; got shape {frame.shape}")
    names = [str(c) for c in frame.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"X: column names must differ; got {', '.join(names)}")
    if isinstance(frame.index, pd.RangeIndex) or not frame.index.is_unique:
        frame = frame.set_axis(pd.RangeIndex(1, len(frame) + 1), axis=0)
    return frame


def _array_names(width: int) -> tuple[str, ...]:
    return ("x",) if width == 1 else tuple(f"x{j + 1}" for j in range(width))


def _stored_column(name: str, column: pd.Series) -> dict[str, Any]:
    """NumPy's numbers, booleans and times as they are; all else as codes beside its levels in their order."""
    attrs = {"pandas_dtype": str(column.dtype)}
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufmM":
        return {f"covariate:{name}": ("obs", column.to_numpy(), attrs)}
    levels = pd.Categorical(column)
    text = json.dumps(levels.categories.tolist(), default=str)  # a variable: HDF5 attributes end at 64 kB
    attrs["ordered"] = str(levels.ordered)
    return {f"covariate:{name}": ("obs", levels.codes.astype("int32"), attrs), f"levels:{name}": ((), text)}


def _restored_column(dataset: xr.Dataset, name: str) -> pd.Series:
    stored = dataset[f"covariate:{name}"]
    dtype = stored.attrs["pandas_dtype"]
    if f"levels:{name}" not in dataset:
        return pd.Series(stored.to_numpy()).astype(dtype)
    levels = pd.Index(json.loads(dataset[f"levels:{name}"].item()))
    column = pd.Series(pd.Categorical.from_codes(stored.to_numpy(), levels, ordered=stored.attrs["ordered"] == "True"))
    return column if dtype == "category" else column.astype(dtype)


def _check_index(X: Any, labels: Any) -> None:
    """Labels from pandas belong to rows by their index: one that differs from that of X is refused, not realigned."""
    pandas = pd.DataFrame | pd.Series
    if isinstance(X, pandas) and isinstance(labels, pandas) and not labels.index.equals(X.index):
        raise ValueError(
            "labels: their index differs from that of X; use labels.loc[X.index], or .to_numpy() by position"
        )


def _split(frame: pd.DataFrame, response: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    if response is None:
        return frame, frame[[]]
    column(frame, response, "response")
    return frame[[response]], frame.drop(columns=response).set_axis([str(i) for i in frame.index], axis=0)


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
    if len(truth) != n:
        raise ValueError(f"truth: must have one entry per row, {n}; got {len(truth)}")
    missing = np.flatnonzero(pd.isna(pd.Series(list(truth), dtype=object)))
    if len(missing):
        raise ValueError(f"truth: row {missing[0] + 1} is missing; every row needs its true class")
    return np.asarray([class_name(value) for value in truth])
