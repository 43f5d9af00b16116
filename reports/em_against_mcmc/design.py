"""The cells of the study, and their simulated data sets: two Gaussian groups on a line whose overlap is known.

The truth is drawn anew for every data set: the weight of the first group is uniform on (0.3, 0.7), the logarithms of
the standard deviations are Normal(0, 0.25), and the means are set so far apart that a classifier that knows all of this
errs in exactly the cell's share of rows. Nobody is told that law. The posterior and the MAP estimate use the library's
default priors, resolved once per overlap on a large sample of many truths, never on the data set that is fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

import bayesmix as bm

SIZES = (30, 100, 300, 1000, 3000)
OVERLAPS = (0.01, 0.1, 0.2)
LABELLED_SIZES = (100, 300)
LABEL_SHARES = (0.1, 0.3)
LABELLED_OVERLAP = 0.2
CLASSES = ("a", "b")
NEW_ROWS = 1000
"""Rows of the same truth that no fit has seen."""
FARTHEST = 20.0
SHAPE = {"family": "gaussian", "n_components": 2, "covariance": "full"}

type Params = dict[str, np.ndarray]


@dataclass(frozen=True)
class Cell:
    """One kind of data set: its size, the error of Bayes' rule, the share of rows whose group is told."""

    n: int
    overlap: float
    labelled: float = 0.0

    @property
    def name(self) -> str:
        """As in the names of the files of results."""
        return f"n{self.n}_overlap{100 * self.overlap:.0f}_labelled{100 * self.labelled:.0f}"

    def rng(self, seed: int, number: int) -> np.random.Generator:
        """The generator of data set ``number``, whatever else is run."""
        key = (self.n, round(1000 * self.overlap), round(1000 * self.labelled), number)
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


CELLS = (
    *(Cell(n, overlap) for overlap in OVERLAPS for n in SIZES),
    *(Cell(n, LABELLED_OVERLAP, share) for n in LABELLED_SIZES for share in LABEL_SHARES),
)


@dataclass(frozen=True)
class Simulated:
    """A data set: the truth, the rows that are fitted with all their groups, rows that no fit sees with theirs."""

    truth: Params
    data: bm.Data
    groups: np.ndarray
    new: bm.Data
    new_groups: np.ndarray


def bayes_error(weights: np.ndarray, means: np.ndarray, sds: np.ndarray) -> float:
    """The share of rows that the rule of the true parameters puts into the wrong group: the area under the lower curve.

    By the trapezoid rule on a grid that reaches 9 standard deviations beyond both groups.
    """
    x = np.linspace((means - 9 * sds).min(), (means + 9 * sds).max(), 4001)
    joint = weights[:, None] * norm.pdf(x, means[:, None], sds[:, None])
    return float(np.trapezoid(joint.min(axis=0), x))


def draw_truth(overlap: float, rng: np.random.Generator) -> Params:
    """Weights, means and standard deviations with this error of Bayes' rule; shapes that cannot have it are redrawn."""
    while True:
        first = rng.uniform(0.3, 0.7)
        weights, sds = np.array([first, 1 - first]), np.exp(rng.normal(0, 0.25, 2))

        def excess(distance: float, weights: np.ndarray = weights, sds: np.ndarray = sds) -> float:
            return bayes_error(weights, np.array([-0.5, 0.5]) * distance, sds) - overlap

        if excess(0.0) > 0:
            means = np.array([-0.5, 0.5]) * brentq(excess, 0.0, FARTHEST, xtol=1e-6)
            return {"weights": weights, "means": means[:, None], "covariances": sds[:, None, None] ** 2}


def draw_rows(truth: Params, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n,) and the number of the group of each."""
    groups = (rng.random(n) >= truth["weights"][0]).astype(int)
    sds = np.sqrt(truth["covariances"].ravel())
    return truth["means"].ravel()[groups] + sds[groups] * rng.standard_normal(n), groups


def simulate(cell: Cell, seed: int, number: int) -> tuple[Simulated, np.random.Generator]:
    """Data set ``number`` of a cell, and the generator for what follows."""
    rng = cell.rng(seed, number)
    truth = draw_truth(cell.overlap, rng)
    x, groups = draw_rows(truth, cell.n, rng)
    told = set(rng.permutation(cell.n)[: round(cell.labelled * cell.n)])
    labels = [CLASSES[g] if i in told else None for i, g in enumerate(groups)]
    new, new_groups = draw_rows(truth, NEW_ROWS, rng)
    data, unseen = bm.Data(x, labels, classes=CLASSES), bm.Data(new, classes=CLASSES)
    return Simulated(truth, data, groups, unseen, new_groups), rng


@cache
def spec_of(overlap: float) -> bm.Mixture:
    """The mixture with the library's default priors for 10,000 rows of 100 truths with this overlap."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([draw_rows(draw_truth(overlap, rng), 100, rng)[0] for _ in range(100)])
    return bm.resolve(bm.Mixture(**SHAPE), bm.Data(rows, classes=CLASSES))
