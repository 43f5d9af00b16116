"""EM to the same log-likelihood from the same starts, beside scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import em
from benchmarks.figures import Case, Figure, median
from benchmarks.problems import Problem, simulated
from benchmarks.timing import timed

AT_LEAST = 10.0
CLOSE = 1e-3
RULES = {"its default rule": {}, "the optimum": {"tol": 1e-9, "max_iter": 10_000}}


def cases(*, quick: bool) -> Iterator[Case]:
    """Groups that overlap, so that EM takes some dozen iterations or hundreds."""
    for n, d, K in ((1_000, 4, 3),) if quick else ((10_000, 4, 3), (100_000, 4, 5), (100_000, 20, 10)):
        problem = simulated(n, d, K, apart=1.0)
        for rule, settings in RULES.items():
            yield _case(problem, rule, settings, 2 if quick else 5)


def _case(problem: Problem, rule: str, settings: dict[str, float], n_starts: int) -> Case:
    family, X = em.bound(problem), problem.X
    starts = [em.kmeans_start(X, problem.coordinates.K, seed) for seed in range(n_starts)]
    em.check_same_step(family, X, starts[0])
    ours, peer, iterations, peer_iterations = [], [], [], []
    for start in starts:
        seconds, mixture = timed(lambda start=start: em.sklearn_climb(X, start, **settings))
        goal = float(mixture.score(X)) * len(X) - CLOSE
        peer.append(seconds)
        peer_iterations.append(mixture.n_iter_)
        seconds, end = timed(lambda start=start, goal=goal: em.climb(family, start, goal))
        ours.append(seconds)
        iterations.append(end.n_iter)
    figures = {
        "ours": median(ours, "ms", 1e3),
        "scikit-learn": median(peer, "ms", 1e3),
        "ratio": Figure(sum(peer) / sum(ours), "x", at_least=AT_LEAST),
        "iterations, ours": median(iterations, ""),
        "iterations, scikit-learn": median(peer_iterations, ""),
    }
    return Case(f"{problem.name}, to {rule}", figures, f"{n_starts} starts")
