"""Log-posterior and gradient of mixtures of factor analysers beside a textbook PyMC model on numba."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from benchmarks.compiled import Compiled, peer
from benchmarks.environment import SEED
from benchmarks.figures import Case, Figure, median
from benchmarks.timing import budget, one_core, take_turns

AT_LEAST = 5.0
K = 3


def cases(*, quick: bool) -> Iterator[Case]:
    """Ten thousand rows, one factor; both log-densities are first checked to be one at random points."""
    one_core()
    n = 500 if quick else 10_000
    rng = np.random.default_rng(SEED)
    for d in (4,) if quick else (4, 10, 20):
        z = rng.integers(K, size=n)
        loadings = rng.normal(size=(K, d))
        X = 3 * rng.normal(size=(K, d))[z] + rng.normal(size=(n, 1)) * loadings[z] + rng.normal(size=(n, d))
        yield _case(X, quick)


def _case(X: np.ndarray, quick: bool) -> Case:
    n, d = X.shape
    data = bm.Data(pd.DataFrame(X, columns=[f"c{j}" for j in range(d)]))
    spec = bm.resolve(bm.Mixture("factor_analyzers", n_components=K), data)
    ours, other = Compiled(lambda: CompiledModel(bm.build(spec, data)).nutpie_model), peer(_textbook(spec, X))
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.3, (4, ours.n_dim))
    worst = max(abs(ours(u)[0] - other(u)[0]) / (1 + abs(other(u)[0])) for u in points)
    if not worst < 1e-10:
        raise RuntimeError(f"factor analysers: the log-densities differ by {worst:.1e} of their size")
    contestants = {"ours": ours.contestant(points[0]), "numba": other.contestant(points[0])}
    seconds = take_turns(contestants, budget(quick), one_thread=True)
    time = {name: median(s, "ms", 1e3) for name, s in seconds.items()}
    figures = {
        "ours": time["ours"],
        "textbook, numba": time["numba"],
        "ratio to numba": time["numba"].per(time["ours"], at_least=AT_LEAST),
        "compile, ours": Figure(ours.seconds, "s"),
        "compile, numba": Figure(other.seconds, "s"),
    }
    name = f"factor analysers, {d} columns, 1 factor, n = {n:,}, K = {K}"
    return Case(name, figures, f"log-densities differ by {worst:.0e} of their size")


def _textbook(spec: bm.Mixture, X: np.ndarray) -> pm.Model:
    """A ``pm.Mixture`` of ``pm.MvNormal`` with covariances Lambda Lambda' + Psi."""
    prior = {key: p.parameters for key, p in spec.priors.items()}
    d = X.shape[1]
    with pm.Model() as built:
        weights = pm.Dirichlet("weights", a=prior["weights"]["a"])
        means = pm.Normal("means", **prior["means"], shape=(K, d))
        psi = pm.InverseGamma("noise_variances", **prior["noise_variances"], shape=(K, d))
        loadings = prior["loadings"]["sigma"][:, 0] * pm.Normal("entries", 0.0, 1.0, shape=(K, d))
        covariances = [pt.outer(loadings[k], loadings[k]) + pt.diag(psi[k]) for k in range(K)]
        components = [pm.MvNormal.dist(mu=means[k], cov=covariances[k]) for k in range(K)]
        pm.Mixture("x", w=weights, comp_dists=components, observed=X)
    return built
