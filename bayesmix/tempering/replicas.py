"""Replicas on the rungs of a ladder, a line of them for every chain; lines run in threads of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from bayesmix.tempering.guesses import guess, no_guess
from bayesmix.tempering.kernel import UNSEEN, sweeps
from bayesmix.tempering.ladder import Ladder, Seen
from bayesmix.tempering.powers import Tempered

LEARNING = 0.1
"""Steps grow and shrink by at most e to this in a sweep, while they are learnt."""
LOOKS = 50
"""Sweeps of a chain after which the states of all rungs are noted, for their components."""


@dataclass(frozen=True)
class Drawn:
    """What some sweeps of all chains have brought.

    ``states`` (chains, draws, n_dim) and ``density`` (chains, draws) of the last rung, the posterior; ``L`` (chains,
    sweeps, R): log-likelihoods on every rung; ``arrivals`` (chains,): replicas that came from the prior to the
    posterior; ``everywhere`` (chains, T, R, n_dim): all rungs' states at some sweeps; ``seen`` tells how to go on.
    """

    states: np.ndarray
    density: np.ndarray
    L: np.ndarray
    everywhere: np.ndarray
    arrivals: np.ndarray
    seen: Seen

    @classmethod
    def joined(cls, pieces: list[Drawn]) -> Drawn:
        """One after the other, on one ladder; ``seen`` is that of the last."""
        names = ("states", "density", "L")
        states, density, L = (np.concatenate([getattr(p, v) for p in pieces], axis=1) for v in names)
        arrivals = np.sum([p.arrivals for p in pieces], axis=0)
        return cls(states, density, L, pieces[-1].everywhere, arrivals, pieces[-1].seen)


class Replicas:
    """Lines of replicas; what changes is ``ladder``, the replicas' places and the random streams."""

    def __init__(self, model: Tempered, ladder: Ladder, states: np.ndarray, *, cores: int, seed: int) -> None:
        self.model, self.ladder, self.cores = model, ladder, cores
        self.lines = [self._line(x) for x in states]
        self.streams = np.random.SeedSequence(seed)
        self.members = model.members
        self.guess = no_guess(len(ladder))

    @staticmethod
    def _line(x: np.ndarray) -> tuple[np.ndarray, ...]:
        R, n = x.shape
        return x.copy(), np.zeros((R, n)), np.zeros(R), np.zeros(R), np.arange(R), np.full(R, UNSEEN)

    def sweep(self, n: int, *, learn: bool = False) -> Drawn:
        """So many sweeps of every line; while they learn, steps change and all rungs' states are noted now and then."""
        rungs, held = self.model.rungs(self.ladder)
        streams = self.streams.spawn(len(self.lines))
        priors = [self._prior(n, stream) for stream in streams]  # PyMC draws in one thread at a time

        def line(c: int) -> tuple[np.ndarray, ...]:
            return self._swept(rungs, self.lines[c], priors[c], np.random.default_rng(streams[c]), n, learn=learn)

        with ThreadPoolExecutor(self.cores) as pool:
            swept = list(pool.map(line, range(len(self.lines))))
        del held
        states, density, L, everywhere, *tallies = (np.array(part) for part in zip(*swept, strict=True))
        accepted, moved, rejected, products, descended, arrivals, steps = tallies
        sums = accepted, moved, 2 * rejected, products, descended
        accepted, moved, rejected, products, descended = (tally.mean(axis=0) / n for tally in sums)
        seen = Seen(accepted, moved, rejected, products, descended, np.exp(np.log(steps).mean(axis=0)))
        return Drawn(states, density, L, everywhere, arrivals[:, 0], seen)

    def _prior(self, n: int, stream: np.random.SeedSequence) -> np.ndarray:
        if not self.model.plain:
            return np.empty((0, self.model.compiled.n_dim))
        return self.model.prior(max(n, 2), int(stream.generate_state(1)[0]))  # one draw would lose its axis

    def _swept(
        self, rungs: tuple, line: tuple, prior: np.ndarray, rng: np.random.Generator, n: int, *, learn: bool
    ) -> tuple[np.ndarray, ...]:
        R, dim = line[0].shape
        looks = len(range(0, n, -(-n // LOOKS))) if learn else 0
        out = (np.empty((n, dim)), np.empty(n), np.empty((n, R)), np.empty((looks, R, dim)))
        counts = np.zeros(R), np.zeros(R), np.zeros(R - 1), np.zeros((R, dim, dim)), np.zeros(R), np.zeros(1)
        tally = (*counts, self.ladder.steps.copy())
        learning = LEARNING if learn else 0.0
        sweeps(rungs, (self.members, self.guess), prior, line, rng, out, tally, learning)
        return (*out, *tally)

    def adapt(self, drawn: Drawn) -> None:
        """Steps, coordinates, powers and the number of rungs from what some sweeps have shown."""
        before = self.ladder.learnt(drawn.seen)
        self.ladder = before.spaced(drawn.seen.rejection, drawn.seen.rungs)
        nearest = np.abs(before.powers[:, None] - self.ladder.powers).argmin(axis=0)
        self.lines = [self._line(line[0][nearest]) for line in self.lines]
        if len(self.members):
            looked = drawn.everywhere.reshape(-1, *drawn.everywhere.shape[2:])
            self.guess = guess(looked[:, nearest], self.members, seed=len(nearest))
