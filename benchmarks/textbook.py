"""The mixtures as PyMC's own documentation would have them written, with the priors of a resolved spec."""

from __future__ import annotations

import numpy as np
import pymc as pm
from pymc.distributions.transforms import ordered

import bayesmix as bm
from benchmarks.problems import Problem


def model(problem: Problem) -> pm.Model:
    """``pm.NormalMixture`` in one feature, a ``pm.Mixture`` of ``pm.MvNormal`` in more."""
    build = on_a_line if problem.coordinates.d == 1 else in_space
    return build(problem.spec, problem.X)


def on_a_line(spec: bm.Mixture, X: np.ndarray) -> pm.Model:
    """1-D, ordered means where the spec has them."""
    prior = {key: p.parameters for key, p in spec.priors.items()}
    K = spec.n_components
    order = {"transform": ordered} if spec.order == "means" else {}
    with pm.Model() as built:
        weights = pm.Dirichlet("weights", a=prior["weights"]["a"])
        mu, sigma = prior["means"]["mu"], prior["means"]["sigma"]
        means = pm.Normal("means", mu=_wide(mu, K), sigma=_wide(sigma, K), shape=K, **order)
        scales = pm.InverseGamma("scales", alpha=prior["scales"]["alpha"], beta=_wide(prior["scales"]["beta"], K))
        pm.NormalMixture("x", w=weights, mu=means, sigma=scales, observed=X[:, 0])
    return built


def in_space(spec: bm.Mixture, X: np.ndarray) -> pm.Model:
    """Full covariances by one LKJCholeskyCov per component."""
    prior = {key: p.parameters for key, p in spec.priors.items()}
    K, d = spec.n_components, X.shape[1]
    with pm.Model() as built:
        weights = pm.Dirichlet("weights", a=prior["weights"]["a"])
        means = pm.Normal("means", mu=prior["means"]["mu"], sigma=prior["means"]["sigma"], shape=(K, d))
        components = []
        for k in range(K):
            sd = pm.InverseGamma.dist(alpha=prior["scales"]["alpha"], beta=prior["scales"]["beta"], shape=d)
            eta = float(prior["correlations"]["eta"])
            chol, _, _ = pm.LKJCholeskyCov(f"chol_{k + 1}", n=d, eta=eta, sd_dist=sd)
            components.append(pm.MvNormal.dist(mu=means[k], chol=chol))
        pm.Mixture("x", w=weights, comp_dists=components, observed=X)
    return built


def _wide(value: np.ndarray, K: int) -> np.ndarray:
    """One value per component."""
    return np.broadcast_to(np.ravel(value), K)
