"""The zero-inflated Poisson in words and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.families.zero_inflated_poisson.maths import COMPONENTS
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.words import Line, Words, predictor


class ZeroInflatedPoissonWords(Words):
    """With both parts, and which way round psi is."""

    def model(self, likelihood: Likelihood) -> str:
        """Structural zeros mixed with Poisson counts."""
        return "A zero-inflated Poisson: structural zeros mixed with Poisson counts"

    def formulas(self, likelihood: Likelihood) -> list[Line]:
        """Both parts, and where a zero comes from."""
        rate = rf"\log \lambda_i = {predictor(likelihood, 'rate')}"
        zero = rf"\log \frac{{\pi_i}}{{1 - \pi_i}} = {predictor(likelihood, 'zero')}"
        return [
            ("A row is a structural zero with probability", rf"\pi_i = P(\text{{structural zero}})_i , \quad {zero}"),
            ("and otherwise a Poisson count with rate", rf"\lambda_i , \quad {rate}"),
            ("so that a zero can come from both,", r"P(x_i = 0) = \pi_i + (1 - \pi_i) \, e^{-\lambda_i}"),
            (
                "and a count above zero from one:",
                r"P(x_i = m) = (1 - \pi_i) \, \frac{\lambda_i^m e^{-\lambda_i}}{m!} , \quad m > 0",
            ),
            ("The log-likelihood of a row is", r"\ell_i = \log P(x_i)"),
            (
                "The responsibility of a zero is the probability that it is structural,",
                r"r_i = \frac{\pi_i}{\pi_i + (1 - \pi_i) \, e^{-\lambda_i}} \quad (x_i = 0)",
            ),
        ]

    def data_caption(self, data: Data, observation: str) -> str:
        """The zeros."""
        zeros = int((data.x == 0).sum())
        return (
            "Look for more zeros than the other counts would lead one to expect: "
            f"{zeros} of {len(data)} counts are zero"
        )

    def components_caption(self, likelihood: Likelihood, responsibilities: Mapping[str, np.ndarray]) -> str | None:
        """How much of a zero is structural."""
        zero = likelihood.data.x[:, 0] == 0
        share = float(np.mean(responsibilities[COMPONENTS[0]][zero])) if zero.any() else 0.0
        return (
            "Bars that the two parts together reach are explained: on average "
            f"{100 * share:.1f}% of a zero's probability goes to the structural zeros, the rest to the Poisson part."
        )

    def estimate_note(self, estimates: Mapping[str, float]) -> str | None:
        """Which way round psi is."""
        if "zero_prob" not in estimates:
            return None
        p = estimates["zero_prob"]
        return f"P(structural zero) = zero_prob = {p:.5g}; PyMC's psi is 1 - zero_prob = {1 - p:.5g}"

    def notice(self, likelihood: Likelihood, means: Mapping[str, float]) -> tuple[str, str] | None:
        """PyMC's psi is the complement."""
        text = (
            "Here zero_prob is \N{GREEK SMALL LETTER PI} = P(structural zero). PyMC's psi is its complement, the share "
            "of rows that come from the Poisson part: psi = 1 \N{MINUS SIGN} zero_prob."
        )
        if "zero_prob" in means:
            p = means["zero_prob"]
            text += f" Posterior means: zero_prob = {p:.4g}, psi = {1 - p:.4g}."
        else:
            p = means[COMPONENTS[0]]
            text += f" Averaged over the rows the posterior mean of zero_prob is {p:.3f}, so psi averages {1 - p:.3f}."
        return "Which way round", text


WORDS = ZeroInflatedPoissonWords()
