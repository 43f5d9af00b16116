"""Many points of a model at once: unconstrained rows, and values of variables with a leading dimension of draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.replace import vectorize_graph

from bayesmix.compiled.functions import INTERPRETED
from bayesmix.compiled.log_posterior import CompiledModel


class Points:
    """The maps of a compiled model over many points, as interpreted graphs: microseconds per point.

    Parameters
    ----------
    compiled : CompiledModel
    names : sequence of str
        The variables that :meth:`values` returns.
    """

    def __init__(self, compiled: CompiledModel, names: Sequence[str]) -> None:
        self.compiled, self.model, self.names = compiled, compiled.model, tuple(names)
        self.free = tuple(rv.name for rv in self.model.free_RVs)

    @cached_property
    def _forward(self) -> Callable[..., list[np.ndarray]]:
        return _over_draws(*self.compiled.forward_graph)

    @cached_property
    def _backward(self) -> Callable[..., list[np.ndarray]]:
        by_name = {v.name: v for v in self.model.unobserved_value_vars}
        given = [self.model.rvs_to_values[rv] for rv in self.model.free_RVs]
        return _over_draws(given, [by_name[name] for name in self.names])

    def rows(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Unconstrained rows (S, n_dim) at values (S, ...) of all free variables."""
        moved = self._forward(*[np.asarray(values[v], dtype=float) for v in self.free])
        return np.concatenate([a.reshape(len(a), -1) for a in moved], axis=1)

    def values(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The named variables (S, ...) at unconstrained rows (S, n_dim)."""
        _, parts, shapes = self.compiled.nutpie_model.shape_info
        layout = zip(parts[: len(self.free)], shapes[: len(self.free)], strict=True)
        arrays = self._backward(*[rows[:, part].reshape(-1, *shape) for part, shape in layout])
        return dict(zip(self.names, arrays, strict=True))

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """The log-posterior at unconstrained rows, (S,); -inf where it is not a number."""
        values = np.array([self.compiled.log_density(x)[0] for x in rows])
        return np.where(np.isfinite(values), values, -np.inf)


def _over_draws(given: Sequence[Any], wanted: Sequence[Any]) -> Callable[..., list[np.ndarray]]:
    """The graph with a leading dimension of draws; what does not depend on the draws is repeated."""
    batched = [pt.tensor(dtype=g.dtype, shape=(None, *g.type.shape)) for g in given]
    outputs = vectorize_graph(list(wanted), dict(zip(given, batched, strict=True)))
    n = batched[0].shape[0]
    full = [
        f if f.ndim > w.ndim else pt.tile(f[None], (n, *[1] * w.ndim)) for f, w in zip(outputs, wanted, strict=True)
    ]
    return pytensor.function(batched, full, mode=INTERPRETED, on_unused_input="ignore")
