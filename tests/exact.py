"""Exact answers for a dozen rows: sums over all assignments to two components, each a quadrature over its scale.

Given the assignment z, the rows of a component with mean ~ Normal(m, s) and standard deviation sigma are jointly normal
with covariance sigma^2 I + s^2 11'; the weights integrate to Dirichlet-multinomial probabilities of z.
"""

from __future__ import annotations

import numpy as np
from scipy import integrate
from scipy.special import gammaln, logsumexp

from naive import SCIPY

NODES = 1201


def scale_grid(prior):
    """log sigma, and the log-weights of the trapezoid rule under its prior."""
    law = SCIPY[prior.distribution](**prior.parameters)
    grid = np.linspace(*np.log(law.ppf([1e-10, 1 - 1e-10])), NODES)
    return grid, law.logpdf(np.exp(grid)) + grid + np.log(grid[1] - grid[0])


def subsets(n):
    """All assignments of n rows to two components, (2^n, n) of 0 and 1: which rows the first one has."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def log_normal_rows(x, member, grid, m, s):
    """log p(rows of every subset | sigma), (subsets, nodes)."""
    n, total, squares = (member @ a for a in (np.ones(len(x)), x - m, (x - m) ** 2))
    n, total, squares = n[:, None], total[:, None], squares[:, None]
    a, b = np.exp(2 * grid), s**2
    log_det = (n - 1) * np.log(a) + np.log(a + n * b)
    return -0.5 * (n * np.log(2 * np.pi) + log_det + squares / a - b * total**2 / (a * (a + n * b)))


def log_assignments(n_first, n, a):
    """log P(z) of assignments with n_first rows in the first of two components, weights ~ Dirichlet(a, a)."""
    return gammaln(2 * a) - 2 * gammaln(a) + gammaln(a + n_first) + gammaln(a + n - n_first) - gammaln(2 * a + n)


def log_joint_of_assignments(x, spec):
    """log p(x, z) for every z of :func:`subsets`; x (n, d); covariance diag (own scales) or, for d = 1, tied."""
    priors, member = spec.priors, subsets(len(x))
    a = float(np.unique(priors["weights"].parameters["a"])[0])
    total = log_assignments(member.sum(axis=1), len(x), a)
    grid, log_weight = scale_grid(priors["scales"])
    for column in x.T:
        m, s = (float(priors["means"].parameters[p].reshape(-1)[0]) for p in ("mu", "sigma"))
        one = log_normal_rows(column, member, grid, m, s)
        if spec.options["covariance"] == "tied":
            total = total + logsumexp(one + one[::-1] + log_weight, axis=1)
        else:
            own = logsumexp(one + log_weight, axis=1)
            total = total + own + own[::-1]
    return total


def log_evidence(x, spec):
    """log p(x) of two components."""
    return float(logsumexp(log_joint_of_assignments(x, spec)))


def together(x, spec):
    """P(rows i and j share a component | x), (n, n)."""
    joint, member = log_joint_of_assignments(x, spec), subsets(len(x))
    p = np.exp(joint - logsumexp(joint))
    same = member[:, :, None] == member[:, None, :]
    return np.einsum("s,sij->ij", p, same.astype(float))


def log_evidence_of_one_normal(x, spec):
    """log p(x) of a single component of one feature: the mean in closed form, the scale by quadrature."""
    priors = spec.priors
    law = SCIPY[priors["scales"].distribution](**priors["scales"].parameters)
    m, s = (float(priors["means"].parameters[p].reshape(-1)[0]) for p in ("mu", "sigma"))

    def log_integrand(t):
        rows = log_normal_rows(x, np.ones((1, len(x))), np.array([t]), m, s)[0, 0]
        return float(rows + np.sum(law.logpdf(np.exp(t)))) + t

    top = max(log_integrand(t) for t in np.linspace(-8, 8, 400))
    return top + float(np.log(integrate.quad(lambda t: np.exp(log_integrand(t) - top), -8, 8, limit=500)[0]))


def log_evidence_of_counts(x, spec):
    """log p(x) of a constant zero-inflated Poisson by quadrature over log rate and logit P(structural zero)."""
    from scipy import stats

    laws = [stats.norm(*(float(spec.priors[v].parameters[p][0]) for p in ("mu", "sigma"))) for v in spec.priors]
    names = list(spec.priors)
    rate, zero = (laws[names.index(v)] for v in ("rate_coef", "zero_coef"))
    values, counts = np.unique(x, return_counts=True)

    def grid(law):
        return np.linspace(law.mean() - 9 * law.std(), law.mean() + 9 * law.std(), 1501)

    t, u = np.meshgrid(grid(rate), grid(zero), indexing="ij")
    pi = 1 / (1 + np.exp(-u))
    log_l = sum(
        c * np.log((v == 0) * pi + (1 - pi) * np.exp(v * t - np.exp(t) - gammaln(v + 1.0)) + 1e-300)
        for v, c in zip(values, counts, strict=True)
    )
    cell = (t[1, 0] - t[0, 0]) * (u[0, 1] - u[0, 0])
    return float(logsumexp(log_l + rate.logpdf(t) + zero.logpdf(u)) + np.log(cell))
