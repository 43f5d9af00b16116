"""Log-posterior and gradient of Poisson mixtures and latent classes beside a textbook PyMC model on numba."""

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


def cases(*, quick: bool) -> Iterator[Case]:
    """Ten thousand rows; both log-densities are first checked to be one at random points."""
    one_core()
    n = 500 if quick else 10_000
    rng = np.random.default_rng(SEED)
    z = rng.integers(3, size=n)
    for d in (1, 5):
        X = rng.poisson(rng.gamma(4, 1, (3, d))[z])
        yield _case("poisson", "Poisson", X, "rates", pm.Gamma, pm.Poisson, quick)
    X = (rng.random((n, 8)) < rng.uniform(0.1, 0.9, (3, 8))[z]).astype(int)
    yield _case("bernoulli", "latent classes", X, "probs", pm.Beta, pm.Bernoulli, quick)
    yield _answers(rng.choice(4, (n, 12)), quick)


def _answers(X: np.ndarray, quick: bool) -> Case:
    """Latent classes of answers, as textbooks write them."""
    data = bm.Data(pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])]))
    spec = bm.resolve(bm.Mixture("categorical", n_components=3), data)
    with pm.Model() as written:
        weights = pm.Dirichlet("weights", a=np.full(3, 2.0))
        probs = pm.Dirichlet("probs", a=np.ones((3, X.shape[1], 4)))
        by_component = pm.logp(pm.Categorical.dist(p=probs), X[:, None, :]).sum(axis=-1)
        pm.Potential("x", pt.logsumexp(pt.log(weights) + by_component, axis=1).sum())
    return _beside(spec, data, written, "latent classes of answers", quick)


def _case(family: str, title: str, X: np.ndarray, means: str, prior: type, columns: type, quick: bool) -> Case:
    data = bm.Data(pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])]))
    spec = bm.resolve(bm.Mixture(family, n_components=3), data)
    numbers = {key: p.parameters for key, p in spec.priors.items()}
    with pm.Model() as written:
        weights = pm.Dirichlet("weights", a=numbers["weights"]["a"])
        m = prior(means, **numbers[means], shape=(3, X.shape[1]))
        by_component = pm.logp(columns.dist(m), X[:, None, :]).sum(axis=-1)
        pm.Potential("x", pt.logsumexp(pt.log(weights) + by_component, axis=1).sum())
    return _beside(spec, data, written, title, quick)


def _beside(spec: bm.Mixture, data: bm.Data, written: pm.Model, title: str, quick: bool) -> Case:
    ours, other = Compiled(lambda: CompiledModel(bm.build(spec, data)).nutpie_model), peer(written)
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.3, (4, ours.n_dim))
    worst = max(abs(ours(u)[0] - other(u)[0]) / (1 + abs(other(u)[0])) for u in points)
    if not worst < 1e-10:
        raise RuntimeError(f"{title}: the log-densities differ by {worst:.1e} of their size")
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
    n, d = data.x.shape
    name = f"{title}, {d} column{'s' * (d > 1)}, n = {n:,}, K = 3"
    return Case(name, figures, f"log-densities differ by {worst:.0e} of their size")
