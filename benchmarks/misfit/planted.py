"""Data that the fitted mixture cannot describe, each in one way: ten data sets of every kind.

Fixed before any was fitted: the rules below and the seeds 1 to 10.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

import bayesmix as bm
from benchmarks.alarm.case import Case, gaussian, layout_of

DATA_SETS = 10
ZIP = "zero_inflated_poisson"

type Made = tuple[bm.Mixture, bm.Data]


def groups(rng: np.random.Generator, n: int, d: int, K: int = 2, apart: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """The group of every row and its place, ``apart`` standard deviations from one group to the next."""
    z = rng.choice(K, n)
    places = apart * np.arange(K)[:, None] * np.ones(d) / np.sqrt(d)
    places[:, -1] += np.where(np.arange(K) % 2, apart / 2, 0.0) if d > 1 else 0.0
    return z, places[z]


def heavy_tail(rng: np.random.Generator) -> Made:
    """Two groups with Student's t of 3 degrees of freedom."""
    _, place = groups(rng, 400, 1, apart=10.0)
    return gaussian(2)[0], bm.Data(place + rng.standard_t(3, (400, 1)))


def missing_component(rng: np.random.Generator) -> Made:
    """Three groups in the plane, fitted by two components."""
    _, place = groups(rng, 300, 2, K=3, apart=5.0)
    return gaussian(2, 2)[0], bm.Data(place + rng.standard_normal((300, 2)))


def outlier_cluster(rng: np.random.Generator) -> Made:
    """Two groups, and one row in twenty in a small cluster far from both."""
    _, place = groups(rng, 300, 2)
    x = place + rng.standard_normal((300, 2))
    x[:15] = [-6.0, 12.0] + 0.3 * rng.standard_normal((15, 2))
    return gaussian(2, 2)[0], bm.Data(x)


def skewness(rng: np.random.Generator) -> Made:
    """Two groups with exponentials of normal numbers."""
    _, place = groups(rng, 300, 2, apart=8.0)
    return gaussian(2, 2)[0], bm.Data(place + np.exp(0.6 * rng.standard_normal((300, 2))))


def flat(rng: np.random.Generator) -> Made:
    """Two groups with uniform numbers."""
    _, place = groups(rng, 400, 1)
    return gaussian(2)[0], bm.Data(place + rng.uniform(-np.sqrt(3), np.sqrt(3), (400, 1)))


def dependence(rng: np.random.Generator) -> Made:
    """Two groups whose features correlate by 0.6, fitted with a diagonal covariance."""
    _, place = groups(rng, 200, 2)
    x = place + rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 200)
    return gaussian(2, 2, "diag")[0], bm.Data(x)


def spread(rng: np.random.Generator) -> Made:
    """Two groups, one twice as wide as the other, fitted with a tied covariance."""
    z, place = groups(rng, 200, 2, apart=8.0)
    return gaussian(2, 2, "tied")[0], bm.Data(place + (1.0 + z[:, None]) * rng.standard_normal((200, 2)))


def counted(rng: np.random.Generator, make: Callable[..., np.ndarray], n: int, *, rate: str, zero: str) -> Made:
    """Counts of covariates a and b, both in the table."""
    a, b = rng.standard_normal((2, n))
    frame = pd.DataFrame({"count": make(a, b), "a": a, "b": b})
    return bm.Mixture(ZIP, rate=rate, zero=zero), bm.Data(frame, response="count")


def overdispersion(rng: np.random.Generator) -> Made:
    """A zero-inflated negative binomial of size 1.5."""

    def make(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        rate = np.exp(1.0 + 0.4 * a)
        return np.where(rng.random(len(a)) < 0.3, 0, rng.negative_binomial(1.5, 1.5 / (1.5 + rate)))

    return counted(rng, make, 240, rate="1 + a", zero="1")


def zero_part(rng: np.random.Generator) -> Made:
    """Structural zeros depend on b, which is in the rate's formula and not in the zero part's."""

    def make(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        zero = rng.random(len(a)) < 1 / (1 + np.exp(0.8 - 1.2 * b))
        return np.where(zero, 0, rng.poisson(np.exp(1.2 + 0.3 * b)))

    return counted(rng, make, 300, rate="1 + b", zero="1")


def ignored_covariate(rng: np.random.Generator) -> Made:
    """The rate depends on b too, which no formula names."""

    def make(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(rng.random(len(a)) < 0.3, 0, rng.poisson(np.exp(1.2 + 0.3 * a + 0.5 * b)))

    return counted(rng, make, 300, rate="1 + a", zero="1")


def curve(rng: np.random.Generator) -> Made:
    """The logarithm of the rate is a parabola of a, fitted by a line."""

    def make(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(rng.random(len(a)) < 0.3, 0, rng.poisson(np.exp(1.5 + 0.2 * a - 0.35 * a**2)))

    return counted(rng, make, 300, rate="1 + a", zero="1")


def capped(rng: np.random.Generator) -> Made:
    """Counts out of eight, which vary less than a Poisson distribution."""

    def make(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.where(rng.random(len(a)) < 0.3, 0, rng.binomial(8, 0.6, len(a)))

    return counted(rng, make, 300, rate="1", zero="1")


KINDS: dict[str, Callable[[np.random.Generator], Made]] = {
    "overdispersion": overdispersion,
    "heavy tail": heavy_tail,
    "missing component": missing_component,
    "outlier cluster": outlier_cluster,
    "skewness": skewness,
    "zero part": zero_part,
    "dependence under diag": dependence,
    "ignored covariate": ignored_covariate,
    "flat groups": flat,
    "spread under tied": spread,
    "curve": curve,
    "capped counts": capped,
}


def _case(kind: str, seed: int) -> Case:
    def make() -> Made:
        return KINDS[kind](np.random.default_rng([seed, list(KINDS).index(kind)]))

    spec, data = make()
    layout = f"{layout_of(spec, data.n_features)}, n={len(data)}"
    return Case(f"{kind}, seed {seed}", (KINDS[kind].__doc__ or "").strip().rstrip("."), layout, make)


CASES = tuple(_case(kind, seed) for kind in KINDS for seed in range(1, DATA_SETS + 1))
