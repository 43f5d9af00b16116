"""Old Faithful with gaps: cell (i, j), counted from 0, is left out where 37 i + 101 j is divisible by 10."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent


def tables() -> dict[str, pd.DataFrame]:
    """The tables, by file name."""
    whole = pd.read_csv(FOLDER.parent / "old_faithful" / "data.csv", dtype=str)
    i, j = np.indices(whole.shape)
    return {"data.csv": whole.mask((37 * i + 101 * j) % 10 == 0)}


if __name__ == "__main__":
    for file, table in tables().items():
        table.to_csv(FOLDER / file, index=False, lineterminator="\n")
