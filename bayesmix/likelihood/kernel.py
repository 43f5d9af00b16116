"""What the compiled half of a family is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from bayesmix.likelihood.likelihood import Params, Statistics


class Kernel(ABC):
    """A family's compiled functions, and how its parameters are laid out for them.

    ``rows(*arguments, pointwise, responsibilities)`` takes a leading dimension of draws, ``e_step(*arguments)`` none.
    """

    rows: ClassVar[Callable]
    e_step: ClassVar[Callable]

    @abstractmethod
    def parameters(self, family: Any, params: Params) -> tuple[Any, ...]:
        """What the kernel needs of the parameters, computed once; leading draw dimensions are kept."""

    @abstractmethod
    def arguments(self, family: Any, parameters: tuple[Any, ...], rows: slice, v: np.ndarray) -> tuple[Any, ...]:
        """The kernel's arguments over some rows, with these row weights."""

    @abstractmethod
    def statistics(self, family: Any, parts: Sequence[tuple[np.ndarray, ...]]) -> Statistics:
        """The expected sufficient statistics from those of the chunks."""
