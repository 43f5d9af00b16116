"""Sampling that goes on until the draws can be trusted: what a bad verdict asks for, within a budget of time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.tempering.budget import Budget

EFFORT = "effort"
"""The attribute that holds every step."""
BOLDEST, CAREFUL, MOST_CAREFUL = 0.9, 0.95, 0.99
"""Acceptance rates that are asked for, one after the other, where draws diverge."""
DRAWS_AT_MOST = 20_000
"""Of a chain: a posterior that needs more is not helped by more of the same."""
SPARE = 1.5
"""Draws are raised to this many times what the smallest effective size asks for."""
LONGER_TUNE = 2
APART = {"modes", "modes_unknown", "modes_left_out", "round_trips", "evidence"}
"""Problems of chains that do not cross."""
MILD = 1.05
"""An R-hat below it may be that of too few draws."""

TOLD = ("sampler", "draws", "tune", "target_accept")
"""Settings that may change on the way."""
type Sample = Callable[..., xr.DataTree]


def until_trusted(sample: Sample, settings: Mapping[str, Any], budget: Budget) -> xr.DataTree:
    """Sample, look at the verdict on the draws, and sample again with what it asks for, while there is time.

    Modes and scouts are those of the first time. More draws are, with the same seed, those that there were and what
    comes after them.

    ``sample(**settings)`` draws; its settings hold draws, tune, target_accept and sampler. Every step is
    kept in the posterior's attribute ``effort``: what was wrong, what was done, how long it took.
    """
    from bayesmix.checks.diagnose import diagnose

    now, steps = dict(settings), []
    while True:
        before = time.monotonic()
        dt = sample(**now)
        last = time.monotonic() - before
        problems = {p.name: p.value for p in diagnose(dt, model=False).problems}
        steps.append(
            {"with": {name: now[name] for name in TOLD}, "seconds": round(last, 1), "problems": sorted(problems)}
        )
        wanted = _wanted(problems, now, dt)
        if not problems or wanted is None or budget.left < last * _cost(wanted, now):
            break
        now = wanted
    dt.attrs[EFFORT] = json.dumps(steps)
    return dt


def _wanted(problems: Mapping[str, float], now: Mapping[str, Any], dt: xr.DataTree) -> dict[str, Any] | None:
    """The settings that these problems ask for; None where effort does not mend them."""
    wanted, exchanged = dict(now), now["sampler"] == "exchange" or "tempering" in dt.children
    if exchanged:
        return None  # it went on as long as there was time
    if APART & set(problems) or problems.get("r_hat", 1.0) >= MILD:
        return wanted | {"sampler": "exchange"}
    if "divergences" in problems:
        if now["target_accept"] >= MOST_CAREFUL:
            return wanted | {"sampler": "exchange"}
        wanted["target_accept"] = CAREFUL if now["target_accept"] < CAREFUL else MOST_CAREFUL
    if {"max_treedepth", "e_bfmi"} & set(problems):
        wanted["tune"] = LONGER_TUNE * now["tune"]
    few = [problems[name] for name in ("ess_bulk", "ess_tail") if name in problems]
    if few or "r_hat" in problems:
        wanted["draws"] = _more_draws(now["draws"], few)
    return None if wanted == dict(now) else wanted


def _more_draws(draws: int, effective: Sequence[float]) -> int:
    from bayesmix.multimodality.thresholds import ESS

    factor = SPARE * ESS / max(min(effective, default=ESS), 1.0)
    return int(min(max(np.ceil(factor * draws), 2 * draws), max(DRAWS_AT_MOST, draws)))


def _cost(wanted: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """How many times as long as the last step these settings take, about."""
    if wanted["sampler"] != now["sampler"]:
        return 0.5
    return float((wanted["draws"] + wanted["tune"]) / (now["draws"] + now["tune"])) * (
        2.0 if wanted["target_accept"] > now["target_accept"] else 1.0
    )
