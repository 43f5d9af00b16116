"""Known parameters: what a user writes, checked, as arrays over a mixture's components and columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from bayesmix.inputs.arguments import shown
from bayesmix.inputs.pairs import correlation_matrices
from bayesmix.inputs.prior import numbers
from bayesmix.parts.held import COORDINATES
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Known

if TYPE_CHECKING:
    from bayesmix.likelihood.likelihood import Likelihood

EQUAL = "equal"
"""What weights may be, beside numbers."""
SUM_TO_ONE = 1e-6
"""Weights may miss 1 by so much: users round them."""


def _correlated(a: np.ndarray) -> bool:
    return bool((np.linalg.eigvalsh(correlation_matrices(a)) > 0).all())


RULES: dict[str, tuple[str, Callable[[np.ndarray], Any]]] = {
    "real": ("be finite", np.isfinite),
    "real vector": ("be finite", np.isfinite),
    "positive": ("be positive", lambda a: a > 0),
    "unit": ("lie between 0 and 1", lambda a: (a > 0) & (a < 1)),
    "simplex": ("be positive and sum to 1", lambda a: (a > 0).all() & (abs(a.sum(axis=-1) - 1) < SUM_TO_ONE)),
    "correlation": ("make a positive definite matrix", _correlated),
}
"""By support: what values must do, in words and as a test."""


def check_names(parameters: Sequence[Parameter], fixed: Any, priors: Mapping[str, Any]) -> None:
    """What can be said of ``fixed`` before there are rows; ValueError naming the key and the rule."""
    if not isinstance(fixed, Mapping):
        raise ValueError(f"fixed: must be a mapping of parameters to their values; got {fixed!r}")
    known = {p.name: p for p in parameters if p.knowable}
    for name, value in fixed.items():
        if name not in known:
            raise ValueError(f"fixed: {name!r} is no parameter that can be known here; choose from {', '.join(known)}")
        p = known[name]
        if isinstance(value, str) and value == EQUAL:
            if p.support != "simplex":
                raise ValueError(f"fixed: {name!r} cannot be {EQUAL!r}: only weights can")
        elif isinstance(value, Mapping):
            if p.dims[:1] != ("component",) or p.support not in COORDINATES:
                raise ValueError(f"fixed: {name!r} is known as a whole or not at all; got {shown(dict(value))}")
            for own in value.values():
                _numbers(name, own)
        else:
            _numbers(name, value)
        if name in priors and not isinstance(value, Mapping):
            raise ValueError(f"fixed: {name!r} is known, so it can have no prior")


def _numbers(name: str, value: Any) -> np.ndarray:
    array = numbers(value)
    if array is None:
        raise ValueError(f"fixed: {name!r} must be a number or an array of numbers; got {shown(value)}")
    if not np.isfinite(array).all():
        raise ValueError(
            f"fixed: {name!r} must be finite; got {shown(value)}. Where only some components are known, name those: "
            f'{{"component_1": ...}}'
        )
    return array


def known_values(
    parameters: Sequence[Parameter], coords: Mapping[str, Sequence[str]], fixed: Mapping[str, Any]
) -> Known:
    """Arrays in the shapes of the parameters, NaN where free; ValueError naming parameter, value and rule."""
    arrays = {}
    for p in (p for p in parameters if p.name in fixed):
        shape, value = tuple(len(coords[d]) for d in p.dims), fixed[p.name]
        if isinstance(value, Mapping):
            array = np.full(shape, np.nan)
            for component, own in value.items():
                if component not in coords["component"]:
                    raise ValueError(
                        f"fixed: {p.name!r} names the component {component!r}; there are "
                        f"{', '.join(coords['component'])}"
                    )
                array[list(coords["component"]).index(component)] = _checked(p, own, shape[1:])
        else:
            array = np.full(shape, 1 / shape[0]) if isinstance(value, str) else _checked(p, value, shape)
        arrays[p.name] = array
    if set(arrays) != set(fixed):
        raise ValueError(f"fixed: {', '.join(set(fixed) - set(arrays))}: this mixture of these columns has none")
    return arrays


def _checked(p: Parameter, value: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = _numbers(p.name, value)
    if array.shape not in ((), shape):
        raise ValueError(f"fixed: {p.name!r} must be a number or have the shape {shape}; got {array.shape}")
    array = np.broadcast_to(array, shape).astype(float)
    rule, test = RULES[p.support]
    if not np.all(test(array)):
        raise ValueError(f"fixed: {p.name!r} must {rule}; got {shown(value)}")
    return array / array.sum() if p.support == "simplex" else array


def matched(likelihood: Likelihood, r: np.ndarray) -> np.ndarray:
    """An allocation (n, K) whose clusters go to the components that are known to be like them, if any are.

    What decides is how much log-density a cluster's rows gain by a component over the cluster's own fit; a component of
    which nothing is known fits every cluster. Labels name clusters themselves.
    """
    held = next(part for part in likelihood.parts if part.names == likelihood.component.names)
    rows = as_rows(held.parameters, likelihood.known, r.shape[1])
    if likelihood.data.labelled.any() or len(np.unique(rows, axis=1).T) < 2:
        return r
    vr = likelihood.row_weights[:, None] * r
    own, known = (likelihood.log_density(part.start(vr)) for part in (likelihood.component, held))
    gain = vr.T @ known - (vr * own).sum(axis=0)[:, None]
    by_component = [a for a in likelihood.known.values() if np.isnan(a).any()]
    unknown = np.all([np.isnan(a).reshape(len(a), -1).all(axis=1) for a in by_component], axis=0)
    gain[:, np.broadcast_to(unknown & bool(by_component), len(gain))] = 0.0
    return r[:, linear_sum_assignment(gain.T, maximize=True)[1]]


def as_rows(parameters: Sequence[Parameter], known: Known, n_components: int) -> np.ndarray:
    """What is known of every component, (m, n_components): components with equal columns are known alike."""
    rows = [np.empty((0, n_components))]
    for p in parameters:
        if p.name in known and p.dims[:1] == ("component",):
            own = known[p.name].reshape(len(known[p.name]), -1).T
            rows += [np.isnan(own).astype(float), np.nan_to_num(own)]
    return np.vstack(rows)
