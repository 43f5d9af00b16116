"""Latent classes of answers: constant weights, independent columns with any number of levels each.

log f(x_i | probs_k) = sum_j log probs_kj(x_ij), over the answers that are there

Lazarsfeld and Henry (1968); Goodman (1974), doi:10.1093/biomet/61.2.215; with answers missing at random, Linzer and
Lewis (2011), doi:10.18637/jss.v042.i10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from bayesmix.families.categorical.answers import PROBABILITIES, Answers, answers, as_codes
from bayesmix.inputs.covariates import FEWEST_LEVELS
from bayesmix.inputs.data import Data
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.weights import Constant, Weights


class Categorical(Family):
    """Latent classes; ``params`` are weights (..., K) and probs (..., K, A), A all answers of all columns.

    Columns of text, truth values, numbers or pandas' categories, independent within a class; the levels of a column are
    those that occur: in the categories' own order, else sorted. Cells may be missing, at random: they are left out.
    Default priors: ``weights`` Dirichlet(2, ..., 2), ``probs`` Dirichlet(1, ..., 1) for every column, uniform.
    """

    name: ClassVar[str] = "categorical"
    observation: ClassVar[str] = "answer"
    models_gaps: ClassVar[bool] = True
    takes_levels: ClassVar[bool] = True

    def parameters(self, options: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """weights and probs."""
        return (Constant.parameter(), PROBABILITIES)

    def prepared(self, data: Data) -> Data:
        """Every column as codes."""
        return as_codes(data)

    def parts(self, options: Mapping[str, Any], components: tuple[str, ...], data: Data) -> tuple[Weights, Component]:
        """Constant weights, columns of answers."""
        _check_levels(data)
        return Constant(components), Answers(data, components, data.levels)

    def free_cells(self, likelihood: Likelihood) -> float:
        """Of the table of answers."""
        return float(np.prod(answers(likelihood).sizes.astype(float))) - 1


def _check_levels(data: Data) -> None:
    """Two levels at least in every column, and not one for most rows."""
    for name, x, levels in zip(data.feature_names, data.x.T, data.levels, strict=True):
        n_levels, rows = len(np.unique(x[np.isfinite(x)])), int(np.isfinite(x).sum())
        if len(levels) < 2:
            only = f"the answer {levels[0]!r} alone" if levels else "no answer"
            raise ValueError(f"X: column {name!r} has {only}, which says nothing of the classes: leave it out")
        if n_levels >= FEWEST_LEVELS and 2 * n_levels > rows:
            raise ValueError(
                f"X: column {name!r} has {n_levels} levels in {rows} rows, too many for a probability each: leave it "
                "out if it names the rows or measures something; group its levels if not"
            )


FAMILY = Categorical()
