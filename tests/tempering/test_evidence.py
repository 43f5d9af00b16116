"""The evidence from a ladder, and its error, where both are known: x ~ N(0, 1) with the likelihood exp(-a x^2 / 2)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from bayesmix.tempering.evidence import log_evidence

POWERS = np.array([0.0, 0.05, 0.2, 0.5, 1.0])
A = 20.0
EXACT = -0.5 * np.log1p(A)
STAYS = 0.95
"""How much of a state is left in the next one."""


def _log_likelihoods(rng: np.random.Generator, *, together: bool) -> np.ndarray:
    """(4, 1000, R): slow chains on every rung, of one noise for all rungs or each of its own."""
    noise = rng.normal(size=(4, 3000, 1 if together else len(POWERS)))
    slow = np.sqrt(1 - STAYS**2) * lfilter([1.0], [1.0, -STAYS], noise, axis=1)[:, -1000:]
    return -A * slow**2 / (2 * (1 + POWERS * A))


@pytest.mark.parametrize("together", [False, True])
def test_the_error_is_that_of_repeated_runs(together):
    rng = np.random.default_rng(1)
    runs = np.array([log_evidence(POWERS, _log_likelihoods(rng, together=together)) for _ in range(150)])
    assert np.abs(runs[:, 0].mean() - EXACT) < 4 * runs[:, 0].std() / np.sqrt(len(runs))
    assert 0.85 < ((runs[:, 0] - EXACT) / runs[:, 1]).std() < 1.2


def test_rungs_without_overlap_have_no_error():
    L = np.random.default_rng(1).normal(size=(4, 100, 2))
    value, error = log_evidence(np.array([0.0, 1.0]), L * [[[1.0, 0.0]]] - [[[1e6, 0.0]]])
    assert np.isfinite(value)
    assert not np.isfinite(error)
