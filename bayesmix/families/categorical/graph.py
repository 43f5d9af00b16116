"""Latent classes of answers in PyMC.

Columns with as many levels share one Dirichlet variable ``probs_<levels>``, each row of which is a column within a
component: as many variables as there are numbers of levels, of whatever number of columns, with exact prior draws.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from bayesmix.families.categorical.answers import PROBABILITIES, UNANSWERED, Answers, answers
from bayesmix.model.variables import Graph, constant
from bayesmix.parts.part import Params

OFF_ZERO = 1e-6
"""Starts keep this far from probabilities of 0."""
SMALLEST_PROBABILITY = np.finfo(float).tiny


class CategoricalGraph(Graph):
    """Variables weights and probs_2, probs_3, ... by number of levels; the deterministic probs has all answers."""

    signature: ClassVar[str] = "(k),(k,d,m),(k),()->(d)"

    @property
    def answers(self) -> Answers:
        """The components."""
        return answers(self.likelihood)

    def x_data(self) -> np.ndarray:
        """(n, d) codes, -1 where there is no answer."""
        return self.answers.codes

    def _alike(self) -> dict[str, np.ndarray]:
        """By variable the places of its answers among all, (columns, levels)."""
        f = self.answers
        return {
            f"{PROBABILITIES.name}_{m}": f.first[f.sizes == m][:, None] + np.arange(m)
            for m in np.unique(f.sizes).tolist()
        }

    def variables(self) -> list[TensorVariable]:
        """weights (K,), and probs as a table (K, columns, most levels)."""
        f, weights = self.answers, self.weights()
        alike = self._alike()
        a = np.broadcast_to(self.priors[PROBABILITIES.name].parameters["a"], (f.K, len(f.column)))
        variables = [self._simplexes(name, places, a) for name, places in alike.items()]
        together = pt.concatenate([v.reshape((f.K, -1)) for v in variables], axis=1)
        place = np.argsort(np.concatenate([places.ravel() for places in alike.values()]))
        flat = pm.Deterministic(PROBABILITIES.name, together[:, place], dims=PROBABILITIES.dims)
        if len(variables) == 1:
            return [weights, variables[0]]
        wide = pt.concatenate([flat, pt.zeros((f.K, 1))], axis=1)
        table = np.full((len(f.levels), int(f.sizes.max())), len(f.column))
        table[f.column, f.level] = np.arange(len(f.column))
        return [weights, wide[:, table]]

    def _simplexes(self, name: str, places: np.ndarray, a: np.ndarray) -> TensorVariable:
        """The Dirichlet variable of columns with as many levels, (K, columns, levels)."""
        column, level = f"{name}_column", f"{name}_level"
        columns = [self.likelihood.data.feature_names[j] for j in self.answers.column[places[:, 0]]]
        pm.modelcontext(None).add_coords({column: columns, level: np.arange(places.shape[1])})
        return pm.Dirichlet(name, a=constant(f"{name}_a", a[:, places]), dims=("component", column, level))

    def draw(self, *arguments: Any) -> TensorVariable:
        """z_i from w_k exp(a_ik), then every answer."""
        weights, probs, evidence, _, _ = arguments
        z = pm.Categorical.dist(logit_p=pt.log(weights) + evidence)
        return pm.Categorical.dist(p=probs[z])

    def start(self, params: Params) -> dict[str, np.ndarray]:
        """The probabilities, away from 0."""
        start = self.start_of_weights(params)
        for name, places in self._alike().items():
            own = np.maximum(params[PROBABILITIES.name][:, places], OFF_ZERO)
            start[name] = own / own.sum(axis=-1, keepdims=True)
        return start


GRAPH = CategoricalGraph


def log_joint(x: Any, weights: Any, probs: Any, *, n_features: int) -> Any:
    """log w_k + sum_j log p_kj(x_ij) over the answers that are there, (n, K)."""
    log_p = pt.log(pt.maximum(probs, SMALLEST_PROBABILITY))
    given = log_p[:, np.arange(n_features), pt.maximum(x, 0)]
    return pt.log(weights) + pt.where(pt.eq(x, UNANSWERED), 0.0, given).sum(axis=-1).T
