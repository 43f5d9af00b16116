"""What a mixture family declares: its options, the parts of its likelihood, where EM starts, what is degenerate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from bayesmix.inputs.arguments import listed
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.clusters import CENTRES, known_means, nearest, pinned, whitened
from bayesmix.parts.canonical import Canonical
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params
from bayesmix.parts.weights import Weights

if TYPE_CHECKING:
    from bayesmix.likelihood.likelihood import Likelihood

LEAST_RESPONSIBILITY = 1e-12
"""Of every component that a row may be of, where EM starts: what is 0 would stay so."""
RANDOM = "random partition"
WHITENED = {"k-means++ whitened"}
"""Kinds of starts that cluster the rows along their principal components, each with variance 1."""


class Family(ABC):
    """A family of mixtures, apart from data.

    Attributes
    ----------
    name : str
        That of its folder.
    options : mapping
        Option names and defaults.
    default_components : int, optional
    orders : tuple of str
        What ``order=`` may say, besides None.
    observed_dims : tuple of str
    """

    name: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}
    default_components: ClassVar[int | None] = None
    orders: ClassVar[tuple[str, ...]] = ()
    observed_dims: ClassVar[tuple[str, ...]] = ("obs", "feature")
    canonical: ClassVar[Canonical | None] = None
    """That of its columns, where they are independent (:mod:`bayesmix.parts.columns`)."""
    observation: ClassVar[str] = "measurement"
    """What an observation is: ``measurement``, ``count`` or ``answer``; pictures and statistics differ."""

    models_gaps: ClassVar[bool] = False
    """Whether cells may be missing: its parts and its kernel sum them out."""
    takes_levels: ClassVar[bool] = False
    """Whether columns may hold words: text, or pandas' categories."""

    responds: ClassVar[bool] = False
    """Whether it explains one column, the response, by the others."""
    template: ClassVar[str] = ""
    """Lines of a new ``model.toml`` after those of the family and of the number of components; ``{example}`` is a
    formula over the columns at hand."""

    @property
    def counts(self) -> bool:
        """Whether observations are whole numbers."""
        return self.observation != "measurement"

    def check_options(self, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """The options with defaults filled in; ValueError naming the option, the value and the choices."""
        return dict(self.options) | dict(options)

    @abstractmethod
    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """The table of the parameters that have priors."""

    def component_names(self, data: Data, n_components: int) -> tuple[str, ...]:
        """Class names first, then ``component_1`` ... for the unnamed."""
        return component_names(data, n_components)

    def prepared(self, data: Data) -> Data:
        """The rows as the family reads them."""
        return data

    def check(self, options: Mapping[str, Any], data: Data) -> None:
        """ValueError where rows cannot be the family's, naming column, row and value."""
        return

    def check_priors(self, priors: Mapping[str, Prior]) -> None:
        """ValueError where these priors, each of the right support, are none that the family can have."""
        return

    @abstractmethod
    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Weights and components over these rows, which were checked."""

    def suits(self, x: np.ndarray) -> bool:
        """Whether columns (n, d) look like its own rather than any other's."""
        return False

    def free_cells(self, likelihood: Likelihood) -> float:
        """How many numbers the law of a row has at most."""
        return np.inf

    def unidentified(self, likelihood: Likelihood) -> str | None:
        """Why no number of rows could tell its parameters, in words: there are more than the table of answers tells."""
        p, cells = likelihood.n_parameters, self.free_cells(likelihood)
        if p <= cells:
            return None
        return f"not identified: {p} parameters for the {cells:.0f} free cells of the table of answers; fewer classes"

    def doubts(self, data: Data, priors: Mapping[str, Prior]) -> list[str]:
        """What a user should know of these priors over these rows, in words."""
        return []

    def renewed(self, held: xr.Dataset, coords: Mapping[str, list[str]]) -> xr.Dataset:
        """Draws as an older version wrote them, as today's has them."""
        return held

    def evidence(self, data: Data, components: tuple[str, ...]) -> np.ndarray:
        """Label evidence a_ik, (n, K)."""
        return data.evidence(components)

    @property
    def start_kinds(self) -> tuple[str, ...]:
        """Kinds of EM starts: the first, which is deterministic, once; the others in turn; the last is random."""
        return (*CENTRES, RANDOM)

    def allocation(self, likelihood: Likelihood, kind: str, rng: np.random.Generator) -> np.ndarray:
        """r_ik (n, K) of a start: hard clusters of that kind, labelled rows in their classes; or random shares."""
        K, evidence = len(likelihood.components), likelihood.evidence
        if kind == RANDOM:
            r = rng.dirichlet(np.full(K, 0.5), len(evidence))
        else:
            y = likelihood.component.clouds()
            y = whitened(y) if kind in WHITENED else y
            centres, labelled = CENTRES[kind](y, K, rng), likelihood.data.labelled
            if labelled.any():
                known = known_means(y, np.where(labelled[:, None], np.exp(evidence), 0.0))
                centres = pinned(centres, *known)
            r = nearest(y, centres)
        shares = r + LEAST_RESPONSIBILITY
        shares[evidence == -np.inf] = 0.0
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def spikes(self, likelihood: Likelihood, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Why these parameters are degenerate, in words; empty where they are not.

        Without ``r`` only what stops EM: an unbounded likelihood (a vanishing eigenvalue), values that are not finite.
        """
        finite = all(np.isfinite(params[v]).all() for v in likelihood.parameter_names)
        return [] if finite else ["a component lost all its rows"]

    def probes(self, likelihood: Likelihood, rng: np.random.Generator, n: int = 6) -> Data:
        """Rows without labels at which the fitted density is watched."""
        data = likelihood.data
        return data.take(rng.choice(len(data), min(n, len(data)), replace=False)).without_labels()


def component_names(data: Data, n_components: int) -> tuple[str, ...]:
    """Class names first, then ``component_1`` ... for the unnamed; no more than there are rows."""
    if n_components > len(data):
        raise ValueError(f"n_components: must be at most the number of rows, {len(data)}; got {n_components}")
    if n_components < len(data.classes):
        raise ValueError(
            f"n_components: must be at least the number of classes, {len(data.classes)} "
            f"({listed(data.classes)}); got {n_components}"
        )
    unnamed = n_components - len(data.classes)
    names = tuple(f"component_{k + 1}" for k in range(unnamed))
    taken = [name for name in names if name in data.classes]
    if taken:
        raise ValueError(f"labels: the class name {taken[0]!r} is that of an unnamed component; rename the class")
    return data.classes + names
