"""How rows can miss a mixture of independent columns: dependence within components, spread, large values."""

from __future__ import annotations

import numpy as np

from bayesmix.estep.allocations import allocations
from bayesmix.likelihood.discrepancies import Discrepancies, Measure, dependence
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.columns import Columns
from bayesmix.parts.part import Params

DEPENDENCE = Measure(
    "dependence",
    "Columns depend on each other within components, which a mixture of independent columns has not.",
    "Try one component more; look at the columns that say nearly the same.",
)
COUNT_MEASURES = (
    Measure(
        "overdispersion",
        "Counts vary more within a component than a Poisson distribution does.",
        "Try one component more; a negative binomial is made for it.",
    ),
    Measure(
        "underdispersion",
        "Counts vary less within a component than a Poisson distribution does.",
        "Look at how the counts were made: a largest possible count, or rows that are not independent.",
    ),
    Measure("large counts", "The largest count is too large for its component.", "Look at that row."),
)
TINY = 1e-12


class ColumnsDiscrepancies(Discrepancies):
    """Residuals within components, drawn for every draw: products of two columns; of counts also their squares."""

    def __init__(self, observation: str) -> None:
        self.counts = observation == "count"
        self.measures = (DEPENDENCE, *(COUNT_MEASURES if self.counts else ()))

    def compare(
        self, likelihood: Likelihood, params: Params, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Large where residuals are not those of independent columns."""
        component = likelihood.made_of(Columns)
        means = params[component.means.name]
        each = np.arange(len(means))[:, None]
        own, other = (means[each, z] for z in allocations(likelihood, params, rng)[:2])
        new = component.model.draw(rng, other)
        return self._measured(component, component.x, own), self._measured(component, new, other)

    def _measured(self, component: Columns, x: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """The measures (S, m) of rows x (n, d) or (S, n, d) with these means (S, n, d); missing cells say nothing."""
        e, variance = x - mean, component.model.variance(component.model.natural(mean))
        if component.data.gaps:
            e, variance = np.where(np.isnan(component.x), 0.0, (e, variance))
        measures = [dependence(e, variance, np.arange(e.shape[-1]))]
        if self.counts:
            squares = (e**2 / np.maximum(variance, TINY)).mean(axis=(1, 2))
            measures += [squares, -squares, (e / np.sqrt(np.maximum(variance, TINY))).max(axis=(1, 2))]
        return np.stack(measures, axis=-1)
