"""The view of a saved fit, as pictures use it."""

from __future__ import annotations

from bayesmix.drawing.view import View
from bayesmix.em.fit_em import EMFit
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, at_most
from bayesmix.posterior.record import Posterior, Record

SHOWN_DRAWS = 200


def view(dt: Posterior, em: EMFit | None = None, *, draws: int = SHOWN_DRAWS) -> View:
    """The view of a posterior, with the estimate beside it where given."""
    record = Record.of(dt)
    likelihood, params = record.likelihood, at_most(record.params, draws)
    return View(likelihood, all_named(likelihood, params), None if em is None else all_named(likelihood, em.arrays))


def all_named(likelihood: Likelihood, params: Params) -> Params:
    """Parameters and every named estimate that follows."""
    return {**likelihood.named(params), **params}
