"""What a mixture family is: the maths of its components, in NumPy, bound to the rows it is to explain.

Every family is one likelihood. For row i with weight v_i and label evidence a_ik::

    l_i  = logsumexp_k( log w_ik + a_ik + log f(x_i | theta_k) )          L = sum_i v_i l_i
    r_ik = exp( log w_ik + a_ik + log f(x_i | theta_k) - l_i )

A family supplies the term inside the sum (:meth:`Family.log_joint`) and what follows from it: the expected sufficient
statistics, the M-step and the score in free coordinates that read them, starts, simulation. Parameter arrays may carry
leading draw dimensions wherever that is said.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from bayesmix.inputs.data import Data, evenly
from bayesmix.inputs.prior import Prior, choices

type Params = Mapping[str, np.ndarray]
"""Parameter arrays by name: the least that fixes the likelihood."""
type Statistics = Mapping[str, np.ndarray]
"""Expected sufficient statistics by name: all that the M-step and the score read of the rows."""


class Family(ABC):
    """A mixture family bound to data.

    Attributes
    ----------
    components : tuple of str
        Component names: class names first, then the unnamed ones.
    evidence : ndarray, shape (n, n_components)
        Label evidence a_ik.
    row_weights : ndarray, shape (n,)
        v_i.
    groups : ndarray of int, shape (n_components,)
        Components of one group may switch labels; a labelled class is alone in its group.
    measured : ndarray of int, shape (n_components,), optional
        The same, as measured on the density of a model that may have more to say than labels (see
        :mod:`bayesmix.model.symmetry`).
    design : mapping of str to DataFrame
        Design matrices by part, where formulas make any.
    covariates : tuple of str
        The data's covariates that the formulas use.
    offsets : mapping of str to ndarray, shape (n,)
        What is added to the linear predictor of each part.
    """

    name: ClassVar[str]
    options: ClassVar[dict[str, Any]]
    """Option names and defaults."""
    default_components: ClassVar[int | None] = None
    orders: ClassVar[tuple[str, ...]] = ()
    """What ``order=`` may say, besides None."""
    observed_dims: ClassVar[tuple[str, ...]]
    parameter_names: ClassVar[tuple[str, ...]]
    """The named estimates that fix the likelihood: the keys of ``params``."""

    data: Data
    components: tuple[str, ...]
    evidence: np.ndarray
    row_weights: np.ndarray
    groups: np.ndarray
    measured: np.ndarray | None = None
    design: Mapping[str, pd.DataFrame] = MappingProxyType({})
    covariates: tuple[str, ...] = ()
    offsets: Mapping[str, np.ndarray] = MappingProxyType({})

    @classmethod
    @abstractmethod
    def check_options(cls, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """The options with defaults filled in; ValueError naming the option, the value and the choices."""

    @classmethod
    @abstractmethod
    def prior_supports(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """The prior keys of this family and the support each prior must have."""

    @abstractmethod
    def __init__(self, options: Mapping[str, Any], n_components: int, data: Data) -> None: ...

    @abstractmethod
    def rebind(self, data: Data) -> Self:
        """The same family over other rows (same columns; encodings of factors are kept)."""

    def with_measured(self, groups: np.ndarray) -> Self:
        """The same family, whose components may switch labels within these groups at most."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.measured = groups
        return new

    def evenly(self, most: int) -> Self:
        """The family over at most so many of its rows, evenly spaced."""
        return self.rebind(self.data.take(evenly(len(self.data), most)))

    @abstractmethod
    def default_priors(self) -> dict[str, Prior]:
        """The weakly informative default priors, in numbers."""

    @property
    def offset_words(self) -> dict[str, str]:
        """The offset of every part that has one, as the formula says it."""
        return {}

    @property
    @abstractmethod
    def coords(self) -> dict[str, list[str]]:
        """Coordinate values of every dimension but ``obs``."""

    @property
    @abstractmethod
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of every named estimate, in the order in which they are shown."""

    @property
    @abstractmethod
    def free(self) -> dict[str, np.ndarray]:
        """Which entries of the named estimates are free scalars: boolean arrays by name."""

    @property
    def unvarying(self) -> tuple[str, ...]:
        """Named estimates with entries that never vary, such as the zeros of a diagonal matrix.

        Of a posterior they are stored apart, in the group ``derived``: what varies says them.
        """
        return ()

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """Number of free parameters (for AIC and BIC)."""

    @abstractmethod
    def log_weights(self, params: Params) -> np.ndarray:
        """log w_ik, shape (..., 1 or n, n_components)."""

    @abstractmethod
    def log_density(self, params: Params) -> np.ndarray:
        """log f(x_i | theta_k), shape (..., n, n_components)."""

    def log_joint(self, params: Params) -> np.ndarray:
        """log w_ik + a_ik + log f(x_i | theta_k), shape (..., n, n_components)."""
        with np.errstate(divide="ignore"):
            return self.log_weights(params) + self.evidence + self.log_density(params)

    @abstractmethod
    def statistics(self, r: np.ndarray, params: Params) -> Statistics:
        """Expected sufficient statistics, row weights included, about ``params``; r (n, n_components)."""

    @abstractmethod
    def m_step(self, statistics: Statistics, params: Params) -> Params:
        """Parameters that maximize the expected complete-data log-likelihood, from statistics about ``params``."""

    @abstractmethod
    def initial(self, kind: str, rng: np.random.Generator) -> Params:
        """A start of one of :attr:`start_kinds`."""

    @property
    @abstractmethod
    def start_kinds(self) -> tuple[str, ...]:
        """Kinds of EM starts: the first, which is deterministic, once; the others in turn."""

    @abstractmethod
    def spikes(self, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Why these parameters are degenerate, in words; empty where they are not.

        Without ``r`` only what stops EM: an unbounded likelihood (a vanishing eigenvalue), values that are not finite.
        """

    @abstractmethod
    def pack(self, params: Params) -> np.ndarray:
        """Free coordinates theta, shape (n_parameters,), without constraints."""

    @abstractmethod
    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""

    @abstractmethod
    def units(self, params: Params) -> np.ndarray:
        """The natural size of a step in each coordinate of :meth:`pack`, whatever the units of the data."""

    @abstractmethod
    def score(self, theta: np.ndarray, statistics: Statistics) -> np.ndarray:
        """dL/dtheta by Fisher's identity, shape (n_parameters,), from the E-step's statistics at theta."""

    @abstractmethod
    def information(self, params: Params) -> np.ndarray:
        """The observed information -d2L/du2 (n_parameters, n_parameters), in coordinates u without units.

        In closed form (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x).
        """

    def missing(self, params: Params) -> float:
        """A bound on trace(I_complete^-1 I_missing) at a stationary point, infinite where none is known.

        Below 1 the information is positive definite.
        """
        return float("inf")

    @abstractmethod
    def moved(self, params: Params, step: np.ndarray) -> Params:
        """The parameters after a step in the coordinates of :meth:`information`."""

    @abstractmethod
    def spread(self, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
        """Standard deviations of the named estimates, by the delta method, where ``covariance`` is that of u."""

    @abstractmethod
    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """By named estimate: a standard error beyond which the estimate says nothing."""

    @abstractmethod
    def named(self, params: Params) -> dict[str, np.ndarray]:
        """Every named estimate (:attr:`dims`) that follows from ``params``; leading draw dimensions are kept."""

    def parameters(self, named: Params) -> Params:
        """The inverse of :meth:`named`; estimates of :attr:`unvarying` may be missing."""
        return {v: named[v] for v in self.parameter_names}

    def probes(self, rng: np.random.Generator, n: int = 6) -> Data:
        """Rows without labels at which the fitted density is watched."""
        return self.data.take(rng.choice(len(self.data), min(n, len(self.data)), replace=False)).without_labels()

    @abstractmethod
    def simulate(self, params: Params, rng: np.random.Generator) -> np.ndarray:
        """New observations for the same rows, (n, n_features), each from the components that its evidence allows."""

    def draw_components(self, params: Params, rng: np.random.Generator) -> np.ndarray:
        """A component for every row, from w_ik exp(a_ik)."""
        with np.errstate(divide="ignore"):
            log_p = self.log_weights(params) + self.evidence
        cumulative = np.exp(log_p - logsumexp(log_p, axis=-1, keepdims=True)).cumsum(axis=-1)
        u = rng.random((len(cumulative), 1)) * cumulative[:, -1:]
        return np.asarray((cumulative <= u).sum(axis=-1))


def check_priors(cls: type[Family], options: Mapping[str, Any], priors: Mapping[str, Any]) -> dict[str, Prior]:
    """The user's priors, each known to the family and of the right support."""
    supports = cls.prior_supports(options)
    for key, prior in priors.items():
        if key not in supports:
            raise ValueError(
                f"priors: unknown key {key!r} for this {cls.name} mixture; choose from {', '.join(supports)}"
            )
        if not isinstance(prior, Prior):
            raise ValueError(f"priors: {key!r} must be a Prior; got {prior!r}")
        if prior.distribution not in choices(supports[key]):
            raise ValueError(
                f"priors: {key!r} needs a prior on the {supports[key]} scale "
                f"({', '.join(choices(supports[key]))}); got {prior.distribution}"
            )
    return dict(priors)


def component_names(data: Data, n_components: int) -> tuple[str, ...]:
    """Class names first, then ``component_1`` ... for the unnamed."""
    if n_components < len(data.classes):
        raise ValueError(
            f"n_components: must be at least the number of classes, {len(data.classes)} "
            f"({', '.join(data.classes)}); got {n_components}"
        )
    unnamed = n_components - len(data.classes)
    names = tuple(f"component_{k + 1}" for k in range(unnamed))
    taken = [name for name in names if name in data.classes]
    if taken:
        raise ValueError(f"labels: the class name {taken[0]!r} is that of an unnamed component; rename the class")
    return data.classes + names


def exchange_groups(evidence: np.ndarray) -> np.ndarray:
    """A group number per component: components with equal evidence columns share one, and their labels may switch.

    A class with a labelled row differs from every other component, so it is alone in its group: it is pinned.
    """
    columns = list(np.ascontiguousarray(evidence.T))
    first = [next(j for j, other in enumerate(columns) if np.array_equal(column, other)) for column in columns]
    return np.unique(first, return_inverse=True)[1]
