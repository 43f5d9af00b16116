"""What was measured of exchanging components: a record that a posterior carries, read without PyMC."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xarray as xr


@dataclass(frozen=True, eq=False)
class Exchange:
    """What exchanging components does to a model.

    Attributes
    ----------
    groups : ndarray of int, shape (K,)
        Components of one group may switch labels.
    bound : tuple of str
        Variables of the user's that run over components and cannot be permuted with them, where the rest of the model
        leaves the labels free: labels are a matter of chance.
    stale : tuple of str
        Deterministics that change otherwise than by a permutation: they are computed anew where labels switch.
    """

    groups: np.ndarray
    bound: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    def to_json(self) -> str:
        """As an attribute of the DataTree."""
        entry = {"groups": self.groups.tolist(), "bound": list(self.bound), "stale": list(self.stale)}
        return json.dumps(entry)

    @classmethod
    def of(cls, dt: xr.DataTree) -> Exchange | None:
        """What was measured when ``dt`` was sampled; None where it is from before this was done."""
        if "exchange" not in dt.attrs:
            return None
        entry = json.loads(dt.attrs["exchange"])
        return cls(np.array(entry["groups"]), tuple(entry["bound"]), tuple(entry["stale"]))
