"""Replicas on the rungs of a ladder, a line of them for every chain; lines run in threads of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from bayesmix.tempering.kernel import UNSEEN, sweeps
from bayesmix.tempering.ladder import LEAPFROGS, LEAPFROGS_LAST, Ladder, Seen
from bayesmix.tempering.powers import Tempered


@dataclass(frozen=True)
class Drawn:
    """What some sweeps of all chains have brought.

    ``states`` (chains, draws, n_dim) and ``density`` (chains, draws) of the last rung, the posterior; ``L`` (chains,
    sweeps, R): log-likelihoods on every rung; ``arrivals`` (chains,): replicas that came from the prior to the
    posterior; ``seen``: averages that tell how to go on.
    """

    states: np.ndarray
    density: np.ndarray
    L: np.ndarray
    arrivals: np.ndarray
    seen: Seen

    @classmethod
    def joined(cls, pieces: list[Drawn]) -> Drawn:
        """One after the other, on one ladder; ``seen`` is that of the last."""
        states, density, L = (
            np.concatenate([getattr(p, v) for p in pieces], axis=1) for v in ("states", "density", "L")
        )
        return cls(states, density, L, np.sum([p.arrivals for p in pieces], axis=0), pieces[-1].seen)


class Replicas:
    """Lines of replicas; what changes is ``ladder``, the replicas' places and the random streams."""

    def __init__(self, model: Tempered, ladder: Ladder, states: np.ndarray, *, cores: int, seed: int) -> None:
        self.model, self.ladder, self.cores = model, ladder, cores
        self.lines = [self._line(x) for x in states]
        self.streams = np.random.SeedSequence(seed)
        self.member = model.member

    @staticmethod
    def _line(x: np.ndarray) -> tuple[np.ndarray, ...]:
        R, n = x.shape
        return x.copy(), np.zeros((R, n)), np.zeros(R), np.zeros(R), np.arange(R), np.full(R, UNSEEN)

    def sweep(self, n: int) -> Drawn:
        """So many sweeps of every line."""
        rungs, held = self.model.rungs(self.ladder)
        streams = self.streams.spawn(len(self.lines))
        priors = [self._prior(n, stream) for stream in streams]  # PyMC draws in one thread at a time

        def line(c: int) -> tuple[np.ndarray, ...]:
            return self._swept(rungs, self.lines[c], priors[c], np.random.default_rng(streams[c]), n)

        with ThreadPoolExecutor(self.cores) as pool:
            swept = list(pool.map(line, range(len(self.lines))))
        del held
        states, density, L, *tallies = (np.array(part) for part in zip(*swept, strict=True))
        accepted, rejected, products, arrivals = tallies
        seen = Seen(accepted.mean(axis=0) / n, 2 * rejected.mean(axis=0) / n, products.mean(axis=0) / n)
        return Drawn(states, density, L, arrivals[:, 0], seen)

    def _prior(self, n: int, stream: np.random.SeedSequence) -> np.ndarray:
        if not self.model.plain:
            return np.empty((0, self.model.compiled.n_dim))
        return self.model.prior(2 * n, int(stream.generate_state(1)[0]))

    def _swept(
        self, rungs: tuple, line: tuple, prior: np.ndarray, rng: np.random.Generator, n: int
    ) -> tuple[np.ndarray, ...]:
        R, dim = line[0].shape
        out = (np.empty((n, dim)), np.empty(n), np.empty((n, R)))
        tally = (np.zeros(R), np.zeros(R - 1), np.zeros((R, dim, dim)), np.zeros(1))
        longest = np.where(np.arange(R) < R - 1, LEAPFROGS, LEAPFROGS_LAST)
        sweeps(rungs, longest, self.member, prior, line, rng, out, tally)
        return (*out, *tally)

    def adapt(self, drawn: Drawn) -> None:
        """Steps, coordinates, powers and the number of rungs from what some sweeps have shown."""
        before = self.ladder.learnt(drawn.seen)
        self.ladder = before.spaced(drawn.seen.rejection, drawn.seen.rungs)
        nearest = np.abs(before.powers[:, None] - self.ladder.powers).argmin(axis=0)
        self.lines = [self._line(line[0][nearest]) for line in self.lines]
