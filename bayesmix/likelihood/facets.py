"""The facets of a family, found by name and loaded when asked for: reading a model must not cost numba or PyMC.

A family is the folder ``families/NAME`` with the files ``maths`` and ``kernel``; ``graph``, ``picture``, ``words``,
``information`` and ``misfit`` may be missing, where something simpler serves.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def facet(family: str, name: str) -> Any:
    """One facet of a family, a module; None where it has none."""
    path = f"bayesmix.families.{family}.{name}"
    return import_module(path) if find_spec(path) else None
