"""What the compiled half of a family is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.part import Params, Sums


class Kernel(ABC):
    """A family's compiled functions, and how its parameters are laid out for them.

    ``rows(*arguments, pointwise, responsibilities)`` takes a leading dimension of draws. Beside it the facet ``kernel``
    has a function ``gradient(x, *operands, evidence, row_weights, *settings, pointwise)``, the same over the operands
    of the PyTensor node (:mod:`bayesmix.estep.op`): L and dL by each operand.
    """

    rows: Callable

    @abstractmethod
    def parameters(self, likelihood: Likelihood, params: Params) -> tuple[Any, ...]:
        """What the kernel needs of the parameters, computed once; leading draw dimensions are kept."""

    @abstractmethod
    def arguments(
        self, likelihood: Likelihood, parameters: tuple[Any, ...], rows: slice, v: np.ndarray
    ) -> tuple[Any, ...]:
        """The kernel's arguments over some rows, with these row weights."""

    @abstractmethod
    def e_step(
        self, likelihood: Likelihood, parameters: tuple[Any, ...], rows: slice, v: np.ndarray
    ) -> tuple[float, Sums]:
        """L over some rows, and their part of the expected sufficient statistics."""
