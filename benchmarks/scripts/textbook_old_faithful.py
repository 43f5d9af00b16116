"""Old Faithful in plain PyMC: DATA DRAWS SEED -> the smallest bulk ESS. Written as in PyMC's own examples.

The priors are those that bayesmix gives this data set; chains begin at the centres of k-means in ascending order, so
that all of them have the same labels.
"""

import json
import sys

import arviz as az
import numpy as np
import pandas as pd
import pymc as pm
from sklearn.cluster import KMeans

if __name__ == "__main__":
    X = pd.read_csv(sys.argv[1])[["eruptions", "waiting"]].to_numpy()
    K, (n, d) = 2, X.shape
    centres = KMeans(K, n_init=10, random_state=1).fit(X).cluster_centers_
    centres = centres[np.argsort(centres[:, 0])]
    sd = X.std(axis=0)
    with pm.Model():
        weights = pm.Dirichlet("weights", a=[2.0] * K)
        means = pm.Normal("means", mu=X.mean(axis=0), sigma=2.5 * sd, shape=(K, d))
        components = []
        for k in range(K):
            scales = pm.InverseGamma.dist(alpha=2.0, beta=sd / K ** (1 / d), shape=d)
            chol, _, _ = pm.LKJCholeskyCov(f"chol_{k}", n=d, eta=2.0, sd_dist=scales)
            pm.Deterministic(f"covariance_{k}", chol @ chol.T)
            components.append(pm.MvNormal.dist(mu=means[k], chol=chol))
        pm.Mixture("x", w=weights, comp_dists=components, observed=X)
        dt = pm.sample(
            draws=int(sys.argv[2]),
            random_seed=int(sys.argv[3]),
            initvals={"means": centres},
            progressbar=False,
        )
    ess = az.ess(dt["posterior"].to_dataset()[["weights", "means", "covariance_0", "covariance_1"]])
    print(json.dumps({"ess": min(float(ess[v].min()) for v in ess.data_vars)}))
