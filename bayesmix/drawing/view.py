"""What a picture of a fit needs: the likelihood over its rows, some posterior draws, the estimate, responsibilities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix import estep
from bayesmix.drawing.style import rows_shown
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, at_most

POINTS = 5000


@dataclass(frozen=True)
class View:
    """A posterior as pictures use it.

    ``params``: evenly spaced draws over all chains, each array (draws, ...), of parameters and of all named estimates.
    ``em``: the same of the point estimate, or None.
    """

    likelihood: Likelihood
    params: Params
    em: Params | None

    @cached_property
    def rows(self) -> np.ndarray:
        """Numbers of the rows that are drawn as points, at most ``POINTS``."""
        return rows_shown(len(self.likelihood.data), POINTS)

    @cached_property
    def responsibilities(self) -> np.ndarray:
        """Posterior mean responsibilities of those rows, (rows, K)."""
        shown = self.likelihood.rebind(self.likelihood.data.take(self.rows))
        total = np.zeros((len(self.rows), len(self.likelihood.components)))
        n_draws = len(next(iter(self.params.values())))
        for s in range(n_draws):
            total += estep.responsibilities(shown, {v: a[s] for v, a in self.params.items()})
        return total / n_draws

    def some(self, n: int) -> Params:
        """About n of the draws, evenly spaced."""
        return at_most(self.params, n)
