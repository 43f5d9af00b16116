"""Effective draws per second on the 1-D example, beside PyMC's default and NumPyro."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks import nuts
from benchmarks.environment import SEED
from benchmarks.figures import Case, Figure
from benchmarks.problems import three_on_a_line

AT_LEAST = 30.0


def cases(*, quick: bool) -> Iterator[Case]:
    """Ours and the textbook model by turns; NumPyro once, with a tenth of the rows, since it takes minutes."""
    problem = three_on_a_line(500 if quick else 10_000)
    short = {"draws": 200, "tune": 200} if quick else {}
    ours, peer = [], []
    for seed in range(SEED, SEED + (1 if quick else 5)):
        ours.append(nuts.ours(problem, seed, **short))
        peer.append(nuts.pymc(problem, seed, **short))
    best = nuts.figures(ours)
    yield Case(f"ours, {problem.name}", best)
    yield _peer(f"pm.sample, {problem.name}", nuts.figures(peer), best, {} if quick else {"at_least": AT_LEAST})
    small = three_on_a_line(200 if quick else 1_000)
    best = nuts.figures([nuts.ours(small, SEED, **short)])
    yield Case(f"ours, {small.name}", best)
    numpyro = nuts.pymc(small, SEED, nuts_sampler="numpyro", chains=2, **({"draws": 1000, "tune": 500} | short))
    yield _peer(f"NumPyro, {small.name}", nuts.figures([numpyro]), best, {})


def _peer(name: str, figures: dict[str, Figure], ours: dict[str, Figure], bound: dict[str, float]) -> Case:
    key = "ESS per sampling second"
    return Case(name, figures | {nuts.RATIO: replace(ours[key].per(figures[key]), **bound)})
