"""A prior distribution as frozen data: a name and its numbers, nothing that samples or compiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from bayesmix.inputs.arguments import meant, shown

type Number = float | tuple[Number, ...]


@dataclass(frozen=True)
class Shape:
    """What is known of a distribution by its name."""

    support: str
    parameters: tuple[str, ...]
    vanishes_at_zero: bool = False
    """True where the density falls faster than any power of the variable at zero, so that tied rows leave it proper."""


SHAPES: dict[str, Shape] = {
    "Normal": Shape("real", ("mu", "sigma")),
    "StudentT": Shape("real", ("nu", "mu", "sigma")),
    "Laplace": Shape("real", ("mu", "b")),
    "Logistic": Shape("real", ("mu", "s")),
    "Cauchy": Shape("real", ("alpha", "beta")),
    "InverseGamma": Shape("positive", ("alpha", "beta"), vanishes_at_zero=True),
    "LogNormal": Shape("positive", ("mu", "sigma"), vanishes_at_zero=True),
    "Gamma": Shape("positive", ("alpha", "beta")),
    "Exponential": Shape("positive", ("lam",)),
    "HalfNormal": Shape("positive", ("sigma",)),
    "HalfCauchy": Shape("positive", ("beta",)),
    "HalfStudentT": Shape("positive", ("nu", "sigma")),
    "PooledScales": Shape("pooled", ("alpha", "level_shape", "level_rate")),
    "PooledRates": Shape("pooled", ("alpha", "level_shape", "level_rate")),
    "Beta": Shape("unit", ("alpha", "beta")),
    "Dirichlet": Shape("simplex", ("a",)),
    "DynamicDirichlet": Shape("dynamic", ("df1", "df2")),
    "LKJ": Shape("correlation", ("eta",)),
    "MvNormal": Shape("real vector", ("mu", "chol")),
}
UNBOUNDED_PARAMETERS = {"mu", "chol"} | {("Cauchy", "alpha")}
WITHIN = {
    "real vector": ("real", "real vector"),
    "simplex": ("simplex", "dynamic"),
    "simplexes": ("simplex",),
    "positive": ("positive", "pooled"),
}
"""Supports that a variable may have a prior on: a vector also has independent priors of its entries, simplexes side by
side have one each, positive entries one together, weights one whose concentration shrinks as there are more."""


def choices(support: str) -> list[str]:
    """Names of the distributions that a variable with this support may have."""
    return [name for name, shape in SHAPES.items() if shape.support in WITHIN.get(support, (support,))]


@dataclass(frozen=True, init=False)
class Prior:
    """A prior distribution, written as its PyMC name and parameters.

    Parameters
    ----------
    distribution : str
        One of :data:`SHAPES`: on the real line ``Normal, StudentT, Laplace, Logistic, Cauchy``; positive
        ``InverseGamma, LogNormal, Gamma, Exponential, HalfNormal, HalfCauchy, HalfStudentT``; between 0 and 1
        ``Beta``; on the simplex
        ``Dirichlet``; for correlation matrices ``LKJ``; for all coefficients of a formula together ``MvNormal``, with
        ``chol`` the lower triangular Cholesky factor of the covariance matrix; ``PooledScales`` for the scales of all
        components together: squares are InverseGamma(alpha, C) with one C ~ Gamma(level_shape, level_rate) for all of a
        column, integrated out; ``PooledRates`` for positive numbers of all components, Gamma(alpha, C) with the same C;
        ``DynamicDirichlet`` for weights, Dirichlet(a / K) with a ~ F(df1, df2), integrated out by quadrature.
    **parameters : float or nested sequence of float
        PyMC's parameters of that distribution. An array broadcasts against the variable it is the prior of: for the
        means of a Gaussian mixture, shape ``(n_features,)`` is one prior per feature and
        ``(n_components, n_features)`` one per component and feature.

    Raises
    ------
    ValueError
        Where the name is unknown, a parameter is missing, unknown, not finite, not positive where it must be, or no
        Cholesky factor.

    Examples
    --------
    >>> Prior("Normal", mu=0, sigma=[1, 2])
    Prior('Normal', mu=0.0, sigma=[1.0, 2.0])
    >>> Prior.from_dict(Prior("LKJ", eta=2).to_dict()) == Prior("LKJ", eta=2)
    True
    """

    distribution: str
    _items: tuple[tuple[str, Number], ...]

    def __init__(self, distribution: str, **parameters: Any) -> None:
        if distribution not in SHAPES:
            raise ValueError(
                f"Prior: unknown distribution {shown(distribution)}; choose from {', '.join(SHAPES)}"
                f"{meant(distribution, SHAPES)}"
            )
        wanted = SHAPES[distribution].parameters
        if set(parameters) != set(wanted):
            got = ", ".join(sorted(parameters)) or "none"
            raise ValueError(f"Prior {distribution}: takes the parameters {', '.join(wanted)}; got {got}")
        items = tuple((name, _checked(distribution, name, parameters[name])) for name in wanted)
        self.__dict__.update(distribution=distribution, _items=items)

    @property
    def support(self) -> str:
        """``real``, ``positive``, ``pooled``, ``unit``, ``simplex``, ``dynamic``, ``correlation``, ``real vector``."""
        return SHAPES[self.distribution].support

    @property
    def vanishes_at_zero(self) -> bool:
        """True where the density falls to zero at zero faster than any power."""
        return SHAPES[self.distribution].vanishes_at_zero

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The parameters as arrays."""
        return {name: np.asarray(value, dtype=float) for name, value in self._items}

    def to_dict(self) -> dict[str, Any]:
        """A plain dict for JSON and TOML: ``{"distribution": ..., parameter: number or nested list}``."""
        return {"distribution": self.distribution} | {k: v.tolist() for k, v in self.parameters.items()}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Prior:
        """The inverse of :meth:`to_dict`."""
        if not isinstance(entry, Mapping) or "distribution" not in entry:
            raise ValueError(f"Prior: needs a table with the key 'distribution'; got {shown(entry)}")
        return cls(**entry)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value.tolist()}" for name, value in self.parameters.items())
        return f"Prior({self.distribution!r}, {inside})"


def _checked(distribution: str, name: str, value: Any) -> Number:
    array = numbers(value)
    if array is None:
        raise ValueError(f"Prior {distribution}: {name} must be a number or an array of numbers; got {shown(value)}")
    if array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"Prior {distribution}: {name} must be finite; got {shown(value)}")
    if not ({name, (distribution, name)} & UNBOUNDED_PARAMETERS) and (array <= 0).any():
        raise ValueError(f"Prior {distribution}: {name} must be positive; got {shown(value)}")
    if SHAPES[distribution].support == "dynamic" and array.ndim:
        raise ValueError(f"Prior {distribution}: {name} must be one number for all components; got {shown(value)}")
    if name == "chol" and not _is_cholesky_factor(array):
        raise ValueError(
            f"Prior {distribution}: chol must be a square lower triangular matrix with a positive diagonal; "
            f"got {shown(value)}"
        )
    return nested(array.tolist())


def _is_cholesky_factor(array: np.ndarray) -> bool:
    square = array.ndim == 2 and array.shape[0] == array.shape[1]
    return square and not np.triu(array, k=1).any() and bool((np.diag(array) > 0).all())


def numbers(value: Any) -> np.ndarray | None:
    """A number or an array of numbers as floats; None for anything else: text, truth values, integers beyond floats.

    Examples
    --------
    >>> numbers([1, 2.5]), numbers("1")
    (array([1. , 2.5]), None)
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and all(isinstance(v, Real) and not isinstance(v, bool) for v in array.flat):
            array = array.astype(float)
    except (TypeError, ValueError, OverflowError):
        return None
    return array.astype(float) if array.dtype.kind in "iuf" else None


def nested(value: Any) -> Number:
    """Numbers in lists of lists as tuples of tuples, which do not change."""
    return tuple(nested(v) for v in value) if isinstance(value, list) else float(value)
