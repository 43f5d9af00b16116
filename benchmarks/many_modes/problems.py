"""The data sets and mixtures: several to many components, modes that chains of NUTS do not cross."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_iris

import bayesmix as bm

HERE = Path(__file__).parent
TIED = np.array([1, 2, 2, 3, 3, 4, 8, 9, 9, 10, 10, 11.0])
"""Twelve tied values, whose evidence for K = 1 to 6 is known exactly (tests/tempering)."""
EIGHT = np.array([[0, 0], [3, 0], [0, 3], [3, 3], [8, 8], [8, 5], [14, 0], [14, 3]], dtype=float)
"""Centres of eight groups of unit variance, some of which touch."""


@dataclass(frozen=True)
class Problem:
    """A data set with one mixture of it; ``minutes`` is what a default call may take at most."""

    name: str
    K: int
    make: Callable[[], tuple[bm.Mixture, bm.Data]]
    minutes: float = 5.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the call, where it is not the default one."""


def galaxies(K: int, priors: dict[str, bm.Prior] | None = None) -> tuple[bm.Mixture, bm.Data]:
    """Velocities of 82 galaxies."""
    return bm.Mixture("gaussian", n_components=K, priors=priors), bm.load("galaxies")[1]


def textbook(K: int) -> tuple[bm.Mixture, bm.Data]:
    """The galaxies under priors that a textbook writes by hand, which do not depend on the number of components."""
    data = galaxies(K)[1]
    x = data.x[:, 0]
    middle, span = (x.min() + x.max()) / 2, x.max() - x.min()
    priors = {
        "weights": bm.Prior("Dirichlet", a=[1.0] * K),
        "means": bm.Prior("Normal", mu=middle, sigma=span),
        "scales": bm.Prior("LogNormal", mu=np.log(span / 15), sigma=0.8),
    }
    return bm.Mixture("gaussian", n_components=K, priors=priors), data


def enzyme(K: int) -> tuple[bm.Mixture, bm.Data]:
    """Enzymatic activity in the blood of 245 people (Bechtel et al. 1993)."""
    return bm.Mixture("gaussian", n_components=K), bm.Data(pd.read_csv(HERE / "enzyme.csv"))


def iris(K: int) -> tuple[bm.Mixture, bm.Data]:
    """150 flowers in four measurements, full covariance."""
    return bm.Mixture("gaussian", n_components=K), bm.Data(load_iris(as_frame=True).data)


def tied(K: int) -> tuple[bm.Mixture, bm.Data]:
    """The twelve tied values."""
    priors = {
        "weights": bm.Prior("Dirichlet", a=[1.0] * K),
        "means": bm.Prior("Normal", mu=6.0, sigma=4.0),
        "scales": bm.Prior("LogNormal", mu=np.log(2), sigma=0.6),
    }
    return bm.Mixture("gaussian", n_components=K, priors=priors), bm.Data(TIED)


def eight(_: int = 8) -> tuple[bm.Mixture, bm.Data]:
    """2,000 rows of the eight groups."""
    rng = np.random.default_rng(3)
    X = EIGHT[rng.integers(8, size=2000)] + rng.normal(size=(2000, 2))
    return bm.Mixture("gaussian", n_components=8), bm.Data(X)


def overlap(_: int = 3) -> tuple[bm.Mixture, bm.Data]:
    """500 values of three groups 1.3 standard deviations apart."""
    rng = np.random.default_rng(3)
    x = np.array([0, 1.3, 2.6])[rng.integers(3, size=500)] + rng.normal(size=500)
    return bm.Mixture("gaussian", n_components=3), bm.Data(x)


def _several(
    name: str, make: Callable[[int], tuple[bm.Mixture, bm.Data]], numbers: range, minutes: float = 5.0, **settings: Any
) -> list[Problem]:
    return [Problem(f"{name}, K = {K}", K, partial(make, K), minutes, settings) for K in numbers]


PROBLEMS = [
    *_several("twelve tied values", tied, range(1, 7), sampler="exchange", draws=8000),
    *_several("galaxies", galaxies, range(3, 10), minutes=3.0),
    *_several("galaxies, textbook priors", textbook, range(3, 10), minutes=3.0),
    *_several("overlap", overlap, range(3, 4)),
    *_several("enzyme", enzyme, range(2, 7)),
    *_several("iris", iris, range(2, 6)),
    *_several("eight groups", eight, range(8, 9)),
]
