"""A family in words and LaTeX: what reports, tables and the command line say of it. Plain strings, no HTML."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.inputs.data import Data
from bayesmix.likelihood.facets import facet
from bayesmix.likelihood.likelihood import Likelihood

type Line = tuple[str, str]
"""Words, and a formula in LaTeX."""

LETTERS = "fghuv"
OFFSETS = "oqstc"
"""The design vectors and offsets of the linear predictors, in their order."""

LOOK_FOR = {
    "measurement": "Look for separate clouds, long tails and rows that stand apart",
    "count": "Look for more small and more large counts than one rate would make",
    "answer": "Look for columns that nearly all rows answer alike: they tell few rows apart",
}
"""What to look for in the data, by observation."""


class Words:
    """What serves a family that has no facet ``words``: of independent columns, what their distribution is."""

    one, several = "component", "components"
    """What a mixture is made of."""

    def model(self, likelihood: Likelihood) -> str:
        """The mixture in a sentence's beginning, without its full stop."""
        K, canonical = len(likelihood.components), likelihood.family.canonical
        made = f"A mixture of {K} {self.several}" if K > 1 else f"One {self.one}"
        if canonical is None:
            return made
        columns = f"independent {canonical.name} columns" if likelihood.data.n_features > 1 else canonical.name
        return f"{made}, each with {columns}" if likelihood.data.n_features > 1 else f"{made}, each {columns}"

    def generative(self, likelihood: Likelihood) -> list[Line]:
        """How rows come about, once their component is known."""
        law = _law(likelihood)
        if law is None:
            words, formula = f"and within a group the row is that of one {self.one}:", r"f(x_i \mid \theta_k)"
            return [(words, rf"x_i \mid z_i = k \; \sim \; {formula}")]
        x = "x_{ij}" if likelihood.data.n_features > 1 else "x_i"
        alone = " independently of the others" if likelihood.data.n_features > 1 else ""
        words = f"and within a group every {likelihood.family.observation} is drawn{alone}:"
        return [(words, rf"{x} \mid z_i = k \; \sim \; {law}")]

    def formulas(self, likelihood: Likelihood) -> list[Line]:
        """The generative model, the likelihood and the responsibilities."""
        density = self.density(likelihood)
        allowed = r"e^{a_{ik}}" if likelihood.data.labelled.any() else ""
        term = rf"{allowed} w_k \, {density}"
        return [
            ("Each row comes from one of the groups,", r"P(z_i = k) = w_k , \quad \sum_{k=1}^{K} w_k = 1"),
            *self.generative(likelihood),
            ("With the groups summed out, the log-likelihood of a row is", rf"\ell_i = \log \sum_{{k=1}}^{{K}} {term}"),
            (
                "and the probability of each group, given the row, is its responsibility",
                rf"r_{{ik}} = {term.strip()} \, e^{{-\ell_i}}",
            ),
        ]

    def density(self, likelihood: Likelihood) -> str:
        """The density of a component at a row."""
        law = _law(likelihood)
        if law is None:
            return r"f(x_i \mid \theta_k)"
        if likelihood.data.n_features == 1:
            return law.replace("(", r"(x_i \mid ", 1)
        return r"\prod_{j=1}^{d} " + law.replace("(", r"(x_{ij} \mid ", 1)

    def data_caption(self, data: Data, observation: str) -> str:
        """What to look for in the picture of the data, up to the numbers."""
        return LOOK_FOR[observation]

    def components_caption(self, likelihood: Likelihood, responsibilities: Mapping[str, np.ndarray]) -> str | None:
        """What the picture of the components shows, where that needs words of the family's own."""
        if likelihood.family.canonical is None:
            return None
        if likelihood.data.n_features == 1 and likelihood.family.observation == "count":
            return (
                "Bars that the components together reach are explained; circles are the rows, the dashed line is EM's."
            )
        return (
            "The mean of every column in each component, with its 90% interval: columns whose marks lie apart tell the "
            "components from each other. Dashed lines are EM's."
        )

    def structure_caption(self, likelihood: Likelihood) -> str:
        """What the picture of a component's inner structure shows, where the family draws one."""
        return ""

    def estimate_note(self, estimates: Mapping[str, float]) -> str | None:
        """What readers of a table of estimates confuse."""
        return None

    def notice(self, likelihood: Likelihood, means: Mapping[str, float]) -> tuple[str, str] | None:
        """A title and a text in HTML-free words on what readers confuse; ``means``: posterior means by name."""
        return None


def letters(likelihood: Likelihood) -> dict[str, tuple[str, str]]:
    """By linear predictor: the letters of its design vector and of its offset."""
    return {linear.name: (f, o) for linear, f, o in zip(likelihood.linears, LETTERS, OFFSETS, strict=False)}


def predictor(likelihood: Likelihood, name: str) -> str:
    """A linear predictor in LaTeX: o_i + f_i' beta."""
    (linear,) = [one for one in likelihood.linears if one.name == name]
    symbol = next(p.symbol for p in likelihood.parameters if p.name == linear.coef)
    f, o = letters(likelihood)[name]
    return (f"{o}_i + " if linear.has_offset else "") + rf"{f}_i^{{\top}} {symbol}"


def _law(likelihood: Likelihood) -> str | None:
    """The distribution of a cell in LaTeX, where columns are independent."""
    canonical = likelihood.family.canonical
    if canonical is None:
        return None
    symbol = likelihood.component.parameters[0].symbol
    index = symbol if likelihood.data.n_features == 1 else symbol.replace("_k", "_{kj}")
    return rf"\operatorname{{{canonical.name}}}({index})"


def words_of(likelihood: Likelihood) -> Words:
    """The words of a family."""
    module = facet(likelihood.name, "words")
    words: Words = Words() if module is None else module.WORDS
    return words
