"""How far out a row lies: the probability that a new row of the same kind is no denser."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesmix import estep
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.record import BLOCK_BYTES
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.simulate import drawn_rows

TAIL_DRAWS = 200
"""Draws of the parameters over which a tail probability is averaged."""
TAIL_ROWS = 5000
"""Rows that are simulated at a time: a million in all, so that smaller probabilities than a millionth are not seen."""
DOUBTFUL = 0.05
"""Rows with laws of their own share the simulated rows: those below this are looked at again by themselves."""
TIE = 1e-9
"""Log-densities that differ by less than so many of (1 + |l|) are equal: counts tie."""


class Tails:
    """t_si = P(p(x_new | theta_s) <= p(x_i | theta_s)) with x_new ~ p(. | theta_s), by simulation.

    1 - t_si is the content of the highest-density region on whose boundary the row lies (Hyndman 1996,
    doi:10.1080/00031305.1996.10474359). Where rows have a law of their own, by covariates, x_new has those of row i.
    The mean over draws is a posterior predictive p-value: over rows that the model makes it is uniform, up to what is
    not known of the parameters.
    """

    def __init__(self, fitted: Fitted, *, seed: int = 1) -> None:
        self.fitted, self.rng = fitted.some(TAIL_DRAWS), np.random.default_rng(seed)
        self.batches = TAIL_DRAWS // self.fitted.size
        self.alike = fitted.likelihood.alike
        self.new = self._simulated() if self.alike else None

    def _simulated(self) -> np.ndarray:
        """Sorted log-densities of new rows under their own draw, (draws, rows)."""
        data = self.fitted.likelihood.data.without_labels()
        design = self.fitted.likelihood.rebind(data.take(np.arange(TAIL_ROWS) % len(data)))
        return np.stack([np.sort(np.concatenate(list(self._batches(design, s)))) for s in range(self.fitted.size)])

    def _batches(self, design: Likelihood, s: int) -> Iterator[np.ndarray]:
        """Log-densities, under draw s, of rows that it makes, as often as there are batches."""
        params = self.fitted.one(s)
        for _ in range(self.batches):
            yield estep.pointwise(design.observing(drawn_rows(design, params, self.rng)[0]), params)

    def areas(self, likelihood: Likelihood) -> np.ndarray:
        """t of every draw and row of ``likelihood``, which knows no labels, (draws, n)."""
        l = up_to_ties(estep.pointwise(likelihood, self.fitted.params), 1)
        if self.new is not None:
            counts = [np.searchsorted(new, at, side="right") for new, at in zip(self.new, l, strict=True)]
            return np.stack(counts) / self.new.shape[1]
        n, copies = len(l[0]), _copies(len(l[0]))
        design = likelihood.rebind(likelihood.data.take(np.repeat(np.arange(n), copies)))

        def share(s: int) -> np.ndarray:
            no_denser = [new.reshape(n, copies) <= l[s][:, None] for new in self._batches(design, s)]
            return np.concatenate(no_denser, axis=1).mean(axis=1)

        return np.stack([share(s) for s in range(self.fitted.size)])

    def below(self, share: float) -> float:
        """P(t of a new row < share), where all rows have one law: the share itself, less where densities tie."""
        assert self.new is not None
        size = self.new.shape[1]
        own = [np.searchsorted(new, up_to_ties(new, 1), side="right") / size for new in self.new]
        return float((np.stack(own) < share).mean())

    def means(self, likelihood: Likelihood) -> np.ndarray:
        """The means over draws, (n,), never 0: with N rows simulated for each at least 1 / (N + 1)."""
        means = self._means(likelihood)
        few = np.flatnonzero(means < DOUBTFUL)
        if self.alike or not 0 < len(few) < len(means):
            return means
        means[few] = self._means(likelihood.rebind(likelihood.data.take(few)))
        return means

    def _means(self, likelihood: Likelihood) -> np.ndarray:
        n, width = len(likelihood.data), max(1, int(BLOCK_BYTES / (8 * self.fitted.size * 3)))
        means = np.empty(n)
        for start in range(0, n, width):
            rows = np.arange(start, min(start + width, n))
            block = likelihood if len(rows) == n else likelihood.rebind(likelihood.data.take(rows))
            simulated = self.fitted.size * self.batches * (TAIL_ROWS if self.alike else _copies(len(rows)))
            means[rows] = (self.areas(block).mean(axis=0) * simulated + 1) / (simulated + 1)
        return means


def _copies(n: int) -> int:
    """How often each of n rows with laws of their own is simulated at a time."""
    return max(1, TAIL_ROWS // n)


def up_to_ties(l: np.ndarray, direction: int) -> np.ndarray:
    """Log-densities moved up (1) or down (-1) past all that tie with them."""
    return l + direction * TIE * (1 + np.abs(l))
