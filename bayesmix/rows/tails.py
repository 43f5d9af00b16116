"""How far out a row lies: the probability that a new row of the same kind is no denser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
FEWEST_TAIL_ROWS, MOST_TAIL_ROWS = 25, 25_000
"""Where rows have gaps, each pattern of gaps has simulated rows of its own: at least so many, all together at most so
many, as long as that leaves each the least number."""
DOUBTFUL = 0.05
"""Rows with laws of their own share the simulated rows: those below this are looked at again by themselves."""
TIE = 1e-9
"""Log-densities that differ by less than so many of (1 + |l|) are equal: counts tie."""


class Tails:
    """t_si = P(p(x_new | theta_s) <= p(x_i | theta_s)) with x_new ~ p(. | theta_s), by simulation.

    1 - t_si is the content of the highest-density region on whose boundary the row lies (Hyndman 1996,
    doi:10.1080/00031305.1996.10474359). Where rows have a law of their own, by covariates, x_new has those of row i;
    where cells of row i are missing, they are missing in x_new, so that densities of the same columns are compared. The
    mean over draws is a posterior predictive p-value: over rows that the model makes it is uniform, up to what is not
    known of the parameters.
    """

    def __init__(self, fitted: Fitted, *, seed: int = 1) -> None:
        self.fitted, self.rng = fitted.some(TAIL_DRAWS), np.random.default_rng(seed)
        self.batches = TAIL_DRAWS // self.fitted.size
        self.alike = fitted.likelihood.alike
        self.new: dict[bytes, np.ndarray] = {}
        whole = np.ones((1, fitted.likelihood.data.n_features), dtype=bool)
        self.whole = whole.tobytes()
        if self.alike:
            self._simulate(whole)

    def _simulate(self, there: np.ndarray) -> None:
        """Sorted log-densities of new rows of which just these cells are there (patterns, d), under their own draw."""
        data, parts = self.fitted.likelihood.data.without_labels(), len(there)
        size = max(FEWEST_TAIL_ROWS, min(TAIL_ROWS, MOST_TAIL_ROWS // parts))
        design = self.fitted.likelihood.rebind(data.take(np.arange(size * parts) % len(data)))
        gone = ~np.repeat(there, size, axis=0)
        new = np.empty((parts, self.fitted.size, size * self.batches))
        for s in range(self.fitted.size):
            new[:, s] = np.concatenate([l.reshape(parts, size) for l in self._batches(design, s, gone)], axis=1)
        new.sort(axis=2)
        self.new |= {key.tobytes(): own for key, own in zip(there, new, strict=True)}

    def _batches(self, design: Likelihood, s: int, gone: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Log-densities, under draw s, of rows that it makes, batch by batch, without the cells that are ``gone``."""
        params = self.fitted.one(s)
        for _ in range(self.batches):
            x = drawn_rows(design, params, self.rng)[0]
            x = np.where(gone, np.nan, x) if gone is not None and gone.any() else x
            yield estep.pointwise(design.observing(x), params)

    def _by_pattern(self, likelihood: Likelihood) -> list[tuple[np.ndarray, np.ndarray]]:
        """The rows of every pattern of observed cells, and the sorted log-densities of new rows of that pattern."""
        if not likelihood.data.gaps:
            return [(np.arange(len(likelihood.data)), self.new[self.whole])]
        there, number = np.unique(~np.isnan(likelihood.data.x), axis=0, return_inverse=True)
        unmet = np.array([key.tobytes() not in self.new for key in there])
        self._simulate(there[unmet]) if unmet.any() else None
        return [(np.flatnonzero(number == p), self.new[key.tobytes()]) for p, key in enumerate(there)]

    def areas(self, likelihood: Likelihood) -> np.ndarray:
        """t of every draw and row of ``likelihood``, which knows no labels, (draws, n)."""
        if self.alike:
            return np.maximum(self.depths(likelihood), 0.0)
        l = up_to_ties(estep.pointwise(likelihood, self.fitted.params), 1)
        n, copies = len(l[0]), _copies(len(l[0]))
        design = likelihood.rebind(likelihood.data.take(np.repeat(np.arange(n), copies)))

        def share(s: int) -> np.ndarray:
            no_denser = [new.reshape(n, copies) <= l[s][:, None] for new in self._batches(design, s)]
            return np.concatenate(no_denser, axis=1).mean(axis=1)

        return np.stack([share(s) for s in range(self.fitted.size)])

    def depths(self, likelihood: Likelihood, draws: slice = slice(None)) -> np.ndarray:
        """t of these draws, and below 0 how much less dense the row is than all new ones of its kind, (draws, n).

        There it is the difference of its log-density and the smallest of theirs, which orders rows whose t is 0.
        """
        l = up_to_ties(estep.pointwise(likelihood, {v: a[draws] for v, a in self.fitted.params.items()}), 1)
        depths = np.empty_like(l)
        for rows, every in self._by_pattern(likelihood):
            for own, at, new in zip(depths, l, every[draws], strict=True):
                counts = np.searchsorted(new, at[rows], side="right")
                own[rows] = np.where(counts > 0, counts / len(new), at[rows] - new[0])
        return depths

    def outside(self, likelihood: Likelihood, shares: Sequence[float]) -> list[tuple[float, float]]:
        """For each share, how many rows have t below it, averaged over draws, and how many new rows would have.

        Where covariates tell no rows apart. The latter is that share of them; fewer where densities tie.
        """
        new, here = np.zeros((2, len(shares)))
        for rows, every in self._by_pattern(likelihood):
            size = every.shape[1]  # each of these new rows beside the others, as a row beside all of them
            own = np.stack([np.searchsorted(one, up_to_ties(one, 1), side="right") - 1 for one in every]) / (size - 1)
            new += [len(rows) * float((own < share).mean()) for share in shares]
        for _, block in self._in_blocks(likelihood):
            areas = self.areas(block)
            here += [float((areas < share).mean(axis=0).sum()) for share in shares]
        return list(zip(here.tolist(), new.tolist(), strict=True))

    def least(self, likelihood: Likelihood) -> np.ndarray:
        """The smallest tail probability that is seen of each row, (n,): 1 / (N + 1), of N simulated rows."""
        return np.asarray(1 / (self._simulated(likelihood) + 1))

    def means(self, likelihood: Likelihood) -> np.ndarray:
        """The means over draws, (n,), never 0: with N rows simulated for each at least 1 / (N + 1)."""
        means = self._means(likelihood)
        few = np.flatnonzero(means < DOUBTFUL)
        if self.alike or not 0 < len(few) < len(means):
            return means
        means[few] = self._means(likelihood.rebind(likelihood.data.take(few)))
        return means

    def _in_blocks(self, likelihood: Likelihood) -> Iterator[tuple[np.ndarray, Likelihood]]:
        """The rows by and by: their numbers, and the likelihood over them."""
        n, width = len(likelihood.data), max(1, int(BLOCK_BYTES / (8 * self.fitted.size * 3)))
        for start in range(0, n, width):
            rows = np.arange(start, min(start + width, n))
            yield rows, likelihood if len(rows) == n else likelihood.rebind(likelihood.data.take(rows))

    def _means(self, likelihood: Likelihood) -> np.ndarray:
        self._simulated(likelihood)  # for all patterns of gaps together
        means = np.empty(len(likelihood.data))
        for rows, block in self._in_blocks(likelihood):
            simulated = self._simulated(block)
            means[rows] = (self.areas(block).mean(axis=0) * simulated + 1) / (simulated + 1)
        return means

    def _simulated(self, likelihood: Likelihood) -> np.ndarray:
        """How many rows are simulated for each of these, over all draws, (n,)."""
        n = len(likelihood.data)
        each = np.full(n, self.batches * _copies(n))
        for rows, new in self._by_pattern(likelihood) if self.alike else ():
            each[rows] = new.shape[1]
        return self.fitted.size * each


def _copies(n: int) -> int:
    """How often each of n rows with laws of their own is simulated at a time."""
    return max(1, TAIL_ROWS // n)


def up_to_ties(l: np.ndarray, direction: int) -> np.ndarray:
    """Log-densities moved up (1) or down (-1) past all that tie with them."""
    return l + direction * TIE * (1 + np.abs(l))
