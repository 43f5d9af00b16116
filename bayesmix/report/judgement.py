"""What the report's verdict says: problems, cautions and notes, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bayesmix.checks.diagnose import Diagnostics
from bayesmix.em.standard_errors import EDGE
from bayesmix.multimodality.thresholds import PARETO_K
from bayesmix.report.fits import Fits
from bayesmix.report.influence import left_to_prior, pulled_by_prior
from bayesmix.report.tables import found_value


def verdict_of(fits: Fits, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the fit is trusted, why not, and what else there is to know of it."""
    return {
        "ok": fits.check.ok and all(e["holds"] for e in summary["expectations"]),
        "trusted": fits.check.ok,
        "model_ok": fits.check.model_ok,
        "text": fits.check.verdict,
        "model_text": fits.check.model.verdict,
        **{kind: [asdict(p) for p in getattr(fits.check, kind)] for kind in ("problems", "limits", "misfits")},
        "cautions": _cautions(fits, summary),
        "notes": [*fits.check.notes, *_remarks(fits, summary), *left_to_prior(summary["prior"]["sensitivity"])],
    }


def _remarks(fits: Fits, summary: Mapping[str, Any]) -> list[str]:
    """Invariants that mix worse than parameters, rows too influential for leave-one-out, estimates on a boundary."""
    remarks = _worse_invariants(fits.check)
    bad = summary["loo"].get("pareto_k_bad", 0)
    if bad:
        remarks.append(
            f"Leave-one-out is unreliable for {bad} of {len(fits.data)} rows, whose Pareto k exceeds {PARETO_K}."
        )
    return remarks + [f"EM: {text}." for text in fits.em.notes if text.startswith(EDGE)]


def _worse_invariants(check: Diagnostics) -> list[str]:
    """What labels do not change may mix worse than the parameters, of which the verdict speaks."""
    free, invariant = check.parameters, check.invariants
    r_hat, ess = invariant["r_hat"], invariant["ess_bulk"]
    worse = []
    if r_hat.max() > free["r_hat"].max():
        worse.append(f"the largest R-hat is {r_hat.max():.3f} ({r_hat.idxmax()})")
    if ess.min() < free["ess_bulk"].min():
        worse.append(f"the smallest effective sample size is {ess.min():.0f} ({ess.idxmin()})")
    text = "Quantities that labels do not change, such as the log-likelihood, mix worse than the parameters:"
    return [f"{text} {' and '.join(worse)}."] if worse else []


def _cautions(fits: Fits, summary: Mapping[str, Any]) -> list[str]:
    """What does not spoil the posterior but must not be overlooked."""
    cautions = [
        f"Not as expected: {e['quantity']}, {e['rule']}; found {found_value(e['value'])} ({e['because']})."
        for e in summary["expectations"]
        if not e["holds"]
    ]
    if fits.em.degenerate:
        cautions.append(f"The EM estimate is degenerate ({'; '.join(fits.em.reasons)}): read the posterior instead.")
    elif not fits.em.converged:
        cautions.append("EM did not converge within its iterations.")
    if not fits.em.degenerate:
        cautions += pulled_by_prior(fits.comparison.parameters, summary["prior"]["sensitivity"])
    return cautions + [f"EM: {text}." for text in fits.em.notes if not text.startswith(EDGE)]
