"""Named estimates in the family's dimensions, and their components in an order that a reader can rely on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.permutations import ascending
from bayesmix.mixture.spec import exchange_groups


def canonical_order(likelihood: Likelihood, named: dict[str, np.ndarray]) -> np.ndarray:
    """An order of the components, (n_components,): within a group by the first entry of ``sorted_by``."""
    groups, by = exchange_groups(likelihood), likelihood.sorted_by
    if by is None:
        return np.arange(len(groups))
    return ascending(named[by].reshape(1, len(groups), -1)[..., 0], groups)[0]


def to_dataset(likelihood: Likelihood, named: dict[str, Any]) -> xr.Dataset:
    """Named estimates as a Dataset with the family's dimensions and coordinates."""
    used = {d for v in named for d in likelihood.dims[v]} | {"component"}
    coords = {d: values for d, values in likelihood.coords.items() if d in used}
    return xr.Dataset({v: (likelihood.dims[v], np.asarray(a)) for v, a in named.items()}, coords=coords)


def reorder(likelihood: Likelihood, named: Mapping[str, np.ndarray], order: np.ndarray) -> dict[str, np.ndarray]:
    """Named estimates with their components taken in ``order``."""
    return {v: np.asarray(a)[order] if likelihood.dims[v][:1] == ("component",) else a for v, a in named.items()}
