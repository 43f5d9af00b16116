"""A sampler over the number of components: the judge of p(K | y) and of evidences, in one column of measurements.

The telescoping sampler of Fruehwirth-Schnatter, Malsiner-Walli and Gruen (2021, doi:10.1214/21-BA1294). Rows are
allocated; of components that have rows the parameters are drawn given these; K is drawn given the partition C alone,

    p(K | C) ~ p(K)  K! / (K - K+)!  Gamma(K e0) / Gamma(n + K e0)  prod_k Gamma(n_k + e0) / Gamma(e0),

and components without rows come from the prior. Means are Normal(b0, B0), variances InverseGamma(c0, C) with one
C ~ Gamma(g0, G0); e0 is a number, or a / K with a ~ F(6, 3). What is kept is p(K | C) and K+, not K, so that few draws
do. It shares nothing with the package.
"""

from dataclasses import dataclass
from math import lgamma

import numba
import numpy as np

LENGTHS = (0.3, 1.5)
"""Of steps of log a."""


@numba.njit(cache=True)
def log_p_of_k(log_prior, counts, n, concentration, by_k):
    """log p(K | C) but for a constant, of K = 1, 2, ...; -inf below the number of blocks."""
    filled, out = len(counts), np.full(len(log_prior), -np.inf)
    for K in range(filled, len(log_prior) + 1):
        e0 = concentration / K if by_k else concentration
        value = log_prior[K - 1] + lgamma(K + 1.0) - lgamma(K - filled + 1.0) + lgamma(K * e0) - lgamma(n + K * e0)
        for size in counts:
            value += lgamma(size + e0) - lgamma(e0)
        out[K - 1] = value
    return out


@numba.njit(cache=True)
def allocated(x, w, mu, s2, rng):
    """A component for every row."""
    K, z = len(w), np.empty(len(x), dtype=np.int64)
    level, p = np.log(w) - 0.5 * np.log(s2), np.empty(len(w))
    for i in range(len(x)):
        for k in range(K):
            p[k] = level[k] - 0.5 * (x[i] - mu[k]) ** 2 / s2[k]
        total = np.cumsum(np.exp(p - p.max()))
        z[i] = min(np.searchsorted(total, rng.random() * total[-1]), K - 1)
    return z


@numba.njit(cache=True)
def of_f(log_a):
    """Log-density of log a, a ~ F(6, 3), but for a constant."""
    return 3 * log_a - 4.5 * np.log(1 + 2 * np.exp(log_a))


@numba.njit(cache=True)
def sweep(x, prior, log_prior, state, rng):
    """One sweep; state: w, mu, s2 of all components, C and a. The new state, and the sizes of the blocks."""
    b0, B0, c0, g0, G0, e0 = prior
    w, mu, s2, C, a = state
    z, n = allocated(x, w, mu, s2, rng), len(x)
    counts = np.bincount(z, minlength=len(w))
    filled = np.flatnonzero(counts)
    size, m, v = counts[filled].astype(np.float64), mu[filled], s2[filled]
    for j, k in enumerate(filled):
        rows = x[z == k]
        v[j] = (C + 0.5 * np.sum((rows - m[j]) ** 2)) / rng.gamma(c0 + 0.5 * size[j], 1.0)
        precision = size[j] / v[j] + 1 / B0
        m[j] = (np.sum(rows) / v[j] + b0 / B0) / precision + rng.normal() / np.sqrt(precision)
    C = rng.gamma(g0 + len(filled) * c0, 1.0) / (G0 + np.sum(1 / v))
    if e0 == 0:
        K = len(w)
        for length in LENGTHS:
            new = a * np.exp(length * rng.normal())
            gain = of_f(np.log(new)) - of_f(np.log(a))
            gain += log_p_of_k(log_prior, size, n, new, True)[K - 1] - log_p_of_k(log_prior, size, n, a, True)[K - 1]
            a = new if np.log(rng.random()) < gain else a
    log_p = log_p_of_k(log_prior, size, n, a if e0 == 0 else e0, e0 == 0)
    p = np.exp(log_p - log_p.max())
    total = np.cumsum(p)
    K = min(np.searchsorted(total, rng.random() * total[-1]), len(p) - 1) + 1
    own = a / K if e0 == 0 else e0
    new_s2, new_mu, g = np.empty(K), np.empty(K), np.empty(K)
    new_s2[: len(filled)], new_mu[: len(filled)] = v, m
    for j in range(K):
        if j >= len(filled):
            new_s2[j] = C / rng.gamma(c0, 1.0)
            new_mu[j] = b0 + np.sqrt(B0) * rng.normal()
        g[j] = max(rng.gamma(own + (size[j] if j < len(filled) else 0.0), 1.0), 1e-300)
    return (g / g.sum(), new_mu, new_s2, C, a), size, p / total[-1]


@numba.njit(cache=True)
def sweeps(x, prior, log_prior, state, rng, out, every):
    """Averages of 1(K+ = j) p(K = k | C), out (batches, k, j), over so many sweeps each; the last state."""
    for b in range(len(out)):
        for _ in range(every):
            state, size, p = sweep(x, prior, log_prior, state, rng)
            out[b, :, len(size) - 1] += p / every
    return state


@dataclass(frozen=True)
class Priors:
    """The numbers of the docstring above; B0 a variance, G0 a rate; e0 = 0: a / K with a ~ F(6, 3)."""

    b0: float
    B0: float
    c0: float
    g0: float
    G0: float
    e0: float

    @property
    def numbers(self):
        """All of them in a row."""
        return tuple(float(v) for v in (self.b0, self.B0, self.c0, self.g0, self.G0, self.e0))


def richardson_green(x):
    """Richardson and Green (1997)."""
    R = np.ptp(x)
    return Priors((x.min() + x.max()) / 2, R**2, 2.0, 0.2, 10 / R**2, 1.0)


def fms_2021(x):
    """Fruehwirth-Schnatter, Malsiner-Walli and Gruen (2021), dynamic."""
    R = np.ptp(x)
    return Priors(np.median(x), R**2, 2.5, 0.5, 20 / R**2, 0.0)


@dataclass(frozen=True)
class Found:
    """p(K | y) and p(K+ | K, y), (K, K+), with their Monte Carlo errors."""

    probability: np.ndarray
    errors: np.ndarray
    occupied: np.ndarray
    occupied_errors: np.ndarray


def telescope(x, priors, log_prior, *, batches=100, every=1000, warm_up=5000, seed=1):
    """One chain under log p(K), K = 1, 2, ...; -inf: not that number."""
    x, rng, log_prior = (np.ascontiguousarray(x, dtype=float), np.random.default_rng(seed), np.array(log_prior, float))
    most, numbers = len(log_prior), priors.numbers
    state, made = started(x, priors, most, rng), np.zeros((batches, most, most))
    state = sweeps(x, numbers, log_prior, state, rng, np.zeros((1, most, most)), warm_up)
    sweeps(x, numbers, log_prior, state, rng, made, every)
    share, mean = made.sum(axis=2), made.mean(axis=0)
    total = np.maximum(share.mean(axis=0)[:, None], 1e-300)
    own = (made - (mean / total) * share[..., None]) / total
    return Found(share.mean(axis=0), of_batches(share), mean / total, of_batches(own))


def started(x, priors, K, rng):
    """Where chains begin: at rows, with variances that share the range out."""
    return np.full(K, 1 / K), rng.choice(x, K), np.full(K, x.var() / K**2), priors.g0 / priors.G0, 1.0


def of_batches(values):
    """The standard error of means of batches, neighbours taken together, which hardly depend on each other."""
    pairs = values[: len(values) // 2 * 2].reshape(-1, 2, *values.shape[1:]).mean(axis=1)
    return pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))
