"""With the threads that a user has: the sampler's own threads have small stacks, which LAPACK's threads overflow."""

import os
import subprocess
import sys

import pytest

SHORT = """
import sys
import numpy as np
import bayesmix as bm
d, covariance = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
x = rng.normal(size=(2, d))[rng.integers(2, size=300)] * 2.5 + rng.normal(size=(300, d))
spec = bm.Mixture("gaussian", n_components=2, covariance=covariance)
dt = bm.sample(spec, bm.Data(x), n_starts=1, draws=4, tune=5, chains=2, log_likelihood=False, progress=False)
assert np.isfinite(dt["posterior"]["means"]).all()
"""
OWN_TERM = """
import numpy as np
import pymc as pm
import pytensor.tensor as pt
from bayesmix.sampling.nutpie import Runner
from bayesmix.compiled.log_posterior import CompiledModel
with pm.Model() as model:
    scale = pm.HalfNormal("scale", 1.0)
    S = pt.eye(150) * (1 + scale) + 0.1
    pm.MvNormal("x", pt.zeros(150), cov=S, observed=np.ones((2, 150)))
    pm.Potential("solved", pt.linalg.solve(S, pt.ones(150)).sum())
compiled = CompiledModel(model)
run = Runner(compiled, cores=2, seed=1)([lambda rng: rng.normal(size=1)] * 2, draws=4, tune=5)
assert np.isfinite(run["posterior"]["scale"]).all()
"""


def run_as_a_user(code, *arguments, threads=None):
    """In a process that knows nothing of this one's settings of threads."""
    own = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    own |= {} if threads is None else {"OPENBLAS_NUM_THREADS": str(threads)}
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=own, capture_output=True, text=True)
    assert done.returncode == 0, f"code {done.returncode}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize(
    ("d", "covariance", "threads"),
    [
        (10, "full", None),
        pytest.param(10, "full", 4, marks=pytest.mark.thorough),
        *[
            pytest.param(d, covariance, threads, marks=pytest.mark.thorough)
            for d, covariance in ((20, "full"), (30, "full"), (50, "full"), (30, "tied"), (50, "diag"))
            for threads in (None, 4)
        ],
    ],
)
def test_many_features(d, covariance, threads):
    run_as_a_user(SHORT, str(d), covariance, threads=threads)


@pytest.mark.thorough
@pytest.mark.parametrize("threads", [None, 4])
def test_a_term_of_the_users_own_that_calls_lapack(threads):
    run_as_a_user(OWN_TERM, threads=threads)
