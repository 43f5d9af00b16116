"""Independent computations: SciPy's distributions and formulas written out, one component at a time."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import betaln, expit, logsumexp


def gaussian_log_joint(x, weights, means, covariances, evidence):
    """log w_k + a_ik + log N(x_i | mu_k, Sigma_k), (n, K); of a row with missing cells the marginal of the others."""
    columns = [
        np.log(w) + evidence[:, k] + normal_log_density(x, m, S)
        for k, (w, m, S) in enumerate(zip(weights, means, covariances, strict=True))
    ]
    return np.column_stack(columns)


def normal_log_density(x, mean, covariance):
    """log N(x_i | mu, Sigma) over the cells that are there, one pattern of missing cells at a time, (n,)."""
    found, gone = np.zeros(len(x)), np.isnan(x)
    for pattern in np.unique(gone, axis=0):
        there, rows = np.flatnonzero(~pattern), np.flatnonzero((gone == pattern).all(axis=1))
        if len(there):
            own = stats.multivariate_normal(mean[there], covariance[np.ix_(there, there)])
            found[rows] = own.logpdf(x[np.ix_(rows, there)])
    return found


def with_gaps(frame, rng, share=0.2):
    """A table with cells missing at random; of its second row all are."""
    gone = rng.random(frame.shape) < share
    gone[1] = True
    return frame.astype(float).mask(gone)


def zip_log_joint(x, rate, zero_prob, evidence):
    """(log pi_i + log [x_i = 0], log(1 - pi_i) + log Poisson(x_i | lambda_i)) + a_ik, (n, 2)."""
    with np.errstate(divide="ignore"):
        structural = np.log(zero_prob) + np.log((x == 0).astype(float))
    poisson = np.log1p(-zero_prob) + stats.poisson.logpmf(x, rate)
    return np.column_stack([structural, poisson]) + evidence


def total(log_joint, row_weights=1.0):
    """L = sum_i v_i logsumexp_k."""
    return float(np.sum(row_weights * logsumexp(log_joint, axis=1)))


def posterior_probabilities(log_joint):
    """r_ik by Bayes' rule."""
    joint = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    return joint / joint.sum(axis=1, keepdims=True)


def random_gaussian(rng, K, d, kind, scale=1.0, offset=0.0):
    """Weights, means and covariances of a kind, far from any structure."""
    weights = rng.dirichlet(np.full(K, 3.0))
    means = offset + scale * rng.normal(size=(K, d)) * 2
    A = rng.normal(size=(K, d, d + 2))
    covariances = scale**2 * A @ A.transpose(0, 2, 1) / (d + 2)
    if kind == "tied":
        covariances = np.repeat(covariances[:1], K, axis=0)
    if kind.isupper():
        covariances = scale**2 * random_structured(rng, K, d, kind)
    if kind in ("diag", "spherical"):
        covariances = np.array([np.diag(np.diag(S)) for S in covariances])
    if kind == "spherical":
        covariances = np.array([np.eye(d) * S[0, 0] for S in covariances])
    return {"weights": weights, "means": means, "covariances": covariances}


def structured(sizes, shapes, axes):
    """lambda_k D_k A_k D_k' from lambda (K or 1,), log-shapes (K or 1, d), D (K or 1, d, d), one by one."""
    K = max(map(len, (sizes, shapes, axes)))
    out = []
    for k in range(K):
        size, log_shape, D = (a[k % len(a)] for a in (sizes, shapes, axes))
        out.append(size * D @ np.diag(np.exp(log_shape - log_shape.mean())) @ D.T)
    return np.array(out)


def random_structured(rng, K, d, name):
    """Covariances (K, d, d) of one of the fourteen structures, by mclust's name."""
    n = {"E": 1, "V": K, "I": 1}
    volume, shape, orientation = name
    shapes = np.zeros((1, d)) if shape == "I" else 1.5 * rng.normal(size=(n[shape], d))
    axes = [
        np.eye(d) if orientation == "I" else stats.ortho_group.rvs(d, random_state=rng) for _ in range(n[orientation])
    ]
    both = structured(rng.uniform(0.5, 2, n[volume]), shapes, np.array(axes))
    return np.broadcast_to(both, (K, d, d)).copy()


def simplex(y):
    """The simplex point of unconstrained y, and log |d x_1..K-1 / d y| by the determinant of the Jacobian."""
    e = np.exp(np.append(y, -y.sum()))
    x = e / e.sum()
    J = x[:-1, None] * (np.eye(len(y)) - x[None, :-1] + x[-1])
    return x, np.linalg.slogdet(J)[1]


def ordered(y):
    """Ascending values and the log-Jacobian."""
    return y[0] + np.append(0.0, np.exp(y[1:]).cumsum()), y[1:].sum()


def correlation_matrix(p, d):
    """Correlations from partial correlations p_ij given 0..j-1, by their recursion (Joe 2006)."""
    rows, columns = np.tril_indices(d, k=-1)
    partial = dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), p, strict=True))
    R = np.eye(d, dtype=np.asarray(p).dtype)
    for (i, j), value in partial.items():
        r = value
        for m in reversed(range(j)):
            a, b = partial[i, m], partial[j, m]
            r = r * np.sqrt((1 - a**2) * (1 - b**2)) + a * b
        R[i, j] = R[j, i] = r
    return R


def lkj_log_density(R, eta):
    """log of det(R)^(eta - 1) / c, c from Lewandowski, Kurowicka and Joe (2009), equation 16."""
    d = len(R)
    k = np.arange(1, d)
    b = eta + (d - k - 1) / 2
    log_c = ((2 * eta - 2 + d - k) * (d - k)).sum() * np.log(2) + ((d - k) * betaln(b, b)).sum()
    return (eta - 1) * np.linalg.slogdet(R)[1] - log_c


def correlations(y, d):
    """R from unconstrained y (logits of (1 + p) / 2), and log |d R_below / d y| by complex steps."""
    lower = np.tril_indices(d, k=-1)
    R = correlation_matrix(2 * expit(y) - 1, d)
    J = np.empty((len(y), len(y)))
    for j in range(len(y)):
        step = y.astype(complex)
        step[j] += 1e-30j
        J[:, j] = correlation_matrix(2 / (1 + np.exp(-step)) - 1, d)[lower].imag / 1e-30
    return R, np.linalg.slogdet(J)[1]


SCIPY = {
    "Normal": lambda mu, sigma: stats.norm(mu, sigma),
    "StudentT": lambda nu, mu, sigma: stats.t(nu, mu, sigma),
    "InverseGamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
    "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    "Gamma": lambda alpha, beta: stats.gamma(alpha, scale=1 / np.asarray(beta)),
    "HalfNormal": lambda sigma: stats.halfnorm(scale=sigma),
    "Exponential": lambda lam: stats.expon(scale=1 / np.asarray(lam)),
    "Laplace": lambda mu, b: stats.laplace(mu, b),
    "Logistic": lambda mu, s: stats.logistic(mu, s),
    "Cauchy": lambda alpha, beta: stats.cauchy(alpha, beta),
    "HalfCauchy": lambda beta: stats.halfcauchy(scale=beta),
    "HalfStudentT": lambda nu, sigma: stats.truncate(stats.make_distribution(stats.t)(df=nu) * sigma, lb=0),
}


def prior_log_density(prior, value):
    """Sum over all entries of a univariate prior; that of a vector as a whole."""
    if prior.distribution == "MvNormal":
        chol = prior.parameters["chol"]
        return stats.multivariate_normal(prior.parameters["mu"], chol @ chol.T).logpdf(value)
    return SCIPY[prior.distribution](**prior.parameters).logpdf(value).sum()


def gaussian_log_posterior(y, priors, x, evidence, row_weights, kind):
    """Log prior + log-Jacobians + L, at unconstrained values ``y`` named as PyMC names them."""
    d, K = x.shape[1], evidence.shape[1]
    lp = 0.0
    if K > 1:
        weights, jacobian = simplex(y["weights_simplex__"])
        lp += stats.dirichlet(priors["weights"].parameters["a"]).logpdf(weights) + jacobian
    else:
        weights = np.ones(1)
    if "means" in y:
        means = y["means"]
    else:
        means, jacobian = ordered(y["means_ordered__"][:, 0])
        means, lp = means[:, None], lp + jacobian
    lp += prior_log_density(priors["means"], means)
    scales = np.exp(y["scales_log__"])
    lp += prior_log_density(priors["scales"], scales) + y["scales_log__"].sum()
    sd = {"full": scales, "diag": scales, "tied": np.tile(scales, (K, 1))}.get(kind)
    sd = np.tile(scales[:, None], (1, d)) if sd is None else sd
    R = np.tile(np.eye(d), (K, 1, 1))
    if "partial_correlations_01_logodds__" in y:
        for k, z in enumerate(np.atleast_2d(y["partial_correlations_01_logodds__"])):
            R[k], jacobian = correlations(z, d)
            lp += lkj_log_density(R[k], float(priors["correlations"].parameters["eta"])) + jacobian
        R = np.tile(R[:1], (K, 1, 1)) if kind == "tied" else R
    covariances = sd[:, :, None] * R * sd[:, None, :]
    return lp + total(gaussian_log_joint(x, weights, means, covariances, evidence), row_weights)


def coordinates(X, row_weights):
    """R, upper triangular, with R'R = X' V X / sum v: coefficients are drawn in the coordinates z = R beta."""
    return np.linalg.cholesky((X.T * row_weights) @ X / row_weights.sum()).T


def zip_log_posterior(y, priors, x, designs, R, evidence, row_weights):
    """Log prior + log-Jacobians + L for the zero-inflated Poisson, at coordinates of both parts' coefficients."""
    beta = {v: np.linalg.solve(R[v], y[f"{v}_orthonormal__"]) for v in R}
    lp = sum(prior_log_density(priors[v], beta[v]) - np.linalg.slogdet(R[v])[1] for v in R)
    eta, zeta = (designs[v] @ beta[v] for v in ("rate_coef", "zero_coef"))
    return lp + total(zip_log_joint(x, np.exp(eta), expit(zeta), evidence), row_weights)


def hessian(f, x, steps):
    """Second derivatives of a scalar function by fourth-order central differences."""
    n = len(x)
    H = np.empty((n, n))
    offsets, weights = np.array([-2, -1, 1, 2]), np.array([1, -8, 8, -1]) / 12
    for i in range(n):
        for j in range(i, n):
            e_i, e_j = np.eye(n)[i] * steps[i], np.eye(n)[j] * steps[j]
            values = [[f(x + a * e_i + b * e_j) for b in offsets] for a in offsets]
            H[i, j] = H[j, i] = weights @ np.array(values) @ weights / (steps[i] * steps[j])
    return H
