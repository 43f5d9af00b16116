"""Ranks of true values among thinned draws."""

from __future__ import annotations

import numpy as np

RANKED_DRAWS = 255
"""Thinned draws among which the truth is ranked: ranks are 0, ..., 255."""


def rank(draws: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How many of the draws (L, Q) are below the truth (Q,); among equal ones its place is drawn at random."""
    below, equal = (draws < truth).sum(axis=0), (draws == truth).sum(axis=0)
    return below + rng.integers(0, equal + 1)
