"""EM runs: where each start ended, which ends are one solution, which is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.families import Params

SAME_MODE = 1e-5
"""Two solutions are one where log-likelihoods differ by less than SAME_MODE (1 + |L|)."""


@dataclass(frozen=True, eq=False)
class Run:
    """One start, carried to its end."""

    kind: str
    params: Params
    history: np.ndarray
    converged: bool
    reasons: tuple[str, ...]

    @property
    def log_likelihood(self) -> float:
        """L at the end."""
        return float(self.history[-1])


def best_run(runs: Sequence[Run]) -> int:
    """The best run that is not degenerate; the best of all where none is."""
    usable = [i for i, run in enumerate(runs) if not run.reasons] or range(len(runs))
    return max(usable, key=lambda i: runs[i].log_likelihood)


def solutions(values: Sequence[float]) -> np.ndarray:
    """A number per run, 1 for the highest value; runs within rounding of each other share one."""
    order = np.argsort(values)[::-1]
    number = np.empty(len(values), dtype=int)
    current, anchor = 0, np.inf
    for i in order:
        if current == 0 or anchor - values[i] > SAME_MODE * (1 + abs(anchor)):
            current, anchor = current + 1, values[i]
        number[i] = current
    return number


def distinct(runs: Sequence[Run]) -> list[Run]:
    """One run for each solution, the best first."""
    number = solutions([run.log_likelihood for run in runs])
    first = {int(n): i for i, n in reversed(list(enumerate(number)))}
    return [runs[first[n]] for n in sorted(first)]


def starts_table(runs: Sequence[Run], chosen: int) -> pd.DataFrame:
    """One row per start."""
    values = [run.log_likelihood for run in runs]
    return pd.DataFrame(
        {
            "kind": [run.kind for run in runs],
            "log_likelihood": values,
            "n_iter": [len(run.history) - 1 for run in runs],
            "converged": [run.converged for run in runs],
            "degenerate": [bool(run.reasons) for run in runs],
            "reasons": ["; ".join(run.reasons) for run in runs],
            "solution": solutions(values),
            "chosen": np.arange(len(runs)) == chosen,
        }
    )
