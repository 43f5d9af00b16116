"""Two classes with one variance, of which 1% of the rows carry a label: P(class_1) = 0.4; means 2 and 5; sd 0.6."""

from pathlib import Path

import numpy as np
import pandas as pd

P, MEANS, SD, TRAIN, TEST, LABELLED = 0.4, np.array([2.0, 5.0]), 0.6, 2_000, 2_500, 20


def tables() -> dict[str, pd.DataFrame]:
    """The rows of every CSV file, by file name; the label is an empty cell where it is not known."""
    rng = np.random.default_rng(1)
    y = (rng.random(TRAIN + TEST) < P).astype(int)
    table = pd.DataFrame({"x": rng.normal(MEANS[y], SD), "truth": [f"class_{j}" for j in y]})
    known = np.isin(np.arange(TRAIN), rng.choice(TRAIN, LABELLED, replace=False))
    train = table[:TRAIN].assign(label=table["truth"][:TRAIN].where(known, ""))
    return {"data.csv": train[["x", "label", "truth"]], "test.csv": table[TRAIN:]}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).with_name(name), index=False, float_format="%.6f", lineterminator="\n")
