import sys, time
import numpy as np, numba
from numba import carray, types
import bayesmix as bm
from bayesmix.compiled.addresses import call as _call
from bayesmix.compiled.log_posterior import Target
from bayesmix.model.build import graph, model_of
from bayesmix.mixture.spec import resolved
from concurrent.futures import ThreadPoolExecutor


@numba.njit(forceinline=True)
def logp(address, record, x, g, value):
    code = _call(address, len(x), x.ctypes.data, g.ctypes.data, value.ctypes.data, record)
    if code != 0:
        return -np.inf
    return value[0]


@numba.njit(nogil=True)
def trajectory(address, record, A, step, n_steps, x, g, lp, value, moment, xn, gn):
    """HMC in u; x,g updated in place if accepted; returns (lp, acceptance, n)"""
    n = len(x)
    p = moment
    for i in range(n):
        p[i] = np.random.normal()
    h0 = lp
    for i in range(n):
        h0 -= 0.5 * p[i] * p[i]
    xn[:] = x
    gn[:] = g
    l = lp
    for s in range(n_steps):
        p += 0.5 * step * (A.T @ gn)
        xn += step * (A @ p)
        l = logp(address, record, xn, gn, value)
        if not np.isfinite(l):
            return lp, 0.0
        p += 0.5 * step * (A.T @ gn)
    h = l
    for i in range(n):
        h -= 0.5 * p[i] * p[i]
    a = min(1.0, np.exp(h - h0)) if np.isfinite(h) else 0.0
    if np.random.random() < a:
        x[:] = xn
        g[:] = gn
        return l, a
    return lp, a


@numba.njit(nogil=True)
def run(
    address,
    records,
    betas,
    A,
    step,
    most,
    X,
    prior,
    use_prior,
    sweeps,
    seed,
    first,
    out,
    outL,
    acc,
    rej,
    gg,
    trips,
    moves,
):
    """one line of replicas; X (R,n) states; out (sweeps,n) cold; outL (sweeps,R) log-lik"""
    np.random.seed(seed)
    R, n = X.shape
    value = np.empty(1)
    G = np.empty((R, n))
    lp = np.empty(R)
    L = np.empty(R)
    g2 = np.empty(n)
    p = np.empty(n)
    xn = np.empty(n)
    gn = np.empty(n)
    who = np.arange(R)  # replica identities at rung
    state = np.zeros(R, np.int64)  # 0 unknown, 1 came from hot, 2 cold reached after hot
    for r in range(R):
        lp[r] = logp(address, records[r], X[r], G[r], value)
    for s in range(sweeps):
        for r in range(R):
            if r == 0 and use_prior:
                X[0] = prior[np.random.randint(len(prior))]
                lp[0] = logp(address, records[0], X[0], G[0], value)
            else:
                for m in range(moves[r]):
                    k = 1 + np.random.randint(most[r])
                    e = step[r] * np.exp(np.random.uniform(-0.7, 0.2))
                    lp[r], a = trajectory(address, records[r], A[r], e, k, X[r], G[r], lp[r], value, p, xn, gn)
                    acc[r] += a / moves[r]
            if betas[r] >= 0.5:
                L[r] = (lp[r] - logp(address, records[0], X[r], g2, value)) / betas[r]
            else:
                l1 = logp(address, records[R - 1], X[r], g2, value)
                l1 = l1 if np.isfinite(l1) else -1e300
                L[r] = (l1 - lp[r]) / (1 - betas[r])
            for i in range(n):
                for j in range(n):
                    gg[r, i, j] += G[r, i] * G[r, j]
        outL[s] = L
        # exchange
        for r in range((first + s) % 2, R - 1, 2):
            d = (betas[r + 1] - betas[r]) * (L[r] - L[r + 1])
            a = min(1.0, np.exp(d))
            rej[r] += 1 - a
            if np.random.random() < a:
                for i in range(n):
                    t = X[r, i]
                    X[r, i] = X[r + 1, i]
                    X[r + 1, i] = t
                la = lp[r] - betas[r] * L[r]
                lb = lp[r + 1] - betas[r + 1] * L[r + 1]
                lp[r] = lb + betas[r] * L[r + 1]
                lp[r + 1] = la + betas[r + 1] * L[r]
                t = L[r]
                L[r] = L[r + 1]
                L[r + 1] = t
                w = who[r]
                who[r] = who[r + 1]
                who[r + 1] = w
                logp(address, records[r], X[r], G[r], value)
                logp(address, records[r + 1], X[r + 1], G[r + 1], value)
        state[who[0]] = 1
        if state[who[R - 1]] == 1:
            state[who[R - 1]] = 2
            trips[0] += 1
        out[s] = X[R - 1]


def problem(name):
    if name == "galaxies":
        K = int(sys.argv[2])
        spec, data = bm.load("galaxies")
        spec = bm.Mixture("gaussian", n_components=K)
    elif name == "eight":
        rng = np.random.default_rng(3)
        c = np.array([[0, 0], [3, 0], [0, 3], [3, 3], [8, 8], [8, 5], [14, 0], [14, 3]]) * 1.0
        X = c[rng.integers(8, size=2000)] + rng.normal(size=(2000, 2))
        spec, data = bm.Mixture("gaussian", n_components=8), bm.Data(X)
    elif name == "three":
        rng = np.random.default_rng(3)
        X = np.array([0, 1.3, 2.6])[rng.integers(3, size=500)] + rng.normal(size=500)
        spec, data = bm.Mixture("gaussian", n_components=3), bm.Data(X)
    return spec, data


def root(G, N):
    P = G / N
    P = (P + P.T) / 2
    s = 1 / np.sqrt(np.maximum(np.diag(P), 1e-12))
    Q = P * np.outer(s, s)
    Q = 0.9 * Q + 0.1 * np.eye(len(Q))
    C = np.linalg.cholesky(Q)
    return np.ascontiguousarray(s[:, None] * np.linalg.inv(C).T)


if __name__ == "__main__":
    spec, data = problem(sys.argv[1])
    R = int(sys.argv[3])
    lines = 2
    lik = resolved(spec, data)
    parts = graph(lik)
    model = model_of(parts)
    t = time.time()
    target = Target(model)
    print("compile", time.time() - t, "dim", target.n_dim)
    v = np.asarray(data.row_weights, float)

    def records(b):
        cs = [target.compiled.with_data(row_weights=x * v) for x in b]
        return cs, np.array([c.user_data.ctypes.data for c in cs])

    import pymc as pm

    names = [rv.name for rv in model.free_RVs]
    pri = pm.draw([model[n] for n in names], draws=4000, random_seed=1)
    from bayesmix.compiled.many_points import Points

    prior = Points(target, lik.parameter_names).rows(dict(zip(names, pri)))
    prior = np.ascontiguousarray(prior[np.isfinite(prior).all(axis=1)])
    address = target.compiled.compiled_logp_func.address
    n = target.n_dim
    # cost
    x = prior[0].copy()
    g = np.empty(n)
    val = np.empty(1)
    t = time.time()
    for _ in range(2000):
        target.log_density(x)
    print("us per gradient (python)", (time.time() - t) / 2000 * 1e6)
    betas = np.concatenate([[0.0], np.geomspace(1e-4, 1, R - 1)])
    rng = np.random.default_rng(1)
    X = np.stack([prior[rng.integers(len(prior), size=R)] for _ in range(lines)])
    A = np.tile(np.diag(prior.std(axis=0)), (R, 1, 1))
    step = np.full(R, 0.1)
    most = np.full(R, 8)
    moves = np.full(R, 1)

    def go(sweeps, seed):
        cs, rec = records(betas)
        outs = []

        def one(l):
            out = np.empty((sweeps, n))
            outL = np.empty((sweeps, R))
            acc = np.zeros(R)
            rej = np.zeros(R - 1)
            gg = np.zeros((R, n, n))
            trips = np.zeros(1)
            run(
                address,
                rec,
                betas,
                A,
                step,
                most,
                X[l],
                prior,
                True,
                sweeps,
                seed * 100 + l,
                0,
                out,
                outL,
                acc,
                rej,
                gg,
                trips,
                moves,
            )
            return out, outL, acc / sweeps, rej / (sweeps / 2), gg, trips[0]

        with ThreadPoolExecutor(lines) as ex:
            outs = list(ex.map(one, range(lines)))
        return outs

    t0 = time.time()
    go(2, 0)
    print("jit", time.time() - t0)
    t0 = time.time()
    for it in range(12):
        S = 100 if it < 6 else 300
        outs = go(S, it + 1)
        acc = np.mean([o[2] for o in outs], axis=0)
        rej = np.mean([o[3] for o in outs], axis=0)
        step = step * np.exp(np.clip(acc - 0.8, -0.6, 0.2) * 1.5)
        GG = np.sum([o[4] for o in outs], axis=0)
        for r in range(1, R):
            A2 = root(GG[r], S * lines)
            A[r] = A2
        if it == 0:
            step[:] = 0.3
        barrier = np.concatenate([[0], np.cumsum(rej + 1e-3)])
        nb = np.interp(np.linspace(0, barrier[-1], R), barrier, betas)
        nb[0] = 0
        nb[-1] = 1
        A[1:] = A[np.searchsorted(betas, nb).clip(1, R - 1)][1:]
        betas = nb
        print(
            it,
            "barrier %.2f" % rej.sum(),
            "acc",
            acc.round(2)[[1, R // 2, R - 1]],
            "step",
            step.round(3)[[1, R // 2, R - 1]],
            "trips",
            [o[5] for o in outs],
            "%.1fs" % (time.time() - t0),
            flush=True,
        )
    most[:] = int(sys.argv[5]) if len(sys.argv) > 5 else 16
    S = int(sys.argv[4])
    t0 = time.time()
    outs = go(S, 99)
    T = time.time() - t0
    acc = np.mean([o[2] for o in outs], axis=0)
    rej = np.mean([o[3] for o in outs], axis=0)
    print("main", T, "trips", [o[5] for o in outs], "barrier", rej.sum(), "rej max", rej.max(), "acc", acc.round(2))
    # evidence stepping stone
    from scipy.special import logsumexp

    for o in outs:
        L = o[1]
        st = np.diff(betas) * L[:, :-1]
        print("logZ", (logsumexp(st, axis=0) - np.log(len(st))).sum())
    from bayesmix.multimodality.watched import Watch
    import arviz as az, xarray as xr

    W = Watch(lik)
    pts = Points(target, lik.parameter_names)
    cols = [W(pts.values(o[0])) for o in outs]
    for nm in cols[0]:
        a = np.stack([c[nm] for c in cols])
        e = az.ess(xr.Dataset({"v": (("chain", "draw"), a)}), method="bulk")["v"].item()
        rh = az.rhat(xr.Dataset({"v": (("chain", "draw"), a)}))["v"].item()
        print("%-28s mean %.4f ess %.0f rhat %.3f" % (nm, a.mean(), e, rh))
    L1 = np.stack([o[1][:, -1] for o in outs])
    print("L ess", az.ess(xr.Dataset({"v": (("chain", "draw"), L1)}))["v"].item())
