"""What each family draws in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.drawing.view import View
from bayesmix.inputs.data import Data
from bayesmix.parts.part import Params


class Picture(ABC):
    """The pictures that depend on what was measured: data, components over the data, predictive check.

    ``structured``: whether components have an inner structure to be drawn, as factors have.
    """

    structured: ClassVar[bool] = False

    @abstractmethod
    def data(self, data: Data, components: Sequence[str]) -> Figure:
        """The rows as observed, labelled ones marked."""

    @abstractmethod
    def components(self, view: View) -> Figure:
        """The fitted components over the rows, with the point estimate."""

    def structure(self, view: View) -> Figure:
        """What makes the components what they are, where that is more than their place and spread."""
        raise NotImplementedError

    @abstractmethod
    def small(self, ax: Axes, view: View) -> None:
        """The same in a few hundred pixels, without text."""

    @abstractmethod
    def prior(self, data: Data, params: Params, new: np.ndarray) -> Figure:
        """What the prior expects, parameters (S, ...) and data sets (S, n, n_features), beside the observed rows."""

    @abstractmethod
    def predictive(self, data: Data, replicates: np.ndarray) -> Figure:
        """Data sets from the posterior predictive distribution, (S, n, n_features), beside the observed one."""
