"""What the compiled half of a family is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.columns import Columns
from bayesmix.parts.part import Params, Sums

type Arrays = tuple[Any, ...]
"""Arguments of a compiled function."""


class Kernel(ABC):
    """A family's compiled functions, and how its parameters are laid out for them.

    ``rows(*arguments, pointwise, responsibilities)`` takes a leading dimension of draws. Beside it the facet ``kernel``
    has a function ``gradient(x, *operands, evidence, row_weights, *settings, pointwise)``, the same over the operands
    of the PyTensor node (:mod:`bayesmix.estep.op`): L and dL by each operand.
    """

    rows: Callable

    def parameters(self, likelihood: Likelihood, params: Params) -> Arrays:
        """What the kernel needs of the parameters, computed once; leading draw dimensions are kept."""
        names = (*likelihood.weights.names, *likelihood.component.names)
        return tuple(np.ascontiguousarray(params[v], dtype=float) for v in names)

    def settings(self, likelihood: Likelihood) -> Arrays:
        """What the kernel must know besides."""
        return ()

    def arguments(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> Arrays:
        """The kernel's arguments over some rows, with these row weights."""
        settings = self.settings(likelihood)
        return (likelihood.data.x[rows], *parameters, likelihood.evidence[rows], v, *settings)

    @abstractmethod
    def e_step(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> tuple[float, Sums]:
        """L over some rows, and their part of the expected sufficient statistics."""


class ColumnsKernel(Kernel):
    """The kernel of independent columns (:mod:`bayesmix.parts.columns`), from its compiled functions."""

    def __init__(self, rows: Callable, e_step: Callable) -> None:
        self.rows, self._e_step = rows, e_step

    def settings(self, likelihood: Likelihood) -> Arrays:
        """Whether cells are missing."""
        return (likelihood.data.gaps,)

    def e_step(self, likelihood: Likelihood, parameters: Arrays, rows: slice, v: np.ndarray) -> tuple[float, Sums]:
        """L; mass and first, and the masses by column where cells are missing."""
        L, mass, first = self._e_step(*self.arguments(likelihood, parameters, rows, v))
        component = likelihood.made_of(Columns)
        if not likelihood.data.gaps:
            return L, {"mass": mass, component.first: first}
        moments, there = np.hsplit(first, 2)
        return L, {"mass": mass, component.first: moments, component.there: there}
