"""Where compiled kernels are kept between sessions, and when they are out of date.

Numba compares a cached function with the one file it stands in. A kernel is made of several, so that an edit of the
driver would go unnoticed: here the stamp covers all the files of this folder and the kernels of all families.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import CacheImpl, InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

PACKAGE = Path(__file__).parents[1]
FILES = sorted([*PACKAGE.glob("kernels/*.py"), *PACKAGE.glob("families/*/kernel.py")])
SOURCES = sha256(b"".join(file.read_bytes() for file in FILES)).hexdigest()
"""Stands for the state of the kernels; part of every cache key."""


class _KernelSources:
    """A locator that serves these files alone, with the stamp of all of them."""

    def get_source_stamp(self) -> str:
        """The state of the kernels."""
        return SOURCES

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        """A locator, or None for functions from elsewhere."""
        return super().from_function(py_func, py_file) if Path(py_file) in FILES else None  # type: ignore[misc]


class KernelUserProvided(_KernelSources, UserProvidedCacheLocator):
    """In ``NUMBA_CACHE_DIR``."""


class KernelInTree(_KernelSources, InTreeCacheLocator):
    """Beside the files."""


class KernelUserWide(_KernelSources, UserWideCacheLocator):
    """In the user's cache folder, where the package is not writable."""


CacheImpl._locator_classes[:0] = [KernelUserProvided, KernelInTree, KernelUserWide]


def entry_point(function: Callable) -> Any:
    """A kernel as Python calls it: compiled once per machine; it holds no lock while it runs."""
    return njit(function, cache=True, error_model="numpy", nogil=True)
