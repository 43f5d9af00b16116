"""What a fit by EM says, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bayesmix.likelihood.words import words_of
from bayesmix.mixture import scalars

if TYPE_CHECKING:
    from bayesmix.em.fit_em import EMFit


def estimates(em: EMFit, *, errors: bool) -> str:
    """The table of the free scalars and what follows from them, with standard errors if wanted."""
    columns = {"estimate": em.params} | ({"se": em.standard_errors} if errors else {})
    table = {name: scalars.of_estimate(em.likelihood, values, derived=True) for name, values in columns.items()}
    return pd.DataFrame(table).to_string(float_format=lambda v: f"{v:.5g}")


def in_full(em: EMFit) -> str:
    """Estimates with standard errors, information criteria, notes, and the solutions that the starts reached."""
    value = em.starts.columns[1]
    by_solution = em.starts.groupby("solution", as_index=False)
    starts = by_solution.agg(**{"starts": ("kind", "size"), value: (value, "max"), "reasons": ("reasons", "max")})
    lines = [repr(em), f"AIC {em.aic:.2f}, BIC {em.bic:.2f}, {em.n_parameters} free parameters", ""]
    lines += [estimates(em, errors=True), *em.notes]
    note = words_of(em.likelihood).estimate_note(scalars.of_estimate(em.likelihood, em.params, derived=True))
    lines += ["", note] if note else []
    lines += ["", "Solutions that the starts reached", starts.to_string(index=False)]
    return "\n".join(lines)
