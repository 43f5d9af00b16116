"""A compiled model whose likelihood is raised to powers, by its row weights, and draws from its prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from bayesmix.compiled.functions import INTERPRETED
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.compiled.many_points import Points
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.permutations import COMPONENT_DIMS
from bayesmix.tempering.ladder import Ladder


@dataclass(frozen=True, eq=False)
class Tempered:
    """A model whose likelihood can be raised to a power, and draws from its prior.

    ``plain``: whether the prior is all that there is besides the likelihood of the rows; a term of the user's own stays
    as it is on every rung, and then there are no independent draws for the first.
    """

    compiled: CompiledModel
    likelihood: Likelihood

    @property
    def plain(self) -> bool:
        """Whether the model is the mixture's own."""
        model = self.compiled.model
        return len(model.observed_RVs) == 1 and not model.potentials

    def rungs(self, ladder: Ladder) -> tuple[Any, list[Any]]:
        """What the kernel reads of the ladder, and what must live as long."""
        v = self.likelihood.row_weights
        held = [self.compiled.nutpie_model.with_data(row_weights=b * v) for b in ladder.powers]
        records = np.array([one.user_data.ctypes.data for one in held], dtype=np.int64)
        address = np.int64(self.compiled.nutpie_model.compiled_logp_func.address)
        return (address, records, ladder.powers, ladder.factors, ladder.longest), held

    def prior(self, n: int, seed: int) -> np.ndarray:
        """Independent draws from the prior as unconstrained rows, (n, n_dim)."""
        model, order = self.compiled.model, self.likelihood.spec.order
        names = [rv.name for rv in model.free_RVs]
        drawn = pm.draw([model[v] for v in names], draws=n, random_seed=seed, mode=INTERPRETED)
        values = {v: np.asarray(a) for v, a in zip(names, drawn, strict=True)}
        if order is not None:
            values[order] = np.sort(values[order], axis=1)
        rows = Points(self.compiled, ()).rows(values)
        return np.ascontiguousarray(np.clip(rows, -1e6, 1e6))

    @property
    def members(self) -> np.ndarray:
        """The coordinates of every component, (K, d).

        A simplex and ordered means belong to all components at once.
        """
        model, components = self.compiled.model, np.full(self.compiled.n_dim, -1)
        for rv in model.free_RVs if self.likelihood.spec.order is None else ():
            dims = model.named_vars_to_dims.get(rv.name, ())
            coordinates = np.arange(self.compiled.n_dim)[self.compiled.coordinates(rv.name)]
            shape = [len(model.coords[d]) for d in dims]
            if dims and dims[0] in COMPONENT_DIMS and len(coordinates) == np.prod(shape):
                components[coordinates] = np.repeat(np.arange(shape[0]), len(coordinates) // shape[0])
        own = [np.flatnonzero(components == k) for k in range(components.max() + 1)]
        return np.array(own) if own else np.empty((0, 0), dtype=int)
