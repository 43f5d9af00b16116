"""Two classes with one variance: P(class_1) = 0.4; means 2 and 5; sd 0.6; 7,500 rows to fit, 2,500 held out."""

from pathlib import Path

import numpy as np
import pandas as pd

P, MEANS, SD, TRAIN, TEST = 0.4, np.array([2.0, 5.0]), 0.6, 7_500, 2_500


def tables() -> dict[str, pd.DataFrame]:
    """The rows of every CSV file, by file name."""
    rng = np.random.default_rng(1)
    y = (rng.random(TRAIN + TEST) < P).astype(int)
    table = pd.DataFrame({"x": rng.normal(MEANS[y], SD), "y": [f"class_{j}" for j in y]})
    return {"data.csv": table[:TRAIN], "test.csv": table[TRAIN:]}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).with_name(name), index=False, float_format="%.6f", lineterminator="\n")
