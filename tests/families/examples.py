"""One example and one log-joint by SciPy for every family: what tests/families/test_contract.py runs over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

import bayesmix as bm
import naive


@dataclass(frozen=True)
class Example:
    """A mixture, rows for it, parameters, and log w_k + a_ik + log f(x_i | theta_k) (n, K) by SciPy."""

    spec: bm.Mixture
    rows: Callable
    params: Callable
    log_joint: Callable
    labels: tuple = ("a", "b")
    response: str | None = None

    def data(self, rng, n=60, **options):
        response = {} if self.response is None else {"response": self.response}
        return bm.Data(self.rows(rng, n), **response, **options)


def gaussian(covariance, d):
    def log_joint(data, params, evidence):
        return naive.gaussian_log_joint(data.x, **params, evidence=evidence)

    return Example(
        bm.Mixture("gaussian", n_components=3, covariance=covariance),
        lambda rng, n: pd.DataFrame(3 * rng.normal(size=(n, d)), columns=[f"c{j}" for j in range(d)]),
        lambda rng: naive.random_gaussian(rng, 3, d, covariance),
        log_joint,
    )


def zip_rows(rng, n):
    a = rng.normal(2, 1, n)
    return pd.DataFrame({"y": np.where(rng.random(n) < 0.3, 0, rng.poisson(3, n)), "a": a, "t": rng.uniform(1, 3, n)})


def zip_log_joint(data, params, evidence):
    a, t = data.covariates["a"].to_numpy(), data.covariates["t"].to_numpy()
    rate = t * np.exp(params["rate_coef"][0] + params["rate_coef"][1] * a)
    pi = expit(params["zero_coef"][0] + params["zero_coef"][1] * a)
    return naive.zip_log_joint(data.x[:, 0], rate, pi, evidence)


def poisson_log_joint(data, params, evidence):
    by_component = [stats.poisson.logpmf(data.x, rates).sum(axis=1) for rates in params["rates"]]
    return np.log(params["weights"]) + np.stack(by_component, axis=1) + evidence


def bernoulli_log_joint(data, params, evidence):
    by_component = [stats.bernoulli.logpmf(data.x, p).sum(axis=1) for p in params["probs"]]
    return np.log(params["weights"]) + np.stack(by_component, axis=1) + evidence


LEVELS = {"smokes": ["no", "yes"], "rating": ["poor", "fair", "good", "best"], "visits": [0, 1, 5]}
"""Of every column: words, ordered categories, numbers."""


def answer_rows(rng, n):
    """Every level occurs, and one cell in nine is missing."""
    columns = {}
    for name, levels in LEVELS.items():
        codes = np.where(np.arange(n) < len(levels), np.arange(n), rng.integers(len(levels), size=n))
        column = pd.Series(np.array(levels, dtype=object)[codes])
        columns[name] = column.mask((np.arange(n) >= len(levels)) & (rng.random(n) < 1 / 9))
    frame = pd.DataFrame(columns)
    return frame.assign(rating=pd.Categorical(frame["rating"], LEVELS["rating"], ordered=True))


def answer_params(rng):
    probs = [rng.dirichlet(np.full(len(levels), 3.0), 2) for levels in LEVELS.values()]
    return {"weights": rng.dirichlet([3, 3]), "probs": np.hstack(probs)}


def answer_log_joint(data, params, evidence):
    out = np.log(params["weights"]) + evidence
    first = 0
    for x, levels in zip(data.x.T, LEVELS.values(), strict=True):
        own = params["probs"][:, first : first + len(levels)]
        first += len(levels)
        for i in np.flatnonzero(~np.isnan(x)):
            out[i] += [stats.multinomial.logpmf(np.eye(len(levels))[int(x[i])], 1, p) for p in own]
    return out


EXAMPLES = {
    "gaussian": gaussian("full", 3),
    "gaussian, tied": gaussian("tied", 2),
    "gaussian, diag": gaussian("diag", 2),
    "gaussian, spherical": gaussian("spherical", 2),
    "gaussian, one feature": gaussian("full", 1),
    "zero_inflated_poisson": Example(
        bm.Mixture("zero_inflated_poisson", rate="1 + a", zero="1 + a", exposure="t"),
        zip_rows,
        lambda rng: {v: 0.3 * rng.normal(size=2) for v in ("rate_coef", "zero_coef")},
        zip_log_joint,
        labels=("poisson",),
        response="y",
    ),
    "poisson": Example(
        bm.Mixture("poisson", n_components=3),
        lambda rng, n: pd.DataFrame(rng.poisson(rng.choice([1.0, 6.0], (n, 1)) * [1.0, 2.0]), columns=["u", "v"]),
        lambda rng: {"weights": rng.dirichlet([3, 3, 3]), "rates": rng.gamma(3, 1, (3, 2))},
        poisson_log_joint,
    ),
    "bernoulli": Example(
        bm.Mixture("bernoulli", n_components=2),
        lambda rng, n: pd.DataFrame(rng.random((n, 4)) < rng.choice([0.2, 0.7], (n, 1)), columns=list("pqrs")).astype(
            int
        ),
        lambda rng: {"weights": rng.dirichlet([3, 3]), "probs": rng.uniform(0.1, 0.9, (2, 4))},
        bernoulli_log_joint,
    ),
    "categorical": Example(bm.Mixture("categorical", n_components=2), answer_rows, answer_params, answer_log_joint),
}
__all__ = ["EXAMPLES", "Example"]
