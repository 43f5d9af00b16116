"""What a choice will cost, before it begins: from the time of a pass over the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayesmix.inputs.defaults import CHAINS, DRAWS_PER_CHAIN, MINUTES, TUNE
from bayesmix.kernels.parallel import n_threads
from bayesmix.multimodality.thresholds import MOST_REFITS

PASSES_PER_DRAW = 16
"""Gradients that a draw of NUTS takes, about; one is twice a pass over the rows."""
CANDIDATE_SECONDS = 6.0
"""Of a candidate whatever its size: compiling, modes, reading the draws, the worst rows' fits without them."""
CROWDED = 3
"""Chains of so many components and more often do not cross between modes, or do not agree."""
PASSES_OF_EXCHANGE = 2.5e4
"""Of a replica exchange, for each squared component: 14 rungs and more, four chains, a thousand sweeps and more.
Measured on the galaxies with 3 to 9 components by default: 20 to 100 s a candidate on one core, where a pass takes
5e-5 s. Under Richardson and Green's priors it takes half as long again."""


def seconds_of(records: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> tuple[float, float, float]:
    """What sampling takes: where all chains settle, where those of three components and more do not, and at most."""
    chains, cores = settings.get("chains", CHAINS), settings.get("cores") or n_threads()
    draws = settings.get("draws", DRAWS_PER_CHAIN) + settings.get("tune", TUNE)
    processes = max(1, min(cores, len(records)))
    longest = 60 * settings.get("minutes", MINUTES)
    settled, unsettled, most = [], [], []
    for record in records:
        one = record["e_step_seconds"] / min(chains, cores // processes)
        chains_alone = 2 * PASSES_PER_DRAW * draws * chains * one
        smooth = CANDIDATE_SECONDS + chains_alone
        K = record["n_components"]
        exchange = min(PASSES_OF_EXCHANGE * K**2 * one, longest) if K >= CROWDED else 0.0
        settled.append(smooth)
        unsettled.append(smooth + exchange)
        most.append(2 * smooth + MOST_REFITS * chains_alone + longest * (K > 1))
    shortest, middle, last = (side_by_side(seconds, processes) for seconds in (settled, unsettled, most))
    return shortest, middle, max(last, middle)


def side_by_side(seconds: Sequence[float], processes: int) -> float:
    """How long so many processes take for all of it: their share, and no less than the longest takes."""
    return max(sum(seconds) / processes, max(seconds, default=0.0))


def forecast(records: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    """In words."""
    settled, unsettled, most = (in_words(seconds) for seconds in seconds_of(records, settings))
    minutes = settings.get("minutes", MINUTES)
    middle = f", about {unsettled} where those of {CROWDED} components and more do not" if unsettled != settled else ""
    return (
        f"Sampling {len(records)} candidates takes about {settled} where chains settle{middle}, and at most {most}: "
        f"each may go on by replica exchange for {minutes:g} {'minute' if minutes == 1 else 'minutes'}."
    )


def in_words(seconds: float) -> str:
    """``40 s``, ``7 min``, ``2.5 h``."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
