"""Correlations as what varies of them: the entries of their matrices below the diagonal, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

import numpy as np


def pair_names(features: Sequence[str]) -> list[str]:
    """What each correlation is called.

    Examples
    --------
    >>> pair_names(["x", "y", "z"])
    ['y ~ x', 'z ~ x', 'z ~ y']
    """
    return [f"{row} ~ {column}" for i, row in enumerate(features) for column in features[:i]]


def names_of_entries(features: Sequence[str]) -> list[str]:
    """What the entries of a symmetric matrix on and below its diagonal are called.

    Examples
    --------
    >>> names_of_entries(("a", "b"))
    ['a', 'b ~ a', 'b']
    """
    return [
        row if row == column else f"{row} ~ {column}" for i, row in enumerate(features) for column in features[: i + 1]
    ]


def below_diagonal(matrices: np.ndarray) -> np.ndarray:
    """The entries below the diagonal, (..., pairs), of matrices (..., d, d)."""
    rows, columns = np.tril_indices(matrices.shape[-1], k=-1)
    return np.asarray(matrices[..., rows, columns])


def correlation_matrices(pairs: np.ndarray) -> np.ndarray:
    """Correlation matrices, (..., d, d), from their d (d - 1) / 2 entries below the diagonal, (..., pairs).

    Examples
    --------
    >>> correlation_matrices(np.array([0.1, 0.2, 0.3]))
    array([[1. , 0.1, 0.2],
           [0.1, 1. , 0.3],
           [0.2, 0.3, 1. ]])
    """
    d = (1 + isqrt(1 + 8 * pairs.shape[-1])) // 2
    rows, columns = np.tril_indices(d, k=-1)
    matrices = np.broadcast_to(np.eye(d), (*pairs.shape[:-1], d, d)).copy()
    matrices[..., rows, columns] = matrices[..., columns, rows] = pairs
    return matrices
