"""Known parameters as a mixture keeps them: immutable, so that mixtures can be compared and hashed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmix.inputs.prior import nested


def frozen(fixed: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Values by name, sorted: texts, numbers and nested tuples of them, tables as frozen sets of items."""
    return tuple(sorted((name, _frozen(value)) for name, value in fixed.items()))


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozenset((component, _frozen(own)) for component, own in value.items())
    return value if isinstance(value, str) else nested(np.asarray(value, dtype=float).tolist())


def thawed(items: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """The inverse of :func:`frozen`, in lists and dicts, for JSON and TOML."""
    return {name: _thawed(value) for name, value in items}


def _thawed(value: Any) -> Any:
    if isinstance(value, frozenset):
        return {component: _thawed(own) for component, own in sorted(value, key=lambda item: item[0])}
    return [_thawed(v) for v in value] if isinstance(value, tuple) else value
