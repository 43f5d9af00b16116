"""What the posterior says of a candidate: leave-one-out, evidence, occupied components, verdicts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.checks.diagnose import diagnose
from bayesmix.choosing import nobile
from bayesmix.choosing.by_em import Numbers
from bayesmix.choosing.candidates import Candidate
from bayesmix.choosing.left_out import left_out, uninterrupted
from bayesmix.grouping.merging import merge
from bayesmix.grouping.modes import has_modes, modes_of
from bayesmix.grouping.occupied import occupied
from bayesmix.grouping.quality import classification_quality
from bayesmix.inputs.errors import FitError
from bayesmix.posterior.co_clustering import co_clustering
from bayesmix.posterior.record import Record
from bayesmix.sampling.by_exchange import TEMPERING
from bayesmix.sampling.log_evidence import LogEvidence, log_evidence
from bayesmix.sampling.sample import sample

ROWS_OF_PAIRS = 300
"""Pairs of so many rows are kept with a candidate, to be drawn."""


def by_draws(candidate: Candidate, **settings: Any) -> Numbers:
    """Sample, and read the columns off the draws; ``settings`` are those of :func:`bayesmix.sample`."""
    began = time.perf_counter()
    dt = uninterrupted(sample(candidate.spec, candidate.data, progress=False, **settings))
    evidence = log_evidence(dt)
    if not evidence.established and settings.get("sampler", "auto") == "auto" and TEMPERING not in dt.children:
        dt = _exchanged(candidate, dt, settings)
        evidence = log_evidence(dt)
    return of_posterior(dt, evidence, **settings) | {"seconds": time.perf_counter() - began}


def _exchanged(candidate: Candidate, dt: xr.DataTree, settings: Mapping[str, Any]) -> xr.DataTree:
    """By replica exchange, where there is time for it: draws that are right may leave the evidence open."""
    try:
        return sample(candidate.spec, candidate.data, progress=False, **{**settings, "sampler": "exchange"})
    except FitError:
        return dt


def of_posterior(dt: xr.DataTree, evidence: LogEvidence, **settings: Any) -> Numbers:
    """The columns of a posterior that there is; ``settings`` are those of fits without single rows."""
    record = Record.of(dt)
    check, found = diagnose(record), occupied(record, seed=int(record.dt.attrs["seed"]))
    one_out = left_out(record, **settings)
    return {
        "elpd": one_out.elpd.tolist(),
        "elpd_mcse": one_out.error,
        "pareto_k": one_out.pareto_k,
        "refitted": one_out.refitted,
        "log_evidence": evidence.value,
        "log_evidence_error": evidence.standard_error,
        "established": evidence.established,
        "method": evidence.method,
        "occupied": found.shares.tolist(),
        "occupied_error": found.errors.tolist(),
        "p0": found.p0,
        "p0_error": found.p0_error,
        **nobile.of_step(record.likelihood, found),
        **_groups(record),
        **_pairs(record),
        "ok": check.ok,
        "model_ok": check.model_ok,
        "problems": [problem.name for problem in check.problems],
        "misfits": [str(misfit) for misfit in check.misfits],
        "max_r_hat": float(np.nanmax(check.invariants["r_hat"])),
    }


def _pairs(record: Record) -> Numbers:
    """Hundredths of the probability of every two rows to be in one component, those above the diagonal in a row."""
    n = len(record.likelihood.data)
    if n > ROWS_OF_PAIRS:
        return {}
    together = co_clustering(record.dt).to_numpy()[np.triu_indices(n, 1)]
    return {"together": np.rint(100 * together).astype(int).tolist()}


def _groups(record: Record) -> Numbers:
    """What components are as groups: modes of the density, what merging leaves, how sure rows are."""
    quality = classification_quality(record.dt)
    numbers: Numbers = {
        "merging": merge(record.dt).reset_index().to_dict("records"),
        "groups": quality.groups.reset_index().to_dict("records"),
        "quality": quality.overall.reset_index().to_dict("records"),
    }
    if has_modes(record.likelihood):
        modes = modes_of(record).probability
        numbers |= {"modes": modes["probability"].tolist(), "modes_error": modes["error"].tolist()}
    return numbers
