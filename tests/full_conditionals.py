"""Evidence of a number of components from a Gibbs sampler: the judge of bridge sampling and replica exchange.

Draws of weights, means and variances are bridged to a proposal that is made of their full conditionals, those of other
draws, in all K! labellings (Fruehwirth-Schnatter 2004, doi:10.1111/j.1368-423X.2004.00125.x; Lee and Robert 2016,
doi:10.1214/15-BA970). One column; the level of the variances is integrated out of the target. It shares nothing with
the package.
"""

from itertools import permutations

import numpy as np
from scipy import stats
from scipy.special import gammaln, logsumexp

from tests.telescoping import allocated, started, sweeps

STEPS = 200
"""Of the bridge's fixed point."""


def log_target(x, priors, w, mu, s2):
    """Log-density of rows, weights, means and variances, (S, K) each."""
    normal = stats.norm.logpdf(x[:, None], mu[:, None], np.sqrt(s2)[:, None])
    K, total = w.shape[1], w.shape[1] * priors.c0 + priors.g0
    log_w = gammaln(K * priors.e0) - K * gammaln(priors.e0) + (priors.e0 - 1) * np.log(w).sum(axis=1)
    log_mu = stats.norm.logpdf(mu, priors.b0, np.sqrt(priors.B0)).sum(axis=1)
    log_v = gammaln(total) - gammaln(priors.g0) - K * gammaln(priors.c0) + priors.g0 * np.log(priors.G0)
    log_v = log_v - (priors.c0 + 1) * np.log(s2).sum(axis=1) - total * np.log((1 / s2).sum(axis=1) + priors.G0)
    return logsumexp(np.log(w)[:, None] + normal, axis=2).sum(axis=1) + log_w + log_mu + log_v


class Conditionals:
    """Full conditionals of J draws given allocation and other parameters: Dirichlet, normal, inverse gamma."""

    def __init__(self, x, priors, draws):
        _, mu, s2, C, z = draws
        member = z[:, :, None] == np.arange(mu.shape[1])
        n = member.sum(axis=1).astype(float)
        self.a = priors.e0 + n
        self.precision = n / s2 + 1 / priors.B0
        self.mean = ((member * x[:, None]).sum(axis=1) / s2 + priors.b0 / priors.B0) / self.precision
        self.shape = priors.c0 + n / 2
        self.level = C[:, None] + (member * (x[:, None] - mu[:, None]) ** 2).sum(axis=1) / 2

    def draw(self, size, rng):
        """From a conditional at random."""
        j = rng.integers(len(self.a), size=size)
        g = rng.gamma(self.a[j])
        mu = self.mean[j] + rng.normal(size=g.shape) / np.sqrt(self.precision[j])
        return g / g.sum(axis=1, keepdims=True), mu, self.level[j] / rng.gamma(self.shape[j])

    def log_density(self, w, mu, s2):
        """Of the average over conditionals and labellings."""
        found = np.full(len(w), -np.inf)
        for order in map(list, permutations(range(w.shape[1]))):
            for j in range(len(self.a)):
                a, shape, level = self.a[j, order], self.shape[j, order], self.level[j, order]
                value = gammaln(a.sum()) - gammaln(a).sum() + np.log(w) @ (a - 1)
                normal = stats.norm.logpdf(mu, self.mean[j, order], 1 / np.sqrt(self.precision[j, order]))
                value = value + normal.sum(axis=1) + (shape * np.log(level) - gammaln(shape)).sum()
                found = np.logaddexp(found, value - np.log(s2) @ (shape + 1) - (1 / s2) @ level)
        return found - np.log(len(self.a)) - gammaln(w.shape[1] + 1)


def gibbs_draws(x, priors, K, n, *, every, rng):
    """Draws w, mu, s2 (n, K), C (n,) and allocations (n, rows) at K components."""
    log_prior = np.where(np.arange(1, K + 1) == K, 0.0, -np.inf)
    out, draws = np.zeros((1, K, K)), []
    state = sweeps(x, priors.numbers, log_prior, started(x, priors, K, rng), rng, out, 5000)
    for _ in range(n):
        state = sweeps(x, priors.numbers, log_prior, state, rng, out, every)
        w, mu, s2, C, _ = state
        draws.append((w, mu, s2, C, allocated(x, w, mu, s2, rng)))
    return [np.array(values) for values in zip(*draws, strict=True)]


def log_evidence(x, priors, K, *, conditionals=60, draws=2000, every=20, seed=1):
    """Log Z of K components by one chain."""
    x, rng = np.ascontiguousarray(x, dtype=float), np.random.default_rng(seed)
    made = gibbs_draws(x, priors, K, conditionals + draws, every=every, rng=rng)
    proposal = Conditionals(x, priors, [values[:conditionals] for values in made])
    theirs, ours = [values[conditionals:] for values in made[:3]], proposal.draw(draws, rng)
    at_draws, at_proposals = (log_target(x, priors, *at) - proposal.log_density(*at) for at in (theirs, ours))
    log_z = at_proposals.mean()
    for _ in range(STEPS):
        above = logsumexp(at_proposals - np.logaddexp(at_proposals, log_z))
        log_z = above - logsumexp(-np.logaddexp(at_draws, log_z))
    return float(log_z)
