import sys, time, numpy as np
from proto import problem
import bayesmix as bm
from bayesmix.mixture.spec import resolved
from bayesmix.model.build import graph, model_of
from bayesmix.compiled.log_posterior import Target
from bayesmix.tempering.exchange import exchange
from bayesmix.em.fit_em import run_starts

spec, data = problem(sys.argv[1])
lik = resolved(spec, data)
parts = graph(lik)
model = model_of(parts)
target = Target(model)
runs = run_starts(lik, n_starts=5, seed=1)
starts = np.array([target.start(parts.start(r.params)) for r in runs])
for seed in (1, 2):
    t = time.time()
    e = exchange(target, lik, starts, chains=4, draws=1000, cores=2, seed=seed, seconds=200)
    print(
        time.time() - t,
        e.round_trips,
        e.log_evidence,
        e.log_evidence_error,
        e.sweeps,
        e.finished,
        len(e.powers),
        e.rejection.sum(),
    )
