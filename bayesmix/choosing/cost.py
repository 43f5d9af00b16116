"""What a choice will cost, before it begins: from the time of a pass over the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayesmix.inputs.defaults import CHAINS, DRAWS_PER_CHAIN, MINUTES, TUNE
from bayesmix.kernels.threads import n_threads

PASSES_PER_DRAW = 16
"""Gradients that a draw of NUTS takes, about; one is twice a pass over the rows."""
CANDIDATE_SECONDS = 8.0
"""Of a candidate whatever its size: compiling, modes, reading the draws."""


def seconds_of(records: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> tuple[float, float]:
    """The least that sampling these candidates takes, and the most: where all of them need replica exchange."""
    chains = settings.get("chains", CHAINS)
    draws = settings.get("draws", DRAWS_PER_CHAIN) + settings.get("tune", TUNE)
    at_once = min(chains, settings.get("cores") or n_threads())
    passes = 2 * PASSES_PER_DRAW * draws * chains / at_once
    least = sum(CANDIDATE_SECONDS + passes * record["e_step_seconds"] for record in records)
    several = sum(record["n_components"] > 1 for record in records)
    return least, 2 * least + several * 60 * settings.get("minutes", MINUTES)


def forecast(records: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    """In words."""
    least, most = (in_words(seconds) for seconds in seconds_of(records, settings))
    minutes = settings.get("minutes", MINUTES)
    return (
        f"Sampling {len(records)} candidates takes about {least}, and at most {most}: where chains do not settle, each "
        f"may go on by replica exchange for {minutes:g} minutes."
    )


def in_words(seconds: float) -> str:
    """``40 s``, ``7 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
