"""Compiled log-posteriors, called in loops that cost nothing beside them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import nutpie
import pymc as pm

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from benchmarks.problems import Problem
from benchmarks.timing import Contestant, timed

C_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 5)


class Compiled:
    """What nutpie calls: a C function (dimension, x, gradient, value, data) -> status."""

    def __init__(self, compile_model: Callable[[], Any]) -> None:
        self.seconds, self._nutpie = timed(compile_model)
        self.n_dim: int = self._nutpie.n_dim
        self._loop = _loop(C_FUNCTION(self._nutpie.compiled_logp_func.address))

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at an unconstrained point."""
        return self._run(1, x)

    def contestant(self, x: np.ndarray) -> Contestant:
        """Evaluations at one point, one after the other."""
        return lambda times: self._run(times, x)

    def _run(self, times: int, x: np.ndarray) -> tuple[float, np.ndarray]:
        gradient, value = np.empty(self.n_dim), np.empty(1)
        status = self._loop(times, np.ascontiguousarray(x), gradient, value, self._nutpie.user_data.ctypes.data)
        if status:
            raise RuntimeError(f"the compiled function failed with status {status}")
        return float(value[0]), gradient


def ours(problem: Problem) -> Compiled:
    """``bm.build``, compiled as ``bm.sample`` has it compiled."""
    return Compiled(lambda: CompiledModel(bm.build(problem.spec, problem.data)).nutpie_model)


def peer(model: pm.Model) -> Compiled:
    """Another model, compiled as ``pm.sample`` has it compiled."""
    return Compiled(lambda: nutpie.compile_pymc_model(model, backend="numba"))


def _loop(function: Callable[..., int]) -> Callable[..., int]:
    @numba.njit
    def loop(times: int, x: np.ndarray, gradient: np.ndarray, value: np.ndarray, user_data: int) -> int:
        status = 0
        for _ in range(times):
            status |= function(len(x), x.ctypes.data, gradient.ctypes.data, value.ctypes.data, user_data)
        return status

    return loop


class JaxCompiled:
    """The model's log-density and gradient, jitted in float64."""

    def __init__(self, model: pm.Model) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        from pymc.sampling.jax import get_jaxified_graph

        self._jax = jax
        log_density = get_jaxified_graph(inputs=model.value_vars, outputs=[model.logp()])
        shapes = [np.shape(value) for value in model.initial_point().values()]
        cuts = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

        def flat(x: jax.Array) -> jax.Array:
            parts = jax.numpy.split(x, cuts)
            return log_density(*[part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])[0]

        both = jax.value_and_grad(flat)

        def body(_: int, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            x, total = state
            value, gradient = both(x)
            # so small that x stays, yet the next turn depends on this one: XLA cannot leave any out
            return x + 1e-300 * gradient, total + value

        self._call = jax.jit(both)
        self._loop = jax.jit(lambda times, x: jax.lax.fori_loop(0, times, body, (x, 0.0)))
        n_dim = sum(int(np.prod(shape)) for shape in shapes)
        self.seconds, _ = timed(lambda: self(np.zeros(n_dim)))

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at an unconstrained point."""
        value, gradient = self._jax.block_until_ready(self._call(x))
        return float(value), np.asarray(gradient)

    def contestants(self, x: np.ndarray) -> dict[str, Contestant]:
        """Evaluations in a compiled loop, and as calls from Python."""
        at = self._jax.numpy.asarray(x)

        def loop(times: int) -> None:
            self._jax.block_until_ready(self._loop(times, at))

        def calls(times: int) -> None:
            for _ in range(times):
                self._jax.block_until_ready(self._call(at))

        return {"JAX loop": loop, "JAX calls": calls}


def same_density(
    problem: Problem,
    ours: Callable[[np.ndarray], tuple[float, np.ndarray]],
    textbook: Callable[[np.ndarray], tuple[float, np.ndarray]],
    *,
    points: int = 4,
) -> float:
    """The largest difference between the log-densities around the true parameters, as a share of 1 + |log p|.

    Raises
    ------
    RuntimeError
        Where it exceeds 1e-10: then the two are not the same posterior and must not be compared.
    """
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(points):
        u = problem.theta + 0.2 * rng.standard_normal(len(problem.theta))
        expected = textbook(problem.coordinates.textbook(u))[0] + problem.coordinates.log_jacobian(u)
        worst = max(worst, abs(ours(u)[0] - expected) / (1 + abs(expected)))
    if not worst < 1e-10:
        raise RuntimeError(f"{problem.name}: the log-densities differ by {worst:.1e} of their size")
    return worst
