"""What a family is asked about its fit to the data: the measures, in words, and how to try another model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmix.parts.part import Params

LEAST_SCALE = 1e-12


@dataclass(frozen=True)
class Measure:
    """One way in which data can miss the model: its name, what it means where it does, and what to try."""

    name: str
    meaning: str
    advice: str


class Discrepancies(ABC):
    """A family's measures, of the data and of data that it makes itself.

    Realized discrepancies (Gelman, Meng and Stern 1996): T(x, z, theta) and T(x_rep, z_rep, theta) for every draw
    theta, with hidden components z drawn given the rows. Under the model the two have one distribution.
    """

    measures: tuple[Measure, ...]

    @abstractmethod
    def compare(self, likelihood: Any, params: Params, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The measures of the rows and of replicated rows under every draw, each (draws, measures); large is bad."""


def drawn(p: np.ndarray, u: np.ndarray) -> np.ndarray:
    """A component for every row from its probabilities p (..., K), by uniform numbers u (...)."""
    cumulative = p.cumsum(axis=-1)
    return np.asarray((cumulative[..., :-1] <= u[..., None] * cumulative[..., -1:]).sum(axis=-1))


def dependence(e: np.ndarray, variance: np.ndarray, column: np.ndarray) -> np.ndarray:
    """The largest standardized sum of products of two columns' residuals, (S,), from those of every entry, (S, n, m).

    ``column`` (m,): the column that an entry is of.
    """
    other = column[:, None] != column
    if not other.any():
        return np.zeros(len(e))
    products = np.swapaxes(e, -1, -2) @ e
    scale = np.sqrt(np.maximum(np.swapaxes(variance, -1, -2) @ variance, LEAST_SCALE))
    return np.asarray(np.abs(products / scale)[:, other].max(axis=-1))
