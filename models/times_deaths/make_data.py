"""The days of The Times, a row each, from the published table of frequencies."""

from pathlib import Path

import numpy as np
import pandas as pd

DAYS = [162, 267, 271, 185, 111, 61, 27, 8, 3, 1]
"""Days with 0, 1, ... 9 notices: Hasselblad (1969), Table 1."""


def tables():
    """The table by file name."""
    return {"data.csv": pd.DataFrame({"deaths": np.repeat(np.arange(len(DAYS)), DAYS)})}


if __name__ == "__main__":
    for name, table in tables().items():
        table.to_csv(Path(__file__).parent / name, index=False)
