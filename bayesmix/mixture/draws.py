"""Arrays over the draws of a posterior: its chains, and the draws of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

DRAWN = ("chain", "draw")


def sizes(draws: xr.Dataset) -> tuple[int, int]:
    """How many chains there are, and how many draws of each."""
    return draws.sizes["chain"], draws.sizes["draw"]


def numbers(draws: xr.Dataset) -> dict[str, np.ndarray]:
    """The coordinates of chains and draws."""
    return {d: draws[d].to_numpy() for d in DRAWN}


def by_draw(
    values: np.ndarray, draws: xr.Dataset, coords: Mapping[str, Sequence[Any]], *, name: str | None = "value"
) -> xr.DataArray:
    """Values of every draw, chain by chain, as (chain, draw, ...) with the other dimensions' ``coords``."""
    shaped = values.reshape(*sizes(draws), *map(len, coords.values()))
    named = numbers(draws) | {d: list(names) for d, names in coords.items()}
    return xr.DataArray(shaped, dims=(*DRAWN, *coords), coords=named, name=name)
