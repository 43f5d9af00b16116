"""How rows can miss normal components: the shape of components, dependence within them, rows that stand apart."""

from __future__ import annotations

import numpy as np

from bayesmix.estep.allocations import allocations
from bayesmix.kernels.parallel import in_threads
from bayesmix.kernels.residuals import N_SHAPES, residuals, shapes
from bayesmix.likelihood.discrepancies import Discrepancies, Measure
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.normal import MEANS, Measured, completed
from bayesmix.parts.part import Params

SHAPE_ADVICE = "Try more components, or components with heavier tails; look at the rows far from all means."
DRAWS_TOGETHER = 50
"""Draws that one thread takes at a time."""


class NormalDiscrepancies(Discrepancies):
    """Statistics of normal components' standardized residuals (:mod:`bayesmix.kernels.residuals`)."""

    measures: tuple[Measure, ...] = (
        Measure("tails", "A component has heavier tails than a normal distribution.", SHAPE_ADVICE),
        Measure(
            "flatness",
            "A component is flatter than a normal distribution, as two groups are that one component covers.",
            "Try one component more.",
        ),
        Measure(
            "skewness",
            "Components are skewed, which no normal distribution is.",
            "Try a logarithm or another transformation of the columns, or more components.",
        ),
        Measure(
            "dependence",
            "Features depend on each other within components more than this covariance allows.",
            'Try covariance="full", or more components.',
        ),
        Measure(
            "spread",
            "Components differ in their spread more than this covariance allows.",
            'Try covariance="full", or "diag".',
        ),
        Measure("far rows", "A row lies too far from its component.", SHAPE_ADVICE),
        Measure("margin", "The distribution of a column is not that of the mixture.", "Try one component more."),
    )

    def compare(
        self, likelihood: Likelihood, params: Params, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Large where the residuals have another shape than independent normals.

        Missing cells are drawn too, given the others (Gelman et al. 2005, doi:10.1111/j.0006-341X.2005.031010.x).
        """
        x, means = likelihood.data.x, params[MEANS.name]
        (n, d), (S, K, _) = x.shape, means.shape
        assert isinstance(likelihood.component, Measured)
        C = np.linalg.cholesky(likelihood.component.covariances(params))
        z, z_new, shares = allocations(likelihood, params, rng)
        e, u = np.empty((2, S, n, d))
        e_new, u_new = rng.standard_normal((S, n, d)), rng.random((S, n, d))
        observed, new = np.empty((2, S, N_SHAPES))

        def some(first: int) -> None:
            s = slice(first, first + DRAWS_TOGETHER)
            rows = completed(x, z[s], means[s], C[s], streams[first // DRAWS_TOGETHER]) if gaps else x[None]
            residuals(rows, means[s], C[s], shares[s], z[s], e[s], u[s])
            shapes(e[s], u[s], z[s], K, observed[s])
            shapes(e_new[s], u_new[s], z_new[s], K, new[s])

        firsts, gaps = range(0, S, DRAWS_TOGETHER), likelihood.data.gaps
        streams = rng.spawn(len(firsts)) if gaps else []
        in_threads(some, firsts)
        return observed, new
