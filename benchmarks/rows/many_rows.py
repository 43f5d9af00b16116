"""What comes after sampling, at 20,000 rows and 4,000 draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import bayesmix as bm
from benchmarks.environment import SEED
from benchmarks.figures import Case, Figure
from benchmarks.timing import peak_memory, timed

AT_MOST = 5.0
CALLS = {
    "responsibility_summary": lambda dt, em: bm.responsibility_summary(dt),
    "loo": lambda dt, em: bm.loo(dt),
    "compare": lambda dt, em: bm.compare(em, dt),
    "diagnose": lambda dt, em: bm.diagnose(dt),
}


def cases(*, quick: bool) -> Iterator[Case]:
    """One fit with the defaults of ``bm.sample``; every call once, as a user makes it, the first one first."""
    n, d, K = (500, 2, 2) if quick else (20_000, 4, 3)
    rng = np.random.default_rng(0)
    means, z = rng.normal(size=(K, d)) * 2.5, rng.integers(K, size=n)
    spec, data = bm.Mixture("gaussian", n_components=K), bm.Data(means[z] + rng.normal(size=(n, d)))
    em = bm.fit_em(spec, data, seed=SEED)
    dt = bm.sample(spec, data, seed=SEED, progress=False, **({"draws": 100, "tune": 100} if quick else {}))
    sizes = dt["posterior"].sizes
    draws = sizes["chain"] * sizes["draw"]
    for name, call in CALLS.items():
        before = peak_memory()
        seconds, _ = timed(lambda call=call: call(dt, em))
        figures = {
            "time": Figure(seconds, "s", at_most=AT_MOST),
            "memory beyond the peak before": Figure(peak_memory() - before, "MB"),
        }
        yield Case(f"{name}, {d}-D, n = {n:,}, K = {K}, {draws:,} draws", figures)
