"""Counts with structural zeros: P(structural zero) = 0.3, Poisson rate 3, n = 1,000."""

from pathlib import Path

import numpy as np
import pandas as pd

RATE, ZERO_PROB, N = 3.0, 0.3, 1_000


def tables() -> dict[str, pd.DataFrame]:
    """The rows of every CSV file, by file name."""
    rng = np.random.default_rng(1)
    structural = rng.random(N) < ZERO_PROB
    counts = np.where(structural, 0, rng.poisson(RATE, N))
    return {"data.csv": pd.DataFrame({"count": counts, "truth": np.where(structural, "structural_zero", "poisson")})}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).with_name(name), index=False, float_format="%.6f", lineterminator="\n")
