"""Old Faithful with bayesmix: DRAWS SEED -> the smallest bulk ESS. What a user would write, and nothing else."""

import json
import sys

import arviz as az

import bayesmix as bm

if __name__ == "__main__":
    spec, data = bm.load("old_faithful")
    dt = bm.sample(spec, data, draws=int(sys.argv[1]), seed=int(sys.argv[2]), progress=False)
    ess = az.ess(dt["posterior"].to_dataset()[["weights", "means", "covariances"]])
    print(json.dumps({"ess": min(float(ess[v].min()) for v in ess.data_vars)}))
