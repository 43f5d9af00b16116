"""A PyMC model as two PyTensor functions of one unconstrained vector: (log-density, gradient), and every variable.

What ``nutpie.compile_pymc_model`` builds, without its starting points, and with shapes from an interpreted evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_expression
from pymc.pytensorf import compile as compile_graph
from pytensor.compile.mode import Mode
from pytensor.graph import clone_replace, rewrite_graph

INTERPRETED = Mode(linker="py", optimizer=None)
"""For graphs of some dozen nodes that are called a few times: nothing to compile."""


@dataclass(frozen=True)
class Functions:
    """The compiled functions, and the row in which ``expand`` lays out the variables: unconstrained ones first."""

    logp: Any
    expand: Any
    start: np.ndarray
    """PyMC's initial point, unconstrained (n_dim,)."""
    shapes: dict[str, tuple[int, ...]]
    """Of every variable of the row, by name."""


def make_functions(model: pm.Model) -> Functions:
    """Compile the density with its gradient, and the variables; PyTensor finds on disk what it has compiled before."""
    values = [model.rvs_to_values[rv] for rv in model.free_RVs]
    point = initial_point(model)
    given = {v.name for v in values}
    others = [v for v in model.unobserved_value_vars if v.name not in given]
    evaluated = pytensor.function(values, others, mode=INTERPRETED, on_unused_input="ignore")(*point)
    start = _row(point)
    x = pt.TensorType("float64", shape=start.shape)(name="x")
    pieces = [x[part] for part in slices([np.shape(a) for a in point])]
    parts = {v: piece.reshape(a.shape).astype(v.dtype) for v, piece, a in zip(values, pieces, point, strict=True)}
    bounds = [] if model.check_bounds else ["local_remove_check_parameter"]
    logp = rewrite_graph(model.logp(), include=["canonicalize", "stabilize", *bounds])
    density = clone_replace([logp, _joined(pt.grad(logp, values))], parts)
    with model:
        return Functions(
            logp=compile_graph((x,), density, mode="NUMBA"),
            expand=compile_graph((x,), [_joined([*pieces, *others])], givens=list(parts.items()), mode="NUMBA"),
            start=start,
            shapes={v.name: np.shape(a) for v, a in zip([*values, *others], [*point, *evaluated], strict=True)},
        )


def initial_point(model: pm.Model) -> list[np.ndarray]:
    """PyMC's initial point: a value of every free variable, unconstrained."""
    values = make_initial_point_expression(
        free_rvs=model.free_RVs,
        rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies=model.rvs_to_initial_values,
        return_transformed=True,
    )
    return [np.asarray(a) for a in pytensor.function([], values, mode=INTERPRETED)()]


def slices(shapes: Iterable[tuple[int, ...]]) -> list[slice]:
    """The parts of a row that hold arrays of these shapes."""
    ends = list(accumulate(map(prod, shapes)))
    return [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]


def _joined(variables: Iterable[Any]) -> Any:
    return pt.concatenate([pt.as_tensor(v).ravel() for v in variables])


def _row(arrays: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(a) for a in arrays]).astype(float)
