"""What the posterior says of a candidate: leave-one-out, evidence, occupied components, verdicts."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import xarray as xr

from bayesmix import estep
from bayesmix.checks.diagnose import diagnosis_of
from bayesmix.choosing import nobile
from bayesmix.choosing.by_em import Numbers
from bayesmix.choosing.candidates import Candidate
from bayesmix.choosing.occupied import occupied
from bayesmix.posterior.leave_one_out import loo_of, tail_size
from bayesmix.posterior.record import Record, row_slices
from bayesmix.sampling.log_evidence import log_evidence
from bayesmix.sampling.sample import sample


def by_draws(candidate: Candidate, **settings: Any) -> Numbers:
    """Sample, and read the columns off the draws; ``settings`` are those of :func:`bayesmix.sample`."""
    began = time.perf_counter()
    dt = sample(candidate.spec, candidate.data, progress=False, **settings)
    return of_posterior(dt) | {"seconds": time.perf_counter() - began}


def of_posterior(dt: xr.DataTree) -> Numbers:
    """The columns of a posterior that there is."""
    record = Record.of(dt)
    check, found = diagnosis_of(record), occupied(record, seed=int(record.dt.attrs["seed"]))
    evidence, left_out = log_evidence(dt), loo_of(record)
    return {
        "elpd": left_out["elpd"].to_numpy().tolist(),
        "elpd_mcse": leave_one_out_error(record),
        "pareto_k": float(left_out["pareto_k"].max()),
        "log_evidence": evidence.value,
        "log_evidence_error": evidence.standard_error,
        "established": evidence.established,
        "method": evidence.method,
        "occupied": found.shares.tolist(),
        "occupied_error": found.errors.tolist(),
        "p0": found.p0,
        "p0_error": found.p0_error,
        **nobile.of_step(record.likelihood, found),
        "ok": check.ok,
        "model_ok": check.model_ok,
        "problems": [problem.name for problem in check.problems],
        "misfits": [str(misfit) for misfit in check.misfits],
        "max_r_hat": float(np.nanmax(check.invariants["r_hat"])),
    }


def leave_one_out_error(record: Record) -> float:
    """Monte Carlo standard error of the sum of leave-one-out densities: that of the mean of the chains' own.

    NaN of a single chain. It is of the draws; the standard error of the sum is of the rows, and larger.
    """
    likelihood, chains = record.likelihood, record.posterior.sizes["chain"]
    if chains < 2:
        return float("nan")
    draws = estep.Draws(likelihood, record.params)
    tail, totals = max(1, tail_size(record.posterior) // 2), np.zeros(chains)  # it grows as the root of the draws
    for rows in row_slices(likelihood, draws.size):
        by_chain = np.split(draws.pointwise(rows), chains)
        totals += [estep.leave_one_out(l, tail)[0].sum() for l in by_chain]
    return float(totals.std(ddof=1) / np.sqrt(chains))
