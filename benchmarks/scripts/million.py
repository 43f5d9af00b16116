"""ROWS DRAWS TUNE SEED: bm.sample on simulated rows in four features, five components."""

import json
import sys

import arviz as az

import bayesmix as bm
from benchmarks.problems import simulated
from benchmarks.timing import peak_memory, timed

if __name__ == "__main__":
    n, draws, tune, seed = map(int, sys.argv[1:])
    problem = simulated(n, 4, 5)
    before = peak_memory()
    seconds, dt = timed(
        lambda: bm.sample(problem.spec, problem.data, draws=draws, tune=tune, chains=4, seed=seed, progress=False)
    )
    posterior = dt["posterior"].to_dataset()[["weights", "means", "scales"]]
    ess, r_hat = az.ess(posterior), az.rhat(posterior)
    print(
        json.dumps(
            {
                "seconds_of_call": seconds,
                "peak": peak_memory(),
                "before": before,
                "data": problem.X.nbytes / 1e6,
                "ess": min(float(ess[v].min()) for v in posterior.data_vars),
                "r_hat": max(float(r_hat[v].max()) for v in posterior.data_vars),
                "n_steps": float(dt["sample_stats"]["n_steps"].mean()),
            }
        )
    )
