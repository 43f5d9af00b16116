"""Whole calls of ``bm.sample`` from ten features on, and the textbook model's ``pm.sample`` on the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import arviz as az
import numpy as np
import pymc as pm
import xarray as xr

import bayesmix as bm
from benchmarks import textbook
from benchmarks.environment import SEED
from benchmarks.figures import Case, Figure
from benchmarks.nuts import worst
from benchmarks.timing import timed

SIZES = (
    (300, 10, 2, "full"),
    (300, 30, 2, "tied"),
    (1_000, 50, 3, "diag"),
    (2_000, 10, 4, "full"),
    (2_000, 20, 3, "full"),
    (20_000, 8, 5, "full"),
)
"""Rows, features, components, covariance."""
BESIDE = SIZES[:1]
"""Where the textbook model ends within minutes."""
AT_LEAST = 10.0
PARAMETERS = ["weights", "means"]


def cases(*, quick: bool) -> Iterator[Case]:
    """Groups of unit variance, means 2.5 standard deviations apart in every feature."""
    if quick:
        yield from _both(60, 2, 2, "full")
        return
    best = {}
    for size in SIZES:
        best[size] = _ours(*size)
        yield Case(f"ours, {_name(*size)}", best[size][0], best[size][1])
    for size in BESIDE:
        yield _peer(*size, best[size][0])


def _both(n: int, d: int, K: int, covariance: str) -> Iterator[Case]:
    figures, remark = _ours(n, d, K, covariance)
    yield Case(f"ours, {_name(n, d, K, covariance)}", figures, remark)
    yield _peer(n, d, K, covariance, figures)


def _name(n: int, d: int, K: int, covariance: str) -> str:
    return f"{d}-D {covariance}, n = {n:,}, K = {K}"


def _rows(n: int, d: int, K: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows, and the means that made them."""
    rng = np.random.default_rng(0)
    means, z = rng.normal(size=(K, d)) * 2.5, rng.integers(K, size=n)
    return means[z] + rng.normal(size=(n, d)), means


def _ours(n: int, d: int, K: int, covariance: str) -> tuple[dict[str, Figure], str]:
    """A first call with few draws fills the caches on disk; the second is the user's next."""
    spec, data = bm.Mixture("gaussian", n_components=K, covariance=covariance), bm.Data(_rows(n, d, K)[0])
    bm.sample(spec, data, draws=20, tune=20, chains=2, seed=SEED, progress=False)
    seconds, dt = timed(lambda: bm.sample(spec, data, seed=SEED, progress=False))
    check = bm.diagnose(dt)
    return _figures(dt, seconds), "every check passes" if check.ok else "; ".join(p.message for p in check.problems)


def _peer(n: int, d: int, K: int, covariance: str, ours: dict[str, Figure]) -> Case:
    """``pm.sample`` with its defaults, begun at the means that made the rows."""
    X, means = _rows(n, d, K)
    spec = bm.resolve(bm.Mixture("gaussian", n_components=K, covariance=covariance), bm.Data(X))
    with textbook.in_space(spec, X):
        seconds, dt = timed(
            lambda: pm.sample(initvals={"means": means}, random_seed=SEED, progressbar=False, quiet=True)
        )
    figures = _figures(dt, seconds)
    key = "ESS per second"
    ratio = replace(ours[key].per(figures[key]), at_least=AT_LEAST)
    return Case(f"pm.sample, {_name(n, d, K, covariance)}", figures | {"ours, times as many per second": ratio})


def _figures(dt: xr.DataTree, seconds: float) -> dict[str, Figure]:
    posterior = dt["posterior"].to_dataset()[PARAMETERS]
    ess = worst(az.ess(posterior), np.min)
    return {
        "whole call": Figure(seconds, "s"),
        "smallest bulk ESS": Figure(ess),
        "ESS per second": Figure(ess / seconds, "/s"),
        "largest R-hat": Figure(worst(az.rhat(posterior), np.max)),
        "draws": Figure(posterior.sizes["chain"] * posterior.sizes["draw"]),
    }
