import sys, numpy as np
from proto import problem
import bayesmix as bm, arviz as az, xarray as xr
from bayesmix.mixture.spec import resolved
from bayesmix.model.build import graph, model_of
from bayesmix.compiled.log_posterior import Target
from bayesmix.compiled.many_points import Points
import bayesmix.tempering.replicas as rp
from bayesmix.tempering.powers import Tempered
from bayesmix.tempering.ladder import Ladder
from bayesmix.multimodality.watched import Watch

spec, data = problem(sys.argv[1])
lik = resolved(spec, data)
parts = graph(lik)
model = model_of(parts)
target = Target(model)
m = Tempered(target, lik)
pr = m.prior(500, 1)
W = Watch(lik)
pts = Points(target, lik.parameter_names)
for longest, last in ((8, 8), (8, 24), (8, 48)):
    rp.LONGEST = longest
    rp.LONGEST_LAST = last
    lad = Ladder.first(pr.std(axis=0))
    R = rp.Replicas(m, lad, pr[: 4 * len(lad)].reshape(4, len(lad), -1), cores=1, seed=1)
    for S in (50, 50, 100, 100, 100, 200, 200):
        R.adapt(R.sweep(S))
    d = R.sweep(2000)
    cols = [W(pts.values(x)) for x in d.states]
    v = np.stack([np.stack(list(c.values()), -1) for c in cols])
    v = np.concatenate([v, d.L[:, :, -1:]], -1)
    keep = np.ptp(v, axis=(0, 1)) > 1e-2
    D = xr.Dataset({"v": (("chain", "draw", "s"), v[..., keep])})
    e = az.ess(D)["v"].to_numpy()
    # L autocorr per rung
    LL = xr.Dataset({"v": (("chain", "draw", "s"), d.L)})
    el = az.ess(LL)["v"].to_numpy()
    print(
        longest,
        "trips",
        d.arrivals.sum(),
        "ess min/median per 8000",
        e.min().round(),
        np.median(e).round(),
        "grads/sweep/rung",
        (1 + longest) / 2,
        "barrier",
        round(d.seen.barrier, 2),
        "steps",
        R.ladder.steps.round(2),
        "ess of L",
        el.round().astype(int),
        flush=True,
    )
