"""An allocation sampler for Gaussian mixtures in one and two columns, by NumPy alone: the judge of chains that cross.

Components are drawn given parameters, then parameters given components: weights and means from their conditional laws,
scales and the correlation by random walks on the whole real line. Priors are bayesmix's: Dirichlet, Normal,
InverseGamma of the scales, LKJ of the correlation.
"""

import numpy as np
from scipy import stats


class Gibbs:
    def __init__(self, spec, x, seed):
        self.rng, self.x = np.random.default_rng(seed), np.asarray(x, dtype=float).reshape(len(x), -1)
        p = spec.priors
        self.K, self.d = spec.n_components, self.x.shape[1]
        self.a = np.broadcast_to(p["weights"].parameters["a"], self.K)
        self.m = np.broadcast_to(p["means"].parameters["mu"], (self.K, self.d))
        self.s = np.broadcast_to(p["means"].parameters["sigma"], (self.K, self.d))
        self.alpha = np.broadcast_to(p["scales"].parameters["alpha"], (self.K, self.d))
        self.beta = np.broadcast_to(p["scales"].parameters["beta"], (self.K, self.d))
        self.eta = float(p["correlations"].parameters["eta"]) if self.d == 2 else None
        self.w = np.full(self.K, 1 / self.K)
        self.mu = self.x[self.rng.choice(len(self.x), self.K, replace=False)].copy()
        self.scale = np.tile(self.x.std(axis=0) / 2, (self.K, 1))
        self.r = np.zeros(self.K)

    def precision(self, k, scale, r):
        """Of component k, and its log-determinant."""
        if self.d == 1:
            return np.array([[1 / scale[0] ** 2]]), -2 * np.log(scale[0])
        S = np.array([[scale[0] ** 2, r * scale[0] * scale[1]], [r * scale[0] * scale[1], scale[1] ** 2]])
        return np.linalg.inv(S), -np.linalg.slogdet(S)[1]

    def log_joint(self):
        """log w_k + log f_ik, (n, K)."""
        out = np.empty((len(self.x), self.K))
        for k in range(self.K):
            P, log_det = self.precision(k, self.scale[k], self.r[k])
            e = self.x - self.mu[k]
            out[:, k] = np.log(self.w[k]) + 0.5 * log_det - 0.5 * np.einsum("ni,ij,nj->n", e, P, e)
        return out - 0.5 * self.d * np.log(2 * np.pi)

    def sweep(self):
        joint = self.log_joint()
        p = np.exp(joint - joint.max(axis=1, keepdims=True))
        u = self.rng.random((len(self.x), 1)) * p.sum(axis=1, keepdims=True)
        z = (p.cumsum(axis=1) < u).sum(axis=1)
        self.w = self.rng.dirichlet(self.a + np.bincount(z, minlength=self.K))
        for k in range(self.K):
            own = self.x[z == k]
            P, _ = self.precision(k, self.scale[k], self.r[k])
            V = np.linalg.inv(len(own) * P + np.diag(1 / self.s[k] ** 2))
            centre = V @ (P @ own.sum(axis=0) + self.m[k] / self.s[k] ** 2)
            self.mu[k] = self.rng.multivariate_normal(centre, V)
            for _ in range(3):
                self.walk(k, own)

    def log_target(self, own, k, log_scale, t):
        """Of log scales and the Fisher transform of the correlation, given the component's rows."""
        scale, r = np.exp(log_scale), np.tanh(t)
        P, log_det = self.precision(k, scale, r)
        e = own - self.mu[k]
        value = 0.5 * len(own) * log_det - 0.5 * np.einsum("ni,ij,nj->", e, P, e)
        value += (stats.invgamma.logpdf(scale, self.alpha[k], scale=self.beta[k]) + log_scale).sum()
        return value + (self.eta * np.log(1 - r**2) if self.d == 2 else 0.0)

    def walk(self, k, own):
        size = self.rng.choice([0.1, 0.5, 1.5]) / np.sqrt(1 + len(own) / 4)
        now = np.append(np.log(self.scale[k]), np.arctanh(self.r[k]))
        new = now + size * self.rng.standard_normal(len(now))
        gain = self.log_target(own, k, new[:-1], new[-1]) - self.log_target(own, k, now[:-1], now[-1])
        if np.log(self.rng.random()) < gain:
            self.scale[k], self.r[k] = np.exp(new[:-1]), np.tanh(new[-1]) if self.d == 2 else 0.0

    def params(self):
        """weights, means and covariances."""
        S = np.stack([np.linalg.inv(self.precision(k, self.scale[k], self.r[k])[0]) for k in range(self.K)])
        return {"weights": self.w.copy(), "means": self.mu.copy(), "covariances": S}
