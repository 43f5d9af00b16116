"""Priors in numbers: what each one says, the interval that holds 95% of it, what it expects, how much it matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit

from bayesmix.checks.prior import sensitivity
from bayesmix.inputs.distributions import SCIPY, concentrations
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.report.checks import PRIOR_STATISTICS, predictive_checks
from bayesmix.report.fits import Fits
from bayesmix.report.text import listed, significant

UNCERTAIN_ROWS = 5
LOGITS_OF_SHARE = (-60.0, 37.0, 971)
"""Where the distribution function of a weight is taken: from as good as 0 to as good as 1."""
ROUNDING = 1e-9
"""A prior mean of fewer standard deviations than this is 0."""
MOST_ENTRIES = 6
"""Entries that share a prior are listed up to so many."""
PARAMETER_WORDS = {
    "mu": "mean",
    "sigma": "sd",
    "alpha": "shape",
    "beta": "scale",
    "lam": "rate",
    "a": "concentration",
    "eta": "eta",
}
WORDS_BY_PRIOR = {
    ("StudentT", "mu"): "centre", ("StudentT", "sigma"): "scale", ("StudentT", "nu"): "df",
    ("HalfStudentT", "sigma"): "scale", ("HalfStudentT", "nu"): "df", ("Laplace", "b"): "scale",
    ("Logistic", "s"): "scale", ("Cauchy", "alpha"): "centre", ("Gamma", "beta"): "rate",
    ("Beta", "beta"): "other shape", ("DynamicDirichlet", "df1"): "concentration a / K, a ~ F of df",
    ("DynamicDirichlet", "df2"): "and",
    ("LogNormal", "mu"): "log-mean", ("LogNormal", "sigma"): "log-sd", ("HalfNormal", "sigma"): "scale",
}  # fmt: skip


def _quantiles(name: str, p: Mapping[str, float], q: np.ndarray) -> Any:
    """Quantiles of one scalar, by SciPy."""
    if name == "HalfStudentT":
        return stats.t(p["nu"], 0, p["sigma"]).ppf((1 + q) / 2)
    if name == "PooledScales":
        return np.sqrt(stats.betaprime(p["level_shape"], p["alpha"], scale=1 / p["level_rate"]).ppf(q))
    if name == "PooledRates":
        return stats.betaprime(p["alpha"], p["level_shape"], scale=p["level_rate"]).ppf(q)
    return SCIPY[name](**p).ppf(q)


def central95(prior: Prior, where: Mapping[str, float], *, size: int, total: float) -> np.ndarray:
    """The central 95% interval of one scalar under its prior (the marginal one for weights and correlations).

    ``size``: how many features correlations are of, and how many components share dynamic weights out.
    """
    q = np.array([0.025, 0.975])
    if prior.support == "simplex":
        return np.asarray(stats.beta(where["a"], total - where["a"]).ppf(q))
    if prior.support == "dynamic":
        return _of_share(prior, size, q)
    if prior.support == "correlation":
        b = where["eta"] - 1 + size / 2
        return np.asarray(2 * stats.beta(b, b).ppf(q) - 1)
    return np.asarray(_quantiles(prior.distribution, where, q))


def _of_share(prior: Prior, K: int, q: np.ndarray) -> np.ndarray:
    """Quantiles of one weight of K, Beta(a / K, a - a / K) averaged over a."""
    a, log_weight = concentrations(prior)
    if K == 1:
        return np.ones(2)
    logits = np.linspace(*LOGITS_OF_SHARE)
    below = np.exp(log_weight) @ stats.beta(a[:, None] / K, (a - a / K)[:, None]).cdf(expit(logits))
    return np.asarray(expit(np.interp(q, below, logits)))


def rows(likelihood: Likelihood, variable: str, prior: Prior) -> list[tuple[str, str, str]]:
    """(of what, the distribution in numbers, central 95%), one row per distinct prior of the variable."""
    if prior.support == "real vector":
        return _of_vector(likelihood, variable, prior)
    dims = likelihood.dims[variable]
    by_matrix = prior.support == "correlation"
    shape = () if by_matrix else tuple(len(likelihood.coords[d]) for d in dims)
    table = {name: np.broadcast_to(value, shape) for name, value in prior.parameters.items()}
    size = len(likelihood.coords["feature"]) if by_matrix else shape[-1] if prior.support == "dynamic" else 1
    totals = _totals(likelihood, variable, table["a"]) if "a" in table else np.zeros(shape)
    places_by_prior: dict[tuple[float, ...], list[tuple[int, ...]]] = {}
    for place in np.ndindex(shape):
        places_by_prior.setdefault((*(float(a[place]) for a in table.values()), float(totals[place])), []).append(place)
    out = []
    for (*values, total), places in places_by_prior.items():
        where = dict(zip(table, values, strict=True))
        lower, upper = central95(prior, where, size=size, total=total)
        label = _label(likelihood, dims, places, len(places_by_prior), shape)
        out.append((label, _words(prior, where), f"{significant(lower)} to {significant(upper)}"))
    return out


def known_rows(likelihood: Likelihood, variable: str) -> list[tuple[str, str]]:
    """(of what, "known: 1"), one row for each distinct value; none where all entries have a prior."""
    if variable not in likelihood.known:
        return []
    values, dims = likelihood.known[variable], likelihood.dims[variable]
    places_by_value: dict[float, list[tuple[int, ...]]] = {}
    for place in zip(*np.nonzero(~np.isnan(values)), strict=True):
        places_by_value.setdefault(float(values[place]), []).append(tuple(int(i) for i in place))
    distinct = len(places_by_value) + bool(np.isnan(values).any())
    return [
        (_label(likelihood, dims, places, distinct, values.shape), f"known: {value:g}")
        for value, places in places_by_value.items()
    ]


def _totals(likelihood: Likelihood, variable: str, a: np.ndarray) -> np.ndarray:
    """The sum of the concentrations of the simplex that each scalar belongs to."""
    blocks = next(p.blocks for p in likelihood.parameters if p.name == variable) or a.shape[-1:]
    first = np.append(0, np.cumsum(blocks))[:-1]
    return np.repeat(np.add.reduceat(a, first, axis=-1), blocks, axis=-1)


def _of_vector(likelihood: Likelihood, variable: str, prior: Prior) -> list[tuple[str, str, str]]:
    """What a joint normal prior says of the linear predictor, then of each coefficient by itself."""
    (dim,) = likelihood.dims[variable]
    mu, chol = (prior.parameters[name] for name in ("mu", "chol"))
    sds = np.linalg.norm(chol, axis=1)
    normals = [*_of_predictor(likelihood, variable.removesuffix("_coef"), mu, chol)]
    normals += [
        (f"{term}, by itself", float(m), float(s)) for term, m, s in zip(likelihood.coords[dim], mu, sds, strict=True)
    ]
    out = []
    for label, mean, sd in normals:
        where = {"mu": mean if abs(mean) > ROUNDING * sd else 0.0, "sigma": sd}
        lower, upper = _quantiles("Normal", where, np.array([0.025, 0.975]))
        words = _words(Prior("Normal", **where), where)
        out.append((label, words, f"{significant(lower)} to {significant(upper)}"))
    return out


def _of_predictor(
    likelihood: Likelihood, part: str, mu: np.ndarray, chol: np.ndarray
) -> list[tuple[str, float, float]]:
    """The level at the average covariates, and a standard deviation of any direction of slopes where all have one."""
    at = next(linear.at for linear in likelihood.linears if linear.name == part)
    mean, A = at.coordinates(mu), at.R @ chol
    if not at.has_constant:
        return []
    rest = np.eye(len(mu)) - np.outer(at.constant, at.constant)
    V = rest @ (A @ A.T) @ rest
    sd = float(np.sqrt(np.trace(V) / (len(mu) - 1)))
    level = [("level at the average covariates", float(at.constant @ mean), float(np.linalg.norm(A.T @ at.constant)))]
    same = np.allclose(V, sd**2 * rest, atol=1e-6 * sd**2) and np.allclose(rest @ mean, 0, atol=1e-6 * sd)
    return [*level, ("one standard deviation of any combination of covariates", 0.0, sd)] if same else level


def _label(
    likelihood: Likelihood, dims: tuple[str, ...], places: list[tuple[int, ...]], distinct: int, shape: tuple[int, ...]
) -> str:
    """Which scalars share a prior: all of them, a feature in every component, or some by name."""
    if distinct == 1:
        return "each pair of features" if "pair" in dims else "each" if shape and shape != (1,) else ""
    if len(dims) > 1 and "feature" in dims:
        axis = dims.index("feature")
        features = {place[axis] for place in places}
        if len(features) == 1 and len(places) * shape[axis] == np.prod(shape):
            return likelihood.coords["feature"][features.pop()]
    entries = list(dict.fromkeys(place[-1] for place in places))
    if len(dims) == 2 and len(places) == shape[0] * len(entries):
        return listed([likelihood.coords[dims[1]][j] for j in entries], most=MOST_ENTRIES)
    return ", ".join(" / ".join(likelihood.coords[d][i] for d, i in zip(dims, p, strict=True)) for p in places)


def _words(prior: Prior, where: Mapping[str, float]) -> str:
    inside = ", ".join(
        f"{WORDS_BY_PRIOR.get((prior.distribution, name), PARAMETER_WORDS.get(name, name))} {significant(value, 4)}"
        for name, value in where.items()
    )
    return f"{prior.distribution}({inside})"


def prior_numbers(fits: Fits) -> dict[str, Any]:
    """Sums of the data among those of data sets from the prior, or the problem; the sensitivity to the prior."""
    data_sets = fits.prior_data_sets
    known = {} if fits.dt.attrs.get("extended_model") else _sensitivity(fits)
    if isinstance(data_sets, str):
        return {"predictive": {}, "rows": 0, "problem": data_sets, "sensitivity": known}
    checks = predictive_checks(data_sets.likelihood, data_sets.x, PRIOR_STATISTICS)
    return {"predictive": checks, "rows": len(data_sets.likelihood.data), "problem": "", "sensitivity": known}


def _sensitivity(fits: Fits) -> dict[str, Any]:
    """Power-scaling sensitivity, with that of the least certain rows; of rows that are alike one."""
    entropy = fits.comparison.responsibilities["entropy"].to_numpy().round(6)
    uncertain, rows = np.unique(-entropy, return_index=True)
    table = sensitivity(fits.record, rows[uncertain < 0][:UNCERTAIN_ROWS])
    return {str(name): row.to_dict() for name, row in table.iterrows()}
