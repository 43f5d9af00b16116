"""models/<name>/ -> (Mixture, Data): the only reader of model folders, the gallery's and the user's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayesmix.families.table import FAMILIES
from bayesmix.gallery import model_toml
from bayesmix.gallery.model_toml import names
from bayesmix.gallery.strangers import inside
from bayesmix.inputs.arguments import of_file
from bayesmix.inputs.data import Data
from bayesmix.inputs.tables.roles import read_data
from bayesmix.likelihood.cells import readable
from bayesmix.mixture.spec import Mixture, resolve

__all__ = ["Expectation", "GalleryModel", "load", "names", "read"]
TABLE_FILES = ("file", "test_file")
NOT_OF_TEST = ("label", "row_weights", "missing")
"""What is not said of held-out rows."""


@dataclass(frozen=True)
class Expectation:
    """A claim of the model's source: that a number of the report has a value, or that an interval covers it.

    Attributes
    ----------
    quantity : str or None
        Path into ``summary.json``, parts separated by ``/``, such as ``em/log_likelihood``.
    interval_of : str or None
        Instead of ``quantity``: a parameter, such as ``means[component_1, x]``, whose posterior 99% interval is to
        contain ``value``.
    value, tolerance : float or None
        |quantity - value| <= tolerance.
    at_least, at_most : float or None
        Bounds of the quantity.
    because : str
        Where the claim comes from.

    Examples
    --------
    >>> claim = Expectation("the paper", quantity="em/log_likelihood", at_least=-10.0)
    >>> claim.judge({"em": {"log_likelihood": -9.5}})["holds"]
    True
    """

    because: str
    quantity: str | None = None
    interval_of: str | None = None
    value: float | None = None
    tolerance: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def rule(self) -> str:
        """The claim in words."""
        if self.interval_of is not None:
            return f"99% interval contains {self.value:.10g}"
        if self.tolerance is not None:
            return f"{self.value:.10g} ± {self.tolerance:.10g}"
        bounds = {"at least": self.at_least, "at most": self.at_most}
        return " and ".join(f"{words} {bound:.10g}" for words, bound in bounds.items() if bound is not None)

    def judge(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Whether the claim holds in a report's summary.

        Returns
        -------
        dict
            ``quantity, rule, value, holds, because``. ``value`` is the number found, for an interval its two ends, and
            None (then ``holds`` is False) where the summary has no such number.
        """
        name = self.quantity if self.interval_of is None else self.interval_of
        reported = self._interval(summary) if self.quantity is None else _number_at(summary, self.quantity.split("/"))
        holds = reported is not None and self._holds(reported)
        return {"quantity": name, "rule": self.rule, "value": reported, "holds": holds, "because": self.because}

    def _interval(self, summary: Mapping[str, Any]) -> list[float] | None:
        path = ["posterior", "parameters", str(self.interval_of)]
        ends = [_number_at(summary, [*path, end]) for end in ("lower99", "upper99")]
        return None if None in ends else [end for end in ends if end is not None]

    def _holds(self, reported: float | list[float]) -> bool:
        if isinstance(reported, list):
            return self.value is not None and reported[0] <= self.value <= reported[1]
        if self.value is not None and self.tolerance is not None:
            return abs(reported - self.value) <= self.tolerance
        above = self.at_least is None or reported >= self.at_least
        return above and (self.at_most is None or reported <= self.at_most)


@dataclass(frozen=True)
class GalleryModel:
    """A model folder, read.

    Attributes
    ----------
    name : str
        The folder's name.
    folder : Path
    title, description, source, expected : str
        For readers.
    spec : Mixture
        As written: priors that it leaves open are not resolved.
    data : Data
    test : Data or None
        Held-out rows: nothing is known of their components, ``truth`` is there for scoring.
    sampler, em : dict
        Keyword arguments of :func:`bayesmix.sample` and of :func:`bayesmix.fit_em`.
    expectations : tuple of Expectation
    """

    name: str
    folder: Path
    title: str
    description: str
    source: str
    expected: str
    spec: Mixture
    data: Data
    test: Data | None
    sampler: dict[str, Any]
    em: dict[str, Any]
    expectations: tuple[Expectation, ...]


def read(name_or_path: str | Path) -> GalleryModel:
    """Read a model: what model.toml says, and the rows of its tables.

    Parameters
    ----------
    name_or_path
        A gallery name (see :func:`names`), or the path of a model folder.

    Returns
    -------
    GalleryModel

    Raises
    ------
    ValueError
        Naming the file and what is wrong in it: the key and the choices, or the column, the row (counted from 1 below
        the header) and the value. The mixture is known to fit the data when this returns.

    Examples
    --------
    >>> read("old_faithful").data.feature_names
    ('eruptions', 'waiting')
    """
    folder = model_toml.find(name_or_path)
    entry = model_toml.read_toml(folder)
    toml = folder / model_toml.FILE
    with _within(toml, "[mixture] "):
        spec = Mixture.from_dict(entry["mixture"])
    data = _read_data(folder, entry["data"])
    with _within(folder / entry["data"]["file"], ""):
        readable(FAMILIES[spec.family], data)
    with _within(toml, ""), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are raised, once, by what uses the model
        resolve(spec, data)
    texts = {key: entry.get(key, "") for key in ("title", "description", "source", "expected")}
    return GalleryModel(
        name=folder.resolve().name,
        folder=folder,
        spec=spec,
        data=data,
        test=_read_test(folder, entry["data"], data),
        sampler=entry["sampler"],
        em=entry["em"],
        expectations=tuple(Expectation(**claim) for claim in entry["expect"]),
        **texts,
    )


def load(name_or_path: str | Path) -> tuple[Mixture, Data]:
    """A model of the gallery, or of a folder of the user's own, as what every other function takes.

    Parameters
    ----------
    name_or_path
        A gallery name, or the path of a model folder.

    Returns
    -------
    Mixture, Data

    Raises
    ------
    ValueError
        Naming the file, and the key, column, row or value that is wrong.

    Examples
    --------
    >>> spec, data = load("galaxies")
    >>> spec.n_components, len(data)
    (3, 82)
    """
    model = read(name_or_path)
    return model.spec, model.data


def _read_data(folder: Path, entry: Mapping[str, Any]) -> Data:
    said = {key: value for key, value in entry.items() if key not in TABLE_FILES}
    return read_data(inside(folder, entry["file"]), said)


def _read_test(folder: Path, entry: Mapping[str, Any], data: Data) -> Data | None:
    """Held-out rows, with their labels hidden."""
    if "test_file" not in entry:
        return None
    said = {key: value for key, value in entry.items() if key not in (*TABLE_FILES, *NOT_OF_TEST)}
    return read_data(inside(folder, entry["test_file"]), said | {"classes": data.classes})


def _number_at(summary: Any, path: list[str]) -> float | None:
    for part in path:
        if not isinstance(summary, Mapping) or part not in summary:
            return None
        summary = summary[part]
    return float(summary) if isinstance(summary, int | float) and not isinstance(summary, bool) else None


@contextmanager
def _within(path: Path, where: str) -> Iterator[None]:
    """Errors that begin with the file in which the cause stands."""
    try:
        yield
    except ValueError as error:
        raise of_file(path, str(error), where) from None
