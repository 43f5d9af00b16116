"""exp and log as LLVM can vectorize them (the C library's are calls, one number at a time), and how kernels compile.

Within 2 and 3 ulp of the C library's on their domains: exp up to 709 (it is 0 below -708, where doubles lose
precision, and wrong above 709), log from the smallest normal number on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

BLOCK = 256
"""Rows that are worked on together: they stay in cache, and every inner loop has this many turns."""

FAST = {"contract", "reassoc", "nsz", "arcp"}
"""Sums may be reordered. Never 'nnan' or 'ninf': masked rows carry -inf."""


def compiled(function: Callable) -> Any:
    """A part of a kernel: division by zero gives inf, sums may be reordered.

    Inlined, so that an entry point has no parts which the loader could take from another copy, rounded differently.
    """
    return njit(function, forceinline=True, fastmath=FAST, error_model="numpy", nogil=True)


def strict(function: Callable) -> Any:
    """A part of a kernel whose operations keep their order: reordering would undo a rounding step."""
    return njit(function, forceinline=True, fastmath={"contract"}, error_model="numpy", nogil=True)


@intrinsic
def bits_of(typing_context: Any, x: Any) -> Any:
    """The 64 bits of a double as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def double_of(typing_context: Any, b: Any) -> Any:
    """The double with these 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


LOG2_E = math.log2(math.e)
LN2_HIGH = 0.693145751953125
LN2_LOW = 1.42860682030941723212e-6
ROUND = 1.5 * 2.0**52
"""Adding it rounds to an integer, which then stands in the lowest bits."""
E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12 = (1 / math.factorial(k) for k in range(2, 13))


@strict
def exp(x: float) -> float:
    """e^x = 2^n e^r with |r| <= log(2) / 2; the Taylor series of e^r to the order where its rest is below an ulp."""
    shifted = x * LOG2_E + ROUND
    n = shifted - ROUND
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = E7 + r * (E8 + r * (E9 + r * (E10 + r * (E11 + r * E12))))
    p = 1.0 + r * (1.0 + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * p))))))
    return 0.0 if x < -708.0 else double_of(bits_of(p) + (bits_of(shifted) << 52))


HALF_ROOT = int(np.float64(math.sqrt(0.5)).view(np.int64))
LARGEST = np.finfo(float).max


@strict
def log(x: float) -> float:
    """log x, for x >= 0 and not subnormal."""
    return log_and_inverse(x)[0]


@strict
def log_and_inverse(x: float) -> tuple[float, float]:
    """log x and 1 / x for one division, the dearest step of both.

    log(2^e m) = e log 2 + 2 atanh(f), f = (m - 1) / (m + 1), sqrt(1/2) <= m < sqrt(2)
    """
    b = bits_of(x)
    e = (b - HALF_ROOT) >> 52
    m = double_of(b - (e << 52))
    both = 1.0 / (x * (m + 1.0))
    f = (m - 1.0) * (x * both)
    q = f * f
    p = 2 / 11 + q * (2 / 13 + q * (2 / 15 + q * (2 / 17 + q * (2 / 19 + q * (2 / 21)))))
    p = 2.0 + q * (2 / 3 + q * (2 / 5 + q * (2 / 7 + q * (2 / 9 + q * p))))
    y = e * LN2_HIGH + (f * p + e * LN2_LOW)
    return (y if 0.0 < x <= LARGEST else (-np.inf if x == 0.0 else x)), both * (m + 1.0)
