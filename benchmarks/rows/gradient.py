"""Log-posterior and gradient beside a textbook PyMC model on numba and JAX."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import compiled, floor, textbook
from benchmarks.compiled import JaxCompiled, same_density
from benchmarks.figures import Case, Figure, median
from benchmarks.problems import Problem, simulated, three_on_a_line
from benchmarks.timing import budget, one_core, take_turns

SIZES = ((1, 2_000), (1, 10_000), (2, 2_000), (4, 10_000), (10, 10_000))
TARGETS = {"numba": (10.0, 6.0), "JAX": (5.0, 4.0)}
"""At least this many times faster: up to four features, above."""
FLOORS = 3.0


def cases(*, quick: bool) -> Iterator[Case]:
    """The five sizes; with ``quick`` two small ones."""
    one_core()
    for d, n in ((1, 500), (2, 500)) if quick else SIZES:
        yield _case(three_on_a_line(n) if d == 1 else simulated(n, d, 3), quick)


def _case(problem: Problem, quick: bool) -> Case:
    written = textbook.model(problem)
    ours, peer, jax = compiled.ours(problem), compiled.peer(written), JaxCompiled(written)
    differences = [same_density(problem, ours, other) for other in (peer, jax)]
    at = problem.coordinates.textbook(problem.theta)
    contestants = {"ours": ours.contestant(problem.theta), "numba": peer.contestant(at)} | jax.contestants(at)
    contestants |= floor.contestants(problem)
    seconds = take_turns(contestants, budget(quick), one_thread=True)
    time = {name: median(s, "ms", 1e3) for name, s in seconds.items()}
    time["JAX"] = min(time.pop("JAX loop"), time.pop("JAX calls"), key=lambda figure: figure.value)
    time["floor"] = floor.together(problem, time.pop("exponentials"), time.pop("matrix product"))
    figures = {"ours": time["ours"], "textbook, numba": time["numba"], "textbook, JAX": time["JAX"]}
    figures |= {"floor": time["floor"], "ours to the floor": time["ours"].per(time["floor"], at_most=FLOORS)}
    for name, (low, high) in TARGETS.items():
        bound = low if problem.coordinates.d <= 4 else high
        figures[f"ratio to {name}"] = time[name].per(time["ours"], at_least=bound)
    for name, side in (("ours", ours), ("numba", peer), ("JAX", jax)):
        figures[f"compile, {name}"] = Figure(side.seconds, "s")
    return Case(problem.name, figures, f"log-densities differ by {max(differences):.0e} of their size")
