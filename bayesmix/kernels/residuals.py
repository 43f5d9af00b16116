"""The shape of standardized residuals within components: what a Gaussian mixture leaves over, draw by draw.

Given a draw of the parameters and a component z_i for every row drawn from its responsibilities, e_i = C_z^-1 (x_i -
mu_z) are independent standard normals where the model is right, and u_ij = P(x_j <= x_ij) uniform: neither depends on
the parameters.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.kernels.cache import entry_point
from bayesmix.kernels.vector import compiled

LEAST_ROWS = 10
"""A component with fewer rows says nothing of its shape."""
ORDERS = 8
"""Legendre polynomials that the uniforms are held against (Neyman's smooth test)."""
N_SHAPES = 7
"""Sums of :func:`shape`."""


@entry_point
def residuals(x, means, C, shares, z, e, u):  # type: ignore[no-untyped-def]
    """For every draw e (S, n, d) and u (S, n, d), of rows x (S or 1, n, d).

    ``shares`` (S, n or 1, K) are P(component) before x is seen.
    """
    S, K, d = means.shape
    n = x.shape[1]
    for s in range(S):
        own, sd = x[min(s, len(x) - 1)], np.empty((K, d))
        for k in range(K):
            for j in range(d):
                square = 0.0
                for m in range(j + 1):
                    square += C[s, k, j, m] ** 2
                sd[k, j] = math.sqrt(square)
        for i in range(n):
            k = z[s, i]
            p = shares[s, i if shares.shape[1] > 1 else 0]
            for j in range(d):
                rest, below = own[i, j] - means[s, k, j], 0.0
                for m in range(j):
                    rest -= C[s, k, j, m] * e[s, i, m]
                e[s, i, j] = rest / C[s, k, j, j]
                for c in range(K):
                    if p[c] > 0:
                        below += p[c] * 0.5 * math.erfc((means[s, c, j] - own[i, j]) / (sd[c, j] * math.sqrt(2.0)))
                u[s, i, j] = below


@entry_point
def shapes(e, u, z, K, out):  # type: ignore[no-untyped-def]
    """The statistics of :func:`shape` for every draw, (S, 7)."""
    for s in range(len(e)):
        shape(e[s], u[s], z[s], K, out[s])


@compiled
def shape(e: np.ndarray, u: np.ndarray, z: np.ndarray, K: int, out: np.ndarray) -> None:
    """Of one draw; each is large where the residuals are not what they should be.

    heavy, light: fourth moment of a component's residuals above or below normal; skew: squared skewness, summed; pairs:
    squared correlation of a pair of features, summed over components; spread: |log variance|; far: the largest squared
    distance; margin: Neyman's statistic of the feature whose distribution fits worst.
    """
    n, d = e.shape
    rows, mean = np.zeros(K), np.zeros((K, d))
    second, third, q, qq = np.zeros((K, d, d)), np.zeros((K, d)), np.zeros(K), np.zeros(K)
    far, centred = 0.0, np.empty(d)
    for i in range(n):
        rows[z[i]] += 1
        square = 0.0
        for j in range(d):
            mean[z[i], j] += e[i, j]
            square += e[i, j] ** 2
        far = max(far, square)
    for k in range(K):
        mean[k] /= max(rows[k], 1.0)
    for i in range(n):
        k, square = z[i], 0.0
        for j in range(d):
            centred[j] = e[i, j] - mean[k, j]
            square += centred[j] ** 2
            third[k, j] += centred[j] ** 3
            for m in range(j + 1):
                second[k, j, m] += centred[j] * centred[m]
        q[k] += square
        qq[k] += square**2
    heavy, light, skew, spread, pairs = -np.inf, -np.inf, 0.0, 0.0, np.zeros((d, d))
    for k in range(K):
        if rows[k] < LEAST_ROWS:
            continue
        ratio = (qq[k] * rows[k] / q[k] ** 2 - (d + 2) / d) * d * math.sqrt(d * rows[k] / (8 * (d + 2)))
        heavy, light = max(heavy, ratio), max(light, -ratio)
        for j in range(d):
            variance = second[k, j, j] / rows[k]
            skew += (third[k, j] / rows[k]) ** 2 / variance**3 * rows[k] / 6
            spread = max(spread, abs(math.log(variance)) * math.sqrt(rows[k] / 2))
            for m in range(j):
                pairs[j, m] += second[k, j, m] ** 2 / (second[k, j, j] * second[k, m, m]) * rows[k]
    margin = 0.0
    for j in range(d):
        margin = max(margin, smooth(u[:, j]))
    out[0], out[1], out[2], out[3], out[4], out[5], out[6] = heavy, light, skew, pairs.max(), spread, far, margin


@compiled
def smooth(u: np.ndarray) -> float:
    """Neyman's statistic: the squared means of orthonormal Legendre polynomials, times n, summed over orders 1 to 8."""
    sums = np.zeros(ORDERS)
    for value in u:
        y, before, here = 2.0 * value - 1.0, 1.0, 2.0 * value - 1.0
        for r in range(ORDERS):
            sums[r] += here
            before, here = here, ((2 * r + 3) * y * here - (r + 1) * before) / (r + 2)
    total = 0.0
    for r in range(ORDERS):
        total += sums[r] ** 2 * (2 * r + 3) / len(u)
    return total
