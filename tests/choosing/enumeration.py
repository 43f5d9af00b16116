"""Exact answers for mixtures over tied rows: sums over all partitions, as convolutions over counts of distinct values.

A component that has a_v of the rows with value v, N = sum a_v of them, contributes

    g(a) = Gamma(N + e0) / Gamma(e0)  m(a) / prod a_v!

with m(a) the marginal likelihood of those rows. With F_K the K-fold convolution of g, at the counts c of all rows,

    Z = Gamma(K e0) / Gamma(n + K e0)  prod c_v!  F_K(c).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import comb, gammaln, logsumexp

from exact import log_normal_rows, scale_grid


def normal_block(mean, sd, scales):
    """log m(a) of normal rows: mu ~ Normal(mean, sd), their standard deviation by the prior ``scales``."""
    grid, log_weight = scale_grid(scales)

    def log_m(values, counts):
        return logsumexp(log_normal_rows(values, counts, grid, mean, sd) + log_weight, axis=1)

    return log_m


def poisson_block(shape, rate):
    """log m(a) of Poisson rows whose rate is Gamma(shape, rate)."""

    def log_m(values, counts):
        N, total = counts.sum(axis=1), counts @ values
        ways = counts @ gammaln(values + 1)
        top = gammaln(shape + total) - (shape + total) * np.log(rate + N)
        return shape * np.log(rate) - gammaln(shape) + top - ways

    return log_m


@dataclass
class Exact:
    """The exact answers for one set of rows and up to ``most`` components."""

    rows: tuple
    e0: float
    log_m: object
    most: int

    def __post_init__(self):
        self.values, self.counts = np.unique(np.asarray(self.rows, dtype=float), return_counts=True)
        self.full = self._sums(self.values, self.counts, self.most)

    def _sums(self, values, counts, most):
        """Convolutions of g without the empty block: list over the number of blocks, each over all smaller counts."""
        shape = tuple(counts + 1)
        states = np.indices(shape).reshape(len(shape), -1).T.astype(float)
        log_g = gammaln(states.sum(axis=1) + self.e0) - gammaln(self.e0) - gammaln(states + 1).sum(axis=1)
        g = np.exp(log_g + self.log_m(values, states)).reshape(shape)
        g[(0,) * len(shape)] = 0.0  # an empty block is 1, and counted apart
        one = np.zeros(shape)
        one[(0,) * len(shape)] = 1.0
        sums = [one]
        for _ in range(most):
            sums.append(convolved(sums[-1], g))
        return sums

    def log_z(self, K, counts=None, sums=None):
        """log Z of the rows with these counts."""
        counts, sums = (self.counts, self.full) if counts is None else (counts, sums or self.full)
        n, at = counts.sum(), tuple(counts)
        F = sum(comb(K, j) * sums[j][at] for j in range(K + 1))
        ways = gammaln(K * self.e0) - gammaln(n + K * self.e0) + gammaln(counts + 1).sum()
        return float(ways + np.log(F))

    def elpd_loo(self, K):
        """sum_i log p(y_i | the other rows)."""
        total = 0.0
        for v, count in enumerate(self.counts):
            less = self.counts.copy()
            less[v] -= 1
            total += count * (self.log_z(K) - self.log_z(K, less))
        return total

    def occupied(self, K):
        """p(K+ = 1, ..., K | y, K)."""
        at = tuple(self.counts)
        parts = np.array([comb(K, j) * self.full[j][at] for j in range(1, K + 1)])
        return parts / parts.sum()

    def log_predictive(self, K, x):
        """log p(x | y)."""
        values, counts = np.append(self.values, x), np.append(self.counts, 1)
        return self.log_z(K, counts, self._sums(values, counts, K)) - self.log_z(K)


def convolved(a, b):
    """Their convolution, cut at their shape."""
    out = np.zeros_like(a)
    for at in zip(*np.nonzero(b), strict=True):
        here = tuple(slice(i, None) for i in at)
        there = tuple(slice(0, size - i) for i, size in zip(at, a.shape, strict=True))
        out[here] += b[at] * a[there]
    return out


@dataclass
class Hierarchical:
    """Exact answers where variances have a common level and weights a common concentration: averaged over grids.

    Variances are InverseGamma(c0, C), C ~ Gamma(g0, G0); the concentration is e0, or a / K with a ~ F(6, 3) where e0 is
    0. Given both, components are independent again.
    """

    rows: tuple
    priors: object
    most: int
    levels: int = 41
    concentrations: int = 31

    def __post_init__(self):
        p = self.priors
        law, of_a = stats.gamma(p.g0, scale=1 / p.G0), stats.f(6, 3)
        levels = nodes_of(law, np.var(self.rows) * 1e-6, law.ppf(1 - 1e-9), self.levels)
        a = ([p.e0], [0.0]) if p.e0 else nodes_of(of_a, 1e-2, of_a.ppf(1 - 1e-5), self.concentrations)
        blocks = [self._block(C) for C in levels[0]]
        found = np.array([[self._given(block, a_, K) for K in self.numbers] for block in blocks for a_ in a[0]])
        log_w = (levels[1][:, None] + np.asarray(a[1])).ravel()
        self.log_z = logsumexp(found[..., 0] + log_w[:, None], axis=0)
        share = np.exp(found[..., 0] + log_w[:, None] - self.log_z)
        self.occupied = np.where(share[..., None] > 0, share[..., None] * found[..., 1:], 0.0).sum(axis=0)

    @property
    def numbers(self):
        """K = 1, 2, ..."""
        return range(1, self.most + 1)

    def _block(self, C):
        law, p, known = stats.invgamma(self.priors.c0, scale=C), self.priors, {}
        v = np.exp(np.linspace(*np.log(law.ppf([1e-9, 1 - 1e-7])), 301))
        log_weight = law.logpdf(v) + np.log(v) + np.log(np.log(v[1] / v[0]))

        def log_m(values, counts):
            if len(counts) not in known:
                each = log_normal_rows(values, counts, np.log(v) / 2, p.b0, np.sqrt(p.B0))
                known[len(counts)] = logsumexp(each + log_weight, axis=1)
            return known[len(counts)]

        return log_m

    def _given(self, log_m, a, K):
        """log Z and p(K+), of K components."""
        exact = Exact(self.rows, self.priors.e0 or a / K, log_m, most=K)
        with np.errstate(divide="ignore", invalid="ignore"):  # where the level leaves no density at all
            return np.append(exact.log_z(K), np.pad(exact.occupied(K), (0, self.most - K)))


def nodes_of(law, low, high, n):
    """Values of a positive variable, and the log-weights of the trapezoid rule over its logarithm."""
    t = np.linspace(np.log(low), np.log(high), n)
    return np.exp(t), law.logpdf(np.exp(t)) + t + np.log(t[1] - t[0])
