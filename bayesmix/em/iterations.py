"""EM from one start to its end: plain steps, and where they crawl, quasi-Newton steps that EM preconditions.

The E-step gives L, the score g and, through the M-step, EM's own step D = M(theta) - theta: three readings of one pass
over the rows. D = H0 g, with H0 nearly the inverse of the complete-data information, so EM is steepest ascent in the
metric that suits the mixture; pairs of successive points turn it into a limited-memory BFGS method whose first guess
of the inverse information is H0, never formed. Jamshidian and Jennrich (1997), doi:10.1111/1467-9868.00083; the
recursion: Nocedal (1980), doi:10.1090/S0025-5718-1980-0572855-7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bayesmix.em.starts import StartResult
from bayesmix.estep import e_step, responsibilities
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, Sums

MONOTONE = 1e-12
"""L may fall by MONOTONE (1 + |L|) between iterations: the rounding of the sum."""
MANY_STEPS = 8
"""EM crawls where it needs more steps than this to its end."""
NEAR, NEAR_PER_ROW = 0.3, 1e-4
"""Plain EM chooses the summit: it goes alone until L has less than either to rise."""
TRUSTED = 5
"""The ratio of successive gains must be this many of its last changes below 1: near a saddle it rises past 1."""
LONGEST_LEAP = 0.2
"""A leap moves no coordinate by more than this many of its units: it must not leave the summit's slopes."""
FAIR_CHANCE, HOPE = 8, 10.0
"""A start is left for another's sake only after so many steps, and where so many times its promise would not do."""
SHORTENED = 2
PAIRS = 20
HALVINGS = 20


@dataclass(frozen=True)
class Memory:
    """Pairs of successive points: moves a, falls of the score y = -H a, and of EM's step e = H0 y, oldest first."""

    theta: np.ndarray
    score: np.ndarray
    em_step: np.ndarray
    pairs: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...] = ()

    def after(self, new: Memory) -> Memory | None:
        """What is remembered at the next point; None where L is not concave between the two."""
        a, y, e = new.theta - self.theta, self.score - new.score, self.em_step - new.em_step
        return replace(new, pairs=(*self.pairs[1 - PAIRS :], (a, y, e))) if a @ y > 0 else None

    def leap(self) -> np.ndarray:
        """The quasi-Newton step, by the two-loop recursion; EM's own step where there are no pairs yet."""
        q, step, shares = self.score, self.em_step, []
        for a, y, e in reversed(self.pairs):
            shares.append((a @ q) / (a @ y))
            q, step = q - shares[-1] * y, step - shares[-1] * e
        for (a, y, _), share in zip(self.pairs, reversed(shares), strict=True):
            step = step + a * (share - (y @ step) / (a @ y))
        return step


class Ascent:
    """EM under way: the point, L there and before, what acceleration remembers, and the E-steps spent.

    ``path``: the points of ``history``, where they are to be kept.
    """

    def __init__(self, likelihood: Likelihood, params: Params, *, trace: bool = False) -> None:
        self.likelihood, self.params, self.trace = likelihood, params, trace
        self.path = [params] if trace else []
        self.L, self.sums = e_step(likelihood, params)
        self.history, self.plain = [self.L], [self.L]
        self.n_iter = 1
        self.near = max(NEAR, NEAR_PER_ROW * float(likelihood.row_weights.sum()))
        self.memory: Memory | None = None

    @property
    def rounding(self) -> float:
        """What L may seem to fall without falling."""
        return MONOTONE * (1 + abs(self.L))

    def walk(self, stepped: Params) -> None:
        """EM's own step, halved while L falls: where that is one step of Newton's method, it may go too far."""
        L, sums = e_step(self.likelihood, stepped)
        self.n_iter += 1
        for _ in range(HALVINGS):
            if not self.L - self.rounding > L:
                break
            stepped = self.likelihood.unpack((self.likelihood.pack(self.params) + self.likelihood.pack(stepped)) / 2)
            L, sums = e_step(self.likelihood, stepped)
            self.n_iter += 1
        self._move(stepped, L, sums)
        self.plain.append(self.L)

    def jump(self, leap: np.ndarray) -> bool:
        """A quasi-Newton step, shortened where it goes too far; whether L did not fall."""
        theta = self.likelihood.pack(self.params)
        size = min(1.0, LONGEST_LEAP / np.abs(leap / self.likelihood.units(self.params)).max())
        for shorter in 0.25 ** np.arange(SHORTENED):
            params = self.likelihood.unpack(theta + size * shorter * leap)
            if self.likelihood.spikes(params):
                continue
            L, sums = e_step(self.likelihood, params)
            self.n_iter += 1
            if self.L - self.rounding <= L:
                self._move(params, L, sums)
                return True
        self.memory = None
        self.plain = [self.L]
        return False

    def _move(self, params: Params, L: float, sums: Sums) -> None:
        self.params, self.L, self.sums = params, L, sums
        self.history.append(L)
        self.path += [params] if self.trace else []

    def remember(self, stepped: Params, tolerance: float) -> None:
        """Keep what this point tells, once EM crawls; forget it all where L is not concave."""
        if self.memory is None and not crawls(self.plain, tolerance * (1 + abs(self.L)), self.near):
            return
        with np.errstate(divide="ignore", invalid="ignore"):
            theta = self.likelihood.pack(self.params)
            here = Memory(theta, self.likelihood.score(theta, self.sums), self.likelihood.pack(stepped) - theta)
        before, self.memory = self.memory, None
        if np.isfinite(here.em_step).all():
            self.memory = here if before is None else before.after(here)
        if self.memory is None or before is None:
            self.plain = [self.L]

    def hopeless(self, bar: float) -> bool:
        """Whether L stays below the bar though it rise ten times as far as its last gains promise."""
        return len(self.history) >= FAIR_CHANCE and self.L + HOPE * remaining(self.history) < bar

    def converged(self, leap: np.ndarray | None, tolerance: float) -> bool:
        """Whether L has less than tolerance (1 + |L|) to rise.

        By half the slope along the quasi-Newton step (and that the last step was small), where there is one.
        """
        bound = tolerance * (1 + abs(self.L))
        if leap is None or self.memory is None:
            return remaining(self.plain) < bound
        last = self.history[-1] - self.history[-2]
        return len(self.memory.pairs) > 1 and last < bound and 0 <= self.memory.score @ leap < bound / 5


def remaining(history: Sequence[float]) -> float:
    """How much L has still to rise: Aitken's extrapolation of the last two gains (Boehning et al. 1994).

    doi:10.1007/BF01720593. The last gain alone would stop too soon where EM crawls; while gains grow, as they do on
    leaving a saddle, there is no telling.
    """
    if len(history) < 3:
        return np.inf
    before, last = history[-2] - history[-3], history[-1] - history[-2]
    if last <= MONOTONE * (1 + abs(history[-1])):
        return 0.0
    return last * last / (before - last) if last < before else np.inf


def crawls(history: Sequence[float], bound: float, near: float) -> bool:
    """Whether plain EM has less than ``near`` to rise, but needs many steps until that is less than ``bound``."""
    rest = remaining(history)
    if len(history) < 4 or not bound < rest < near:
        return False
    first, second, third = np.diff(history[-4:])
    if first <= 0 or second <= 0:
        return False
    rate = third / second
    settled = rate + TRUSTED * abs(rate - second / first) < 1
    return bool(settled and np.log(bound / rest) / np.log(rate) > MANY_STEPS)


def iterate(
    likelihood: Likelihood,
    kind: str,
    params: Params,
    *,
    max_iter: int,
    tolerance: float,
    patience: int = 0,
    bar: float = -np.inf,
    trace: bool = False,
) -> StartResult:
    """EM from one start until L stands still, the E-steps run out, or the likelihood grows without bound.

    L never falls; whether a step leads into a spike is checked before it is taken. It does not stand still before
    ``patience`` E-steps. A start that will not reach ``bar`` is left. ``trace``: the result keeps every point.
    """
    reasons = likelihood.spikes(params)
    if reasons:
        return stillborn(kind, params, reasons, trace=trace)
    ascent, converged, left = Ascent(likelihood, params, trace=trace), False, False
    while True:
        stepped = likelihood.m_step(ascent.sums, ascent.params)
        reasons = likelihood.spikes(stepped)
        if reasons:
            break
        ascent.remember(stepped, tolerance)
        leap = ascent.memory.leap() if ascent.memory and ascent.memory.pairs else None
        converged = ascent.n_iter > patience and ascent.converged(leap, tolerance)
        left = not converged and ascent.hopeless(bar)
        if converged or left or ascent.n_iter > max_iter:
            reasons = likelihood.spikes(ascent.params, responsibilities(likelihood, ascent.params))
            break
        if leap is None or not ascent.jump(leap):
            ascent.walk(stepped)
    history, path = np.array(ascent.history), tuple(ascent.path)
    return StartResult(kind, ascent.params, history, converged, tuple(reasons), ascent.n_iter, left=left, path=path)


def stillborn(kind: str, params: Params, reasons: Sequence[str], *, trace: bool) -> StartResult:
    """A start that ends where it starts, since that is degenerate."""
    return StartResult(kind, params, np.array([-np.inf]), False, tuple(reasons), 0, path=(params,) if trace else ())
