"""exp and log of doubles and of Lanes (the C library's are calls, one number at a time), and how kernels compile.

Within 2 and 3 ulp of the C library's on their domains: exp up to 709 (it is 0 below -708, where doubles lose
precision, and wrong above 709), log from the smallest normal number on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from scipy.special import gammaln

from bayesmix.kernels.lanes import lane, split, spread, sums, times_power_of_2, where_less


def compiled(function: Callable) -> Any:
    """Loops over doubles that LLVM may vectorize: sums may be reordered, division by zero gives inf.

    Never 'nnan' or 'ninf': masked rows carry -inf. Inlined, as :func:`inlined` is.
    """
    return njit(
        function, forceinline=True, fastmath={"contract", "reassoc", "nsz", "arcp"}, error_model="numpy", nogil=True
    )


def inlined(function: Callable) -> Any:
    """A part of a kernel over Lanes: a product and a sum may be fused, nothing is put in another order.

    Inlined: a call would send values from registers to memory, and an entry point with parts could be given those of
    another copy by the loader, rounded differently.
    """
    return njit(function, forceinline=True, fastmath={"contract"}, error_model="numpy", nogil=True)


LOG2_E = math.log2(math.e)
HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
LN2_HIGH = 0.693145751953125
LN2_LOW = 1.42860682030941723212e-6
ROUND = 1.5 * 2.0**52
"""Adding it rounds to an integer, which then stands in the lowest bits."""
E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12 = (1 / math.factorial(k) for k in range(2, 13))


@inlined
def exp(x: Any) -> Any:
    """e^x = 2^n e^r with |r| <= log(2) / 2; the Taylor series of e^r to the order where its rest is below an ulp."""
    shifted = x * LOG2_E + ROUND
    n = shifted - ROUND
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = E7 + r * (E8 + r * (E9 + r * (E10 + r * (E11 + r * E12))))
    p = 1.0 + r * (1.0 + r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * p))))))
    return where_less(x, -708.0, 0.0, times_power_of_2(p, shifted))


HALF_ROOT = int(np.float64(math.sqrt(0.5)).view(np.int64))
SMALLEST, LARGEST, INFINITE = np.finfo(float).tiny, np.finfo(float).max, math.inf


@inlined
def log(x: Any) -> Any:
    """log x, for x >= 0 and not subnormal."""
    return log_and_inverse(x)[0]


@inlined
def log_and_inverse(x: Any) -> tuple[Any, Any]:
    """log x and 1 / x for one division, the dearest step of both.

    log(2^e m) = e log 2 + 2 atanh(f), f = (m - 1) / (m + 1), sqrt(1/2) <= m < sqrt(2)
    """
    e, m = split(x, HALF_ROOT)
    both = 1.0 / (x * (m + 1.0))
    f = (m - 1.0) * (x * both)
    q = f * f
    p = 2 / 11 + q * (2 / 13 + q * (2 / 15 + q * (2 / 17 + q * (2 / 19 + q * (2 / 21)))))
    p = 2.0 + q * (2 / 3 + q * (2 / 5 + q * (2 / 7 + q * (2 / 9 + q * p))))
    y = e * LN2_HIGH + (f * p + e * LN2_LOW)
    y = where_less(LARGEST, x, x, y)
    return where_less(0.0, x, y, where_less(x, SMALLEST, -INFINITE, x)), both * (m + 1.0)


@inlined
def total(x: Any) -> float:
    """The sum over the lanes."""
    zero = spread(0.0)
    return lane(sums(x, zero, zero, zero, zero, zero, zero, zero), 0)


TABLED = 64
"""Factorials below this are looked up."""
LOG_FACTORIAL = gammaln(np.arange(TABLED) + 1.0)


@inlined
def log_factorial(m: float) -> float:
    """log m! of a whole number: by table, from 64 on by Stirling's series, whose rest is below 1e-16; inf below 0."""
    if m < 0:
        return np.inf
    if m < TABLED:
        return LOG_FACTORIAL[int(m)]
    q = 1.0 / (m * m)
    return (m + 0.5) * log(m) - m + HALF_LOG_2_PI + (1 / 12 - q * (1 / 360 - q / 1260)) / m
