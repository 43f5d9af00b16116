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
from scipy.special import logsumexp

from bayesmix.inputs.data import Data, evenly
from bayesmix.likelihood import curvature
from bayesmix.likelihood.cells import readable
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.known import as_rows, known_values, matched
from bayesmix.likelihood.two_parts import TwoParts
from bayesmix.parts.component import Component
from bayesmix.parts.gaps import check_whole
from bayesmix.parts.part import Params, Sums, joined

if TYPE_CHECKING:
    from bayesmix.mixture.spec import Mixture


class Likelihood(TwoParts):
    """A mixture of a family bound to data; what there is to estimate of it is that of its :class:`TwoParts`.

    Attributes
    ----------
    spec : Mixture
        The mixture that was bound: what the priors and an order say besides the rows.
    family : Family
    data : Data
    evidence : ndarray, shape (n, n_components)
        Label evidence a_ik.
    exchangeable : ndarray of int, shape (n_components,)
        A number per component: those with one number may switch labels; a labelled class is alone with its own.
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
        self.known = {}
        table = self.parameters
        self.known = known_values(table, self.coords, fixed)
        if fixed and not self.n_parameters:
            raise ValueError("fixed: all parameters are known, nothing is left to estimate")
        like = any(p.dims[:1] == ("component",) for p in table)
        told = np.vstack([self.evidence, as_rows(table, self.known, len(self.components))])
        self.exchangeable = exchange_groups(told) if like else np.arange(len(self.components))
        self.measured: np.ndarray | None = None

    @property
    def name(self) -> str:
        """Of the family."""
        return self.family.name

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
        return joined([part.step(sums, params) for part in self.parts])

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
        return joined([part.start(vr) for part in self.parts])

    def spikes(self, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Why these parameters are degenerate, in words; empty where they are not.

        Without ``r`` only what stops EM: an unbounded likelihood (a vanishing eigenvalue), values that are not finite.
        """
        return self.family.spikes(self, params, r)

    # how well it is known

    def information(self, params: Params) -> np.ndarray:
        """The observed information -d2L/du2 (n_parameters, n_parameters), u the coordinates in their units."""
        return curvature.information(self, params)

    def spread(self, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
        """Standard deviations of the named estimates, by the delta method, where ``covariance`` is that of u."""
        return curvature.spread(self, params, covariance)

    # data

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


def exchange_groups(evidence: np.ndarray) -> np.ndarray:
    """A group number per component: components with equal evidence columns share one, and their labels may switch.

    A class with a labelled row differs from every other component, so it is alone in its group: it is pinned.
    """
    columns = list(np.ascontiguousarray(evidence.T))
    first = [next(j for j, other in enumerate(columns) if np.array_equal(column, other)) for column in columns]
    return np.unique(first, return_inverse=True)[1]
