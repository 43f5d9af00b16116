"""A 1-D mixture of three Gaussians: means 2, 5, 10; sd 0.6, 0.8, 0.5; weights 0.4, 0.2, 0.4; n = 10,000."""

from pathlib import Path

import numpy as np
import pandas as pd

WEIGHTS, MEANS, SDS = np.array([0.4, 0.2, 0.4]), np.array([2.0, 5.0, 10.0]), np.array([0.6, 0.8, 0.5])


def tables() -> dict[str, pd.DataFrame]:
    """The rows of every CSV file, by file name."""
    rng = np.random.default_rng(1)
    k = rng.choice(3, size=10_000, p=WEIGHTS)
    return {"data.csv": pd.DataFrame({"x": rng.normal(MEANS[k], SDS[k]), "truth": [f"component_{j + 1}" for j in k]})}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).with_name(name), index=False, float_format="%.6f", lineterminator="\n")
