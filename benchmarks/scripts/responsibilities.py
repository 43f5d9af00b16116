"""WAY DRAWS ROWS OUT: summarize responsibilities of simulated posterior draws, once; save the means.

WAY is ``ours`` (bm.responsibility_summary) or ``hand`` (NumPy and SciPy on the whole array).
"""

import json
import sys
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.special import logsumexp
from scipy.stats import norm

import bayesmix as bm
from benchmarks.problems import three_on_a_line
from benchmarks.timing import peak_memory, timed

CHAINS = 4


def posterior(n_draws: int, n: int) -> xr.DataTree:
    """Draws around the true parameters, spread as a posterior of n rows would be, with what bm.sample stores."""
    problem, rng = three_on_a_line(n), np.random.default_rng(0)
    draws = problem.theta + rng.normal(0, n**-0.5, (n_draws, len(problem.theta)))
    params = [problem.coordinates.parameters(u) for u in draws]
    dims = {"weights": ["component"], "means": ["component", "feature"]}
    dims["covariances"] = ["component", "feature", "feature_bis"]
    arrays = {v: np.array([p[v] for p in params]) for v in dims}
    stacked = {
        v: (["chain", "draw", *dims[v]], a.reshape(CHAINS, n_draws // CHAINS, *a.shape[1:])) for v, a in arrays.items()
    }
    coords = {"chain": np.arange(CHAINS), "draw": np.arange(n_draws // CHAINS)}
    dt = xr.DataTree.from_dict({"posterior": xr.Dataset(stacked, coords), "input": problem.data.to_dataset()})
    dt.attrs["spec"] = json.dumps(problem.spec.to_dict())
    return dt


def ours(dt: xr.DataTree) -> np.ndarray:
    """In bounded memory."""
    summary = bm.responsibility_summary(dt)
    return np.array([summary[v] for v in ("mean", "sd", "lower", "upper")])


def hand(dt: xr.DataTree) -> np.ndarray:
    """As one would write it: (draws, rows, components) at once."""
    group = dt["posterior"].to_dataset()
    w, mu, variance = (group[v].to_numpy().reshape(-1, 1, 3) for v in ("weights", "means", "covariances"))
    x = dt["input"].to_dataset()["x"].to_numpy().reshape(1, -1, 1)
    log_joint = np.log(w) + norm.logpdf(x, mu, np.sqrt(variance))
    r = np.exp(log_joint - logsumexp(log_joint, axis=-1, keepdims=True))
    return np.array([r.mean(axis=0), r.std(axis=0), *np.quantile(r, [0.05, 0.95], axis=0)])


if __name__ == "__main__":
    way, n_draws, n, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    dt = posterior(n_draws, n)
    {"ours": ours, "hand": hand}[way](posterior(40, 50))
    before = peak_memory()
    seconds, found = timed(lambda: {"ours": ours, "hand": hand}[way](dt))
    np.save(out, found)
    print(json.dumps({"seconds_of_call": seconds, "peak": peak_memory(), "before": before}))
