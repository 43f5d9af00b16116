"""Gaussian mixtures in words and LaTeX."""

from __future__ import annotations

from bayesmix.families.gaussian.maths import normal
from bayesmix.families.gaussian.structures.structure import STRUCTURES
from bayesmix.families.gaussian.structures.words import formula_of, laws_of, words_of_structure
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.words import Line, Words

MATRIX = {
    "full": r"\Sigma_k = \operatorname{diag}(\sigma_k) \, R_k \, \operatorname{diag}(\sigma_k)",
    "tied": r"\Sigma_k = \Sigma = \operatorname{diag}(\sigma) \, R \, \operatorname{diag}(\sigma)",
    "diag": r"\Sigma_k = \operatorname{diag}(\sigma_{k1}^2, \ldots, \sigma_{kd}^2)",
    "spherical": r"\Sigma_k = \sigma_k^2 \, I_d",
    "EEI": r"\Sigma_k = \Sigma = \operatorname{diag}(\sigma_1^2, \ldots, \sigma_d^2)",
    "EII": r"\Sigma_k = \Sigma = \sigma^2 \, I_d",
    **{name: formula_of(structure) for name, structure in STRUCTURES.items()},
}
COVARIANCE_WORDS = {
    "full": "each with a covariance matrix of its own",
    "tied": "which share one covariance matrix",
    "diag": "each with a diagonal covariance matrix of its own",
    "spherical": "each with one variance for all features",
    "EEI": "which share one diagonal covariance matrix",
    "EII": "which share one variance for all features",
    **{name: words_of_structure(structure) for name, structure in STRUCTURES.items()},
}


class GaussianWords(Words):
    """With the covariance kind."""

    one, several = "Gaussian", "Gaussians"

    def model(self, likelihood: Likelihood) -> str:
        """A mixture of 3 Gaussians, each with a covariance matrix of its own."""
        component = normal(likelihood)
        kind = f", {COVARIANCE_WORDS[component.covariance]}" if component.d > 1 and component.K > 1 else ""
        return super().model(likelihood) + kind

    def generative(self, likelihood: Likelihood) -> list[Line]:
        """Normal measurements, and how their covariance matrices are made."""
        component = normal(likelihood)
        lines = [
            ("and within a group the measurements are Gaussian:", rf"x_i \mid z_i = k \; \sim \; {_law(likelihood)}")
        ]
        if component.d > 1:
            lines.append(("The covariance matrices are", MATRIX[component.covariance]))
        structure = STRUCTURES.get(component.covariance)
        return lines if structure is None else [*lines, *laws_of(structure)]

    def density(self, likelihood: Likelihood) -> str:
        """The normal density."""
        return _law(likelihood).replace("(", r"(x_i \mid ", 1)


def _law(likelihood: Likelihood) -> str:
    component = normal(likelihood)
    if component.d > 1:
        return r"\mathcal{N}_d(\mu_k, \Sigma_k)"
    return r"\mathcal{N}(\mu_k, \sigma^2)" if component.shared else r"\mathcal{N}(\mu_k, \sigma_k^2)"


WORDS = GaussianWords()
