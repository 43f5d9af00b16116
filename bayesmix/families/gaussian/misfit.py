"""How rows can miss a Gaussian mixture: the shape of components, dependence within them, rows that stand apart."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from bayesmix import estep
from bayesmix.families.gaussian.observed import completed
from bayesmix.kernels.residuals import N_SHAPES, residuals, shapes
from bayesmix.kernels.threads import in_threads
from bayesmix.likelihood.discrepancies import Discrepancies, Measure, drawn
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

SHAPE_ADVICE = "Try more components, or components with heavier tails; look at the rows far from all means."
DRAWS_TOGETHER = 50
"""Draws that one thread takes at a time."""


class GaussianDiscrepancies(Discrepancies):
    """Statistics of the standardized residuals within components (:mod:`bayesmix.kernels.residuals`)."""

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
        x = likelihood.data.x
        (n, d), K, S = x.shape, len(likelihood.components), len(params["weights"])
        with np.errstate(divide="ignore"):
            shares = softmax(
                likelihood.log_weights(params) + likelihood.evidence[: n if likelihood.data.labelled.any() else 1], -1
            )
        C = np.linalg.cholesky(params["covariances"])
        z = drawn(estep.responsibilities(likelihood, params), rng.random((S, n)))
        z_new = drawn(np.broadcast_to(shares, (S, n, K)), rng.random((S, n)))
        e, u = np.empty((2, S, n, d))
        e_new, u_new = rng.standard_normal((S, n, d)), rng.random((S, n, d))
        observed, new = np.empty((2, S, N_SHAPES))

        def some(first: int) -> None:
            s = slice(first, first + DRAWS_TOGETHER)
            rows = completed(x, z[s], params["means"][s], C[s], streams[first // DRAWS_TOGETHER]) if gaps else x[None]
            residuals(rows, params["means"][s], C[s], shares[s], z[s], e[s], u[s])
            shapes(e[s], u[s], z[s], K, observed[s])
            shapes(e_new[s], u_new[s], z_new[s], K, new[s])

        firsts, gaps = range(0, S, DRAWS_TOGETHER), likelihood.data.gaps
        streams = rng.spawn(len(firsts)) if gaps else []
        in_threads(some, firsts)
        return observed, new


DISCREPANCIES = GaussianDiscrepancies()
