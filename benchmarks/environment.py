"""Where and with what a row ran, and the environment variables that keep it to one thread."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

SEED = 1
PACKAGES = ("bayesmix", "numpy", "scipy", "numba", "pymc", "pytensor", "nutpie", "jax", "numpyro", "scikit-learn")
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
} | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}


def thread_environment(one_thread: bool) -> dict[str, str]:
    """The process environment of a row; it must be set before NumPy is imported."""
    return dict(os.environ) | (ONE_THREAD if one_thread else {})


def describe(command: str, *, one_thread: bool) -> dict[str, Any]:
    """Machine, versions, date, seed, threads, command."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "command": command,
        "seed": SEED,
        "omp_num_threads": thread_environment(one_thread).get("OMP_NUM_THREADS", "not set"),
        "cpu": cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        "versions": {"Python": platform.python_version()} | _versions(),
    }


def cpu() -> str:
    """The processor's own name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
