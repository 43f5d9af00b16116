"""One example and one log-joint by SciPy for every family: what tests/families/test_contract.py runs over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
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
    classes: tuple | None = None

    def data(self, rng, n=60, **options):
        options |= {} if self.response is None else {"response": self.response}
        options |= {} if self.classes is None else {"classes": self.classes}
        return bm.Data(self.rows(rng, n), **options)


def gaussian(covariance, d):
    def log_joint(data, params, evidence):
        return naive.gaussian_log_joint(data.x, **params, evidence=evidence)

    return Example(
        bm.Mixture("gaussian", n_components=3, covariance=covariance),
        lambda rng, n: pd.DataFrame(3 * rng.normal(size=(n, d)), columns=[f"c{j}" for j in range(d)]),
        lambda rng: naive.random_gaussian(rng, 3, d, covariance),
        log_joint,
    )


def factors(d, q, K, noise, *, shared=False):
    """Loadings lower triangular with a positive diagonal, as ``params`` hold them."""

    def params(rng):
        loadings = np.tril(rng.normal(size=(K, d, q)))
        loadings[:, range(q), range(q)] = rng.uniform(0.5, 2, size=(K, q))
        shape = (*([] if shared else [K]), *([d] if noise == "diagonal" else []))
        return {
            "weights": rng.dirichlet(np.full(K, 3.0)),
            "means": 2 * rng.normal(size=(K, d)),
            "loadings": loadings,
            "noise_variances": rng.uniform(0.2, 2, size=shape),
        }

    def log_joint(data, params, evidence):
        psi = np.asarray(params["noise_variances"])
        wide = [(psi if shared else psi[k]) * np.ones(d) for k in range(K)]
        covariances = [L @ L.T + np.diag(p) for L, p in zip(params["loadings"], wide, strict=True)]
        return naive.gaussian_log_joint(data.x, params["weights"], params["means"], covariances, evidence)

    def rows(rng, n):
        loadings = np.linspace(0.5, 1.5, d) * np.cos(np.outer(np.arange(q), np.arange(d)))
        x = rng.integers(2, size=(n, 1)) * 3.0 + rng.normal(size=(n, q)) @ loadings + rng.normal(size=(n, d))
        return pd.DataFrame(x, columns=[f"c{j}" for j in range(d)])

    options = {"n_factors": q, "noise": noise, "shared_noise": shared}
    return Example(bm.Mixture("factor_analyzers", n_components=K, **options), rows, params, log_joint)


def zip_rows(rng, n):
    a = rng.normal(2, 1, n)
    return pd.DataFrame({"y": np.where(rng.random(n) < 0.3, 0, rng.poisson(3, n)), "a": a, "t": rng.uniform(1, 3, n)})


def zip_log_joint(data, params, evidence):
    a, t = data.covariates["a"].to_numpy(), data.covariates["t"].to_numpy()
    rate = t * np.exp(params["rate_coef"][0] + params["rate_coef"][1] * a)
    pi = expit(params["zero_coef"][0] + params["zero_coef"][1] * a)
    return naive.zip_log_joint(data.x[:, 0], rate, pi, evidence)


def poisson_log_joint(data, params, evidence):
    by_component = [np.nansum(stats.poisson.logpmf(data.x, rates), axis=1) for rates in params["rates"]]
    return np.log(params["weights"]) + np.stack(by_component, axis=1) + evidence


def bernoulli_log_joint(data, params, evidence):
    by_component = [np.nansum(stats.bernoulli.logpmf(data.x, p), axis=1) for p in params["probs"]]
    return np.log(params["weights"]) + np.stack(by_component, axis=1) + evidence


def fixed(example, known, into):
    """The example with known parameters; ``into`` puts them among random ones, by hand."""
    by_name = any(isinstance(value, dict) for value in known.values())
    return replace(
        example,
        spec=example.spec.replace(fixed=known),
        params=lambda rng: into(example.params(rng)),
        classes=("a", "b", "c") if by_name else None,
    )


def with_unit_scales(params):
    sd = np.sqrt(np.einsum("kjj->kj", params["covariances"]))
    return params | {"covariances": params["covariances"] / (sd[:, :, None] * sd[:, None, :])}


def lecture(params):
    return {"weights": np.full(3, 1 / 3), "means": params["means"], "covariances": np.stack([np.eye(2)] * 3)}


def with_background(params):
    """The second component is the standard normal."""
    means, covariances = params["means"].copy(), params["covariances"].copy()
    means[1], covariances[1] = 0.0, np.eye(2)
    return {"weights": params["weights"], "means": means, "covariances": covariances}


def with_correlation(params):
    """All correlations are 0.3."""
    sd = np.sqrt(np.einsum("kjj->kj", params["covariances"]))
    return params | {"covariances": sd[:, :, None] * sd[:, None, :] * np.array([[1.0, 0.3], [0.3, 1.0]])}


def with_means(params):
    return params | {"means": np.array([[0.0, 0], [1, 1], [0, 2]])}


def with_rates(params):
    return params | {"rates": np.vstack([[1.0, 2.0], params["rates"][1:]])}


BACKGROUND = {
    "means": {"b": [0.0, 0.0]},
    "scales": {"b": 1.0},
    "correlations": {"b": 0.0},
}


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


STRUCTURES = {"EII": 2, "EEI": 2, "VEI": 3, "EVI": 2, "VEE": 3, "EVE": 3, "VVE": 2, "EEV": 2, "VEV": 3, "EVV": 2}
"""Covariance structures by mclust's names, and in how many columns."""
EXAMPLES = {
    "gaussian": gaussian("full", 3),
    "gaussian, tied": gaussian("tied", 2),
    "gaussian, diag": gaussian("diag", 2),
    "gaussian, spherical": gaussian("spherical", 2),
    "gaussian, one feature": gaussian("full", 1),
    **{f"gaussian, {name}": gaussian(name, d) for name, d in STRUCTURES.items()},
    "factor_analyzers": factors(5, 2, 2, "diagonal"),
    "factor_analyzers, shared noise": factors(4, 1, 2, "diagonal", shared=True),
    "factor_analyzers, isotropic": factors(3, 1, 3, "isotropic"),
    "factor_analyzers, one noise": factors(4, 2, 2, "isotropic", shared=True),
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
EXAMPLES |= {
    "gaussian, means alone": fixed(EXAMPLES["gaussian, spherical"], {"scales": 1.0, "weights": "equal"}, lecture),
    "gaussian, known scales": fixed(gaussian("full", 2), {"scales": 1.0}, with_unit_scales),
    "gaussian, tied, known correlation": fixed(gaussian("tied", 2), {"correlations": 0.3}, with_correlation),
    "gaussian, known correlations": fixed(gaussian("full", 2), {"correlations": 0.3}, with_correlation),
    "gaussian, a known component": fixed(gaussian("full", 2), BACKGROUND, with_background),
    "gaussian, known means": fixed(gaussian("full", 2), {"means": [[0, 0], [1, 1], [0, 2]]}, with_means),
    "poisson, a known component": fixed(EXAMPLES["poisson"], {"rates": {"a": [1.0, 2.0]}}, with_rates),
    "zero_inflated_poisson, known zeros": fixed(
        EXAMPLES["zero_inflated_poisson"],
        {"zero_coef": [0.2, -0.1]},
        lambda p: p | {"zero_coef": np.array([0.2, -0.1])},
    ),
    "bernoulli, equal weights": fixed(
        EXAMPLES["bernoulli"], {"weights": "equal"}, lambda p: p | {"weights": np.full(2, 0.5)}
    ),
}


def gappy(example):
    """The same mixture where cells are missing."""
    return replace(example, rows=lambda rng, n: naive.with_gaps(example.rows(rng, n), rng))


for name in ("gaussian", "gaussian, tied", "gaussian, diag", "gaussian, VEV", "poisson", "bernoulli"):
    EXAMPLES[f"{name}, cells missing"] = gappy(EXAMPLES[name])
REPEATS = {
    "gaussian, tied, cells missing",
    "gaussian, diag, cells missing",
    "gaussian, VEV, cells missing",
    *(f"gaussian, {name}" for name in STRUCTURES if name not in ("VEE", "EVE")),
    "bernoulli, cells missing",
    "gaussian, known scales",
    "gaussian, tied, known correlation",
    "gaussian, known means",
    "bernoulli, equal weights",
    "poisson, a known component",
    "factor_analyzers, shared noise",
    "factor_analyzers, one noise",
}
"""Examples of a kind of which another is always run."""
NAMES = [pytest.param(name, marks=pytest.mark.thorough) if name in REPEATS else name for name in EXAMPLES]
__all__ = ["EXAMPLES", "NAMES", "Example"]
