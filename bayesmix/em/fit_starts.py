"""EM from many starts: roughly over few rows, then once for each solution over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import cycle, islice
from numbers import Real
from typing import Any

import numpy as np

from bayesmix.em.classify import classify
from bayesmix.em.init import start_from
from bayesmix.em.iterations import iterate
from bayesmix.em.saddles import beyond_saddles
from bayesmix.em.starts import WITHIN_REACH, StartResult, best_result, few_rows, merged
from bayesmix.estep import e_step
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.errors import steps
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

ROUGHLY = 1e-6
"""Starts are told apart once L has less than ROUGHLY (1 + |L|) to rise."""
CATCH_UP, CATCH_UP_PER_ROW = 40.0, 0.02
"""A start that promises to end so far below the best is left, where only the best counts: plateaus are lower steps."""
GIVEN = "given"
"""The kind of a start that the user brings."""


@dataclass(frozen=True)
class Manner:
    """Where EM begins and what it keeps, beyond what :func:`fit_starts` does by itself.

    Attributes
    ----------
    kinds : tuple of str
        Those of the family's kinds of starts that are taken in turn; empty: all of them.
    init : Params, optional
        The only start there is.
    trace : bool
        Whether results keep their parameters at every step.
    hard : bool
        Whether every row goes wholly to its most probable component (:mod:`bayesmix.em.classify`).
    progress : bool
        Whether a bar is shown where it takes long.
    """

    kinds: tuple[str, ...] = ()
    init: Params | None = None
    trace: bool = False
    hard: bool = False
    progress: bool = False

    @classmethod
    def of(cls, likelihood: Likelihood, starts: Any, init: Any, *, trace: bool, hard: bool) -> Manner:
        """From the arguments of :func:`bayesmix.fit_em`; ValueError naming the one that is impossible."""
        if not (starts is None or isinstance(starts, Iterable)):
            raise ValueError(f"starts: must be a kind or a sequence of kinds; got {starts!r}")
        kinds = () if starts is None else (starts,) if isinstance(starts, str) else tuple(starts)
        for kind in kinds:
            if kind not in likelihood.start_kinds:
                raise ValueError(f"starts: unknown kind {kind!r}; choose from {', '.join(likelihood.start_kinds)}")
        if starts is not None and (init is not None or not kinds):
            raise ValueError("starts: needs a kind, and cannot be combined with init, which is the only start")
        return cls(kinds, None if init is None else start_from(likelihood, init), trace, hard)

    def of_starts(self, likelihood: Likelihood, n: int) -> list[str]:
        """The kind of each of ``n`` starts.

        Of all kinds, the one that is deterministic leads where there are several starts; a single start is random.
        """
        once, *others = likelihood.start_kinds
        if self.init is not None:
            return [GIVEN]
        if self.kinds or n == 1:
            return list(islice(cycle(self.kinds or others), n))
        return [once, *islice(cycle(others), n - 1)]

    def ascend(
        self,
        likelihood: Likelihood,
        kind: str,
        params: Params,
        *,
        max_iter: int,
        tolerance: float,
        bar: float = -np.inf,
    ) -> StartResult:
        """EM from one start; soft assignment may give it up where it will not reach ``bar``."""
        if self.hard:
            return classify(likelihood, kind, params, max_iter=max_iter, tolerance=tolerance, trace=self.trace)
        return iterate(likelihood, kind, params, max_iter=max_iter, tolerance=tolerance, bar=bar, trace=self.trace)


def fit_starts(
    likelihood: Likelihood,
    *,
    n_starts: int,
    seed: int,
    max_iter: int = 2000,
    tolerance: float = 1e-9,
    groups: np.ndarray | None = None,
    everything: bool = True,
    manner: Manner = Manner(),
) -> list[StartResult]:
    """EM from ``n_starts`` starts, each with its own random stream; those that reach one solution share its end.

    Every start rises roughly, over few of the rows where there are many; each solution is then carried on once, over
    all rows, to its end. Left behind are starts so far below the best (``WITHIN_REACH``) that no prior could bring
    them back; without ``everything``, those that cannot become the best (``CATCH_UP``). ``groups``: components that may
    switch labels without a difference, where the priors leave fewer than the evidence does. A start that is given goes
    over all rows from the beginning.
    """
    whole_numbers(n_starts=n_starts, seed=seed, max_iter=max_iter)
    if not (isinstance(tolerance, Real) and tolerance > 0):
        raise ValueError(f"tolerance: must be positive; got {tolerance!r}")
    kinds = manner.of_starts(likelihood, n_starts)
    *streams, rows = np.random.default_rng(seed).spawn(len(kinds) + 1)
    few = few_rows(likelihood, rows) if manner.init is None else likelihood
    catch_up = CATCH_UP + CATCH_UP_PER_ROW * len(few.data)
    reach = WITHIN_REACH + 2 * likelihood.n_parameters
    reach = np.inf if manner.hard else reach if everything else min(reach, catch_up)
    ends: list[StartResult] = []
    rough = max(tolerance, ROUGHLY)
    for kind, rng in steps(list(zip(kinds, streams, strict=True)), "EM from its starts", progress=manner.progress):
        bar = max((end.log_likelihood for end in ends if not end.reasons), default=-np.inf) - reach
        start = few.initial(kind, rng) if manner.init is None else manner.init
        ends.append(manner.ascend(few, kind, start, max_iter=max_iter, tolerance=rough, bar=bar))
    results = merged(few, ends, groups)
    bar = results[best_result(results)].log_likelihood - reach
    settings: dict[str, Any] = {"max_iter": max_iter, "tolerance": tolerance}
    finished = {
        id(result.params): _finished(likelihood, few, result, bar, manner, settings) for result in results if result.own
    }
    results = [
        finished[id(result.params)] if result.own else result.at(finished[id(result.params)]) for result in results
    ]
    results = merged(likelihood, results, groups)
    while (best := results[best_result(results)]).left:  # those for whose sake it was left ended in spikes
        end = _finished(likelihood, few, replace(best, left=False), -np.inf, manner, settings)
        results = [
            result if result.params is not best.params else end if result is best else result.at(end)
            for result in results
        ]
        results = merged(likelihood, results, groups)
    return results if manner.hard else beyond_saddles(likelihood, results, **settings)


def _finished(
    likelihood: Likelihood,
    few: Likelihood,
    result: StartResult,
    bar: float,
    manner: Manner,
    settings: Mapping[str, Any],
) -> StartResult:
    """A result over few rows carried on over all, to its end; below the bar only its log-likelihood is that of all.

    One that ended in a spike over all rows has nowhere to go on to.
    """
    if result.reasons and few is likelihood:
        return result
    if result.log_likelihood >= bar and not result.left:
        end = manner.ascend(likelihood, result.kind, result.params, **settings)
        if few is not likelihood:
            return replace(end, n_iter=result.n_iter + end.n_iter)
        history, path = np.concatenate([result.history[:-1], end.history]), (*result.path[:-1], *end.path)
        return replace(end, history=history, path=path, n_iter=result.n_iter + end.n_iter)
    if few is likelihood or not np.isfinite(result.log_likelihood):
        return replace(result, left=True)
    L, _ = e_step(likelihood, result.params)
    return replace(result, history=np.array([L]), path=result.path[-1:], n_iter=result.n_iter + 1, left=True)
