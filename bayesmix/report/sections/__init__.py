"""The sections of a report, in the order in which they are read: one function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bayesmix.report.blocks import Section
from bayesmix.report.fits import Fits
from bayesmix.report.sections import (
    checks,
    comparison,
    data,
    density,
    em,
    ending,
    model,
    posterior,
    prior,
    profiles,
    unlabelled,
    verdict,
)

type Writer = Callable[[Fits, Mapping[str, Any]], Section | None]

WRITERS: tuple[Writer, ...] = (
    verdict.verdict,
    data.data,
    data.gaps,
    model.model,
    em.em,
    posterior.posterior,
    posterior.components,
    profiles.profiles,
    posterior.modes,
    comparison.responsibilities,
    density.density,
    comparison.comparison,
    em.hard,
    unlabelled.unlabelled,
    prior.prior,
    checks.predictive,
    checks.leave_one_out,
    ending.expectations,
    ending.reproduce,
)


def write_sections(fits: Fits, summary: Mapping[str, Any]) -> list[Section]:
    """The sections that apply to these fits."""
    written = [writer(fits, summary) for writer in WRITERS]
    return [section for section in written if section is not None]
