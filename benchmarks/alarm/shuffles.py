"""Label switching alone: the draws of a good fit under other labels, which one relabelling must undo.

A posterior does not change when labels are exchanged, so a chain that switches is a chain that does not, with its
labels permuted: all draws of a chain where it began at other labels, all after a time where it crossed then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

import bayesmix as bm
from bayesmix.mixture.spec import exchange_groups
from bayesmix.posterior.record import Record
from bayesmix.posterior.relabel import apply
from benchmarks.alarm.verdict import verdict

type Pattern = Callable[[np.random.Generator, int, int], np.ndarray]
"""(rng, chains, draws) -> the stretch of draws with one labelling that each draw belongs to, (chain, draw)."""


def by_chain(rng: np.random.Generator, chains: int, draws: int) -> np.ndarray:
    """Every chain has labels of its own."""
    return np.repeat(np.arange(chains)[:, None], draws, axis=1)


def by_stretch(rng: np.random.Generator, chains: int, draws: int) -> np.ndarray:
    """Labels switch at about one draw in fifty."""
    return np.cumsum(rng.random(chains * draws) < 1 / 50).reshape(chains, draws)


def by_draw(rng: np.random.Generator, chains: int, draws: int) -> np.ndarray:
    """Every draw has labels of its own."""
    return np.arange(chains * draws).reshape(chains, draws)


PATTERNS: dict[str, Pattern] = {"by chain": by_chain, "by stretch": by_stretch, "by draw": by_draw}


def shuffled(dt: xr.DataTree, pattern: Pattern, seed: int) -> xr.DataTree:
    """The same draws with the labels of exchangeable components permuted."""
    rng, groups = np.random.default_rng(seed), exchange_groups(Record.of(dt).likelihood)
    stretch = pattern(rng, dt["posterior"].sizes["chain"], dt["posterior"].sizes["draw"])
    order = np.tile(np.arange(len(groups)), (stretch.max() + 1, 1))
    for g in np.unique(groups):
        members = np.flatnonzero(groups == g)
        order[:, members] = rng.permuted(order[:, members], axis=1)
    return apply(dt, order[stretch])


def undone(dt: xr.DataTree, pattern: str, method: str, *, seed: int = 1) -> dict[str, Any]:
    """The verdict after labels were switched by one of the patterns and sorted out by one of the methods."""
    found = verdict(bm.relabel(shuffled(dt, PATTERNS[pattern], seed), method))
    return {"pattern": pattern, "method": method, "flagged": found["flagged"], "problems": found["problems"]}
