"""An allocation sampler for Gaussian mixtures in one and two columns: the judge of chains that cross between modes.

Components are drawn given parameters, then parameters given components: weights and means from their conditional laws,
standard deviations and the correlation by random walks of several lengths. Priors are those of bayesmix: Dirichlet,
Normal, InverseGamma of the standard deviations, LKJ of the correlation.
"""

import numba
import numpy as np


@numba.njit(cache=True)
def precision(scale, r):
    """The inverse covariance matrix and its log-determinant."""
    d = len(scale)
    P = np.zeros((d, d))
    if d == 1:
        P[0, 0] = 1 / scale[0] ** 2
        return P, -2 * np.log(scale[0])
    det = (scale[0] * scale[1]) ** 2 * (1 - r**2)
    P[0, 0], P[1, 1] = scale[1] ** 2 / det, scale[0] ** 2 / det
    P[0, 1] = P[1, 0] = -r * scale[0] * scale[1] / det
    return P, -np.log(det)


@numba.njit(cache=True)
def log_scales(n, S, scale, r, alpha, beta, eta):
    """Log-density of log scales and the Fisher transform of r, given n rows with the scatter S about the mean."""
    P, log_det = precision(scale, r)
    value = 0.5 * n * log_det - 0.5 * np.sum(P * S)
    for j in range(len(scale)):
        value += -alpha[j] * np.log(scale[j]) - beta[j] / scale[j]
    return value + (eta * np.log(1 - r**2) if len(scale) == 2 else 0.0)


@numba.njit(cache=True)
def sweep(x, a, m, s, alpha, beta, eta, state, rng):
    """One sweep over allocations, weights, means, scales and correlations, in place."""
    w, mu, scale, r = state
    K, d = mu.shape
    count, total, square = np.zeros(K), np.zeros((K, d)), np.zeros((K, d, d))
    Ps, logs = np.empty((K, d, d)), np.empty(K)
    for k in range(K):
        Ps[k], log_det = precision(scale[k], r[k])
        logs[k] = np.log(w[k]) + 0.5 * log_det
    p = np.empty(K)
    for i in range(len(x)):
        for k in range(K):
            e = x[i] - mu[k]
            p[k] = logs[k] - 0.5 * np.sum(Ps[k] * np.outer(e, e))
        p = np.cumsum(np.exp(p - p.max()))
        k = min(np.searchsorted(p, rng.random() * p[-1]), K - 1)
        count[k] += 1
        total[k] += x[i]
        square[k] += np.outer(x[i], x[i])
    g = np.array([rng.gamma(a[k] + count[k], 1.0) for k in range(K)])
    w[:] = np.maximum(g / g.sum(), 1e-300)
    for k in range(K):
        V = np.linalg.inv(count[k] * Ps[k] + np.diag(1 / s[k] ** 2))
        centre = V @ (Ps[k] @ total[k] + m[k] / s[k] ** 2)
        mu[k] = centre + np.linalg.cholesky(V) @ np.array([rng.normal() for _ in range(d)])
        S = square[k] - np.outer(mu[k], total[k]) - np.outer(total[k], mu[k]) + count[k] * np.outer(mu[k], mu[k])
        for length in (0.1, 0.5, 1.5):
            size = length / np.sqrt(1 + count[k] / 4)
            new = scale[k] * np.exp(size * np.array([rng.normal() for _ in range(d)]))
            t = np.tanh(np.arctanh(r[k]) + size * rng.normal()) if d == 2 else 0.0
            gain = log_scales(count[k], S, new, t, alpha[k], beta[k], eta)
            gain -= log_scales(count[k], S, scale[k], r[k], alpha[k], beta[k], eta)
            if np.log(rng.random()) < gain:
                scale[k], r[k] = new, t


@numba.njit(cache=True)
def sweeps(x, priors, state, rng, out, every):
    """As many draws as ``out`` has room for, one after every few sweeps."""
    weights, means, scales, r = out
    a, m, s, alpha, beta, eta = priors
    for i in range(len(weights)):
        for _ in range(every):
            sweep(x, a, m, s, alpha, beta, eta, state, rng)
        weights[i], means[i], scales[i], r[i] = state


def gibbs(spec, x, *, draws, every, warm_up, seed):
    """Draws of weights (S, K), means (S, K, d) and covariances (S, K, d, d)."""
    x = np.asarray(x, dtype=float).reshape(len(x), -1)
    K, d = spec.n_components, x.shape[1]
    held = {name: prior.parameters for name, prior in spec.priors.items()}
    full = [np.ascontiguousarray(np.broadcast_to(held[v][p], (K, d)), dtype=float) for v, p in OF_FEATURES]
    priors = (np.ascontiguousarray(np.broadcast_to(held["weights"]["a"], K), dtype=float), *full, _eta(held, d))
    rng = np.random.default_rng(seed)
    state = (
        np.full(K, 1 / K),
        x[rng.choice(len(x), K, replace=False)].copy(),
        np.tile(x.std(axis=0) / 2, (K, 1)),
        np.zeros(K),
    )
    for n, length in ((1, warm_up), (draws, every)):
        out = np.empty((n, K)), np.empty((n, K, d)), np.empty((n, K, d)), np.empty((n, K))
        sweeps(x, priors, state, rng, out, length)
    weights, means, scales, r = out
    correlations = np.zeros((draws, K, d, d)) + np.eye(d)
    if d == 2:
        correlations[..., 0, 1] = correlations[..., 1, 0] = r
    return weights, means, correlations * scales[..., None] * scales[..., None, :]


OF_FEATURES = (("means", "mu"), ("means", "sigma"), ("scales", "alpha"), ("scales", "beta"))


def _eta(held, d):
    return float(held["correlations"]["eta"]) if d == 2 else 1.0
