"""The compiled E-step of a likelihood: rows in chunks, chunks and draws in threads.

Chunks do not depend on the number of threads, and their sums are added in order: the result is the same for any number.
"""

from __future__ import annotations

from functools import reduce

from bayesmix.kernels.parallel import in_threads
from bayesmix.likelihood.facets import facet
from bayesmix.likelihood.kernel import Kernel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, Sums

CHUNK = 65_536
"""Rows that one thread takes at a time."""


def kernel_of(likelihood: Likelihood) -> Kernel:
    """The compiled functions of a family: its facet ``kernel``."""
    kernel: Kernel = facet(likelihood.name, "kernel").KERNEL
    return kernel


def e_step(likelihood: Likelihood, params: Params) -> tuple[float, Sums]:
    """L = sum_i v_i l_i and the expected sufficient statistics about one set of parameters."""
    kernel, n = kernel_of(likelihood), len(likelihood.row_weights)
    parameters = kernel.parameters(likelihood, params)

    def chunk(first: int) -> tuple[float, Sums]:
        rows = slice(first, first + CHUNK)
        return kernel.e_step(likelihood, parameters, rows, likelihood.row_weights[rows])

    parts = in_threads(chunk, range(0, n, CHUNK))
    return float(sum(L for L, _ in parts)), reduce(added, (sums for _, sums in parts))


def added(a: Sums, b: Sums) -> Sums:
    """The sums over the rows of both."""
    return {name: a[name] + b[name] for name in a}
