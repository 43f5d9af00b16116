"""Work in threads: compiled loops hold no lock while they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


def n_threads() -> int:
    """The machine's cores that this process may use, or ``OMP_NUM_THREADS`` where that is set."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_blas_thread() -> Any:
    """A context in which BLAS and LAPACK use one thread.

    Matrices of some hundred rows take longer with several, many times longer where other work keeps the cores busy; and
    their rounding does not depend on how many there are.
    """
    return _libraries().limit(limits=1, user_api="blas")


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads())


if hasattr(os, "register_at_fork"):  # a child has the pool's object, but none of its threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def in_threads(work: Callable, items: Iterable[Any]) -> list[Any]:
    """work(item) for each, in threads where there is more than one."""
    todo = list(items)
    return list(map(work, todo)) if len(todo) == 1 or n_threads() == 1 else list(_pool().map(work, todo))
