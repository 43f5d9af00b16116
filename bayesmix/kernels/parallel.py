"""Work side by side: in threads, where compiled loops hold no lock while they run, and in processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing import current_process
from threading import Thread
from typing import Any

import cloudpickle
from threadpoolctl import ThreadpoolController

OF_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_OWN: dict[str, Callable] = {}
"""In a process of :func:`in_processes`: its work."""


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


def in_processes(work: Callable, items: Iterable[Any], *, processes: int, threads: int = 1) -> Iterator[Any]:
    """work(item) for each, as they finish, in so many processes of so many threads; in this one where that is one.

    Each process gets ``work`` once, with all that it will cache. Processes are started anew, as forked ones would share
    the threads of compiled code, and import no script, so that a script needs no guard. They end with the iterator and,
    where numbers of parents change with them (not on Windows), with a parent that is killed.
    """
    if processes == 1 or current_process().daemon:  # which may have no children
        yield from map(work, items)
        return
    from joblib.externals.loky import ProcessPoolExecutor, as_completed

    begin = {"initializer": _begun, "initargs": (os.getpid(), cloudpickle.dumps(work))}
    pool = ProcessPoolExecutor(processes, env=dict.fromkeys(OF_THREADS, str(threads)), **begin)
    try:
        for future in as_completed([pool.submit(_worked, item) for item in items]):
            yield future.result()
    finally:
        pool.shutdown(kill_workers=True)


def _begun(waiting: int, pickled: bytes) -> None:
    """Ctrl-C reaches a process through the one that waits for it, of that number, with which it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(waiting,), daemon=True).start()
    _OWN["work"] = cloudpickle.loads(pickled)


def _end_with(waiting: int) -> None:
    while os.getppid() == waiting:
        time.sleep(1)
    os._exit(1)


def _worked(item: Any) -> Any:
    return _OWN["work"](item)
