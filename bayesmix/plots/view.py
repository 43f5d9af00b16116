"""The view of a saved fit, as pictures use it."""

from __future__ import annotations

import xarray as xr

from bayesmix.drawing.view import View
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.data import evenly
from bayesmix.posterior.predict import family_of, params_of

SHOWN_DRAWS = 200


def view(dt: xr.DataTree, em: EMFit | None = None, *, draws: int = SHOWN_DRAWS) -> View:
    """The view of a posterior, with the estimate beside it where given."""
    family = family_of(dt)
    params = {v: a[evenly(len(a), draws)] for v, a in params_of(dt, family).items()}
    return View(family, params, None if em is None else params_of(em, family))
