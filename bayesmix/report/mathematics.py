"""The model in mathematics: a family's LaTeX turned into MathML. No text of the data enters a formula."""

from __future__ import annotations

import numpy as np
from latex2mathml.converter import convert
from markupsafe import Markup

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.words import words_of
from bayesmix.parts.parameter import Parameter

MOST_EQUATIONS, MOST_NUMBERS = 6, 4
"""Of what is known so many equations are written out, and so many entries of each."""


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
    lines = [*lines, *_gaps(likelihood), *_known(likelihood), *_evidence(likelihood)]
    return [(words, mathml(latex, block=True)) for words, latex in lines]


def _gaps(likelihood: Likelihood) -> list[tuple[str, str]]:
    """What the density of a row with missing measurements is."""
    if not likelihood.data.gaps or likelihood.family.observation != "measurement":
        return []
    words = (
        "Where cells of a row are missing, its densities are those of the cells that are there, the others summed out:"
    )
    there = r"O_i = \{ j : x_{ij} \text{ is there} \}"
    return [(words, rf"p(x_{{i O_i}} \mid z_i = k) = \int p(x_i \mid z_i = k) \, dx_{{i \bar{{O}}_i}} , \quad {there}")]


def _known(likelihood: Likelihood) -> list[tuple[str, str]]:
    """What is given in numbers, where there is some."""
    known = [(p, likelihood.known[p.name]) for p in likelihood.parameters if p.name in likelihood.known]
    if not known:
        return []
    equations = [equation for p, values in known for equation in _equations(p, values)]
    more = [r"\ldots"] if len(equations) > MOST_EQUATIONS else []
    words = "Known, and not estimated, are"
    return [(words, r" , \quad ".join([*equations[:MOST_EQUATIONS], *more]))]


def _equations(p: Parameter, values: np.ndarray) -> list[str]:
    """Known values of a parameter in LaTeX: one for all, or those of each component of which they are known."""
    by_component = p.dims[:1] == ("component",)
    letter = f"{p.symbol}_k" if by_component and "_" not in p.symbol else p.symbol
    if (values == values.flat[0]).all():
        equal = p.support == "simplex"
        return [f"{letter} = " + (rf"\frac{{1}}{{{values.size}}}" if equal else _number(values.flat[0]))]
    if not by_component:
        return [f"{letter} = {_vector(values)}"]
    there = [k for k, own in enumerate(values) if not np.isnan(own).any()]
    return [f"{letter.replace('_k', f'_{{{k + 1}}}')} = {_vector(values[k])}" for k in there]


def _vector(values: np.ndarray) -> str:
    if np.ndim(values) == 0:
        return _number(float(values))
    entries = [_number(v) for v in np.ravel(values)[:MOST_NUMBERS]]
    more = [r"\ldots"] if np.size(values) > MOST_NUMBERS else []
    return rf"({', '.join([*entries, *more])})"


def _number(value: float) -> str:
    """A number in LaTeX, in powers of ten where it is very small or large."""
    mantissa, _, exponent = f"{value:.4g}".partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


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
