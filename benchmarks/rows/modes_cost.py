"""What looking for modes costs where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.em.fit_starts import fit_starts
from bayesmix.mixture.spec import bind, exchange_groups
from bayesmix.model.build import graph
from bayesmix.multimodality.maxima import Climber, find_modes
from bayesmix.sampling.nutpie import Runner
from benchmarks.environment import SEED
from benchmarks.figures import Case, median
from benchmarks.timing import timed

MOST = 3.0
MODELS = ("old_faithful", "three_gaussians_1d", "zip_articles")
SETTINGS: dict[str, Any] = {"draws": 1000, "tune": 500, "target_accept": 0.9}


def cases(*, quick: bool) -> Iterator[Case]:
    """The whole of ``bm.sample``, and its four chains alone from the mode it would find, by turns."""
    for name in MODELS[:1] if quick else MODELS:
        spec, data = bm.load(name)
        spec = bm.resolve(spec, data)
        parts, compiled = graph(bind(spec, data)), CompiledModel(bm.build(spec, data))
        results = fit_starts(parts.likelihood, groups=exchange_groups(parts.likelihood), n_starts=20, seed=SEED)
        mode = find_modes(Climber(compiled, parts), results)[0]
        whole, alone = [], []
        for seed in range(SEED, SEED + (1 if quick else 5)):
            shared: dict[str, Any] = {"compiled": compiled, "seed": seed, "progress": False}
            whole.append(timed(partial(bm.sample, spec, data, **shared, **SETTINGS))[0])
            run = Runner(compiled, None, seed, mode.whitening)
            alone.append(timed(partial(run, [mode.jittered] * 4, **SETTINGS))[0])
        ours, chains = median(whole, "s"), median(alone, "s")
        yield Case(name, {"bm.sample": ours, "its chains alone": chains, "ratio": ours.per(chains, at_most=MOST)})
