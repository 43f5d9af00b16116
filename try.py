import sys, time, numpy as np
from proto import problem
import bayesmix as bm, arviz as az, xarray as xr
from bayesmix.mixture.spec import resolved
from bayesmix.model.build import graph, model_of
from bayesmix.compiled.log_posterior import Target
from bayesmix.compiled.many_points import Points
from bayesmix.tempering.powers import Tempered
from bayesmix.tempering.ladder import Ladder
from bayesmix.tempering.replicas import Replicas, Drawn
from bayesmix.tempering.evidence import log_evidence
from bayesmix.multimodality.watched import Watch

spec, data = problem(sys.argv[1])
lik = resolved(spec, data)
parts = graph(lik)
model = model_of(parts)
target = Target(model)
t = time.time()
m = Tempered(target, lik)
pr = m.prior(500, 1)
print("prior", time.time() - t, "member", m.member)
lad = Ladder.first(pr.std(axis=0))
states = pr[: 4 * len(lad)].reshape(4, len(lad), -1)
R = Replicas(m, lad, states, cores=2, seed=1)
R.sweep(2)
print("jit", time.time() - t)
t = time.time()
for S in [100] * 6 + [300] * 4:
    d = R.sweep(S)
    print(
        len(R.ladder),
        "barrier %.2f" % d.seen.barrier,
        d.seen.acceptance.min().round(2),
        d.arrivals.sum(),
        "%.1f" % (time.time() - t),
        flush=True,
    )
    R.adapt(d)
t = time.time()
S = int(sys.argv[3])
out = []
for b in range(4):
    out.append(R.sweep(S // 4))
    print(out[-1].arrivals, "%.1f" % (time.time() - t), flush=True)
d = Drawn.joined(out)
print(log_evidence(R.ladder.powers, d.L), "rej", d.seen.rejection.round(2))
W = Watch(lik)
pts = Points(target, lik.parameter_names)
cols = [W(pts.values(x)) for x in d.states]
t = time.time()
v = {nm: np.stack([c[nm] for c in cols]) for nm in cols[0]}
for nm, a in v.items():
    D = xr.Dataset({"v": (("chain", "draw"), a)})
    print(
        "%-28s mean %.4f ess %.0f rhat %.3f"
        % (nm, a.mean(), az.ess(D, method="bulk")["v"].item(), az.rhat(D)["v"].item())
    )
