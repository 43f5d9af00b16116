"""A PyMC model compiled for nutpie, from the machine code that PyTensor keeps on disk.

Where numba, PyTensor or nutpie have changed what this leans on, nutpie's own compiler is taken, with a warning.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
from nutpie import compile_pymc
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import equal_computations
from pytensor.graph.traversal import graph_inputs

from bayesmix.compiled.calls import GRADIENT_NOT_FINITE, VALUE_NOT_FINITE, CFunction
from bayesmix.compiled.functions import make_functions, slices


def compile_model(model: pm.Model) -> Any:
    """The model as nutpie's ``CompiledPyMCModel``; chains begin at PyMC's initial point."""
    try:
        return from_disk(model)
    except Exception as problem:
        warnings.warn(
            f"compiling takes nutpie's own way, which is slower: {type(problem).__name__}: {problem}", stacklevel=2
        )
        return nutpie.compile_pymc_model(model, backend="numba")


def from_disk(model: pm.Model) -> Any:
    """The same as nutpie makes it, but for the two C functions."""
    from bayesmix.compiled.adapter import Output, Shared, adapt  # numba's internals, which may be elsewhere one day

    made = make_functions(model)
    variables = dict.fromkeys([*made.logp.get_shared(), *made.expand.get_shared()])
    keys = {variable: f"shared_{i}" for i, variable in enumerate(variables)}
    data = {key: np.asarray(variable.get_value(borrow=True), order="C") for variable, key in keys.items()}
    record = compile_pymc.make_user_data(keys, data)
    held = {
        v: Shared(data[key], _offset(record, "data", key), _offset(record, "shape", key)) for v, key in keys.items()
    }
    n_dim, n_expanded = len(made.start), sum(map(prod, made.shapes.values()))
    outputs = [Output(3, 1, VALUE_NOT_FINITE), Output(2, n_dim, GRADIENT_NOT_FINITE)]

    def adapted(function: Any, sizes: list[int], outputs: list[Output]) -> CFunction:
        shared = [held[v] for v in function.get_shared()]
        return adapt(function.vm.jit_fn, sizes=sizes, shared=shared, outputs=outputs)

    dims, coords = _dims_and_coords(model, made.shapes)
    return compile_pymc.CompiledPyMCModel(
        _n_dim=n_dim,
        dims=dims,
        _coords=coords,
        _shapes=made.shapes,
        compiled_logp_func=adapted(made.logp, [n_dim], outputs),
        compiled_expand_func=adapted(made.expand, [n_dim, n_expanded], [Output(3, n_expanded)]),
        initial_point_func=lambda seed: made.start,
        shared_data=data,
        shared_var_keys=keys,
        user_data=record,
        n_expanded=n_expanded,
        shape_info=(list(made.shapes), slices(made.shapes.values()), list(made.shapes.values())),
        logp_func=made.logp,
        expand_func=made.expand,
        reparameterized_names=[model.rvs_to_values[v].name for v, t in model.rvs_to_transforms.items() if t],
    )


def _dims_and_coords(
    model: pm.Model, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, tuple[str, ...]], dict[str, pd.Index]]:
    """Of every variable in the draws: a transformed one has the dimensions of its variable where the shapes agree."""
    dims = {name: model.named_vars_to_dims[name] for name in shapes if name in model.named_vars_to_dims}
    for rv in model.free_RVs:
        value = model.rvs_to_values[rv].name
        if rv.name in dims and shapes[value] == shapes[rv.name]:
            dims[value] = dims[rv.name]
    lengths = {d: n for name, of in dims.items() for d, n in zip(of, shapes[name], strict=True)}
    coords = {d: pd.Index(range(n) if model.coords[d] is None else model.coords[d]) for d, n in lengths.items()}
    free = [(model.rvs_to_values[rv].name, shapes[model.rvs_to_values[rv].name]) for rv in model.free_RVs]
    labels = [f"{v}_{'.'.join(map(str, at))}" if at else v for v, shape in free for at in np.ndindex(shape)]
    return dims, coords | {"unconstrained_parameter": pd.Index(labels)}


def _offset(record: np.ndarray, field: str, key: str) -> int:
    return int(record["shared"][field][key].ctypes.data - record.ctypes.data)


def with_model(nutpie_model: Any, old: pm.Model, new: pm.Model) -> Any:
    """The compiled ``old`` model with the data, lengths and coordinates of ``new``, which has the same variables.

    Raises
    ------
    ValueError
        Where the models differ in more than data, naming the variable.
    """
    check_same_variables(old, new)
    held = {**_lengths(new), **{v.name: v.get_value(borrow=True) for v in new.data_vars}}
    updates = {v.name: held[v.name] for v in nutpie_model.shared_var_keys}
    coords = {d: pd.Index(new.coords[d]) for d in nutpie_model._coords if new.coords.get(d) is not None}
    return dataclasses.replace(nutpie_model.with_data(**updates), _coords=nutpie_model._coords | coords)


def check_same_variables(old: pm.Model, new: pm.Model) -> None:
    """The two models may differ in data alone; how the observed variable's density is written is not compared."""
    for kind in ("data_vars", "free_RVs", "observed_RVs", "deterministics", "potentials"):
        was, now = ([v.name for v in getattr(m, kind)] for m in (old, new))
        if was != now:
            raise ValueError(f"model: its {kind} are {now}; those of the compiled model are {was}")
    values, new_values = ([m.rvs_to_values[rv].name for rv in m.free_RVs] for m in (old, new))
    if values != new_values:
        raise ValueError(
            f"model: its unconstrained variables are {new_values}; those of the compiled model are {values}"
        )
    lengths, new_lengths = _lengths(old), _lengths(new)
    for v, w in zip(old.unobserved_RVs + old.potentials, new.unobserved_RVs + new.potentials, strict=True):
        dims, new_dims = (m.named_vars_to_dims.get(v.name, ()) for m in (old, new))
        same_sizes = dims == new_dims and all(lengths.get(d) == new_lengths.get(d) for d in dims)
        if not (same_sizes and _same_graphs([v], [w])):
            raise ValueError(f"model: its {v.name} differs from that of the compiled model in more than data")
    for v, w in zip(old.observed_RVs, new.observed_RVs, strict=True):
        if not _same_graphs(v.owner.inputs, w.owner.inputs):
            raise ValueError(f"model: the parameters of its {v.name} differ from those of the compiled model")


def _lengths(model: pm.Model) -> dict[str, np.ndarray]:
    """Lengths of dimensions that are numbers of their own; others follow from the variables."""
    return {d: v.get_value() for d, v in model.dim_lengths.items() if isinstance(v, SharedVariable)}


def _same_graphs(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """The same computation of random generators, data and lengths, which have the same names in the same order."""
    was, now = ([v for v in dict.fromkeys(graph_inputs(g)) if isinstance(v, SharedVariable)] for g in (old, new))
    return [v.name for v in was] == [v.name for v in now] and bool(equal_computations(old, new, was, now))
