"""EM from many starts: rough climbs over few rows, then one run for each solution over all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np

from bayesmix.em.climb import climb
from bayesmix.em.saddles import beyond_saddles
from bayesmix.em.starts import WITHIN_REACH, Run, best_run, few_rows, merged
from bayesmix.estep import e_step
from bayesmix.inputs.arguments import whole_numbers
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
    """Where EM begins and what it keeps, beyond what :func:`run_starts` does by itself.

    Attributes
    ----------
    kinds : tuple of str
        Those of the family's kinds of starts that are taken in turn; empty: all of them.
    init : Params, optional
        The only start there is.
    trace : bool
        Whether runs keep their parameters at every step.
    """

    kinds: tuple[str, ...] = ()
    init: Params | None = None
    trace: bool = False

    def of_starts(self, family: Likelihood, n: int) -> list[str]:
        """The kind of each of ``n`` starts.

        Of all kinds, the one that is deterministic leads where there are several starts; a single start is random.
        """
        once, *others = family.start_kinds
        if self.init is not None:
            return [GIVEN]
        if self.kinds or n == 1:
            return list(islice(cycle(self.kinds or others), n))
        return [once, *islice(cycle(others), n - 1)]


def run_starts(
    family: Likelihood,
    *,
    n_starts: int,
    seed: int,
    max_iter: int = 2000,
    tolerance: float = 1e-9,
    groups: np.ndarray | None = None,
    everything: bool = True,
    manner: Manner = Manner(),
) -> list[Run]:
    """EM from ``n_starts`` starts, each with its own random stream; those that reach one solution share its end.

    Every start climbs roughly, over few of the rows where there are many; each solution is then carried on once, over
    all rows, to its end. Left behind are starts so far below the best (``WITHIN_REACH``) that no prior could bring
    them back; without ``everything``, those that cannot become the best (``CATCH_UP``). ``groups``: components that may
    switch labels without a difference, where the priors leave fewer than the evidence does. A start that is given goes
    over all rows from the beginning.
    """
    whole_numbers(n_starts=n_starts, seed=seed, max_iter=max_iter)
    if not tolerance > 0:
        raise ValueError(f"tolerance: must be positive; got {tolerance!r}")
    kinds = manner.of_starts(family, n_starts)
    *streams, rows = np.random.default_rng(seed).spawn(len(kinds) + 1)
    few = few_rows(family, rows) if manner.init is None else family
    catch_up = CATCH_UP + CATCH_UP_PER_ROW * len(few.data)
    reach = WITHIN_REACH + 2 * family.n_parameters
    reach = reach if everything else min(reach, catch_up)
    ends: list[Run] = []
    rough = max(tolerance, ROUGHLY)
    for kind, rng in zip(kinds, streams, strict=True):
        bar = max((end.log_likelihood for end in ends if not end.reasons), default=-np.inf) - reach
        start = few.initial(kind, rng) if manner.init is None else manner.init
        ends.append(climb(few, kind, start, max_iter=max_iter, tolerance=rough, bar=bar, trace=manner.trace))
    runs = merged(few, ends, groups)
    bar = runs[best_run(runs)].log_likelihood - reach
    finished = {id(run.params): _finished(family, few, run, bar, max_iter, tolerance) for run in runs if run.own}
    runs = [finished[id(run.params)] if run.own else run.at(finished[id(run.params)]) for run in runs]
    return beyond_saddles(family, merged(family, runs, groups), max_iter=max_iter, tolerance=tolerance)


def _finished(family: Likelihood, few: Likelihood, run: Run, bar: float, max_iter: int, tolerance: float) -> Run:
    """A rough run over few rows carried on over all, to its end; below the bar only its log-likelihood is that of all.

    A run that ended in a spike over all rows has nowhere to go on to.
    """
    if run.reasons and few is family:
        return run
    if run.log_likelihood >= bar and not run.left:
        end = climb(family, run.kind, run.params, max_iter=max_iter, tolerance=tolerance, trace=bool(run.path))
        if few is not family:
            return replace(end, n_iter=run.n_iter + end.n_iter)
        history, path = np.concatenate([run.history[:-1], end.history]), (*run.path[:-1], *end.path)
        return replace(end, history=history, path=path, n_iter=run.n_iter + end.n_iter)
    if few is family or not np.isfinite(run.log_likelihood):
        return replace(run, left=True)
    L, _ = e_step(family, run.params)
    return replace(run, history=np.array([L]), path=run.path[-1:], n_iter=run.n_iter + 1, left=True)
