"""What components are: K of one kind over some columns; of unlike kinds side by side; over blocks of columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Self

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.parts.gaps import filled
from bayesmix.parts.part import Known, Params, Part, Sums, joined
from bayesmix.parts.profile import Profile


class Component(Part):
    """K components, bound to rows.

    Attributes
    ----------
    K : int
    """

    K: int

    @property
    def profile(self) -> Profile | None:
        """What the components are like in every column; None where no estimate says it."""
        return None

    @property
    def in_units(self) -> bool:
        """Whether another unit of one of several columns makes another mixture of it."""
        return False

    def aligned(self, data: Data) -> Data:
        """Other rows, with their columns in the order of these; ValueError where they cannot be explained."""
        return data

    def of_prior(self, named: Params, rng: np.random.Generator) -> Params:
        """Draws from the priors of named parameters, (n, ...) each, with what has a law but no prior of its own."""
        return named

    @abstractmethod
    def log_density(self, params: Params) -> np.ndarray:
        """log f(x_i | theta_k), (..., n, K)."""

    @abstractmethod
    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """New observations (n, n_features) from component z_i of every row."""

    def completed(self, x: np.ndarray, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """Its rows x (n, n_features) with the missing cells drawn from component z_i of every row, given the others.

        As it stands, of components whose columns are independent.
        """
        return filled(x, self.draw(z, params, rng))

    @abstractmethod
    def clouds(self) -> np.ndarray:
        """The rows as points (n, m), near each other where one component is likely to have made them."""


class Zero(Component):
    """The count 0 and nothing else."""

    K = 1

    def __init__(self, data: Data) -> None:
        self.x = data.x[:, 0]

    def over(self, data: Data) -> Self:
        """Other rows."""
        return type(self)(data)

    def log_density(self, params: Params) -> np.ndarray:
        """0 at zero and -inf above, (n, 1)."""
        return np.where(self.x == 0, 0.0, -np.inf)[:, None]

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """Zeros."""
        return np.zeros((len(z), 1))

    def clouds(self) -> np.ndarray:
        """The counts."""
        return self.x[:, None]


class _Several(Component):
    """Several kinds, whose parameters have different names and whose coordinates follow each other."""

    def __init__(self, members: Sequence[Component]) -> None:
        self.members = tuple(members)
        self.names = tuple(name for m in members for name in m.names)
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"components: two of them have a parameter of one name, of {', '.join(self.names)}")
        self.parameters = tuple(p for m in members for p in m.parameters)
        self.coords = {d: names for m in members for d, names in m.coords.items()}
        self.linears = tuple(linear for m in members for linear in m.linears)

    @property
    def size(self) -> int:
        """Of all together."""
        return sum(m.size for m in self.members)

    def over(self, data: Data) -> Self:
        """All of them."""
        return type(self)([m.over(data) for m in self.members])

    def aligned(self, data: Data) -> Data:
        """As all of them have it."""
        return reduce(lambda d, m: m.aligned(d), self.members, data)

    def of_prior(self, named: Params, rng: np.random.Generator) -> Params:
        """Each its own."""
        return reduce(lambda values, m: m.of_prior(values, rng), self.members, named)

    def default_priors(self) -> dict[str, Prior]:
        """Each its own."""
        return self._together(lambda m: m.default_priors())

    def _together(self, of: Callable[[Any], Params | dict[str, Prior]]) -> Any:
        return {name: value for m in self.members for name, value in of(m).items()}

    def step(self, sums: Sums, params: Params) -> Params:
        """Each its own."""
        return self._together(lambda m: m.step(sums, params))

    def step_with(self, sums: Sums, params: Params, known: Known) -> Params:
        """Each its own."""
        return self._together(lambda m: m.step_with(sums, params, known))

    def pack(self, params: Params) -> np.ndarray:
        """One after the other."""
        return np.concatenate([m.pack(params) for m in self.members])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        cuts = np.cumsum([m.size for m in self.members])[:-1]
        pieces = [m.unpack(own) for m, own in zip(self.members, np.split(theta, cuts), strict=True)]
        return joined(pieces)

    def units(self, params: Params) -> np.ndarray:
        """One after the other."""
        return np.concatenate([m.units(params) for m in self.members])

    def on_boundary(self, params: Params) -> np.ndarray:
        """One after the other."""
        return np.concatenate([m.on_boundary(params) for m in self.members])

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """One after the other."""
        return np.concatenate([m.score(params, sums) for m in self.members])

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """Those of all."""
        return dict(self._together(lambda m: m.named(params)))

    def given(self, named: Params, leading: tuple[int, ...]) -> Params:
        """Those of all."""
        return dict(self._together(lambda m: m.given(named, leading)))

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Those of all."""
        return dict(self._together(lambda m: m.hopeless(params)))


class Unlike(_Several):
    """Components of unlike kinds side by side: K is the sum of theirs. Such labels never switch."""

    def __init__(self, members: Sequence[Component]) -> None:
        super().__init__(members)
        self.K = sum(m.K for m in members)
        self.cuts = np.cumsum([m.K for m in members])[:-1]

    def log_density(self, params: Params) -> np.ndarray:
        """(..., n, K)."""
        columns = [m.log_density(params) for m in self.members]
        leading = np.broadcast_shapes(*(c.shape[:-1] for c in columns))
        return np.concatenate([np.broadcast_to(c, (*leading, c.shape[-1])) for c in columns], axis=-1)

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Each over its own components."""
        pieces = zip(self.members, np.split(vr, self.cuts, axis=1), strict=True)
        return {name: value for m, own in pieces for name, value in m.sums(own, params).items()}

    def start(self, vr: np.ndarray) -> Params:
        """Each from its own components."""
        pieces = zip(self.members, np.split(vr, self.cuts, axis=1), strict=True)
        return {name: value for m, own in pieces for name, value in m.start(own).items()}

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """Every row from its own kind."""
        first = np.append(0, self.cuts)
        which = np.searchsorted(first, z, side="right") - 1
        drawn = [m.draw(np.clip(z - f, 0, m.K - 1), params, rng) for m, f in zip(self.members, first, strict=True)]
        return np.asarray(np.stack(drawn)[which, np.arange(len(z))])

    def clouds(self) -> np.ndarray:
        """As the last has it."""
        return self.members[-1].clouds()


class Product(_Several):
    """Blocks of columns that are independent within a component: log-densities add. Every block has K components."""

    def __init__(self, members: Sequence[Component]) -> None:
        super().__init__(members)
        self.K = members[0].K
        if any(m.K != self.K for m in members):
            raise ValueError(f"components: every block needs as many; got {', '.join(str(m.K) for m in members)}")

    def log_density(self, params: Params) -> np.ndarray:
        """(..., n, K)."""
        return np.asarray(sum(m.log_density(params) for m in self.members))

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Each over its own columns."""
        return dict(self._together(lambda m: m.sums(vr, params)))

    def start(self, vr: np.ndarray) -> Params:
        """Each from its own columns."""
        return dict(self._together(lambda m: m.start(vr)))

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """The columns of one block after those of the other."""
        return np.hstack([m.draw(z, params, rng) for m in self.members])

    def completed(self, x: np.ndarray, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """The columns of one block after those of the other."""
        widths = [m.draw(z[:1], params, rng).shape[1] for m in self.members]
        blocks = np.split(x, np.cumsum(widths)[:-1], axis=1)
        return np.hstack([m.completed(own, z, params, rng) for m, own in zip(self.members, blocks, strict=True)])

    def clouds(self) -> np.ndarray:
        """The points of all blocks."""
        return np.hstack([m.clouds() for m in self.members])
