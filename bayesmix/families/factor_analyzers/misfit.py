"""How rows can miss a mixture of factor analysers: as they miss any normal components of these covariances."""

from __future__ import annotations

from dataclasses import replace

from bayesmix.estep.residuals import NormalDiscrepancies

ADVICE = {
    "dependence": "Try one factor more, or a component more.",
    "spread": "Try noise of its own for every column and component.",
}
"""What to try in place of another covariance."""


class FactorDiscrepancies(NormalDiscrepancies):
    """The same measures, of Lambda Lambda' + Psi."""

    measures = tuple(replace(m, advice=ADVICE.get(m.name, m.advice)) for m in NormalDiscrepancies.measures)


DISCREPANCIES = FactorDiscrepancies()
