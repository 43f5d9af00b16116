"""The vocabulary of formulas: functions, transforms and contrasts that are allowed, and names of ours for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from formulaic.transforms import TRANSFORMS, C, contrasts

from bayesmix.inputs.covariates import as_levels

PLAIN = re.compile(r"[^\W\d][\w.]*")


def factor_of_values(values: Any, *arguments: Any, **options: Any) -> Any:
    """C(...) of an expression: its levels as text."""
    return C(as_levels(values), *arguments, **options)


def _round(values: Any, decimals: float = 0) -> Any:
    return np.round(values, int(decimals))


_UNARY = (
    "abs absolute fabs sign sqrt cbrt square exp exp2 expm1 log log1p log2 log10 sin cos tan arcsin arccos arctan sinh "
    "cosh tanh arcsinh arccosh arctanh floor ceil trunc rint deg2rad rad2deg reciprocal"
)
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    **{name: (getattr(np, name), (1,)) for name in _UNARY.split()},
    **{name: (getattr(np, name), (2,)) for name in ("minimum", "maximum", "power", "hypot", "arctan2")},
    **{name: (getattr(np, name), (3,)) for name in ("clip", "where")},
    "round": (_round, (1, 2)),
    "I": (TRANSFORMS["I"], (1,)),
}
"""Functions of the values of one row, with the numbers of arguments they take; all but I also as ``np.name``."""
SETTINGS: dict[str, tuple[str, ...]] = {
    "poly": ("degree", "raw"),
    "bs": ("df", "knots", "degree", "include_intercept", "lower_bound", "upper_bound", "extrapolation"),
    "cs": ("df", "knots", "lower_bound", "upper_bound", "constraints", "extrapolation"),
    "cr": ("df", "knots", "lower_bound", "upper_bound", "constraints", "extrapolation"),
    "cc": ("df", "knots", "lower_bound", "upper_bound", "constraints", "extrapolation"),
    "center": (),
    "scale": ("center", "scale", "ddof"),
    "standardize": ("center", "rescale", "ddof"),
    "lag": ("k",),
}
"""formulaic's transforms of one column, and their further arguments, which are literals."""
CONTRASTS: dict[str, Callable[..., Any]] = {
    "contr.treatment": contrasts.TreatmentContrasts,
    "contr.sum": contrasts.SumContrasts,
    "contr.helmert": contrasts.HelmertContrasts,
    "contr.poly": contrasts.PolyContrasts,
    "contr.diff": contrasts.DiffContrasts,
    "contr.SAS": contrasts.SASContrasts,
    "contr.custom": contrasts.CustomContrasts,
    **{name: TRANSFORMS[name] for name in ("Treatment", "Sum", "Helmert", "Poly", "Diff")},
}
CHOICES = ", ".join(sorted([*FUNCTIONS, *SETTINGS, "C", "Q", "offset"], key=str.lower))
CONSTANTS = {"np.pi": np.pi, "np.e": np.e}
NO_ATTRIBUTES = "there are no attributes in formulas; a column of that name is written in backticks: `{}`"


class NotAllowedError(ValueError):
    """A piece of a formula that may not stand there, and why."""

    def __init__(self, piece: str, why: str) -> None:
        short = piece if len(piece) <= 80 else f"{piece[:77]}..."
        super().__init__(f"{short!r}: {why}")


def quoted(name: str) -> str:
    """A column's name as a formula holds it: in backticks where it is no plain word.

    Examples
    --------
    >>> quoted("max.temp"), quoted("km/h")
    ('max.temp', '`km/h`')
    """
    return name if PLAIN.fullmatch(name) else "`" + name.replace("`", "\\`") + "`"


@dataclass
class Names:
    """Names of ours for the columns, functions and constants of a formula.

    Attributes
    ----------
    written : dict of str to str
        How each was written: what stands in the names of the design's columns.
    context : dict of str to object
        The functions and constants.
    columns : dict of str to (str, bool)
        The columns, and whether each is meant as a factor.
    """

    written: dict[str, str] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, tuple[str, bool]] = field(default_factory=dict)
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def column(self, name: str, *, as_factor: bool = False) -> str:
        """Of a column."""
        if name == "Intercept":
            raise NotAllowedError(name, "is the name of the constant term; rename the column")
        new = self._new(f"column {as_factor}", name, quoted(name))
        self.columns[new] = (name, as_factor)
        return new

    def value(self, kind: str, written: str, value: Any) -> str:
        """Of a function or constant."""
        new = self._new(kind, written, written)
        self.context[new] = value
        return new

    def _new(self, kind: str, key: str, written: str) -> str:
        new = self._known.setdefault((kind, key), f"_bm{len(self._known)}_")
        self.written[new] = written
        return new

    def restore(self, text: str) -> str:
        """The text with everything as it was written."""
        return re.sub(r"_bm\d+_", lambda match: self.written.get(match[0], match[0]), text)
