"""Latent classes of answers in words and LaTeX."""

from __future__ import annotations

from bayesmix.families.categorical.answers import answers
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.words import Line, Words


class CategoricalWords(Words):
    """Classes, and the answers that each gives."""

    one, several = "latent class", "latent classes"

    def model(self, likelihood: Likelihood) -> str:
        """3 latent classes, each with probabilities of its own for the 48 answers of 12 columns."""
        K, component = len(likelihood.components), answers(likelihood)
        made = f"{K} {self.several}, each with probabilities" if K > 1 else f"One {self.one}, with probabilities"
        d, A = len(component.sizes), len(component.column)
        columns = f"{d} columns, independent of each other within a class" if d > 1 else "one column"
        return f"{made} of its own for the {A} answers in {columns}"

    def generative(self, likelihood: Likelihood) -> list[Line]:
        """Answers, drawn one by one; those that are missing are left out."""
        component = answers(likelihood)
        lines = [
            (
                "and within a group every answer is drawn independently of the others, l being the levels of a column:",
                r"P(x_{ij} = l \mid z_i = k) = p_{kjl} , \quad \sum_{l} p_{kjl} = 1",
            )
        ]
        if (component.codes < 0).any():
            words = "An answer that is missing, at random, is left out: of row i only the answers in"
            lines.append((words, r"O_i = \{ j : x_{ij} \text{ is there} \}"))
        return lines

    def density(self, likelihood: Likelihood) -> str:
        """The product of the probabilities of what a row answers."""
        there = r"j \in O_i" if (answers(likelihood).codes < 0).any() else "j=1"
        top = "" if "in" in there else "^{d}"
        return rf"\prod_{{{there}}}{top} p_{{k j x_{{ij}}}}"

    def data_caption(self, data: Data, observation: str) -> str:
        """What to look for, and how many answers are missing."""
        return "Look for answers that hardly anybody gives, for columns with much the same shares, and for gaps"

    def components_caption(self, likelihood: Likelihood, responsibilities: object) -> str | None:
        """How to read the stacked bars."""
        return (
            "Of every column the answers that all rows give, above, and those of each class: columns whose bars differ "
            "tell the classes from each other."
        )


WORDS = CategoricalWords()
