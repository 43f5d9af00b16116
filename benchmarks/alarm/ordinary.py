"""A hundred data sets that the mixture fits: groups three to six standard deviations apart, of fifty rows on average.

Fixed before any was fitted: the rules below, the seeds 1 to 100, and the order of the kinds.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

import bayesmix as bm
from benchmarks.alarm.case import Case, gaussian, layout_of

N = 100
KINDS = (
    *((K, 1, "full") for K in (1, 2, 3, 4)),
    *((K, 2, "full") for K in (1, 2, 3)),
    *((K, 2, "tied") for K in (2, 3)),
    *((K, 2, "diag") for K in (2, 3)),
    "ZIP",
    "ZIP regression",
)
NEAREST, FARTHEST = 3.0, 6.0
"""Between neighbouring groups: the distance of the means in standard deviations along the line between them."""
PER_COMPONENT = 50
"""Rows, on average, at least."""
LABELLED = 0.1
"""Share of the rows that are labelled, in every third mixture of two groups or more."""


def size(rng: np.random.Generator, K: int) -> int:
    """From 100 to 1,000 rows, evenly on the log scale."""
    return int(np.exp(rng.uniform(np.log(max(100, PER_COMPONENT * K)), np.log(1000))))


def covariances(rng: np.random.Generator, K: int, d: int, kind: str) -> np.ndarray:
    """Standard deviations of 0.7 to 1.4, correlations of -0.6 to 0.6, (K, d, d)."""
    sd = rng.uniform(0.7, 1.4, (K, d))
    r = np.tile(np.eye(d), (K, 1, 1))
    if d == 2 and kind != "diag":
        r[:, 0, 1] = r[:, 1, 0] = rng.uniform(-0.6, 0.6, K)
    own = sd[:, :, None] * r * sd[:, None, :]
    return np.tile(own[:1], (K, 1, 1)) if kind == "tied" else own


def means(rng: np.random.Generator, S: np.ndarray) -> np.ndarray:
    """A walk whose steps go to new places, scaled so that the nearest two means are as far apart as was drawn."""
    K, d = S.shape[:2]
    steps = rng.uniform(1.0, 1.5, (K, 1)) * (np.ones((K, 1)) if d == 1 else _directions(rng, K))
    places = np.cumsum(steps, axis=0)
    if K == 1:
        return places
    gaps = [_gap(places[i] - places[j], (S[i] + S[j]) / 2) for i, j in combinations(range(K), 2)]
    return places * rng.uniform(NEAREST, FARTHEST) / min(gaps)


def _directions(rng: np.random.Generator, K: int) -> np.ndarray:
    """Each step turns by up to 60 degrees."""
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.uniform(-np.pi / 3, np.pi / 3, K))
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _gap(difference: np.ndarray, S: np.ndarray) -> float:
    """The length of a difference in standard deviations along it."""
    length2 = difference @ difference
    return float(length2 / np.sqrt(difference @ S @ difference))


def groups(seed: int, K: int, d: int, covariance: str) -> tuple[bm.Mixture, bm.Data]:
    """Rows of K groups, each with half its even share of the weight at least."""
    rng = np.random.default_rng([seed, K, d])
    n, S = size(rng, K), covariances(rng, K, d, covariance)
    mu, w = means(rng, S), 0.5 / K + 0.5 * rng.dirichlet(np.full(K, 4.0))
    z = rng.choice(K, n, p=w)
    x = mu[z] + np.einsum("nij,nj->ni", np.linalg.cholesky(S)[z], rng.standard_normal((n, d)))
    known = rng.random(n) < LABELLED
    labels = [f"class_{k}" if seen else None for k, seen in zip(z, known, strict=True)]
    return gaussian(K, d, covariance)[0], bm.Data(x, labels=labels if K > 1 and seed % 3 == 0 else None)


def counts(seed: int, *, regression: bool) -> tuple[bm.Mixture, bm.Data]:
    """Zero-inflated counts with rates of 2 to 8 and 20 to 60% structural zeros; one covariate in each part, or none."""
    rng = np.random.default_rng([seed, 7])
    n, slope = size(rng, 1), 0.4 if regression else 0.0
    a, b = rng.standard_normal((2, n))
    rate = rng.uniform(2, 8) * np.exp(slope * a)
    p = rng.uniform(0.2, 0.6)
    zero = rng.random(n) < 1 / (1 + (1 - p) / p * np.exp(-2 * slope * b))
    frame = pd.DataFrame({"count": np.where(zero, 0, rng.poisson(rate)), "a": a, "b": b})
    return counting(regression), bm.Data(frame, response="count")


def counting(regression: bool) -> bm.Mixture:
    """The mixture of the counts."""
    return bm.Mixture("zero_inflated_poisson", **({"rate": "1 + a", "zero": "1 + b"} if regression else {}))


def case_of(seed: int) -> Case:
    """The data set of a seed; the kinds take turns."""
    kind = KINDS[seed % len(KINDS)]
    if isinstance(kind, str):
        regression = kind == "ZIP regression"
        return Case(
            f"{kind}, seed {seed}", "", layout_of(counting(regression), 1), lambda: counts(seed, regression=regression)
        )
    K, d, covariance = kind
    return Case(
        f"{d}-D K={K} {covariance}, seed {seed}",
        "",
        gaussian(K, d, covariance)[1],
        lambda: groups(seed, K, d, covariance),
    )


CASES = tuple(case_of(seed) for seed in range(1, N + 1))
