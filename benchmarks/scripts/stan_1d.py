"""Three Gaussians on a line in Stan: a JSON file of data, priors, points and settings -> seconds, densities, draws.

Runs in an environment of its own: it imports pystan and NumPy alone.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import stan

PROGRAM = """
data {
  int<lower=1> n; int<lower=1> K; vector[n] x;
  vector<lower=0>[K] concentration; real mu; real<lower=0> sigma; real<lower=0> alpha; real<lower=0> beta;
}
parameters { simplex[K] weights; ordered[K] means; vector<lower=0>[K] scales; }
model {
  vector[K] log_w = log(weights);
  weights ~ dirichlet(concentration);
  means ~ normal(mu, sigma);
  scales ~ inv_gamma(alpha, beta);
  for (i in 1:n) {
    vector[K] l = log_w;
    for (k in 1:K) l[k] += normal_lpdf(x[i] | means[k], scales[k]);
    target += log_sum_exp(l);
  }
}
"""

if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text())
    begin = time.perf_counter()
    posterior = stan.build(PROGRAM, data=given["data"], random_seed=given["seed"])
    compiling = time.perf_counter() - begin
    unconstrained = [posterior.unconstrain_pars(point) for point in given["points"]]
    densities = [posterior.log_prob(u, adjust_transform=False) for u in unconstrained]
    begin = time.perf_counter()
    fit = posterior.sample(
        init=[given["start"]] * given["num_chains"], **given["settings"], num_chains=given["num_chains"]
    )
    sampling = time.perf_counter() - begin
    draws = {v: np.asarray(fit[v]).reshape(3, -1, given["num_chains"]).tolist() for v in ("weights", "means", "scales")}
    Path(sys.argv[2]).write_text(json.dumps(draws))
    print()
    print(
        json.dumps(
            {
                "compiling": compiling,
                "sampling": sampling,
                "densities": densities,
                "version": f"PyStan {version('pystan')} on Python {sys.version.split()[0]}",
            }
        )
    )
