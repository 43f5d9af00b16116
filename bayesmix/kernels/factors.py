"""Normal densities with covariances Lambda Lambda' + Psi, and the sums of their gradients, in 3 d q products a row.

By Woodbury's identity, with M = I + Lambda' Psi^-1 Lambda and P = M^-1 Lambda' Psi^-1,

    u = P (x - mu),   e = Psi^-1 (x - mu - Lambda u) = Sigma^-1 (x - mu),
    (x - mu)' Sigma^-1 (x - mu) = e' Psi e + u'u.

Entry (j, i) of x is at j * most + i of its flat array, (k, m, i) of u at (k * q + m) * most + i and (k, j, i) of e at
(k * d + j) * most + i.
"""

from __future__ import annotations

from bayesmix.kernels.lanes import LANES, load, number, spread, store
from bayesmix.kernels.vector import inlined, total


@inlined
def split_up(level, means, loadings, psi, P, k, x, u, e, block, l):  # type: ignore[no-untyped-def]
    """u = P (x - mu), e = Psi^-1 (x - mu - Lambda u), l = level - (e' Psi e + u'u) / 2."""
    _, size, most = block
    d, q = loadings.shape[1], loadings.shape[2]
    for i in range(0, size, LANES):
        squares = spread(0.0)
        for m in range(q):
            um = spread(0.0)
            for j in range(d):
                um = um + (load(x, j * most + i) - number(means, k * d + j)) * number(P, (k * q + m) * d + j)
            store(u, (k * q + m) * most + i, um)
            squares = squares + um * um
        for j in range(d):
            rest = load(x, j * most + i) - number(means, k * d + j)
            for m in range(q):
                rest = rest - load(u, (k * q + m) * most + i) * number(loadings, (k * d + j) * q + m)
            ej = rest * (1.0 / number(psi, k * d + j))
            store(e, (k * d + j) * most + i, ej)
            squares = squares + rest * ej
        store(l, k * most + i, level - 0.5 * squares)


@inlined
def add_up(r, u, e, re, k, block, first, crossed, squares):  # type: ignore[no-untyped-def]
    """first_k += r e, crossed_k += r e u', squares_k += r e^2, summed over rows; sum r."""
    _, size, most = block
    d, q = crossed.shape[1], crossed.shape[2]
    n = spread(0.0)
    for i in range(0, size, LANES):
        n = n + load(r, k * most + i)
    for j in range(d):
        s, t = spread(0.0), spread(0.0)
        for i in range(0, size, LANES):
            ei = load(e, (k * d + j) * most + i)
            weighted = load(r, k * most + i) * ei
            store(re, i, weighted)
            s, t = s + weighted, t + weighted * ei
        first[k, j] += total(s)
        squares[k, j] += total(t)
        for m in range(q):
            c = spread(0.0)
            for i in range(0, size, LANES):
                c = c + load(re, i) * load(u, (k * q + m) * most + i)
            crossed[k, j, m] += total(c)
    return total(n)
