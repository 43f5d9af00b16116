"""The model in mathematics: a family's LaTeX turned into MathML. No text of the data enters a formula."""

from __future__ import annotations

import numpy as np
from latex2mathml.converter import convert
from markupsafe import Markup

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.words import words_of


def mathml(latex: str, *, block: bool = False) -> Markup:
    """LaTeX as MathML.

    Examples
    --------
    >>> "<mi>x</mi>" in mathml("x")
    True
    """
    return Markup(convert(latex, display="block" if block else "inline"))


def symbol(likelihood: Likelihood, variable: str) -> Markup:
    """The letter of a variable."""
    return mathml(next(p.symbol for p in likelihood.parameters if p.name == variable))


def formulas(likelihood: Likelihood) -> list[tuple[str, Markup]]:
    """(words, formula) of the generative model, the likelihood and the responsibilities."""
    lines = words_of(likelihood).formulas(likelihood)
    return [(words, mathml(latex, block=True)) for words, latex in [*lines, *_evidence(likelihood)]]


def _soft(likelihood: Likelihood) -> bool:
    """Whether some label is a probability other than 0 and 1."""
    evidence = likelihood.data.class_evidence[likelihood.data.labelled]
    return bool((np.isfinite(evidence) & (evidence != 0)).any())


def _evidence(likelihood: Likelihood) -> list[tuple[str, str]]:
    """How labels and row weights enter, where there are some."""
    lines = []
    if _soft(likelihood):
        words = "The label evidence of a row is the log of the probability that its label gives to each group:"
        lines.append((words, r"a_{ik} = \log b_{ik} \; (\text{labelled}) , \quad a_{ik} = 0 \; (\text{no label})"))
    elif likelihood.data.labelled.any():
        words = "The label evidence of a row says which groups are open to it:"
        lines.append((words, r"a_{ik} = 0 \; (\text{open}) , \quad a_{ik} = -\infty \; (\text{excluded by the label})"))
    weight = "v_i" if likelihood.data.weighted else ""
    words = "The log-likelihood of all rows" + (", with their weights, is" if weight else " is")
    return [*lines, (words, rf"L = \sum_{{i=1}}^{{n}} {weight} \ell_i")]
