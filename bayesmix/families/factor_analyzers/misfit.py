"""How rows can miss a mixture of factor analysers: as they miss any normal components of these covariances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.families.factor_analyzers.maths import analyzers
from bayesmix.families.gaussian.misfit import GaussianDiscrepancies
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

ADVICE = {
    "dependence": "Try one factor more, or a component more.",
    "spread": "Try noise of its own for every column and component.",
}
"""What to try in place of another covariance."""


class FactorDiscrepancies(GaussianDiscrepancies):
    """The same measures, of Lambda Lambda' + Psi."""

    measures = tuple(replace(m, advice=ADVICE.get(m.name, m.advice)) for m in GaussianDiscrepancies.measures)

    def compare(
        self, likelihood: Likelihood, params: Params, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Large where the residuals have another shape than independent normals."""
        return super().compare(likelihood, {**params, "covariances": analyzers(likelihood).covariances(params)}, rng)


DISCREPANCIES = FactorDiscrepancies()
