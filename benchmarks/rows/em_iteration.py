"""One EM iteration beside scikit-learn's."""

from __future__ import annotations

from collections.abc import Iterator

from bayesmix import estep
from benchmarks import em
from benchmarks.figures import Case, median
from benchmarks.problems import simulated
from benchmarks.timing import budget, one_core, repeated, take_turns

SIZES = (
    (10_000, 4, 3, None),
    (100_000, 4, 5, 15.0),
    (1_000_000, 4, 5, 15.0),
    (100_000, 20, 10, 6.0),
)
"""Rows, features, components; at least this many times faster."""


def cases(*, quick: bool) -> Iterator[Case]:
    """The four sizes, a hundredth of the rows with ``quick``."""
    one_core()
    for n, d, K, at_least in SIZES:
        yield _case(n // 100 if quick else n, d, K, at_least, quick)


def _case(n: int, d: int, K: int, at_least: float | None, quick: bool) -> Case:
    problem = simulated(n, d, K)
    likelihood, X, params = em.bound(problem), problem.X, problem.params
    em.check_same_step(likelihood, X, params)
    mixture = em.sklearn_ready(X, params)

    def ours() -> None:
        _, statistics = estep.e_step(likelihood, params)
        likelihood.m_step(statistics, params)

    def sklearn() -> None:
        em.sklearn_step(mixture, X)

    contestants = {"ours": repeated(ours), "scikit-learn": repeated(sklearn)}
    seconds = take_turns(contestants, budget(quick), one_thread=True)
    figures = {name: median(s, "ms", 1e3) for name, s in seconds.items()}
    bound = {} if at_least is None else {"at_least": at_least}
    figures["ratio"] = figures["scikit-learn"].per(figures["ours"], **bound)
    return Case(problem.name, figures)
