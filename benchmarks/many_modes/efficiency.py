"""Effective draws per second of whole calls: replica exchange beside an allocation sampler, and beside plain NUTS.

``uv run python -m benchmarks.many_modes.efficiency`` writes EFFICIENCY.md. The allocation sampler is that of
tests/gibbs.py, compiled, its four chains one after the other on one core; ours have the cores that the machine has.
Effective draws: the smallest bulk effective size of densities at ten rows, co-clustering of ten pairs and the entropy
of the weights, chains pooled. NUTS is set beside where it does not cross only to show that: its R-hat says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import arviz as az
import numpy as np

import bayesmix as bm
from benchmarks.environment import describe
from benchmarks.many_modes.invariants import dataset, of_posterior, pairs_of, quantities, smallest_ess
from benchmarks.many_modes.problems import PROBLEMS
from benchmarks.markdown import machine
from tests.gibbs import gibbs

HERE = Path(__file__).parent
CASES = {"galaxies, K = 3": 400, "galaxies, K = 6": 400, "eight groups, K = 8": 20}
"""Problems, and the sweeps of the allocation sampler between draws that are kept."""
CHAINS, DRAWS, WARM_UP = 4, 1000, 2000
"""Of the allocation sampler."""
HEADS = ("problem", "sampler", "seconds", "effective draws", "largest R-hat", "effective draws per second")


def allocation(name: str) -> Callable[[bm.Mixture, bm.Data], np.ndarray]:
    """The allocation sampler's invariants, (chain, draw, quantity)."""

    def draws(spec: bm.Mixture, data: bm.Data) -> np.ndarray:
        settings = {"draws": DRAWS, "every": CASES[name], "warm_up": WARM_UP}
        chains = (gibbs(bm.resolve(spec, data), data.x, seed=s, **settings) for s in range(CHAINS))
        return np.array([quantities(*chain, data.x, pairs_of(data)) for chain in chains])

    return draws


def ours(sampler: str) -> Callable[[bm.Mixture, bm.Data], np.ndarray]:
    """The same of ``bm.sample``."""
    return lambda spec, data: of_posterior(bm.sample(spec, data, sampler=sampler, seed=1, progress=False), data)


def main() -> None:
    environment = describe("uv run python -m benchmarks.many_modes.efficiency", one_thread=False)
    small = next(p for p in PROBLEMS if p.name == "galaxies, K = 3").make()
    gibbs(bm.resolve(*small), small[1].x, seed=0, draws=2, every=1, warm_up=2)  # compiled beforehand
    lines = [f"# Effective draws per second\n\n{(__doc__ or '').partition(chr(10) * 2)[2]}"]
    lines += ["| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
    for name in CASES:
        spec, data = next(p for p in PROBLEMS if p.name == name).make()
        samplers = {"exchange": ours("exchange"), "allocation": allocation(name), "NUTS": ours("nuts")}
        for sampler, draws in samplers.items():
            began = time.perf_counter()
            chains = draws(spec, data)
            seconds, ess = time.perf_counter() - began, smallest_ess(chains)
            r_hat = float(az.rhat(dataset(chains))["value"].max())
            cells = (name, sampler, f"{seconds:.1f}", f"{ess:,.0f}", f"{r_hat:.3f}", f"{ess / seconds:,.1f}")
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
            (HERE / "EFFICIENCY.md").write_text("\n".join([*lines, "", machine(environment)]) + "\n")


if __name__ == "__main__":
    main()
