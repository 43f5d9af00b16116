"""NUTS beside Stan on the 1-D example, in an environment of Stan's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from benchmarks import nuts
from benchmarks.environment import SEED
from benchmarks.figures import Case
from benchmarks.problems import Problem, three_on_a_line
from benchmarks.process import script

PYTHON = (
    "uv",
    "run",
    "--no-project",
    "--python",
    ">=3.11,<3.13",
    "--with",
    "pystan",
    "--with",
    "setuptools<81",
    "python",
)
CHAINS = 2


def cases(*, quick: bool) -> Iterator[Case]:
    """Ours and Stan by turns."""
    problem = three_on_a_line(200 if quick else 2_000)
    draws, tune = (100, 100) if quick else (500, 500)
    ours, stan, version = [], [], ""
    for seed in range(SEED, SEED + (1 if quick else 3)):
        ours.append(nuts.ours(problem, seed, draws=draws, tune=tune, chains=CHAINS))
        run, version = _stan(problem, seed, {"num_samples": draws, "num_warmup": tune})
        stan.append(run)
    figures, best = nuts.figures(stan), nuts.figures(ours)
    key = "ESS per sampling second"
    yield Case(f"ours, {problem.name}", best)
    yield Case(f"Stan, {problem.name}", figures | {nuts.RATIO: best[key].per(figures[key])}, version)


def _stan(problem: Problem, seed: int, settings: dict[str, int]) -> tuple[nuts.Run, str]:
    prior = {key: p.parameters for key, p in problem.spec.priors.items()}
    points = [problem.coordinates.parameters(problem.theta + s) for s in (0.0, 0.1, -0.1)]
    named = [
        {"weights": p["weights"], "means": p["means"][:, 0], "scales": np.sqrt(p["covariances"][:, 0, 0])}
        for p in points
    ]
    scalars = {"mu": prior["means"]["mu"], "sigma": prior["means"]["sigma"]} | prior["scales"]
    data = {"n": len(problem.X), "K": 3, "x": problem.X[:, 0], "concentration": prior["weights"]["a"]}
    given = {
        "data": data | {name: np.ravel(value)[0] for name, value in scalars.items()},
        "points": named,
        "start": named[0],
        "num_chains": CHAINS,
        "seed": seed,
        "settings": settings,
    }
    with TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "given.json", Path(folder) / "draws.json"
        asked.write_text(json.dumps(given, default=lambda a: a.tolist()))
        run = script("stan_1d.py", asked, answered, python=PYTHON)
        draws = json.loads(answered.read_text())
    _check([_log_density(given["data"], point) for point in named], run["densities"])
    arrays = {v: (["scalar", "draw", "chain"], np.array(a)) for v, a in draws.items()}
    group = xr.Dataset(arrays).transpose("chain", "draw", "scalar")
    dt = xr.DataTree.from_dict({"posterior": group, "sample_stats": xr.Dataset()})
    total = run["compiling"] + run["sampling"]
    return nuts.summary(dt, run["compiling"], run["sampling"], total), run["version"]


def _log_density(data: dict[str, Any], point: dict[str, np.ndarray]) -> float:
    """Log-posterior up to a constant, by SciPy."""
    w, mu, sd = (point[v] for v in ("weights", "means", "scales"))
    rows = np.log(stats.norm.pdf(data["x"][:, None], mu, sd) @ w).sum()
    prior = stats.dirichlet.logpdf(w, data["concentration"]) + stats.norm.logpdf(mu, data["mu"], data["sigma"]).sum()
    return float(rows + prior + stats.invgamma.logpdf(sd, data["alpha"], scale=data["beta"]).sum())


def _check(ours: list[float], stan: list[float]) -> None:
    """Differences between points are the same on both sides."""
    if not np.allclose(np.diff(ours), np.diff(stan), rtol=1e-8, atol=1e-6):
        raise RuntimeError(f"Stan's log-density differs by more than a constant: {ours} against {stan}")
