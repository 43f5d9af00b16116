"""How rows can miss latent classes: answers that depend on each other within a class, rows that no class would give."""

from __future__ import annotations

import numpy as np

from bayesmix.estep.allocations import allocations
from bayesmix.families.categorical.answers import UNANSWERED, Answers, answers
from bayesmix.likelihood.discrepancies import Discrepancies, Measure, dependence, drawn
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params


class AnswersDiscrepancies(Discrepancies):
    """Residuals of the answers within classes, drawn for every draw: bivariate residuals, and the least likely row."""

    measures = (
        Measure(
            "dependence",
            "Two answers go together within classes, which independent columns do not.",
            "Try one class more; look at the columns that ask nearly the same.",
        ),
        Measure(
            "unlikely rows",
            "A row answers as hardly anybody of its class would.",
            "Try one class more; look at the rows with the lowest density.",
        ),
    )

    def compare(
        self, likelihood: Likelihood, params: Params, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Large where residuals are not those of independent answers."""
        component = answers(likelihood)
        table, S, n = component.padded(params["probs"]), len(params["probs"]), len(likelihood.data)
        each = np.arange(S)[:, None]
        own, other, _ = allocations(likelihood, params, rng)
        there = component.codes != UNANSWERED
        new = np.where(there, drawn(table[each, other], rng.random((S, n, len(component.sizes)))), UNANSWERED)
        codes = np.broadcast_to(component.codes, new.shape)
        return self._measured(component, codes, params, own), self._measured(component, new, params, other)

    def _measured(self, component: Answers, codes: np.ndarray, params: Params, z: np.ndarray) -> np.ndarray:
        """The measures (S, 2) of codes (S, n, d) of rows in the classes z (S, n)."""
        each = np.arange(len(z))[:, None]
        mean = params["probs"][each, z]
        code = codes[:, :, component.column]
        there, given = code != UNANSWERED, code == component.level
        e, variance = np.where(there, given - mean, 0.0), np.where(there, mean * (1 - mean), 0.0)
        chances = np.where(given, component.log_probs(params)[each, z], 0.0)
        return np.stack([dependence(e, variance, component.column), -chances.sum(axis=-1).min(axis=-1)], axis=-1)


DISCREPANCIES = AnswersDiscrepancies()
