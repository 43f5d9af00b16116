"""Two parts, weights and a component: their parameters by name, and as one vector of free coordinates."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from bayesmix.formulas.linear import Linear
from bayesmix.inputs.prior import Prior
from bayesmix.parts.component import Component
from bayesmix.parts.held import Held
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Known, Params, Part, Sums, joined
from bayesmix.parts.weights import Weights


class TwoParts:
    """What there is to estimate of weights and a component, whatever rows they are bound to.

    Attributes
    ----------
    weights : Weights
    component : Component
    components : tuple of str
        Component names: class names first, then the unnamed ones.
    known : mapping of str to ndarray
        Known values by named estimate, NaN where an entry is free.
    """

    weights: Weights
    component: Component
    components: tuple[str, ...]
    known: Known

    def made_of[C: Component](self, kind: type[C]) -> C:
        """The component, which is known to be of a kind."""
        assert isinstance(self.component, kind)
        return self.component

    @property
    def parts(self) -> tuple[Part, Part]:
        """Weights and components, in the order of their coordinates; where some of it is known, what is free."""
        weights, component = self._held(self.weights), self._held(self.component)
        return (component, weights) if self.weights.last else (weights, component)

    def _held(self, part: Part) -> Part:
        own = {p.name: self.known[p.name] for p in part.parameters if p.name in self.known}
        return Held(part, own) if own else part

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

    # free coordinates

    def pack(self, params: Params) -> np.ndarray:
        """Free coordinates theta, shape (n_parameters,), without constraints."""
        return np.concatenate([part.pack(params) for part in self.parts])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        first, second = self.parts
        return joined([first.unpack(theta[: first.size]), second.unpack(theta[first.size :])])

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

    def moved(self, params: Params, step: np.ndarray) -> Params:
        """The parameters after a step of so many units in every coordinate."""
        return self.unpack(self.pack(params) + self.units(params) * step)

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
        return joined([part.given(named, leading) for part in self.parts])
