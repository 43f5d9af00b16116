"""Observations, label evidence and row weights, validated before anything compiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from bayesmix.inputs.containers import by_row, frame_of, has_index, named_by, split, weights_by_row, with_row_names
from bayesmix.inputs.covariates import Levels, cells
from bayesmix.inputs.defaults import DROP, MODEL
from bayesmix.inputs.labels import known_rows, label_evidence, labels_in_words, true_classes
from bayesmix.inputs.storage import dataset_of, fields_of
from bayesmix.inputs.tables.words import array_names


@dataclass(frozen=True, init=False, eq=False)
class Data:
    """What was observed: measurements, counts or answers, with what is known of each row's component.

    Parameters
    ----------
    X : array or DataFrame, shape (n,) or (n, n_features)
        Finite numbers, in pandas, NumPy, polars or arrow, or words for families of answers; NaN, None, NA and masked
        cells are missing. With ``response``, a DataFrame of which one column is the response and the others are
        covariates that formulas may use; those that none uses may hold anything.
    labels : sequence, optional
        What is known of each row. One entry per row: None, NaN, NA, -1, "" or a masked entry for nothing; a class for a
        hard label; a ``set`` or ``frozenset`` of classes for "one of these". Or probabilities (n, n_classes), as an
        array, DataFrame or nested lists: per observation a row that sums to 1 (NaN throughout for nothing known). One
        column is hard labels. The text "nan" (NumPy makes it of NaN among texts) is refused unless it is one of
        ``classes``.
    classes : sequence, optional
        The class names; by default those that occur in ``labels``, sorted. Needed for a class that no row carries.
    row_weights : array, shape (n,), optional
        Non-negative weights v_i of the rows' log-likelihoods; 1 by default.
    response : str, optional
        The column of ``X`` that is observed (counts); the others are covariates.
    truth : sequence, optional
        True classes, used for scoring alone: they never enter a fit.
    id : str, optional
        The column of ``X`` that names the rows, each by another text or number: :attr:`obs_names`. It is no
        measurement, and goes with the rows into every table, report and saved fit.
    missing : {"model", "drop"}
        What is done about missing cells of the observed columns. ``"model"``: they stay; a family that can sums them
        out, taken as missing at random, and others refuse them. ``"drop"``: rows that have any are left out, with
        their labels, weights and truth; :attr:`dropped` is how many.

    Labels, row weights and truth in pandas go by their index where ``X`` has one: the same labels in another order are
    put in that of ``X``, other labels are refused. Everything else goes by position.

    Raises
    ------
    ValueError
        Naming the column, the row (counted from 1, or its label in a named index) and the value.

    Examples
    --------
    >>> data = Data([[1.0], [2.0], [9.0]], labels=[None, "low", "high"])
    >>> data.classes
    ('high', 'low')
    >>> data.evidence(("high", "low", "component_1"))[1]
    array([-inf,   0., -inf])
    """

    x: np.ndarray
    """Observations, (n, n_features): numbers, or codes 0, 1, ... of a column's levels; NaN where a cell is missing."""
    feature_names: tuple[str, ...]
    levels: tuple[Levels, ...]
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
    dropped: int
    """Rows that were left out for their missing cells."""
    id: str
    """The column that the rows' names are from; empty where none was named."""
    read_as: str
    """What was understood of the file that they were read from, where it is not as usual."""
    scale: float
    """By what the file's numbers were multiplied."""
    na: tuple[str, ...]
    """Texts and numbers that marked a missing cell of the file, besides the usual ones."""

    def __init__(
        self,
        X: ArrayLike | pd.DataFrame | pd.Series,
        labels: Any = None,
        *,
        classes: Sequence[Any] | None = None,
        row_weights: ArrayLike | None = None,
        response: str | None = None,
        truth: Sequence[Any] | None = None,
        id: str | None = None,
        missing: str = MODEL,
    ) -> None:
        if missing not in (MODEL, DROP):
            raise ValueError(f"missing: must be {MODEL!r} or {DROP!r}; got {missing!r}")
        given = frame_of(X)
        rows = given.index if has_index(X) else None
        named = with_row_names(given) if id is None else named_by(given, str(id))
        frame, covariates = split(named, None if response is None else str(response))
        x, levels = cells(frame)
        n = len(x)
        labels = None if labels is None else by_row(labels, rows, n, "labels")
        class_names, evidence, labelled = label_evidence(labels, classes, n)
        names = tuple(str(c) for c in frame.columns)
        fields = {"x": x, "feature_names": names, "levels": levels, "covariates": covariates, "classes": class_names}
        fields |= {"class_evidence": evidence, "labelled": labelled, "truth": true_classes(truth, rows, n)}
        fields |= {"row_weights": weights_by_row(row_weights, rows, n), "dropped": 0, "read_as": "", "scale": 1.0}
        fields |= {"na": ()}
        whole = self._of(fields | {"id": "" if id is None else str(id)})
        self.__dict__.update((whole.without_gaps() if missing == DROP else whole).__dict__)

    def __repr__(self) -> str:
        parts = [f"{len(self)} rows", f"{', '.join(self.feature_names[:8])}{', ...' if self.n_features > 8 else ''}"]
        if len(self.covariates.columns):
            parts += [f"{len(self.covariates.columns)} other columns"]
        parts += [f"rows named by {self.id}"] if self.id else []
        parts += labels_in_words(self.classes, self.class_evidence, self.labelled)
        parts += ["weighted"] if self.weighted else []
        parts += [f"{int(np.isnan(self.x).sum())} cells missing"] if self.gaps else []
        parts += [f"{self.dropped} rows with missing cells left out"] if self.dropped else []
        return f"Data({'; '.join(parts)})"

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def obs_names(self) -> tuple[str, ...]:
        """The rows' names: the index of ``X``, or numbers from 1. Made where asked for: of many rows they are large."""
        return tuple(map(str, self.covariates.index))

    @classmethod
    def read_csv(cls, path: Path | str, **said: Any) -> Data:
        r"""The rows of a CSV, Parquet or Arrow file.

        Parameters
        ----------
        path
            A file with a row per line.
        **said
            As in model.toml: ``columns`` (all by default) or ``response``; ``label, classes, truth, row_weights, id,
            scale, missing``; how the file is written: ``sep, decimal, thousands, encoding, na, header``.

        Examples
        --------
        >>> from tempfile import NamedTemporaryFile
        >>> with NamedTemporaryFile(suffix=".csv") as file:
        ...     _ = Path(file.name).write_text("name;height\nAnn;1,62\nBob;1,80\n")
        ...     data = Data.read_csv(file.name, id="name")
        >>> data.obs_names, data.x[:, 0].tolist()
        (('Ann', 'Bob'), [1.62, 1.8])
        """
        from bayesmix.inputs.tables.roles import read_data

        return read_data(Path(path), said)

    @property
    def n_features(self) -> int:
        """Number of columns of ``x``."""
        return self.x.shape[1]

    @property
    def weighted(self) -> bool:
        """True where some row's weight is not 1."""
        return bool((self.row_weights != 1).any())

    @cached_property
    def gaps(self) -> bool:
        """True where some cell is missing."""
        return bool(np.isnan(self.x).any())

    @property
    def known(self) -> np.ndarray:
        """(n,) bool: rows whose component is certain, for one class alone is possible."""
        return known_rows(self.class_evidence, self.labelled)

    def evidence(self, components: Sequence[str]) -> np.ndarray:
        """Label evidence a_ik, shape (n, n_components), for components of these names.

        a_ik is 0 where class k is possible, -inf where it is excluded, log b_ik for a probability b_ik. A labelled row
        excludes the components that are no class of its; an unlabelled one leaves all open (a_i = 0).
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
        return self._with(
            x=self.x[index],
            covariates=self.covariates.iloc[index],
            class_evidence=self.class_evidence[index],
            labelled=self.labelled[index],
            row_weights=self.row_weights[index],
            truth=None if self.truth is None else self.truth[index],
        )

    def with_features(self, names: Sequence[str]) -> Data:
        """The same rows with the columns of ``x`` in this order.

        Columns without names of their own (an array's: x, or x1, x2, ...) are taken by position. ValueError where the
        names are others.
        """
        own, wanted = self.feature_names, tuple(names)
        if own == wanted:
            return self
        same = set(own) == set(wanted)
        order = [own.index(name) if same else j for j, name in enumerate(wanted)]
        if not same and (len(own) != len(wanted) or own != array_names(len(own))):
            counts = f"{len(wanted)} columns, as the fit had ({', '.join(wanted)})"
            raise ValueError(f"data: must have {counts}; got {len(own)} ({', '.join(own)})")
        return self._with(x=self.x[:, order], feature_names=wanted, levels=tuple(self.levels[j] for j in order))

    def coded(self, x: np.ndarray, levels: Sequence[Levels]) -> Data:
        """The same rows and columns with other observations, and what they are codes of."""
        return self._with(x=x, levels=tuple(levels))

    def with_covariates(self, names: Sequence[str]) -> Data:
        """The same rows with these covariates only."""
        return self._with(covariates=self.covariates[list(names)])

    def without_gaps(self) -> Data:
        """The rows of which every cell is there; :attr:`dropped` counts the others. ValueError where none is left."""
        whole = ~np.isnan(self.x).any(axis=1)
        if whole.all():
            return self
        if not whole.any():
            raise ValueError(f"missing: {DROP!r} leaves nothing: every one of the {len(self)} rows has a missing cell")
        return self.take(whole)._with(dropped=self.dropped + int((~whole).sum()))

    def without_labels(self) -> Data:
        """The same rows with nothing known of their components."""
        return self._with(labelled=np.zeros(len(self), dtype=bool))

    def with_observations(self, x: np.ndarray) -> Data:
        """The same rows with other observations, (n, n_features)."""
        return self._with(x=x)

    def with_source(self, read_as: str, scale: float = 1.0, na: Sequence[str] = ()) -> Data:
        """The same rows with what was understood of their file, and done to it."""
        return self._with(read_as=read_as, scale=float(scale), na=tuple(na))

    def with_row_weights(self, row_weights: np.ndarray) -> Data:
        """The same rows with other weights v_i, (n,)."""
        return self._with(row_weights=row_weights)

    def _with(self, **changes: Any) -> Data:
        """The same data with these fields changed."""
        return Data._of({name: getattr(self, name) for name in self.__dataclass_fields__} | changes)

    @classmethod
    def _of(cls, fields: Mapping[str, Any]) -> Data:
        """Data of these fields, which are right already."""
        new = object.__new__(cls)
        new.__dict__.update(fields)
        return new

    def to_dataset(self) -> xr.Dataset:
        """All of it as a Dataset that NetCDF can hold; :meth:`from_dataset` is the inverse.

        A covariate that is not numbers or times comes back as a factor, with text for levels: what a formula sees.
        """
        return dataset_of({name: getattr(self, name) for name in self.__dataclass_fields__}, self.obs_names)

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Data:
        """The inverse of :meth:`to_dataset`."""
        return cls._of(fields_of(dataset))


def evenly(n: int, most: int) -> np.ndarray:
    """At most so many of n places, evenly spaced from the first to the last."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)
