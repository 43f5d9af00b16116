"""What weights and components have in common: parameters, their coordinates, and the sums that say all of the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from bayesmix.formulas.linear import Linear
from bayesmix.inputs.data import Data, evenly
from bayesmix.inputs.prior import Prior
from bayesmix.parts.parameter import Parameter

type Params = Mapping[str, np.ndarray]
"""Parameter arrays by name: the least that fixes the likelihood."""
type Sums = Mapping[str, np.ndarray]
"""Expected sufficient statistics by name, sums over rows: all that M-step and score read of them. None grows with n."""
type Known = Mapping[str, np.ndarray]
"""Known values by named estimate, NaN where an entry is free (:mod:`bayesmix.parts.held`)."""


class Point(dict[str, np.ndarray]):
    """Parameters of one point, which remember what was computed of them (such as Cholesky factors)."""

    def __init__(self, arrays: Params, memory: Mapping[str, Any] | None = None) -> None:
        super().__init__(arrays)
        self.memory: dict[str, Any] = dict(memory or {})


def joined(pieces: Sequence[Params]) -> Point:
    """One point of several parts' parameters, with what each remembers."""
    memory = {k: v for piece in pieces if isinstance(piece, Point) for k, v in piece.memory.items()}
    return Point({v: a for piece in pieces for v, a in piece.items()}, memory)


def at_most(params: Params, n: int) -> Params:
    """So many of the draws at most, evenly spaced."""
    return {v: a[evenly(len(a), n)] for v, a in params.items()}


def remembered[T](params: Params, name: str, compute: Callable[[], T]) -> T:
    """What ``compute`` returns, once per :class:`Point`."""
    if not isinstance(params, Point):
        return compute()
    if name not in params.memory:
        params.memory[name] = compute()
    return params.memory[name]


class Part(ABC):
    """Weights or components, bound to rows; as it stands, without anything to estimate.

    Attributes
    ----------
    names : tuple of str
        The keys of its own arrays among the ``params``.
    parameters : tuple of Parameter
        Its named estimates: those with a prior first.
    coords : mapping of str to list of str
        Coordinate values of the dimensions that it brings.
    linears : tuple of Linear
        Its linear predictors.
    mirrors : mapping of str to ndarray of int
        By free variable of the model, a number for each entry: entries of one number may change their signs together
        without a difference to prior or likelihood; those of -1 may not.
    orders : mapping of str to ndarray
        By free variable of the model that has no transform, a matrix that makes m numbers of its entries: the posterior
        has m! copies of equal mass, one for each order that these numbers may have.
    """

    names: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    coords: Mapping[str, list[str]] = MappingProxyType({})
    linears: tuple[Linear, ...] = ()
    mirrors: Mapping[str, np.ndarray] = MappingProxyType({})
    orders: Mapping[str, np.ndarray] = MappingProxyType({})

    @abstractmethod
    def over(self, data: Data) -> Self:
        """The same part over other rows; nothing is estimated from those."""

    def default_priors(self) -> dict[str, Prior]:
        """Weakly informative, in numbers."""
        return {}

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Sums over rows beyond the mass N_k = sum_i v_i r_ik, about ``params``, from v_i r_ik (n, K)."""
        return {}

    def step(self, sums: Sums, params: Params) -> Params:
        """The M-step from sums about ``params``: the maximum, or one step of Newton's method towards it."""
        return {}

    def step_with(self, sums: Sums, params: Params, known: Known) -> Params:
        """The M-step where some named estimates are known, of ``params`` too.

        As it stands, known values are put in place of the others: the maximum where the best value of one estimate
        does not depend on the rest. A part in which it does has its own way.
        """
        return self.put(self.step(sums, params), known)

    def put(self, params: Params, known: Known) -> Params:
        """Parameters with known values in their place."""
        named = self.named(params)
        own = {p.name: named[p.name] for p in self.parameters if p.prior}
        return self.given(own | {v: np.where(np.isnan(a), own[v], a) for v, a in known.items() if v in own}, ())

    def start(self, vr: np.ndarray) -> Params:
        """Parameters from an allocation of the rows, v_i r_ik (n, K)."""
        return {}

    def pack(self, params: Params) -> np.ndarray:
        """Free coordinates, without constraints."""
        return np.empty(0)

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        return {}

    @property
    def size(self) -> int:
        """Number of free coordinates."""
        return 0

    def units(self, params: Params) -> np.ndarray:
        """The natural size of a step in each coordinate, whatever the units of the data."""
        return np.ones(self.size)

    def jacobian(self, params: Params) -> np.ndarray:
        """How coordinates of the part, all of it, move with its free ones: one, where nothing is known."""
        return np.eye(self.size)

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """dL/dtheta by Fisher's identity, from sums about ``params``."""
        return np.empty(0)

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """Every named estimate; leading draw dimensions are kept. As it stands, the parameters themselves."""
        return {v: np.asarray(params[v]) for v in self.names}

    def given(self, named: Params, leading: tuple[int, ...]) -> Params:
        """The inverse of :meth:`named`, with these leading dimensions; estimates that do not vary may be missing."""
        return {v: named[v] for v in self.names}

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """By named estimate: a standard error beyond which the estimate says nothing."""
        return {}

    def on_boundary(self, params: Params) -> np.ndarray:
        """Which coordinates have run to where a parameter ends, (size,) bool."""
        return np.zeros(self.size, dtype=bool)
