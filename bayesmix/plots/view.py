"""The view of a saved fit, as pictures use it."""

from __future__ import annotations

from bayesmix.drawing.view import View
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.data import evenly
from bayesmix.posterior.record import Record

SHOWN_DRAWS = 200


def view(record: Record, em: EMFit | None = None, *, draws: int = SHOWN_DRAWS) -> View:
    """The view of a posterior, with the estimate beside it where given."""
    params = {v: a[evenly(len(a), draws)] for v, a in record.params.items()}
    return View(record.family, params, None if em is None else em.arrays)
