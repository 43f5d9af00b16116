"""Names along dimensions, as xarray's coordinates: of a million rows each name is held once, whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from xarray.indexes import PandasIndex


def coordinates(names: Mapping[str, Sequence[str]]) -> xr.Coordinates:
    """Text coordinates by dimension, over the very strings that are given; xarray would copy each twice."""
    found = xr.Coordinates()
    for dim, texts in names.items():
        longest = max([1, *map(len, texts)])
        index = PandasIndex(pd.Index(texts, dtype=object), dim, coord_dtype=np.dtype(f"U{longest}"))
        found = found.assign(xr.Coordinates.from_xindex(index))
    return found
