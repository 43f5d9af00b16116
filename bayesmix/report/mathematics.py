"""The model in mathematics: LaTeX by family in one table, turned into MathML. No text of the data enters a formula."""

from __future__ import annotations

import numpy as np
from latex2mathml.converter import convert
from markupsafe import Markup

from bayesmix.families.gaussian.maths import Gaussian
from bayesmix.likelihood.covariance import COVARIANCES
from bayesmix.likelihood.likelihood import Family

GAUSSIAN_MATRIX = {
    "full": r"\Sigma_k = \operatorname{diag}(\sigma_k) \, R_k \, \operatorname{diag}(\sigma_k)",
    "tied": r"\Sigma_k = \Sigma = \operatorname{diag}(\sigma) \, R \, \operatorname{diag}(\sigma)",
    "diag": r"\Sigma_k = \operatorname{diag}(\sigma_{k1}^2, \ldots, \sigma_{kd}^2)",
    "spherical": r"\Sigma_k = \sigma_k^2 \, I_d",
}
SYMBOLS = {
    "weights": r"w",
    "means": r"\mu_k",
    "scales": r"\sigma_k",
    "correlations": r"R_k",
    "rate_coef": r"\beta",
    "zero_coef": r"\gamma",
}
OFFSETS = {"rate": "o_i", "zero": "q_i"}
SHARED_SYMBOLS = {"scales": r"\sigma", "correlations": r"R"}


def mathml(latex: str, *, block: bool = False) -> Markup:
    """LaTeX as MathML.

    Examples
    --------
    >>> "<mi>x</mi>" in mathml("x")
    True
    """
    return Markup(convert(latex, display="block" if block else "inline"))


def symbol(family: Family, variable: str) -> Markup:
    """The letter of a variable."""
    shared = "component" not in family.dims[variable]
    return mathml(SHARED_SYMBOLS[variable] if shared and variable in SHARED_SYMBOLS else SYMBOLS[variable])


def formulas(family: Family) -> list[tuple[str, Markup]]:
    """(words, formula) of the generative model, the likelihood and the responsibilities."""
    lines = _gaussian(family) if isinstance(family, Gaussian) else _zero_inflated_poisson(family)
    return [(words, mathml(latex, block=True)) for words, latex in [*lines, *_evidence(family)]]


def _gaussian(family: Gaussian) -> list[tuple[str, str]]:
    covariance = next(name for name, kind in COVARIANCES.items() if kind is family.kind)
    multivariate = family.d > 1
    component = r"\mathcal{N}_d(\mu_k, \Sigma_k)" if multivariate else r"\mathcal{N}(\mu_k, \sigma_k^2)"
    if not multivariate and family.kind.shared:
        component = r"\mathcal{N}(\mu_k, \sigma^2)"
    density = component.replace("(", r"(x_i \mid ", 1)
    lines = [
        ("Each row comes from one of the groups,", r"P(z_i = k) = w_k , \quad \sum_{k=1}^{K} w_k = 1"),
        ("and within a group the measurements are Gaussian:", rf"x_i \mid z_i = k \; \sim \; {component}"),
    ]
    if multivariate:
        lines.append(("The covariance matrices are", GAUSSIAN_MATRIX[covariance]))
    likelihood = rf"\ell_i = \log \sum_{{k=1}}^{{K}} {_allowed(family)} w_k \, {density}"
    return [
        *lines,
        ("With the groups summed out, the log-likelihood of a row is", likelihood),
        _responsibility(likelihood),
    ]


def _responsibility(likelihood: str) -> tuple[str, str]:
    term = likelihood.split("}^{K}")[1].strip()
    return (
        "and the probability of each group, given the row, is its responsibility",
        rf"r_{{ik}} = {term} \, e^{{-\ell_i}}",
    )


def _zero_inflated_poisson(family: Family) -> list[tuple[str, str]]:
    offset = {part: f"{letter} + " if part in family.offset_words else "" for part, letter in OFFSETS.items()}
    rate = rf"\log \lambda_i = {offset['rate']}f_i^{{\top}} \beta"
    zero = rf"\log \frac{{\pi_i}}{{1 - \pi_i}} = {offset['zero']}g_i^{{\top}} \gamma"
    return [
        ("A row is a structural zero with probability", rf"\pi_i = P(\text{{structural zero}})_i , \quad {zero}"),
        ("and otherwise a Poisson count with rate", rf"\lambda_i , \quad {rate}"),
        ("so that a zero can come from both,", r"P(x_i = 0) = \pi_i + (1 - \pi_i) \, e^{-\lambda_i}"),
        (
            "and a count above zero from one:",
            r"P(x_i = m) = (1 - \pi_i) \, \frac{\lambda_i^m e^{-\lambda_i}}{m!} , \quad m > 0",
        ),
        (
            "The responsibility of a zero is the probability that it is structural,",
            r"r_i = \frac{\pi_i}{\pi_i + (1 - \pi_i) \, e^{-\lambda_i}} \quad (x_i = 0)",
        ),
    ]


def _allowed(family: Family) -> str:
    return r"e^{a_{ik}}" if family.data.labelled.any() else ""


def _soft(family: Family) -> bool:
    """Whether some label is a probability other than 0 and 1."""
    evidence = family.data.class_evidence[family.data.labelled]
    return bool((np.isfinite(evidence) & (evidence != 0)).any())


def _evidence(family: Family) -> list[tuple[str, str]]:
    """How labels and row weights enter, where there are some."""
    lines = []
    if _soft(family):
        words = "The label evidence of a row is the log of the probability that its label gives to each group:"
        lines.append((words, r"a_{ik} = \log b_{ik} \; (\text{labelled}) , \quad a_{ik} = 0 \; (\text{no label})"))
    elif family.data.labelled.any():
        words = "The label evidence of a row says which groups are open to it:"
        lines.append((words, r"a_{ik} = 0 \; (\text{open}) , \quad a_{ik} = -\infty \; (\text{excluded by the label})"))
    weight = "v_i" if family.data.weighted else ""
    words = "The log-likelihood of all rows" + (", with their weights, is" if weight else " is")
    return [*lines, (words, rf"L = \sum_{{i=1}}^{{n}} {weight} \ell_i")]
