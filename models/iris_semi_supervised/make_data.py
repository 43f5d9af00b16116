"""Fisher's iris with the species of 15 rows (10%), five of each drawn at random; the other 135 labels are hidden."""

from pathlib import Path

import numpy as np
import pandas as pd

IRIS = Path(__file__).parent.parent / "iris" / "data.csv"


def tables() -> dict[str, pd.DataFrame]:
    """The rows of every CSV file, by file name; the label is an empty cell where it is not known."""
    rng = np.random.default_rng(1)
    iris = pd.read_csv(IRIS).rename(columns={"species": "truth"})
    rows = [rng.choice(rows, 5, replace=False) for rows in iris.groupby("truth").indices.values()]
    known = np.isin(np.arange(len(iris)), np.concatenate(rows))
    return {"data.csv": iris.assign(label=iris["truth"].where(known, ""))}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).with_name(name), index=False, lineterminator="\n")
