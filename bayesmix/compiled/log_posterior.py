"""The compiled log-posterior of a PyMC model: value and gradient on the unconstrained scale, starts and modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from bayesmix.compiled.calls import Calls
from bayesmix.compiled.compile import compile_model, with_model
from bayesmix.compiled.functions import INTERPRETED

FEWEST_STEPS, MOST_STEPS = 1e-5, 1e-2
"""Differences of a gradient are good over a step of this many standard deviations."""
NEARLY, APPROACH = 0.005, 100
"""An approach to a mode ends this many nats below it, or after so many steps."""
FEWEST_CLIMBED, MOST_ROUNDS, REMEMBERED_STEPS = 50, 20, 30
"""A climb's steps in one set of coordinates, beside one for each; so many sets; the steps that tell its curvature."""
STANDSTILL = 1e-3
"""A climb that gains less than this in one set of coordinates has come to where it can go."""
FLATTEST = 1e-6
"""Curvature, of 1 along every coordinate, below which a Hessian says little about the way up."""


def curvature(gradient: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Minus the Hessian (n_dim, n_dim) by forward differences, in whatever units each coordinate has.

    The first step may miss the units by orders of magnitude; its curvature gives the next one.
    """
    g0 = gradient(x)
    H = np.empty((len(x), len(x)))
    for j in range(len(x)):
        h = 1e-5 * max(1.0, abs(x[j]))
        for _ in range(3):
            e = x.copy()
            e[j] += h
            H[j] = -(gradient(e) - g0) / h
            scale = float(_scales(H[j, j]))
            if FEWEST_STEPS * scale <= h <= MOST_STEPS * scale:
                break
            h = 1e-3 * scale
    return (H + H.T) / 2


def _scales(curvature: np.ndarray) -> np.ndarray:
    """1 / sqrt|curvature|, and 1 where there is none."""
    there = np.isfinite(curvature) & (curvature != 0)
    return 1 / np.sqrt(np.abs(np.where(there, curvature, 1.0)))


def curvature_scales(gradient: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Rough standard deviations 1 / sqrt(curvature), one per coordinate."""
    return _scales(np.diag(curvature(gradient, x)))


def root(precision: np.ndarray) -> np.ndarray:
    """A with A A' = precision^-1; where that is not positive definite, A A' is diagonal, of its diagonal alone."""
    scale = _scales(np.diag(precision))
    scaled = precision * np.outer(scale, scale)
    if np.isfinite(scaled).all() and above(scaled, FLATTEST):
        return scale[:, None] * solve_triangular(np.linalg.cholesky(scaled), np.eye(len(scaled)), lower=True).T
    return np.diag(scale)


def above(matrix: np.ndarray, least: float) -> bool:
    """Whether all eigenvalues of a symmetric matrix are larger: a tenth of the work of computing them."""
    try:
        np.linalg.cholesky(matrix - least * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return True


@dataclass(frozen=True)
class LocalMode:
    """Where an ascent of the log-posterior ended: the unconstrained point, its value, the values on the way."""

    x: np.ndarray
    value: float
    history: np.ndarray
    converged: bool


class CompiledModel:
    """A PyMC model compiled for nutpie, and the maps between its free variables and the unconstrained vector."""

    def __init__(self, model: pm.Model, *, nutpie_model: Any = None) -> None:
        self.model = model
        self.nutpie_model = compile_model(model) if nutpie_model is None else nutpie_model
        self.n_dim: int = self.nutpie_model.n_dim
        self._calls = Calls(self.nutpie_model)
        names, slices, shapes = self.nutpie_model.shape_info
        parts = list(zip(names, slices, shapes, strict=True))
        self._layout = parts[: len(model.free_RVs)]
        outputs = {rv.name for rv in model.unobserved_RVs}
        self._outputs = [part for part in parts if part[0] in outputs]

    def with_data(self, model: pm.Model) -> CompiledModel:
        """That of ``model``, which has the same variables and other data, of any length; nothing is compiled.

        All data are read from it: observations, evidence, weights, designs, and constants of priors held as data.

        Raises
        ------
        ValueError
            Where the models differ in more than data.
        """
        new = CompiledModel(model, nutpie_model=with_model(self.nutpie_model, self.model, model))
        if model is self.model:  # its maps read the data at each call: compiling them again would take 0.2 s
            new.__dict__ |= {name: self.__dict__[name] for name in ("_forward", "_log_det") if name in self.__dict__}
        return new

    @cached_property
    def _transforms(self) -> list[tuple[Any, Any, Any]]:
        """Of each free variable: the transform or None, its value variable, its parameters."""
        m = self.model
        return [(m.rvs_to_transforms[rv], m.rvs_to_values[rv], rv.owner.inputs) for rv in m.free_RVs]

    @property
    def forward_graph(self) -> tuple[list[Any], list[Any]]:
        """Free variables, and their unconstrained values."""
        given = [rv.type() for rv in self.model.free_RVs]
        return given, [t.forward(g, *i) if t else g for g, (t, _, i) in zip(given, self._transforms, strict=True)]

    @cached_property
    def _forward(self) -> Callable[..., list[np.ndarray]]:
        return pytensor.function(*self.forward_graph, mode=INTERPRETED, on_unused_input="ignore")

    @cached_property
    def _log_det(self) -> Callable[..., list[np.ndarray]]:
        """Log-determinant of the maps to the free variables, and its gradient by value variable."""
        values = [v for _, v, _ in self._transforms]
        log_det = sum((t.log_jac_det(v, *i).sum() for t, v, i in self._transforms if t), start=pt.constant(0.0))
        gradient = pt.grad(log_det, values, disconnected_inputs="ignore")
        return pytensor.function(values, [log_det, *gradient], mode=INTERPRETED, on_unused_input="ignore")

    def _split(self, x: np.ndarray) -> list[np.ndarray]:
        """The value variables, in their shapes."""
        return [x[part].reshape(shape) for _, part, shape in self._layout]

    def start(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The unconstrained vector at these values of free variables; others sit at PyMC's initial point."""
        names = [rv.name for rv in self.model.free_RVs]
        missing = set(names) - set(values)
        x = np.array(self.nutpie_model.initial_point_func(0) if missing else np.zeros(self.n_dim), dtype=float)
        now = self.values(x) if missing else {}
        moved = self._forward(*[np.asarray(now[v] if v in missing else values[v], dtype=float) for v in names])
        for name, new, (_, part, _) in zip(names, moved, self._layout, strict=True):
            if name in values:
                x[part] = np.ravel(new)
        return x

    def coordinates(self, name: str) -> slice:
        """The place of a free variable in the unconstrained vector."""
        return self._layout[[rv.name for rv in self.model.free_RVs].index(name)][1]

    def values(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Every unobserved variable of the model at an unconstrained point."""
        row = self._calls.expand(x)
        return {name: row[part].reshape(shape) for name, part, shape in self._outputs}

    def log_density(self, x: np.ndarray, *, jacobian: bool = True) -> tuple[float, np.ndarray]:
        """Log-posterior and gradient; without ``jacobian`` the density of the constrained variables."""
        value, gradient = self._calls.log_density(x)
        if jacobian:
            return value, gradient
        log_det, *d_log_det = self._log_det(*self._split(x))
        return value - float(log_det), gradient - np.concatenate([np.ravel(g) for g in d_log_det])

    def mode(self, x: np.ndarray, *, jacobian: bool = True) -> LocalMode:
        """The local mode above ``x``, by a limited-memory method in coordinates in which the posterior is round.

        These are renewed, from the curvature where it has come to, each time that the method has had as many steps as
        a curvature costs gradients. Updates of a dense Hessian would cost n_dim^3 a step.
        """
        history = [self.log_density(x, jacobian=jacobian)[0]]
        if not np.isfinite(history[0]):
            return LocalMode(x, -np.inf, np.array(history), False)
        least = 1e-6 * (1 + abs(history[0])) ** 0.5
        for _ in range(MOST_ROUNDS):
            before = history[-1]
            A = root(curvature(self._gradient(jacobian), x))
            x, slope = self._ascend(x, A, jacobian, history, maxiter=FEWEST_CLIMBED + len(x), gtol=1e-5)
            converged = bool(slope < max(1e-3, least))
            if converged or history[-1] - before < STANDSTILL:
                break
        return LocalMode(x, history[-1], np.array(history), converged)

    def approach(self, x: np.ndarray, A: np.ndarray) -> tuple[np.ndarray, bool]:
        """A point on the way to the mode above ``x``, in some dozen gradients and without a Hessian.

        And whether the way ends there: within ``NEARLY`` nats of the mode, where the posterior is round in x + A u.
        """
        value, near = self.log_density(x)[0], (2 * NEARLY / len(x)) ** 0.5
        if not np.isfinite(value):
            return x, True
        x, slope = self._ascend(x, A, True, [value], maxiter=APPROACH, gtol=near)
        return x, slope <= near

    def _ascend(
        self, x: np.ndarray, A: np.ndarray, jacobian: bool, history: list[float], **until: float
    ) -> tuple[np.ndarray, float]:
        """Where L-BFGS leads to from ``x``, in u of x + A u, and the steepest slope there; ``history`` grows."""

        def negative(u: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self.log_density(x + A @ u, jacobian=jacobian)
            if not (np.isfinite(value) and np.isfinite(gradient).all()):
                return 1e300, np.zeros_like(u)
            return -value, -A.T @ gradient

        def record(intermediate_result: object) -> None:
            history.append(-float(intermediate_result.fun))  # type: ignore[attr-defined]

        options = {"ftol": 0.0, "maxcor": REMEMBERED_STEPS, "maxfun": 20 * until["maxiter"]} | until
        settings: dict[str, Any] = {"jac": True, "method": "L-BFGS-B", "callback": record, "options": options}
        ascent = minimize(negative, np.zeros_like(x), **settings)
        return np.asarray(x + A @ ascent.x), float(np.abs(ascent.jac).max())

    def _gradient(self, jacobian: bool) -> Callable[[np.ndarray], np.ndarray]:
        return lambda x: self.log_density(x, jacobian=jacobian)[1]

    def precision(self, x: np.ndarray, *, jacobian: bool = True) -> np.ndarray:
        """Minus the Hessian at ``x``, by central differences of the gradient."""
        scale = curvature_scales(self._gradient(jacobian), x)
        H = np.empty((len(x), len(x)))
        for j in range(len(x)):
            e = np.zeros_like(x)
            e[j] = 1e-3 * scale[j]
            up, down = (self.log_density(x + s * e, jacobian=jacobian)[1] for s in (1, -1))
            H[j] = -(up - down) / (2 * e[j])
        return (H + H.T) / 2

    def standard_deviations(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Of every variable at a mode of the constrained density, by the delta method; NaN where singular.

        A coordinate that ran off to where a variable ends has no curvature: it is held fixed, its variable NaN.
        """
        precision, values = self.precision(x, jacobian=False), self.values(x)
        inside = np.flatnonzero(np.isfinite(np.diag(precision)))
        own = precision[np.ix_(inside, inside)]
        scale = np.ones(len(x))
        scale[inside] = _scales(np.diag(own))
        scaled = own * np.outer(scale[inside], scale[inside])
        if not np.isfinite(scaled).all() or np.linalg.eigvalsh(scaled)[0] <= 0:
            return {v: np.full(np.shape(a), np.nan) for v, a in values.items()}
        covariance = np.zeros_like(precision)
        covariance[np.ix_(inside, inside)] = np.linalg.inv(own)
        columns: dict[str, list[np.ndarray]] = {v: [] for v in values}
        for j in range(len(x)):
            e = np.zeros_like(x)
            e[j] = 1e-4 * scale[j]
            up, down = self.values(x + e), self.values(x - e)
            for v in values:
                columns[v].append((np.asarray(up[v]) - np.asarray(down[v])) / (2 * e[j]))
        J = {v: np.stack(c, axis=-1) for v, c in columns.items()}
        sd = {v: np.sqrt(np.einsum("...i,ij,...j->...", a, covariance, a)) for v, a in J.items()}
        return sd if len(inside) == len(x) else {v: np.where(a > 0, a, np.nan) for v, a in sd.items()}


def check_compiled(compiled: object) -> None:
    """ValueError where what was given for a compiled model is none."""
    if not isinstance(compiled, CompiledModel | None):
        name = f"{CompiledModel.__module__}.CompiledModel"
        raise ValueError(f"compiled: must be a compiled model, {name}; got a {type(compiled).__name__}")
