"""Standard errors from the observed information."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesmix.families import Family, Params
from bayesmix.kernels import e_step


def standard_errors(family: Family, params: Params) -> dict[str, np.ndarray]:
    """Of every named estimate: J (-H)^-1 J' with H the Hessian of L in free coordinates, J by central differences."""
    theta, units = family.pack(params), family.units(params)

    def score(theta: np.ndarray) -> np.ndarray:
        _, statistics = e_step(family, family.unpack(theta))
        return family.score(theta, statistics)

    H = _jacobian(score, theta, units)
    names = list(family.named(params))

    def flat(theta: np.ndarray) -> np.ndarray:
        named = family.named(family.unpack(theta))
        return np.concatenate([np.ravel(named[v]) for v in names])

    information = -(H + H.T) / 2 * np.outer(units, units)
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0:
        return {v: np.full_like(np.asarray(a, float), np.nan) for v, a in family.named(params).items()}
    J = _jacobian(flat, theta, units) * units
    variance = np.einsum("ij,ji->i", J, np.linalg.solve(information, J.T))
    return _unflatten(np.sqrt(np.maximum(variance, 0)), {v: np.shape(a) for v, a in family.named(params).items()})


def _unflatten(vector: np.ndarray, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(vector, ends[:-1])
    return {v: part.reshape(shape) for part, (v, shape) in zip(parts, shapes.items(), strict=True)}


def _jacobian(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Fourth-order central differences of a vector function, columns by coordinate, with steps in these units."""
    steps = np.diag(1e-3 * units)
    return np.column_stack(
        [(8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / (12 * e.sum()) for e in steps]
    )
