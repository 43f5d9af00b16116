"""Label evidence: what is known of each row's component, as log-weights on the classes."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.inputs.arguments import MOST_COMPONENTS, listed, shown
from bayesmix.inputs.containers import by_row, check_column
from bayesmix.inputs.covariates import FEWEST_LEVELS, TEXTS_OF_NOTHING, level_text

NO_LABEL = -1
"""A number that says nothing of a row's class."""


def _is_nothing(entry: Any) -> bool:
    if entry is None or entry is pd.NA or entry is pd.NaT or (isinstance(entry, str) and entry == ""):
        return True
    return isinstance(entry, int | float | np.number) and bool(entry != entry or entry == NO_LABEL)


def label_evidence(
    labels: Any, classes: Sequence[Any] | None, n: int
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """The class names, their log-weights (n, n_classes), and which rows say anything (n,).

    ``labels``: as :func:`bayesmix.inputs.containers.by_row` gives them; :class:`bayesmix.Data` says what they may be.
    ValueError naming the row and the value.
    """
    if not (classes is None or (isinstance(classes, Iterable) and not isinstance(classes, str | bytes))):
        raise ValueError(f"classes: must be a sequence of class names; got {classes!r}")
    given = None if classes is None else tuple(level_text(c) for c in classes)
    if given is not None and len(set(given)) < len(given):
        raise ValueError(f"classes: names must differ; got {listed(given)}")
    if labels is None:
        names = given or ()
        return names, np.zeros((n, len(names))), np.zeros(n, dtype=bool)
    if is_table(labels, "labels"):
        return _probability_rows(labels, given)
    return _label_sets(labels, given)


def is_table(labels: Any, argument: str) -> bool:
    """Whether labels are rows of probabilities rather than one entry per row; ``argument``: for the error."""
    try:
        return np.ndim(labels) == 2
    except ValueError:  # NumPy's word for ragged rows
        widths = {np.size(entry) if isinstance(entry, list | tuple | np.ndarray) else None for entry in labels}
        sizes = ", ".join(sorted("single entries" if w is None else f"{w} entries" for w in widths))
        raise ValueError(
            f"{argument}: rows of probabilities must all have one entry per class (NaN throughout where nothing is "
            f"known), and classes that are allowed together are written as a set; got rows of {sizes}"
        ) from None


def _label_sets(labels: Any, given: tuple[str, ...] | None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Hard labels and sets of allowed classes, from one entry per row."""
    allowed: list[tuple[Any, ...]] = []
    for row, entry in enumerate(labels, start=1):
        is_set = isinstance(entry, set | frozenset)
        if isinstance(entry, Collection) and not is_set and not isinstance(entry, str):
            raise ValueError(f"labels: row {row} must be a class, a set of classes or None; got {entry!r}")
        if is_set and not len(entry):
            raise ValueError(f"labels: row {row} allows no class at all; use None where nothing is known")
        allowed.append(tuple(entry) if is_set else () if _is_nothing(entry) else (entry,))
    classes = {level_text(c): c for entry in allowed for c in entry}
    names = given if given is not None else tuple(level_text(c) for c in _sorted(classes.values()))
    if len(names) > MOST_COMPONENTS:
        raise ValueError(
            f"labels: {len(names)} classes in {len(allowed)} rows; at most {MOST_COMPONENTS} are possible: is this the "
            "column of classes, or one that names the rows?"
        )
    position = {name: k for k, name in enumerate(names)}
    evidence = np.zeros((len(allowed), len(names)))
    for i, entry in enumerate(allowed):
        if not entry:
            continue
        evidence[i] = -np.inf
        for c in entry:
            if c in TEXTS_OF_NOTHING and c not in (given or ()):
                raise ValueError(
                    f"labels: row {i + 1} is the text {level_text(c)!r}, as NumPy writes a missing value among texts; "
                    "use None where nothing is known, or name it in classes"
                )
            if level_text(c) not in position:
                raise ValueError(
                    f"labels: row {i + 1} has the class {shown(level_text(c))}; classes are {listed(names)}"
                )
            evidence[i, position[level_text(c)]] = 0.0
    return names, evidence, np.array([bool(entry) for entry in allowed])


def _sorted(values: Collection[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def _probability_rows(labels: Any, given: tuple[str, ...] | None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Soft labels: one probability per class, rows that sum to 1."""
    if isinstance(labels, pd.DataFrame):
        columns = tuple(level_text(c) for c in labels.columns)
        given = columns if given is None else given
        if set(columns) != set(given):
            raise ValueError(f"labels: the columns are {', '.join(columns)}, but classes are {', '.join(given)}")
        labels = labels.set_axis(columns, axis=1)[list(given)]
    try:
        b = np.asarray(labels, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"labels: rows must hold probabilities, a number per class ({error}); classes that are allowed together "
            "are written as a set"
        ) from None
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


def target_labels(y: Any, there: np.ndarray) -> tuple[list[Any] | None, dict[str, Any]]:
    """One label per row from scikit-learn's ``y``, None where it says nothing; and its classes by their names.

    ``y``: one entry per row; of those that are not ``there`` (n,) nothing is known. ValueError naming the row, where an
    entry is no class, and where too many differ: then it is what a later step is to predict.
    """
    if y is None:
        return None, {}
    if is_table(y, "y"):
        raise ValueError(f"y: must be one column, one class per row; got shape {np.shape(y)}")
    labels = [entry if here and not _is_nothing(entry) else None for entry, here in zip(y, there, strict=True)]
    for row, entry in enumerate(labels, start=1):
        fraction = isinstance(entry, float | np.floating) and not float(entry).is_integer()
        if fraction or not isinstance(entry, Hashable) or entry == str(NO_LABEL):
            raise ValueError(
                f"y: must hold classes, {NO_LABEL} where there is none (not as a text); row {row} is {entry!r}; with "
                "ignore_y=True it is left out"
            )
    classes = {level_text(c): c for c in set(labels) - {None}}
    other = next((c for c in labels if c is not None and level_text(c) not in classes), None)
    if other is not None:
        raise ValueError(f"y: must hold truth values or numbers, not both; {other!r} is equal to another class")
    if len(classes) >= FEWEST_LEVELS and 2 * len(classes) > len(labels):
        raise ValueError(
            f"y: must hold classes; {len(classes)} entries of {len(labels)} differ; with ignore_y=True it is left out"
        )
    return labels, classes


def as_array(classes: Sequence[Any]) -> np.ndarray:
    """Classes as numbers, as words, or as objects where there are both."""
    return np.array(classes) if all(isinstance(c, str) for c in classes) else pd.Index(classes).to_numpy()


def answers(classes: np.ndarray, components: Sequence[str]) -> np.ndarray:
    """What a prediction says of each component: its class; its number where there are no classes.

    Of one that is no class, where there are some: -1, or its name where classes are words.

    Examples
    --------
    >>> answers(np.array([3, 5]), ("3", "5", "component_1")).tolist()
    [3, 5, -1]
    """
    names = {level_text(c): c for c in classes.tolist()}
    if not names:
        return np.arange(len(components))
    words = any(isinstance(c, str) for c in names.values())
    return as_array([names.get(k, k if words else NO_LABEL) for k in components])


def known_rows(evidence: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """(n,) bool: labelled rows of which one class alone is possible."""
    return np.asarray(labelled & (np.isfinite(evidence).sum(axis=1) == 1))


def labels_in_words(classes: Sequence[str], evidence: np.ndarray, labelled: np.ndarray) -> list[str]:
    """How many rows carry which class, and how many none; nothing where none does."""
    if not labelled.any():
        return []
    known = known_rows(evidence, labelled)
    counts = list(zip(classes, np.isfinite(evidence[known]).sum(axis=0), strict=True))
    several = int((labelled & ~known).sum())
    counts += [("of several classes", several)] if several else []
    told = ", ".join(f"{name} {count}" for name, count in counts)
    return [f"labelled: {told}", f"without a label: {int((~labelled).sum())}"]


def true_classes(truth: Any, rows: pd.Index | None, n: int) -> np.ndarray | None:
    """The true class of every row (n,), where any are given; ValueError naming a row without."""
    if truth is None:
        return None
    entries = by_row(truth, rows, n, "truth")
    check_column(entries, "truth", "class")
    missing = np.flatnonzero(pd.isna(pd.Series(list(entries), dtype=object)))
    if len(missing):
        raise ValueError(f"truth: row {missing[0] + 1} is missing; every row needs its true class")
    return np.asarray([level_text(value) for value in entries])
