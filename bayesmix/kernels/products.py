"""Products of matrices over a block: z_ik = A_k (x_i - mu_k) for lower triangles A_k, and sums of r z and r z z'.

Four rows of A at a time, and sums two by four: enough arithmetic for each number that comes from cache. Entry (j, i) of
x is at j * most + i of its flat array, entry (k, j, i) of z at (k * d + j) * most + i.
"""

from __future__ import annotations

import numpy as np

from bayesmix.kernels.lanes import LANES, add_halves, lane, load, number, spread, store, sums
from bayesmix.kernels.vector import inlined, total


@inlined
def whiten(level, means, A, k, x, z, block, l):  # type: ignore[no-untyped-def]
    """z = A (x - mu), l = level - z'z / 2."""
    _, size, most = block
    d = means.shape[1]
    fours = d - d % 4
    for i in range(0, size, LANES):
        squares = spread(0.0)
        for j in range(0, fours, 4):
            squares = squares + _four_rows(means, A, k, j, x, z, i, most)
        if d - fours > 1:
            squares = squares + _two_rows(means, A, k, fours, x, z, i, most)
        if d % 2:
            squares = squares + _one_row(means, A, k, d - 1, x, z, i, most)
        store(l, k * most + i, level - 0.5 * squares)


@inlined
def _four_rows(means, A, k, j, x, z, i, most):  # type: ignore[no-untyped-def]
    """z_j, ..., z_j+3 of LANES rows; the sum of their squares."""
    d, m, a = means.shape[1], k * means.shape[1], (k * means.shape[1] + j) * means.shape[1]
    u = load(x, i) - number(means, m)
    z0, z1, z2, z3 = u * number(A, a), u * number(A, a + d), u * number(A, a + 2 * d), u * number(A, a + 3 * d)
    for c in range(1, j + 1):
        u = load(x, c * most + i) - number(means, m + c)
        z0 = z0 + u * number(A, a + c)
        z1 = z1 + u * number(A, a + d + c)
        z2 = z2 + u * number(A, a + 2 * d + c)
        z3 = z3 + u * number(A, a + 3 * d + c)
    b = a + j
    u = load(x, (j + 1) * most + i) - number(means, m + j + 1)
    z1 = z1 + u * number(A, b + d + 1)
    z2 = z2 + u * number(A, b + 2 * d + 1)
    z3 = z3 + u * number(A, b + 3 * d + 1)
    u = load(x, (j + 2) * most + i) - number(means, m + j + 2)
    z2 = z2 + u * number(A, b + 2 * d + 2)
    z3 = z3 + u * number(A, b + 3 * d + 2)
    u = load(x, (j + 3) * most + i) - number(means, m + j + 3)
    z3 = z3 + u * number(A, b + 3 * d + 3)
    at = (m + j) * most + i
    store(z, at, z0)
    store(z, at + most, z1)
    store(z, at + 2 * most, z2)
    store(z, at + 3 * most, z3)
    return (z0 * z0 + z1 * z1) + (z2 * z2 + z3 * z3)


@inlined
def _two_rows(means, A, k, j, x, z, i, most):  # type: ignore[no-untyped-def]
    """z_j and z_j+1 of LANES rows; the sum of their squares."""
    d, m, a = means.shape[1], k * means.shape[1], (k * means.shape[1] + j) * means.shape[1]
    u = load(x, i) - number(means, m)
    z0, z1 = u * number(A, a), u * number(A, a + d)
    for c in range(1, j + 1):
        u = load(x, c * most + i) - number(means, m + c)
        z0 = z0 + u * number(A, a + c)
        z1 = z1 + u * number(A, a + d + c)
    u = load(x, (j + 1) * most + i) - number(means, m + j + 1)
    z1 = z1 + u * number(A, a + d + j + 1)
    store(z, (m + j) * most + i, z0)
    store(z, (m + j + 1) * most + i, z1)
    return z0 * z0 + z1 * z1


@inlined
def _one_row(means, A, k, j, x, z, i, most):  # type: ignore[no-untyped-def]
    """z_j of LANES rows; its square."""
    m, a = k * means.shape[1], (k * means.shape[1] + j) * means.shape[1]
    zj = spread(0.0)
    for c in range(j + 1):
        zj = zj + (load(x, c * most + i) - number(means, m + c)) * number(A, a + c)
    store(z, (m + j) * most + i, zj)
    return zj * zj


@inlined
def weigh(r, z, rz, k, block, first):  # type: ignore[no-untyped-def]
    """rz, and first_k += its sums; sum r."""
    _, size, most = block
    d, n = first.shape[1], spread(0.0)
    for i in range(0, size, LANES):
        n = n + load(r, k * most + i)
    for j in range(d):
        s = spread(0.0)
        for i in range(0, size, LANES):
            weighted = load(r, k * most + i) * load(z, (k * d + j) * most + i)
            store(rz, j * most + i, weighted)
            s = s + weighted
        first[k, j] += total(s)
    return total(n)


@inlined
def mirror(S: np.ndarray) -> None:
    """The upper triangles of S (K, d, d) from the lower ones."""
    for k in range(len(S)):
        for i in range(S.shape[1]):
            for j in range(i):
                S[k, j, i] = S[k, i, j]


@inlined
def outer(rz, z, k, block, S):  # type: ignore[no-untyped-def]
    """S_k += rz z', in tiles that cover the lower triangle."""
    d = S.shape[1]
    for p in range(0, d - 1, 2):
        q = 0
        while q + 4 <= p + 2:
            _two_by_four(rz, z, k, p, q, block, S)
            q += 4
        if q < p + 2:
            _two_by_two(rz, z, k, p, q, block, S)
    if d % 2:
        for q in range(d):
            _one_by_one(rz, z, k, d - 1, q, block, S)


@inlined
def _two_by_four(rz, z, k, p, q, block, S):  # type: ignore[no-untyped-def]
    _, size, most = block
    d, a, b = S.shape[1], p * most, (k * S.shape[1] + q) * most
    zero = spread(0.0)
    s0, s1, s2, s3, t0, t1, t2, t3 = zero, zero, zero, zero, zero, zero, zero, zero
    for i in range(0, size, LANES):
        u, v = load(rz, a + i), load(rz, a + most + i)
        w = load(z, b + i)
        s0, t0 = s0 + u * w, t0 + v * w
        w = load(z, b + most + i)
        s1, t1 = s1 + u * w, t1 + v * w
        w = load(z, b + 2 * most + i)
        s2, t2 = s2 + u * w, t2 + v * w
        w = load(z, b + 3 * most + i)
        s3, t3 = s3 + u * w, t3 + v * w
    at = (k * d + p) * d + q
    add_halves(S, at, at + d, sums(s0, s1, s2, s3, t0, t1, t2, t3))


@inlined
def _two_by_two(rz, z, k, p, q, block, S):  # type: ignore[no-untyped-def]
    _, size, most = block
    a, b, zero = p * most, (k * S.shape[1] + q) * most, spread(0.0)
    s0, s1, t0, t1 = zero, zero, zero, zero
    for i in range(0, size, LANES):
        u, v = load(rz, a + i), load(rz, a + most + i)
        w = load(z, b + i)
        s0, t0 = s0 + u * w, t0 + v * w
        w = load(z, b + most + i)
        s1, t1 = s1 + u * w, t1 + v * w
    four = sums(s0, s1, t0, t1, zero, zero, zero, zero)
    S[k, p, q] += lane(four, 0)
    S[k, p, q + 1] += lane(four, 1)
    S[k, p + 1, q] += lane(four, 2)
    S[k, p + 1, q + 1] += lane(four, 3)


@inlined
def _one_by_one(rz, z, k, p, q, block, S):  # type: ignore[no-untyped-def]
    _, size, most = block
    a, b, s = p * most, (k * S.shape[1] + q) * most, spread(0.0)
    for i in range(0, size, LANES):
        s = s + load(rz, a + i) * load(z, b + i)
    S[k, p, q] += total(s)
