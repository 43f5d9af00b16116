"""Whole calls of ``MixtureEstimator`` beside scikit-learn's ``GaussianMixture``: fits, and grids in three folds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV

from bayesmix.estimator import MixtureEstimator
from benchmarks.figures import Case, Figure, median
from benchmarks.rows.em_whole import RULES, groups_apart
from benchmarks.timing import Budget, repeated, take_turns

SIZE = (20_000, 8, 5)
STARTS = (1, 5, 20)
GRID = {"n_components": [4, 5, 6]}
SEED = {"random_state": 0}


def cases(*, quick: bool) -> Iterator[Case]:
    """One size, by number of starts; the grid with one start and with five."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    n, d, K = (2_000, 4, 3) if quick else SIZE
    X = groups_apart(n, d, K)
    name, rounds = f"{d}-D, n = {n:,}, K = {K}", 3 if quick else 7
    for starts in STARTS[:2] if quick else STARTS:
        yield _case(f"fit, {name}", X, _ours(K, starts), _peer(K, starts), f"starts: {starts}", rounds)
    for starts in STARTS[:1] if quick else STARTS[:2]:
        both = (GridSearchCV(one, GRID, cv=3) for one in (_ours(K, starts), _peer(K, starts)))
        yield _case(f"grid, {name}", X, *both, f"starts: {starts}; refitted at the end", 3)
    both = MixtureEstimator(n_components=K, **SEED), GaussianMixture(K, **SEED)
    yield _case(f"fit, {name}, nothing set", X, *both, "starts: 20 and 1", rounds, at_least=None)


def _ours(K: int, starts: int) -> MixtureEstimator:
    return MixtureEstimator(n_components=K, n_starts=starts, **SEED)


def _peer(K: int, starts: int) -> GaussianMixture:
    return GaussianMixture(K, n_init=starts, **(RULES | SEED))


def _case(
    name: str, X: np.ndarray, ours: Any, peer: Any, remark: str, rounds: int, at_least: float | None = 1.0
) -> Case:
    higher = (ours.fit(X).score(X) - peer.fit(X).score(X)) * len(X)
    works: dict[str, Callable[[], object]] = {"ours": lambda: ours.fit(X), "scikit-learn": lambda: peer.fit(X)}
    contestants = {side: repeated(work) for side, work in works.items()}
    seconds = take_turns(contestants, Budget(rounds, 0.2), one_thread=True)
    figures = {side: median(s, "s") for side, s in seconds.items()}
    figures["ratio"] = figures["scikit-learn"].per(figures["ours"], at_least=at_least)
    figures["ours ends higher by"] = Figure(higher, "")
    return Case(name, figures, remark)
