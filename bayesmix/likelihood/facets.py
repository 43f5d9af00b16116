"""The facets of a family, found by name and loaded when asked for: reading a model must not cost numba or PyMC.

A family is the folder ``families/NAME``: ``maths``, ``kernel``, ``graph``, ``picture``, ``words``.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def facet(family: str, name: str) -> ModuleType:
    """One facet of a family."""
    return import_module(f"bayesmix.families.{family}.{name}")
