"""How rows can miss a mixture of independent columns: dependence within components, spread, large values."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from bayesmix import estep
from bayesmix.likelihood.discrepancies import Discrepancies, Measure, drawn
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
        component = likelihood.component
        assert isinstance(component, Columns)
        means = params[component.means.name]
        S, n = len(means), len(likelihood.data)
        with np.errstate(divide="ignore"):
            shares = softmax(likelihood.log_weights(params) + likelihood.evidence, axis=-1)
        each = np.arange(S)[:, None]
        own = means[each, drawn(estep.responsibilities(likelihood, params), rng.random((S, n)))]
        other = means[each, drawn(shares, rng.random((S, n)))]
        return self._measured(component, component.x, own), self._measured(
            component, component.model.draw(rng, other), other
        )

    def _measured(self, component: Columns, x: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """The measures (S, m) of rows x (n, d) or (S, n, d) with these means (S, n, d); missing cells say nothing."""
        e, variance = x - mean, component.model.variance(component.model.natural(mean))
        if component.data.gaps:
            e, variance = np.where(np.isnan(component.x), 0.0, (e, variance))
        measures = [_dependence(e, variance)]
        if self.counts:
            squares = (e**2 / np.maximum(variance, TINY)).mean(axis=(1, 2))
            measures += [squares, -squares, (e / np.sqrt(np.maximum(variance, TINY))).max(axis=(1, 2))]
        return np.stack(measures, axis=-1)


def _dependence(e: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The largest standardized sum of products of two columns' residuals, (S,)."""
    d = e.shape[-1]
    if d == 1:
        return np.zeros(len(e))
    products = np.swapaxes(e, -1, -2) @ e
    scale = np.sqrt(np.maximum(np.swapaxes(variance, -1, -2) @ variance, TINY))
    return np.asarray(np.abs(products / scale)[:, ~np.eye(d, dtype=bool)].max(axis=-1))
