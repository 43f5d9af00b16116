"""The likelihood of a mixture, weights times components, bound to the rows it is to explain.

For row i with weight v_i and label evidence a_ik::

    l_i  = logsumexp_k( log w_ik + a_ik + log f(x_i | theta_k) )          L = sum_i v_i l_i
    r_ik = exp( log w_ik + a_ik + log f(x_i | theta_k) - l_i )

Weights (:mod:`bayesmix.parts.weights`) supply log w, components (:mod:`bayesmix.parts.component`) log f, and
both what follows: sums over rows of expected statistics, the M-step and the score that read those sums alone. Whatever
can add partial sums (threads, chunks of rows) can run the E-step. Parameter arrays may carry leading draw dimensions
wherever that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy.linalg import block_diag
from scipy.special import logsumexp

from bayesmix.formulas.linear import Linear
from bayesmix.inputs.data import Data, evenly
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood import curvature
from bayesmix.likelihood.cells import readable
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.known import as_rows, known_values, matched
from bayesmix.parts.component import Component
from bayesmix.parts.gaps import check_whole
from bayesmix.parts.held import Held
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Known, Params, Part, Point, Sums

if TYPE_CHECKING:
    from bayesmix.mixture.spec import Mixture


class Likelihood:
    """A mixture of a family bound to data.

    Attributes
    ----------
    spec : Mixture
        The mixture that was bound: what the priors and an order say besides the rows.
    family : Family
    weights : Weights
    component : Component
    data : Data
    components : tuple of str
        Component names: class names first, then the unnamed ones.
    evidence : ndarray, shape (n, n_components)
        Label evidence a_ik.
    exchangeable : ndarray of int, shape (n_components,)
        A number per component: those with one number may switch labels; a labelled class is alone with its own.
    known : mapping of str to ndarray
        Known values by named estimate, NaN where an entry is free.
    measured : ndarray of int, shape (n_components,), optional
        The same, as measured on the density of a model that may have more to say than labels (see
        :mod:`bayesmix.model.symmetry`).
    """

    spec: Mixture

    def __init__(
        self,
        family: Family,
        options: Mapping[str, Any],
        n_components: int,
        data: Data,
        fixed: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        data = family.prepared(readable(family, data))
        self.family, self.options, self.data = family, options, data
        self.components = family.component_names(data, n_components)
        _check(family, options, data)
        self.weights, self.component = family.parts(options, self.components, data)
        self.evidence = family.evidence(data, self.components)
        self.known: Known = {}
        table = self.parameters
        self.known = known_values(table, self.coords, fixed)
        if fixed and not self.n_parameters:
            raise ValueError("fixed: all parameters are known, nothing is left to estimate")
        like = any(p.dims[:1] == ("component",) for p in table)
        told = (
            np.vstack([self.evidence, as_rows(table, self.known, len(self.components))])
            if self.known
            else self.evidence
        )
        self.exchangeable = exchange_groups(told) if like else np.arange(len(self.components))
        self.measured: np.ndarray | None = None

    @property
    def name(self) -> str:
        """Of the family."""
        return self.family.name

    @property
    def parts(self) -> tuple[Part, Part]:
        """Weights and components, in the order of their coordinates; where some of it is known, what is free."""
        weights, component = self._held(self.weights), self._held(self.component)
        return (component, weights) if self.weights.last else (weights, component)

    def _held(self, part: Part) -> Part:
        own = {p.name: self.known[p.name] for p in part.parameters if p.name in self.known}
        return Held(part, own) if own else part

    @property
    def row_weights(self) -> np.ndarray:
        """v_i, (n,)."""
        return self.data.row_weights

    def _with(self, **changes: Any) -> Self:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__ | changes)
        return new

    def rebind(self, data: Data) -> Self:
        """The same mixture over other rows (same columns; encodings of factors are kept)."""
        data = self.component.aligned(readable(self.family, data))
        _check(self.family, self.options, data)
        weights, component = self.weights.over(data), self.component.over(data)
        evidence = self.family.evidence(data, self.components)
        return self._with(data=data, weights=weights, component=component, evidence=evidence)

    def observing(self, x: np.ndarray) -> Self:
        """The same mixture over the same rows with other observations, (n, n_features)."""
        return self.rebind(self.data.with_observations(x))

    def with_measured(self, groups: np.ndarray) -> Self:
        """The same mixture, whose components may switch labels within these groups at most."""
        return self._with(measured=groups)

    def with_nothing_known(self) -> Self:
        """The same mixture, all of whose parameters are free."""
        return self._with(known={})

    def with_component(self, component: Component) -> Self:
        """The same weights and rows with other components, as many and of the same names."""
        return self._with(component=component)

    def told(self, z: np.ndarray) -> Self:
        """The same mixture, where the component z_i (n,) of every row is known besides."""
        known = np.eye(len(self.components), dtype=bool)[z]
        return self._with(evidence=np.where(known, self.evidence, -np.inf))

    def evenly(self, most: int) -> Self:
        """The mixture over at most so many of its rows, evenly spaced."""
        return self.rebind(self.data.take(evenly(len(self.data), most)))

    # what there is to estimate

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The table of its named estimates: those with priors in the order in which they are shown, then the others."""
        both = [p for part in self.parts for p in part.parameters]
        return tuple(sorted(both, key=lambda p: not p.prior))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The keys of ``params``."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def coords(self) -> dict[str, list[str]]:
        """Coordinate values of every dimension but ``obs``."""
        own = {d: list(names) for part in self.parts for d, names in part.coords.items()}
        return {"component": list(self.components)} | own

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of every named estimate, in the order in which they are shown."""
        return {p.name: p.dims for p in self.parameters}

    @property
    def free(self) -> dict[str, np.ndarray]:
        """Which entries of the named estimates are free scalars, shown and checked: boolean arrays by name.

        Those of parameters with priors, or of what stands in the place of one.
        """
        sizes = {d: len(names) for d, names in self.coords.items()}
        replaced = {p.in_place_of for p in self.parameters}
        shown = [p for p in self.parameters if p.in_place_of or (p.prior and p.name not in replaced)]
        free = {p.name: np.full([sizes[d] for d in p.dims], p.varies) for p in shown}
        return {v: a & np.isnan(self.known[v]) if v in self.known else a for v, a in free.items()}

    @property
    def sorted_by(self) -> str | None:
        """The estimate by whose first entry components that may switch labels are named, if there is one."""
        free = [p for p in self.parameters if p.prior or not self.known]
        by_component = (p.name for p in free if self.known and p.dims[:1] == ("component",))
        return next((p.name for p in free if p.sorts), next(by_component, None))

    @property
    def unvarying(self) -> tuple[str, ...]:
        """Named estimates with entries that never vary."""
        return tuple(p.name for p in self.parameters if not p.varies)

    @property
    def n_parameters(self) -> int:
        """Number of free coordinates (for AIC and BIC)."""
        return sum(part.size for part in self.parts)

    @property
    def linears(self) -> tuple[Linear, ...]:
        """Its linear predictors: those of the components, then those of the weights."""
        return (*self.component.linears, *self.weights.linears)

    @property
    def alike(self) -> bool:
        """Whether all rows have one law, since no covariate tells them apart."""
        return all(linear.constant for linear in self.linears)

    @property
    def design(self) -> dict[str, pd.DataFrame]:
        """Design matrices by part, where formulas make any."""
        return {linear.name: linear.matrix for linear in self.linears}

    @property
    def offsets(self) -> dict[str, np.ndarray]:
        """What is added to the linear predictor of each part, (n,)."""
        return {linear.name: linear.offset for linear in self.linears}

    @property
    def covariates(self) -> tuple[str, ...]:
        """The data's covariates that the formulas use."""
        used = [name for linear in self.linears for name in linear.encoder.columns]
        return tuple(dict.fromkeys(used))

    def default_priors(self) -> dict[str, Prior]:
        """The weakly informative default priors, in numbers (see :func:`bayesmix.resolve`)."""
        return {key: prior for part in self.parts for key, prior in part.default_priors().items()}

    # the density

    def log_weights(self, params: Params) -> np.ndarray:
        """log w_ik, (..., 1 or n, n_components)."""
        return self.weights.log_weights(params)

    def log_density(self, params: Params) -> np.ndarray:
        """log f(x_i | theta_k), (..., n, n_components)."""
        return self.component.log_density(params)

    def log_joint(self, params: Params) -> np.ndarray:
        """log w_ik + a_ik + log f(x_i | theta_k), shape (..., n, n_components)."""
        with np.errstate(divide="ignore"):
            return self.log_weights(params) + self.evidence + self.log_density(params)

    # EM

    def sums(self, r: np.ndarray, params: Params) -> Sums:
        """Expected sufficient statistics about ``params``, row weights included; r (n, n_components)."""
        vr = self.row_weights[:, None] * r
        sums = {"mass": vr.sum(axis=0)}
        for part in self.parts:
            sums |= part.sums(vr, params)
        return sums

    def m_step(self, sums: Sums, params: Params) -> Params:
        """Parameters that raise the expected complete-data log-likelihood, from sums about ``params``."""
        return _together([part.step(sums, params) for part in self.parts])

    @property
    def start_kinds(self) -> tuple[str, ...]:
        """Kinds of EM starts: the first, which is deterministic, once; the others in turn; the last is random."""
        return self.family.start_kinds

    def initial(self, kind: str, rng: np.random.Generator) -> Params:
        """A start of one of :attr:`start_kinds`."""
        r = self.family.allocation(self, kind, rng)
        return self.allocated(matched(self, r) if self.known else r)

    def allocated(self, r: np.ndarray) -> Params:
        """Sound parameters from an allocation of the rows, r (n, n_components)."""
        vr = self.row_weights[:, None] * r
        return _together([part.start(vr) for part in self.parts])

    def spikes(self, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Why these parameters are degenerate, in words; empty where they are not.

        Without ``r`` only what stops EM: an unbounded likelihood (a vanishing eigenvalue), values that are not finite.
        """
        return self.family.spikes(self, params, r)

    # free coordinates

    def pack(self, params: Params) -> np.ndarray:
        """Free coordinates theta, shape (n_parameters,), without constraints."""
        return np.concatenate([part.pack(params) for part in self.parts])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        first, second = self.parts
        return _together([first.unpack(theta[: first.size]), second.unpack(theta[first.size :])])

    def units(self, params: Params) -> np.ndarray:
        """The natural size of a step in each coordinate of :meth:`pack`, whatever the units of the data."""
        return np.concatenate([part.units(params) for part in self.parts])

    def jacobian(self, params: Params) -> np.ndarray:
        """How all coordinates move with the free ones, where some parameters are known."""
        return np.asarray(block_diag(*[part.jacobian(params) for part in self.parts]))

    def score(self, theta: np.ndarray, sums: Sums) -> np.ndarray:
        """dL/dtheta by Fisher's identity, shape (n_parameters,), from the E-step's sums at theta."""
        params = self.unpack(theta)
        return np.concatenate([part.score(params, sums) for part in self.parts])

    def information(self, params: Params) -> np.ndarray:
        """The observed information -d2L/du2 (n_parameters, n_parameters), u the coordinates in their units."""
        return curvature.information(self, params)

    def missing(self, params: Params) -> float:
        """A bound on trace(I_complete^-1 I_missing) at a stationary point, infinite where none is known.

        Below 1 the information is positive definite.
        """
        return curvature.missing(self, params)

    def moved(self, params: Params, step: np.ndarray) -> Params:
        """The parameters after a step of so many units in every coordinate."""
        return self.unpack(self.pack(params) + self.units(params) * step)

    def spread(self, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
        """Standard deviations of the named estimates, by the delta method, where ``covariance`` is that of u."""
        return curvature.spread(self, params, covariance)

    def on_boundary(self, params: Params) -> np.ndarray:
        """Which coordinates have run to where a parameter ends, such as a probability of 0, (n_parameters,) bool."""
        return np.concatenate([part.on_boundary(params) for part in self.parts])

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """By named estimate: a standard error beyond which the estimate says nothing."""
        return {v: bound for part in self.parts for v, bound in part.hopeless(params).items()}

    # names

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """Every named estimate (:attr:`dims`) that follows from ``params``; leading draw dimensions are kept."""
        estimates = {v: a for part in self.parts for v, a in part.named(params).items()}
        return {v: estimates[v] for v in self.dims}

    def given(self, named: Params) -> Params:
        """The inverse of :meth:`named`; estimates of :attr:`unvarying` may be missing."""
        first = next(iter(named))
        own = len(self.dims[first])
        leading = np.shape(named[first])[: np.ndim(named[first]) - own]
        return _together([part.given(named, leading) for part in self.parts])

    # data

    def probes(self, rng: np.random.Generator, n: int = 6) -> Data:
        """Rows without labels at which the fitted density is watched."""
        return self.family.probes(self, rng, n)

    def draw_components(self, params: Params, rng: np.random.Generator) -> np.ndarray:
        """A component for every row, from w_ik exp(a_ik)."""
        with np.errstate(divide="ignore"):
            log_p = self.log_weights(params) + self.evidence
        cumulative = np.exp(log_p - logsumexp(log_p, axis=-1, keepdims=True)).cumsum(axis=-1)
        u = rng.random((len(cumulative), 1)) * cumulative[:, -1:]
        return np.asarray((cumulative <= u).sum(axis=-1))

    def simulate(self, params: Params, rng: np.random.Generator) -> np.ndarray:
        """New observations for the same rows, (n, n_features), each from the components that its evidence allows."""
        return self.component.draw(self.draw_components(params, rng), params, rng)


def _check(family: Family, options: Mapping[str, Any], data: Data) -> None:
    """ValueError where rows cannot be the family's, for a cell that is missing or one that is there."""
    if not family.models_gaps:
        check_whole(data, family.name)
    family.check(options, data)


def _together(pieces: list[Params]) -> Point:
    """One point from those of the parts."""
    memory = {k: v for piece in pieces if isinstance(piece, Point) for k, v in piece.memory.items()}
    return Point({v: a for piece in pieces for v, a in piece.items()}, memory)


def exchange_groups(evidence: np.ndarray) -> np.ndarray:
    """A group number per component: components with equal evidence columns share one, and their labels may switch.

    A class with a labelled row differs from every other component, so it is alone in its group: it is pinned.
    """
    columns = list(np.ascontiguousarray(evidence.T))
    first = [next(j for j, other in enumerate(columns) if np.array_equal(column, other)) for column in columns]
    return np.unique(first, return_inverse=True)[1]
