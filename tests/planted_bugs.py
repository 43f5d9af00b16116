"""Broken models, each wrong in one place, and the layouts on which calibration is to find them.

    python tests/planted_bugs.py OUT [BUG ...]

runs each (and each layout with the right model) until it is called wrong, and keeps the records in OUT.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import SimplexTransform

import bayesmix as bm
from bayesmix.families.categorical.graph import CategoricalGraph
from bayesmix.families.factor_analyzers.graph import FactorAnalyzersGraph
from bayesmix.families.gaussian import graph as gaussian_graph
from bayesmix.families.gaussian.graph import GaussianGraph
from bayesmix.families.zero_inflated_poisson.graph import ZeroInflatedPoissonGraph
from bayesmix.model import variables
from bayesmix.model.variables import Graph

CHECKPOINTS = (20, 50, 100, 200, 500, 1000)
RIGHT = (100,)
SURE = 0.001
"""A bug is found where a p-value, corrected for the number of quantities, is below this; it is looked at often."""
SEED = 1

ON_A_LINE = {
    "weights": bm.Prior("Dirichlet", a=[2.0, 2.0]),
    "means": bm.Prior("Normal", mu=0.0, sigma=2.0),
    "scales": bm.Prior("LogNormal", mu=0.0, sigma=0.3),
}
WIDE = ON_A_LINE | {
    "means": bm.Prior("Normal", mu=0.0, sigma=10.0),
    "scales": bm.Prior("LogNormal", mu=1.5, sigma=0.3),
}
IN_THE_PLANE = {
    "weights": bm.Prior("Dirichlet", a=[1.0]),
    "means": bm.Prior("Normal", mu=0.0, sigma=1.0),
    "scales": bm.Prior("LogNormal", mu=0.0, sigma=0.3),
    "correlations": bm.Prior("LKJ", eta=1.0),
}
COUNTS = {
    "rate_coef": bm.Prior("Normal", mu=1.0, sigma=0.5),
    "zero_coef": bm.Prior("Normal", mu=-1.0, sigma=1.0),
}
FACTOR = {
    "weights": bm.Prior("Dirichlet", a=[1.0]),
    "means": bm.Prior("Normal", mu=0.0, sigma=2.0),
    "loadings": bm.Prior("Normal", mu=0.0, sigma=2.0),
    "noise_variances": bm.Prior("LogNormal", mu=1.5, sigma=0.3),
}
ANSWERS = {"weights": bm.Prior("Dirichlet", a=[2.0, 2.0]), "probs": bm.Prior("Dirichlet", a=2.0)}
ROWS = np.random.default_rng(1).normal(size=(20, 2)).round(2)


def answers_with_gaps():
    """Thirty rows of three columns with two and three levels; a third of the answers are missing."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"a": rng.choice(["n", "y"], 30), "b": rng.choice(["u", "v", "w"], 30), "c": ["n", "y"] * 15})
    return frame.mask(rng.random(frame.shape) < 1 / 3)


LAYOUTS = {
    "two groups": (bm.Mixture("gaussian", n_components=2, covariance="diag", priors=ON_A_LINE), bm.Data(ROWS[:, 0])),
    "wide groups": (  # scales around 1 are their own squares
        bm.Mixture("gaussian", n_components=2, covariance="diag", priors=WIDE),
        bm.Data(ROWS[:, 0]),
    ),
    "ordered means": (
        bm.Mixture("gaussian", n_components=2, covariance="diag", order="means", priors=ON_A_LINE),
        bm.Data(ROWS[:, 0]),
    ),
    "one covariance": (bm.Mixture("gaussian", n_components=1, priors=IN_THE_PLANE), bm.Data(ROWS[:5])),
    "counts": (bm.Mixture("zero_inflated_poisson", priors=COUNTS), bm.Data(np.arange(20))),
    "cells missing": (
        bm.Mixture("gaussian", n_components=1, priors=IN_THE_PLANE),
        bm.Data(np.where((np.arange(24) % 3 == 0).reshape(12, 2), np.nan, ROWS[:12])),
    ),
    "one factor": (  # noise variances around 4 are not their own roots
        bm.Mixture("factor_analyzers", n_components=1, noise="isotropic", priors=FACTOR),
        bm.Data(np.column_stack([ROWS, ROWS[::-1, 0]])),
    ),
    "answers": (bm.Mixture("categorical", n_components=2, priors=ANSWERS), bm.Data(answers_with_gaps())),
    "some labels": (
        bm.Mixture("gaussian", n_components=2, covariance="diag", priors=ON_A_LINE),
        bm.Data(ROWS[:, 0], labels=["a", None, "b", None] * 5),
    ),
}


class LikelihoodDropped(GaussianGraph):
    """The rows say nothing."""

    def observed(self, parameters, evidence, row_weights, **kwargs):
        return super().observed(parameters, evidence, 0 * row_weights, **kwargs)


class HalfTheData(GaussianGraph):
    """Every second row says nothing."""

    def observed(self, parameters, evidence, row_weights, **kwargs):
        second = pt.arange(row_weights.shape[0]) % 2
        return super().observed(parameters, evidence, second * row_weights, **kwargs)


class OrderingWrong(GaussianGraph):
    """Ordered means with the Jacobian of the ordering counted twice (without it the density is improper)."""

    def variables(self):
        class Ordered(gaussian_graph.OrderedComponents):
            def log_jac_det(self, value, *inputs):
                return 2 * super().log_jac_det(value, *inputs)

        with mock.patch.object(gaussian_graph, "OrderedComponents", Ordered):
            return super().variables()


class JacobianMissing(GaussianGraph):
    """Weights without the Jacobian of the simplex transform."""

    def variables(self):
        class Simplex(SimplexTransform):
            def log_jac_det(self, value, *inputs):
                return 0 * value[..., 0]

        right = variables.random_variable

        def wrong(name, *args, **kwargs):
            return right(name, *args, **kwargs, **({"default_transform": Simplex()} if name == "weights" else {}))

        with mock.patch.object(variables, "random_variable", wrong):
            return super().variables()


class VarianceForSd(GaussianGraph):
    """The scales are taken as variances."""

    def variables(self):
        weights, means, C = super().variables()
        return [weights, means, pt.sqrt(C)]


class OtherEta(GaussianGraph):
    """LKJ(2) where the mixture says LKJ(1)."""

    def __init__(self, family, priors, order):
        super().__init__(family, dict(priors) | {"correlations": bm.Prior("LKJ", eta=2.0)}, order)


class CholeskyTransposed(GaussianGraph):
    """C'C for the covariance in place of CC': the Cholesky factor of that, in two dimensions."""

    def variables(self):
        weights, means, C = super().variables()
        a, b, c = C[:, 0, 0], C[:, 1, 0], C[:, 1, 1]
        root = pt.sqrt(a**2 + b**2)
        first, second = pt.stack([root, 0 * root], axis=-1), pt.stack([b * c / root, a * c / root], axis=-1)
        return [weights, means, pt.stack([first, second], axis=-2)]


class LabelsIgnored(GaussianGraph):
    """Every row may belong to any component."""

    def observed(self, parameters, evidence, row_weights, **kwargs):
        return super().observed(parameters, pt.zeros_like(evidence), row_weights, **kwargs)


class LabelsOffByOne(GaussianGraph):
    """A label pins its row to the next component."""

    def observed(self, parameters, evidence, row_weights, **kwargs):
        return super().observed(parameters, pt.roll(evidence, 1, axis=-1), row_weights, **kwargs)


class MissingAsZero(GaussianGraph):
    """A missing cell is taken as 0."""

    def observed(self, parameters, evidence, row_weights, **kwargs):
        def logp(value, *rest):
            return self.e_step(pt.where(pt.isnan(value), 0.0, value), *rest, return_list=True)[0]

        return self._custom((*parameters, evidence, row_weights), logp, **kwargs)


class PsiForOneMinusPsi(ZeroInflatedPoissonGraph):
    """zero_prob is taken as the probability of a Poisson row."""

    def variables(self):
        log_rate, logit_zero = super().variables()
        return [log_rate, -logit_zero]


class RootOfPsi(FactorAnalyzersGraph):
    """Psi and its root swapped: the noise variances are standard deviations."""

    def variables(self):
        weights, means, loadings, psi = super().variables()
        return [weights, means, loadings, pt.sqrt(psi)]


class GapIsAnAnswer(CategoricalGraph):
    """A missing answer is taken as the first level."""

    def observed(self, parameters, evidence, row_weights, **kwargs):
        arguments = (*parameters, evidence, row_weights)
        return self._custom(
            arguments, lambda x, *rest: self.e_step(pt.maximum(x, 0), *rest, return_list=True)[0], **kwargs
        )


@dataclass(frozen=True)
class Bug:
    """A broken graph and the layout on which it shows."""

    layout: str
    graph: type[Graph]

    def build(self, spec: bm.Mixture, data: bm.Data) -> pm.Model:
        with mock.patch("bayesmix.model.build.graph_of", return_value=self.graph):
            return bm.build(spec, data)


BUGS = {
    "likelihood dropped": Bug("two groups", LikelihoodDropped),
    "half the data dropped": Bug("two groups", HalfTheData),
    "ordering wrong": Bug("ordered means", OrderingWrong),
    "simplex Jacobian missing": Bug("two groups", JacobianMissing),
    "psi for 1 - psi": Bug("counts", PsiForOneMinusPsi),
    "sd taken as variance": Bug("wide groups", VarianceForSd),
    "LKJ eta 2 for 1": Bug("one covariance", OtherEta),
    "Cholesky factor transposed": Bug("one covariance", CholeskyTransposed),
    "missing cells taken as 0": Bug("cells missing", MissingAsZero),
    "Psi and its root swapped": Bug("one factor", RootOfPsi),
    "labels ignored": Bug("some labels", LabelsIgnored),
    "labels off by one": Bug("some labels", LabelsOffByOne),
    "gap taken as an answer": Bug("answers", GapIsAnAnswer),
}


def calibrate(
    layout: str, build: Callable = bm.build, *, folder: Path | None = None, checkpoints: Sequence[int] = CHECKPOINTS
) -> bm.Calibration:
    """Calibration with more and more simulations, until the model is surely wrong."""
    spec, design = LAYOUTS[layout]
    for n_sims in checkpoints:
        result = bm.calibrate(
            spec, design, n_sims=n_sims, seed=SEED, cores=1, progress=False, build=build, folder=folder
        )
        if result.table["adjusted"].min() < SURE:
            break
    return result


def main(out: Path, names: Sequence[str]) -> None:
    """Each bug, then each layout with the right model."""
    for name in names or [*BUGS, *LAYOUTS]:
        start = time.perf_counter()
        folder = out / name.replace(" ", "_")
        if name in BUGS:
            result = calibrate(BUGS[name].layout, BUGS[name].build, folder=folder)
        else:
            result = calibrate(name, folder=folder, checkpoints=RIGHT)
        found = ", ".join(problem.name for problem in result.problems) or "nothing"
        print(f"{name}: {len(result.records)} simulations, {found} ({time.perf_counter() - start:.0f} s)", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
