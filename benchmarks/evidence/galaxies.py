"""The evidence of galaxies and iris by bridge sampling, by sequential Monte Carlo and by tempering; masses of modes.

    uv run python -m benchmarks.evidence.galaxies

Velocities of 82 galaxies (MASS) in 1,000 km/s; means ~ Normal(20, 10), standard deviations ~ HalfNormal(5), weights ~
Dirichlet(1, 1, 1). Sequential Monte Carlo is PyMC's, of a model written by hand; the tempered run is that of
``tests/reference_cases.py``. Also, under the shipped priors: galaxies with three and four groups, and iris with three,
against the same reference. Writes ``results.json`` and, as a table, ``RESULTS.md``.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pymc as pm

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.multimodality.table import by_region
from benchmarks.environment import describe

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
REFERENCE = HERE.parents[1] / "tests" / "reference_masses.json"
TEXTBOOK = {
    "weights": bm.Prior("Dirichlet", a=[1.0, 1.0, 1.0]),
    "means": bm.Prior("Normal", mu=20.0, sigma=10.0),
    "scales": bm.Prior("HalfNormal", sigma=5.0),
}
SEEDS = (1, 2, 3, 4, 5)
DRAWS, TUNE, TARGET_ACCEPT = 6000, 1000, 0.98
SMC = {"draws": 4000, "chains": 4, "threshold": 0.9, "correlation_threshold": 1e-4}
"""PyMC's defaults (independent proposals, 2,000 particles) end anywhere from 0 to 4 below, and do not say so."""


def cases():
    """Name -> (mixture, data, how many draws per chain)."""
    galaxies, velocities = bm.load("galaxies")
    return {
        "galaxies_3_textbook": (galaxies.replace(priors=TEXTBOOK), velocities),
        "galaxies_3": (galaxies, velocities),
        "galaxies_4": (galaxies.replace(n_components=4), velocities),
        "iris_3": bm.load("iris"),
    }


def bridge(name):
    """Five seeds of bm.sample and bm.log_evidence."""
    spec, data = cases()[name]
    compiled = CompiledModel(bm.build(spec, data))
    found = []
    for seed in SEEDS:
        begin = time.perf_counter()
        settings = {"draws": DRAWS, "tune": TUNE, "target_accept": TARGET_ACCEPT, "seed": seed}
        dt = bm.sample(spec, data, compiled=compiled, progress=False, **settings)
        middle = time.perf_counter()
        evidence = bm.log_evidence(dt, compiled=compiled)
        found.append(
            {
                "seed": seed,
                "value": evidence.value,
                "standard_error": evidence.standard_error,
                "established": evidence.established,
                "masses": _masses(dt),
                "sampling_seconds": round(middle - begin, 1),
                "evidence_seconds": round(time.perf_counter() - middle, 2),
            }
        )
    return found


def _masses(dt):
    """Share and error of every separate mode, the largest first."""
    tops = [maxima.isel(mode=0) for maxima in by_region(dt["modes"].to_dataset())]
    return [[float(top[v]) for v in ("mass", "mass_error")] for top in tops if top["region"] > 0]


def smc():
    """Two seeds of four independent runs of pm.sample_smc each, of a model written by hand."""
    x = bm.load("galaxies")[1].x[:, 0]
    with pm.Model():
        weights = pm.Dirichlet("weights", a=np.ones(3))
        means = pm.Normal("means", 20, 10, shape=3)
        scales = pm.HalfNormal("scales", 5, shape=3)
        pm.NormalMixture("x", w=weights, mu=means, sigma=scales, observed=x)
        found = []
        for seed in (1, 2):
            begin = time.perf_counter()
            dt = pm.sample_smc(kernel=pm.smc.MH, cores=1, random_seed=seed, progressbar=False, **SMC)
            stages = dt["sample_stats"]["log_marginal_likelihood"].to_numpy()
            last = [float(np.ravel(list(run))[-1]) for run in stages]
            found.append({"seed": seed, "values": last, "seconds": round(time.perf_counter() - begin, 1)})
    return found


def record(key, found):
    """Add to the results."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    command = f"uv run python -m benchmarks.evidence.galaxies {key}"
    known[key] = {"found": found, "environment": describe(command, one_thread=False)}
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def _errors_apart(a, b):
    """Difference of two seeds, of the evidence and, where both found separate modes, of the largest one's share."""
    apart = [abs(a["value"] - b["value"]) / np.hypot(a["standard_error"], b["standard_error"])]
    if min(len(a["masses"]), len(b["masses"])) > 1:
        (p, e), (q, f) = a["masses"][0], b["masses"][0]
        apart.append(abs(p - q) / np.hypot(e, f))
    return max(apart)


def table():
    """Every way beside the reference."""
    known, reference = json.loads(RESULTS.read_text()), json.loads(REFERENCE.read_text())
    lines = ["# Log evidence", "", "By `uv run python -m benchmarks.evidence.galaxies`; dates, versions and times in"]
    lines += ["results.json, the reference (parallel tempering) in tests/reference_masses.json. Every seed: 4 chains"]
    lines += [f"of {DRAWS} draws, tune {TUNE}, target_accept {TARGET_ACCEPT}.", ""]
    lines += ["| case | bridge sampling, seeds 1 to 5 | reference |", "|---|---|---|"]
    for name in cases():
        if name in known:
            ours = ", ".join(f"{f['value']:.3f} +- {f['standard_error']:.3f}" for f in known[name]["found"])
            run = reference[name]
            lines.append(f"| {name} | {ours} | {run['log_evidence']:.3f} +- {run['log_evidence_error']:.3f} |")
    lines += [
        "",
        "| case | share of the largest mode, seeds 1 to 5 | largest difference of two seeds, in errors |",
        "|---|---|---|",
    ]
    for name in cases():
        if name in known and "masses" in known[name]["found"][0]:
            found = known[name]["found"]
            shares = ", ".join("{:.5f} +- {:.5f}".format(*f["masses"][0]) for f in found)
            worst = max(_errors_apart(a, b) for a, b in combinations(found, 2))
            lines.append(f"| {name} | {shares} | {worst:.1f} (evidence and shares) |")
    if "smc" in known:
        values = np.concatenate([f["values"] for f in known["smc"]["found"]])
        z = np.exp(values - values.max())  # unbiased for the evidence itself, not for its logarithm
        mean, error = np.log(z.mean()) + values.max(), z.std(ddof=1) / np.sqrt(len(z)) / z.mean()
        lines.append(f"\ngalaxies_3_textbook by sequential Monte Carlo: {mean:.3f} +- {error:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Evidence three ways.")
    parser.add_argument("which", nargs="*", default=[*cases(), "smc"])
    for key in parser.parse_args().which:
        record(key, smc() if key == "smc" else bridge(key))
    (HERE / "RESULTS.md").write_text(table() + "\n")
    print(table())
