"""log m! of whole numbers."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from bayesmix.kernels.vector import HALF_LOG_2_PI, inlined, log

SMALL = 64
LOG_FACTORIAL = gammaln(np.arange(SMALL) + 1.0)


@inlined
def log_factorial(m: float) -> float:
    """log m! of a whole number: by table, from 64 on by Stirling's series, whose rest is below 1e-16; inf below 0."""
    if m < 0:
        return np.inf
    if m < SMALL:
        return LOG_FACTORIAL[int(m)]
    q = 1.0 / (m * m)
    return (m + 0.5) * log(m) - m + HALF_LOG_2_PI + (1 / 12 - q * (1 / 360 - q / 1260)) / m
