"""Two groups of 300 with unit variances, at (0, 0) and (1.6, 0.8): near enough for hard assignment to go wrong."""

from pathlib import Path

import numpy as np
import pandas as pd

MEANS = np.array([[0.0, 0.0], [1.6, 0.8]])


def tables() -> dict[str, pd.DataFrame]:
    """The rows of every CSV file, by file name."""
    rng = np.random.default_rng(1)
    k = rng.permutation(np.repeat([0, 1], 300))
    x = MEANS[k] + rng.normal(size=(600, 2))
    truth = [f"component_{j + 1}" for j in k]
    return {"data.csv": pd.DataFrame({"x": x[:, 0], "y": x[:, 1], "truth": truth})}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).with_name(name), index=False, float_format="%.6f", lineterminator="\n")
