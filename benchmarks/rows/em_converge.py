"""EM to the same log-likelihood from the same starts, beside scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from bayesmix.likelihood.likelihood import Likelihood, Params
from benchmarks import em
from benchmarks.figures import Case, Figure, median
from benchmarks.problems import Problem, simulated
from benchmarks.timing import one_core, timed

AT_LEAST = 10.0
CLOSE = 1e-3
RULES: dict[str, dict[str, float]] = {"its default rule": {}, "the optimum": {"tol": 1e-9, "max_iter": 20_000}}


def cases(*, quick: bool) -> Iterator[Case]:
    """Groups that overlap, so that EM takes some dozen iterations or hundreds."""
    one_core()
    for n, d, K in ((1_000, 4, 3),) if quick else ((10_000, 4, 3), (100_000, 4, 5)):
        problem = simulated(n, d, K, apart=1.0)
        for rule in RULES:
            minutes = n > 10_000 and rule == "the optimum"  # of scikit-learn's, for one start
            yield _case(problem, rule, 2 if quick else 1 if minutes else 3)


@dataclass(frozen=True)
class Pair:
    """Both sides from one start: seconds, iterations, and how much higher ours ended."""

    ours: float
    sklearn: float
    n_ours: int
    n_sklearn: int
    higher: float


def _pair(likelihood: Likelihood, start: Params, rule: str) -> Pair:
    X = likelihood.data.x
    sklearn, mixture = timed(lambda: em.sklearn_fit(X, start, **RULES[rule]))
    L = float(mixture.score(X)) * len(X)
    iterate = em.to_the_end if rule == "the optimum" else partial(em.iterate_to, goal=L - CLOSE)
    ours, end = timed(lambda: iterate(likelihood, start))
    if end.log_likelihood < L - CLOSE:
        raise RuntimeError(f"ours ended at {end.log_likelihood:.6f}, scikit-learn at {L:.6f}")
    return Pair(ours, sklearn, end.n_iter, mixture.n_iter_, end.log_likelihood - L)


def _case(problem: Problem, rule: str, n_starts: int) -> Case:
    likelihood, K = em.bound(problem), problem.coordinates.K
    starts = [em.kmeans_start(problem.X, K, seed) for seed in range(n_starts)]
    em.check_same_step(likelihood, problem.X, starts[0])
    em.to_the_end(em.bound(simulated(1_000, problem.coordinates.d, K, apart=1.0)), starts[0])
    pairs = [_pair(likelihood, start, rule) for start in starts]
    bound = {} if rule == "the optimum" else {"at_least": AT_LEAST}
    ours, sklearn = [p.ours for p in pairs], [p.sklearn for p in pairs]
    figures = {
        "ours": median(ours, "ms", 1e3),
        "scikit-learn": median(sklearn, "ms", 1e3),
        "ratio of the totals": Figure(sum(sklearn) / sum(ours), "x", **bound),
        "iterations, ours": median([p.n_ours for p in pairs], ""),
        "iterations, scikit-learn": median([p.n_sklearn for p in pairs], ""),
        "ours ends higher by": median([p.higher for p in pairs], ""),
    }
    return Case(f"{problem.name}, to {rule}", figures, f"starts: {n_starts}")
