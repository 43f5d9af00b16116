"""What EM says of a candidate: criteria of its likelihood, and the density of rows that were held out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from bayesmix import estep
from bayesmix.choosing.candidates import Candidate
from bayesmix.em.fit_em import EMFit, ml_fit
from bayesmix.em.fit_starts import GIVEN, Manner, fit_starts
from bayesmix.em.init import start_from
from bayesmix.em.starts import merged
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.rows.density import log_density

STARTS_OF_FOLDS = 4
"""EM begins so many times less often without a fold: there are many of those, and none is the answer."""

type Numbers = dict[str, Any]
"""What is written down of a candidate, in plain numbers."""


def by_em(candidate: Candidate, made: Callable[[], EMFit], *, n_starts: int, folds: int, seed: int) -> Numbers:
    """The columns that need no draws, of a candidate and its fit."""
    began = time.perf_counter()
    numbers = _numbers(candidate, made(), n_starts=n_starts, folds=folds, seed=seed)
    return numbers | {"em_seconds": time.perf_counter() - began}


def fits_of(group: Sequence[Candidate], *, n_starts: int, seed: int) -> list[Callable[[], EMFit]]:
    """The fits of candidates with one number of components, fewest parameters first; each made when first asked for.

    A candidate that ended lower than one before it begins there too: where the one holds the other as a special case,
    its likelihood is then at least as high.
    """

    @cache
    def made(i: int) -> EMFit:
        return fit(group[i].likelihood, [made(j) for j in range(i)], n_starts=n_starts, seed=seed)

    return [partial(made, i) for i in range(len(group))]


def fit(likelihood: Likelihood, poorer: Sequence[EMFit], *, n_starts: int, seed: int) -> EMFit:
    """EM from so many starts, and from the groups of those fits with fewer parameters that ended higher."""
    results = fit_starts(likelihood, n_starts=n_starts, seed=seed, everything=False)
    em = ml_fit(likelihood, results)
    for other in sorted(poorer, key=lambda other: -other.log_likelihood):
        if not other.degenerate and (em.degenerate or other.log_likelihood > em.log_likelihood):
            manner = Manner(init=start_from(likelihood, estep.responsibilities(other.likelihood, other.arrays)))
            results = merged(likelihood, [*results, *fit_starts(likelihood, n_starts=1, seed=seed, manner=manner)])
            em = ml_fit(likelihood, results)
    return em


def _numbers(candidate: Candidate, em: EMFit, *, n_starts: int, folds: int, seed: int) -> Numbers:
    numbers = {
        "log_likelihood": em.log_likelihood,
        "reached": reached(em),
        "df": em.n_parameters,
        "bic": em.bic,
        "icl": icl(em),
        "aic": em.aic,
        "converged": bool(em.converged),
        "reasons": list(em.reasons),
    }
    if folds:
        fewer = -(-n_starts // STARTS_OF_FOLDS)
        numbers["held_out"] = held_out(candidate, n_starts=fewer, folds=folds, seed=seed)
    return numbers | {"e_step_seconds": _e_step_seconds(em)}


def reached(em: EMFit) -> float:
    """The share of EM's own starts that came to the solution that is kept."""
    solution, own = em.starts["solution"], em.starts["kind"] != GIVEN
    return float((solution == solution[em.starts["chosen"]].iloc[0])[own].mean())


def icl(em: EMFit) -> float:
    r"""The integrated completed likelihood criterion, smaller is better.

    .. math:: \text{BIC} - 2 \sum_i v_i \log \max_k r_{ik}

    It is -1 times that of mclust (Biernacki, Celeux and Govaert 2000, doi:10.1109/34.865189): BIC, and a penalty for
    rows that no component can claim.
    """
    r = estep.responsibilities(em.likelihood, em.arrays)
    return em.bic - 2 * float((em.data.row_weights * np.log(r.max(axis=-1))).sum())


def held_out(candidate: Candidate, *, n_starts: int, folds: int, seed: int) -> float:
    """Log-density of all rows, each under EM's fit to the folds that it is not in, sum_i v_i log p(x_i | others).

    NaN where the rows without one of the folds cannot be fitted: too few, or without a level that the fold has.
    """
    data, total = candidate.data, 0.0
    for inside in rows_of_folds(data, folds, seed):
        away = data.take(inside)
        try:
            rest = candidate.likelihood.rebind(data.take(np.setdiff1d(np.arange(len(data)), inside)))
            em = ml_fit(rest, fit_starts(rest, n_starts=n_starts, seed=seed, everything=False))
            total += float((away.row_weights * log_density(em, away, labels=True)).sum())
        except ValueError:
            return float("nan")
    return total


def rows_of_folds(data: Data, folds: int, seed: int) -> list[np.ndarray]:
    """Row numbers of every fold: at random, the same for all candidates."""
    shuffled = np.random.default_rng(seed).permutation(len(data))
    return [np.sort(some) for some in np.array_split(shuffled, folds)]


def _e_step_seconds(em: EMFit) -> float:
    """Of one pass over the rows, the second time."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        estep.e_step(em.likelihood, em.arrays)
        seconds.append(time.perf_counter() - began)
    return min(seconds)
