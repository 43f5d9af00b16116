"""Mixtures of factor analysers in words and LaTeX."""

from __future__ import annotations

from bayesmix.families.factor_analyzers.maths import analyzers
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.words import Line, Words


class FactorWords(Words):
    """Factor analysis, or probabilistic PCA."""

    def model(self, likelihood: Likelihood) -> str:
        """Factor analysis with 2 factors; a mixture of 3 factor analysers with 1 factor each."""
        f = analyzers(likelihood)
        q = f"{f.n_factors} factor{'s' * (f.n_factors > 1)}"
        isotropic = f.noise.isotropic
        if f.K == 1:
            return f"{'Probabilistic principal components' if isotropic else 'Factor analysis'} with {q}"
        kind = "probabilistic principal component analysers" if isotropic else "factor analysers"
        shared = ", which share their noise" if f.noise.shared else ""
        return f"A mixture of {f.K} {kind} with {q} each{shared}"

    def generative(self, likelihood: Likelihood) -> list[Line]:
        """Factors, then the row."""
        noise = analyzers(likelihood).noise
        k = "" if noise.shared else "_k"
        matrix = rf"\psi{k} \, I_d" if noise.isotropic else rf"\operatorname{{diag}}(\psi{k})"
        psi = rf"\Psi{k}"
        return [
            (
                "within a group a row is a linear combination of unseen factors, and noise:",
                r"x_i \mid u_i, z_i = k \; \sim \; \mathcal{N}_d(\mu_k + \Lambda_k u_i, \, "
                rf"{psi}) , \quad u_i \sim \mathcal{{N}}_q(0, I_q) , \quad {psi} = {matrix}",
            ),
            (
                "With the factors summed out the covariance matrix of a group is",
                rf"\Sigma_k = \Lambda_k \Lambda_k^{{\top}} + {psi}",
            ),
        ]

    def density(self, likelihood: Likelihood) -> str:
        """The normal density."""
        return r"\mathcal{N}_d(x_i \mid \mu_k, \Sigma_k)"

    def structure_caption(self, likelihood: Likelihood) -> str:
        """How to read the loadings."""
        return (
            "What a factor does to each column, in the column's standard deviations, and the share of the column's "
            "variance within the component that the factors explain; bars are 90% intervals, crosses EM's. Loadings "
            "are known up to a rotation: shown are principal axes (columns orthogonal in units of the noise, the first "
            "explaining most), and every draw is turned towards them."
        )


WORDS = FactorWords()
