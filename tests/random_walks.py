"""Parallel tempering over mixtures of Gaussians written out by hand: it crosses between modes, and shares no code
with the package's own sampling.

Rungs b_0 = 0 < ... < b_T = 1 have the densities prior x likelihood^b. The lowest is drawn anew from the prior in every
sweep, so that states which have come from there are independent of all before. Even and odd neighbours exchange states
in turn (Syed et al. 2022, doi:10.1111/rssb.12464). The evidence is the stepping stone's:

    log Z = sum_t log mean_t exp( (b_t+1 - b_t) log likelihood )        (Xie et al. 2011, doi:10.1093/sysbio/syq085)

A component is one row u of unconstrained numbers: log g with weights w_k = g_k / sum g and g_k ~ Gamma(a), so that the
weights are Dirichlet(a); the means; the log-scales; y = artanh of the canonical partial correlations. In every one of
these coordinates the prior is a density of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import betaln, gammaln, logsumexp

from naive import SCIPY

SWEEPS_BEFORE_LADDER = 200
LADDERS = 4


@dataclass(frozen=True)
class Problem:
    """K Gaussians for the rows x (n, d): Dirichlet(a), Normal means (d,), scales (d,), LKJ(eta) or no correlations.

    ``scale``: name and parameters of the prior on standard deviations. ``axis``: the feature along which components are
    ranked to learn the shape of steps. ``floor``: where an eigenvalue of a correlation
    matrix falls below it the likelihood is taken as 0, which keeps chains from oblique hyperplanes of tied rows.
    """

    x: np.ndarray
    K: int
    a: float
    mean: tuple[np.ndarray, np.ndarray]
    scale: tuple[str, dict]
    eta: float | None = None
    axis: int = 0
    floor: float = 1e-5

    @classmethod
    def of(cls, spec, x, *, axis=0):
        """From the numbers in a resolved Mixture with full or diagonal covariances."""
        priors = {v: prior.parameters for v, prior in spec.priors.items()}
        a = np.unique(priors["weights"]["a"])
        assert len(a) == 1, "components must be exchangeable"
        x = np.asarray(x, dtype=float).reshape(len(x), -1)
        mean = tuple(np.broadcast_to(priors["means"][p], x.shape[1]) for p in ("mu", "sigma"))
        scale = spec.priors["scales"].distribution, priors["scales"]
        correlated = spec.options["covariance"] == "full" and x.shape[1] > 1
        eta = float(priors["correlations"]["eta"]) if correlated else None
        return cls(x, spec.n_components, float(a[0]), mean, scale, eta, axis)

    @property
    def d(self):
        return self.x.shape[1]

    @cached_property
    def columns(self):
        """Which of a component's numbers are its log g, means, log-scales and correlations."""
        d = self.d
        ends = [0, 1, 1 + d, 1 + 2 * d, 1 + 2 * d + (0 if self.eta is None else d * (d - 1) // 2)]
        names = ("log_g", "means", "log_scales", "correlations")
        return {v: slice(*ends[i : i + 2]) for i, v in enumerate(names) if ends[i] < ends[i + 1]}

    @cached_property
    def beta(self):
        """b of the Beta(b, b) prior of (1 + partial correlation) / 2, row by row of the lower triangle."""
        return self.eta + (self.d - 2 - np.tril_indices(self.d, k=-1)[1]) / 2

    @cached_property
    def scale_prior(self):
        return SCIPY[self.scale[0]](**self.scale[1])

    def log_prior(self, u, which):
        """Of one kind of numbers (..., size), summed."""
        if which == "log_g":
            return (self.a * u - np.exp(u)).sum(axis=-1) - gammaln(self.a)
        if which == "means":
            m, s = self.mean
            return (-0.5 * ((u - m) / s) ** 2 - np.log(s) - 0.5 * np.log(2 * np.pi)).sum(axis=-1)
        if which == "log_scales":
            return (self.scale_prior.logpdf(np.exp(u)) + u).sum(axis=-1)
        t = -2 * self.beta * np.logaddexp(0, -2 * u) - 2 * self.beta * u  # log of t^b (1 - t)^b, t = logistic(2 u)
        return (t - betaln(self.beta, self.beta) + np.log(2)).sum(axis=-1)

    def draw_prior(self, rng, shape):
        """Components (*shape, size)."""
        d, parts = self.d, [np.log(rng.gamma(self.a, size=(*shape, 1)))]
        parts += [rng.normal(*self.mean, size=(*shape, d))]
        parts += [np.log(self.scale_prior.rvs(size=(*shape, d), random_state=rng))]
        if self.eta is not None:
            parts += [np.arctanh(2 * rng.beta(self.beta, self.beta, size=(*shape, len(self.beta))) - 1)]
        return np.concatenate(parts, axis=-1)

    def cholesky(self, u):
        """Factors C (..., d, d) of the covariances."""
        d, sd = self.d, np.exp(u[..., self.columns["log_scales"]])
        L = np.broadcast_to(np.eye(d), (*u.shape[:-1], d, d)).copy()
        if self.eta is not None:
            p = np.tanh(u[..., self.columns["correlations"]])
            for m, (i, j) in enumerate(zip(*np.tril_indices(d, k=-1), strict=True)):
                L[..., i, j] = p[..., m] * L[..., i, i]
                L[..., i, i] *= np.sqrt(1 - p[..., m] ** 2)
        return sd[..., None] * L

    def log_density(self, u):
        """log N(x_i | mean, C C') of components u (..., size): (..., n)."""
        C = self.cholesky(u)
        z = self.x.T - u[..., self.columns["means"], None]
        for i in range(self.d):
            for j in range(i if self.eta is not None else 0):
                z[..., i, :] -= C[..., i, j, None] * z[..., j, :]
            z[..., i, :] /= C[..., i, i, None]
        log_det = np.log(np.einsum("...jj->...j", C)).sum(axis=-1)
        log_f = -0.5 * (z**2).sum(axis=-2) - log_det[..., None] - 0.5 * self.d * np.log(2 * np.pi)
        if self.eta is not None:
            correlation = C / np.exp(u[..., self.columns["log_scales"], None])
            inside = (np.einsum("...jj->...j", correlation) ** 2).prod(axis=-1) > self.floor
            log_f = np.where(inside[..., None], log_f, -1e10)
        return log_f

    def log_likelihood(self, log_g, log_f):
        """sum_i log sum_k w_k f_ik, from log g (..., K) and log f (..., K, n)."""
        joint = log_f + log_g[..., None]
        top = joint.max(axis=-2)
        rows = np.log(np.exp(joint - top[..., None, :]).sum(axis=-2)) + top
        return rows.sum(axis=-1) - self.x.shape[0] * logsumexp(log_g, axis=-1)

    def params(self, u):
        """weights (..., K), means (..., K, d), covariances (..., K, d, d) of states (..., K, size)."""
        C = self.cholesky(u)
        g = np.exp(u[..., 0] - u[..., 0].max(axis=-1, keepdims=True))
        weights = g / g.sum(axis=-1, keepdims=True)
        return {"weights": weights, "means": u[..., self.columns["means"]], "covariances": C @ np.swapaxes(C, -1, -2)}

    def state(self, rows):
        """A state (K, size) with the moments of K sets of rows; fewer than d + 2 rows: those of the prior's middle."""
        u = np.zeros((self.K, self.columns["log_scales"].stop + (0 if self.eta is None else len(self.beta))))
        for k, own in enumerate(rows):
            some = self.x[own] if len(own) > self.d + 1 else self.x
            sd, L = some.std(axis=0), np.linalg.cholesky(np.atleast_2d(np.corrcoef(some.T)))
            u[k, 0] = np.log(len(own) + self.a)
            u[k, self.columns["means"]], u[k, self.columns["log_scales"]] = some.mean(axis=0), np.log(sd)
            if self.eta is not None:
                left = np.sqrt(np.maximum(1 - np.cumsum(L**2, axis=1) + L**2, 1e-12))
                u[k, self.columns["correlations"]] = np.arctanh((L / left)[np.tril_indices(self.d, k=-1)])
        u[:, 0] += np.log(self.K * self.a) - np.log(np.exp(u[:, 0]).sum())
        return u

    def responsibilities(self, u):
        """r_ik of states (..., K, size): (..., n, K)."""
        joint = self.log_density(u) + u[..., :1]
        e = np.exp(joint - joint.max(axis=-2, keepdims=True))
        return np.swapaxes(e / e.sum(axis=-2, keepdims=True), -1, -2)


class Tempering:
    """Replicas (rungs, replicas) of the states u (K, size); all that changes is in ``u, ladder, rng, sweeps``."""

    def __init__(self, problem, *, rungs=20, replicas=8, seed=1):
        self.problem, self.shape, self.sweeps = problem, (rungs, replicas), 0
        self.rng = np.random.default_rng(seed)
        self.ladder = np.concatenate([[0.0], np.geomspace(1e-4, 1, rungs - 1)])
        self._take(problem.draw_prior(self.rng, (rungs, replicas, problem.K)))
        self.rejected = np.zeros(rungs - 1)
        self.shapes = np.zeros((rungs, problem.K, *[self.u.shape[-1]] * 2))
        for _ in range(LADDERS):
            self._respace()

    def _take(self, u):
        self.u = u
        self.log_f = self.problem.log_density(u)
        self.value = self.problem.log_likelihood(u[..., 0], self.log_f)

    def _respace(self):
        """Rungs with equal rejection rates between neighbours."""
        self.rejected[:] = 0
        ranked = []
        for _ in range(SWEEPS_BEFORE_LADDER):
            self.sweep()
            ranked.append(np.take_along_axis(self.u, self._order()[..., None], axis=2))
        self._learn(np.array(ranked))
        barrier = np.concatenate([[0], (self.rejected + 1e-3 * SWEEPS_BEFORE_LADDER).cumsum()])
        before = self.ladder
        self.ladder = np.interp(np.linspace(0, barrier[-1], len(self.ladder)), barrier, self.ladder)
        self.ladder[0], self.ladder[-1] = 0.0, 1.0
        self.shapes = self.shapes[np.searchsorted(before, self.ladder).clip(1)]
        self.rejected[:] = 0

    def _order(self):
        """Components by their mean along the axis, (rungs, replicas, K)."""
        return self.u[..., 1 + self.problem.axis].argsort(axis=-1)

    def _learn(self, ranked):
        """Factors of the covariance of every ranked component's numbers on every rung; ranked (records, *u.shape)."""
        u = np.moveaxis(ranked, (0, 2), (-2, -3))  # rungs, K, replicas, records, size
        u = u.reshape(*u.shape[:2], -1, u.shape[-1])
        centred = u - u.mean(axis=2, keepdims=True)
        covariance = np.einsum("tksi,tksj->tkij", centred, centred) / u.shape[2]
        diagonal = np.einsum("...ii->...i", covariance)[..., None] * np.eye(u.shape[-1])
        self.shapes = np.linalg.cholesky(0.95 * covariance + 0.05 * diagonal + 1e-12 * np.eye(u.shape[-1]))

    def sweep(self):
        """Every component's numbers, kind by kind; a component anew from the prior; the lowest rung; exchanges."""
        p = self.problem
        for k in range(p.K):
            for which in p.columns:
                self._step(k, which)
            self._shaped_step(k)
        self._redraw(int(self.rng.integers(p.K)))
        self.u[0] = p.draw_prior(self.rng, (self.shape[1], p.K))
        self.log_f[0] = p.log_density(self.u[0])
        self.value[0] = p.log_likelihood(self.u[0][..., 0], self.log_f[0])
        self._exchange()
        self.sweeps += 1

    def _step(self, k, which):
        """A random-walk step whose size and shape depend only on numbers that it leaves alone."""
        p, now = self.problem, self.u[:, :, k]
        columns = p.columns[which]
        noise = self.rng.standard_normal(now[..., columns].shape)
        w = np.exp(now[..., 0] - logsumexp(self.u[..., 0], axis=-1))
        rows = self.ladder[:, None] * len(p.x) * (w if which != "log_g" else 1 / p.K)
        if which == "means":
            C = p.cholesky(now)
            shaped = np.einsum("...ij,...j->...i", C, noise) / np.sqrt(rows + 1e-9)[..., None]
            noise = np.where(np.abs(shaped) < p.mean[1] * np.abs(noise), shaped, p.mean[1] * noise)
            # the choice depends on |noise| and C alone, so a step and its return are equally likely
        else:
            noise = noise / np.sqrt(rows + 1)[..., None]
        size = 2.4 / np.sqrt(noise.shape[-1]) * np.exp(self.rng.uniform(-1.6, 0.4, self.shape))
        new = now.copy()
        new[..., columns] += size[..., None] * noise
        gain = p.log_prior(new[..., columns], which) - p.log_prior(now[..., columns], which)
        self._accept(np.full(self.shape, k), new, gain, same_density=which == "log_g")

    def _shaped_step(self, rank):
        """All numbers of the component with this rank at once; it must keep its rank, and the step can be undone."""
        p, order = self.problem, self._order()
        k = order[..., rank]
        now = np.take_along_axis(self.u, k[..., None, None], axis=2)[:, :, 0]
        noise = self.rng.standard_normal(now.shape) * 2.4 / np.sqrt(now.shape[-1])
        size = np.exp(self.rng.uniform(-1.6, 0.4, self.shape))[..., None]
        new = now + size * np.einsum("tij,trj->tri", self.shapes[:, rank], noise)
        gain = sum(p.log_prior(new[..., c], v) - p.log_prior(now[..., c], v) for v, c in p.columns.items())
        means = self.u[..., 1 + p.axis].copy()
        np.put_along_axis(means, k[..., None], new[..., 1 + p.axis, None], axis=-1)
        self._accept(k, new, np.where((means.argsort(axis=-1) == order).all(axis=-1), gain, -np.inf))

    def _redraw(self, k):
        """All numbers of one component from the prior."""
        new = self.problem.draw_prior(self.rng, self.shape)
        self._accept(np.full(self.shape, k), new, np.zeros(self.shape))

    def _accept(self, k, new, gain, *, same_density=False):
        """Metropolis for ``new`` numbers (rungs, replicas, size) of components k; ``gain``: in log prior."""
        p, at = self.problem, np.indices(self.shape)
        log_g = self.u[..., 0].copy()
        log_g[*at, k] = new[..., 0]
        log_f = self.log_f
        if not same_density:
            log_f = self.log_f.copy()
            log_f[*at, k] = p.log_density(new)
        value = p.log_likelihood(log_g, log_f)
        gain = gain + self.ladder[:, None] * (value - self.value)
        taken = np.log(self.rng.random(self.shape)) < gain
        t, r = np.nonzero(taken)
        self.u[t, r, k[taken]], self.value[taken] = new[taken], value[taken]
        self.log_f[t, r, k[taken]] = log_f[t, r, k[taken]]

    def _exchange(self):
        low = np.arange(self.sweeps % 2, len(self.ladder) - 1, 2)
        gain = (self.ladder[low + 1] - self.ladder[low])[:, None] * (self.value[low] - self.value[low + 1])
        self.rejected[low] += 1 - np.exp(np.minimum(gain, 0)).mean(axis=1)
        at, replica = np.nonzero(np.log(self.rng.random(gain.shape)) < gain)
        here, there = (low[at], replica), (low[at] + 1, replica)
        for array in (self.u, self.log_f, self.value):
            array[here], array[there] = array[there], array[here]

    def run(self, sweeps, *, thin=5):
        """Cold states (records, replicas, K, size) and log-likelihoods of all rungs (records, rungs, replicas)."""
        states, values = [], []
        for s in range(sweeps):
            self.sweep()
            if s % thin == 0:
                states.append(self.u[-1].copy())
                values.append(self.value.copy())
        return np.array(states), np.array(values)


def log_evidence(ladder, values, *, blocks=10):
    """log Z and its standard error from log-likelihoods (records, rungs, replicas), by blocks of records."""

    def stones(values):
        steps = np.diff(ladder)[:, None] * np.moveaxis(values, 1, 0)[:-1].reshape(len(ladder) - 1, -1)
        return float((logsumexp(steps, axis=1) - np.log(steps.shape[1])).sum())

    parts = [stones(block) for block in np.array_split(values, blocks)]
    return stones(values), float(np.std(parts, ddof=1) / np.sqrt(blocks))


def masses(modes, n_modes, *, blocks=10):
    """Shares (n_modes,) of the cold states' modes (records, replicas) and their standard errors, by blocks."""
    shares = np.array([[(part == m).mean() for m in range(n_modes)] for part in np.array_split(modes, blocks)])
    return shares.mean(axis=0), shares.std(axis=0, ddof=1) / np.sqrt(blocks)


class WithinRegion:
    """The integral over one region that chains stay in: a path from a normal fitted there to the posterior.

    Rungs have the densities normal^(1 - b) x posterior^b; the lowest is drawn anew in every sweep. ``inside`` says of
    states (..., K, size) which lie in the region, in one labelling of it; a near-empty component is the last. Random
    walks move one component at a time, in the shape of its covariance, which is learnt from ``start`` on before
    anything is recorded.
    """

    def __init__(self, problem, start, inside, *, rungs=8, replicas=16, seed=1):
        self.problem, self.inside, self.shape = problem, inside, (rungs, replicas)
        self.rng, self.ladder, self.sweeps = np.random.default_rng(seed), np.ones(rungs), 0
        self.centre, self.factor = start.ravel(), 0.02 * np.eye(start.size)
        self.u = np.broadcast_to(start, (rungs, replicas, *start.shape)).copy()
        self.log_q = self._log_posterior(self.u)
        for warm_up in (100, 150, 250, 400, 600):
            self._learn(warm_up)
        self.ladder = np.linspace(0, 1, rungs)

    def _learn(self, sweeps):
        """Centre and covariance of the posterior from its own draws on all rungs."""
        drawn = []
        for _ in range(sweeps):
            for k in range(self.problem.K):
                self._step(k)
            self._redraw(self.problem.K - 1)
            drawn.append(self.u.reshape(-1, self.centre.size))
        drawn = np.concatenate(drawn[sweeps // 2 :])
        self.centre = drawn.mean(axis=0)
        self.factor = np.linalg.cholesky(np.cov(drawn.T) + 1e-9 * np.eye(self.centre.size))

    def _log_posterior(self, u):
        p = self.problem
        prior = sum(p.log_prior(u[..., c], v).sum(axis=-1) for v, c in p.columns.items())
        value = prior + p.log_likelihood(u[..., 0], p.log_density(u))
        return np.where(self.inside(u), value, -np.inf)

    def _log_normal(self, u):
        z = np.linalg.solve(self.factor, (u.reshape(-1, self.centre.size) - self.centre).T)
        value = -0.5 * (z**2).sum(axis=0) - np.log(self.factor.diagonal()).sum()
        return (value - 0.5 * self.centre.size * np.log(2 * np.pi)).reshape(u.shape[:-2])

    def _step(self, k):
        size = self.u.shape[-1]
        own = slice(k * size, (k + 1) * size)
        shape = np.linalg.cholesky(self.factor[own] @ self.factor[own].T)
        length = 2.4 / np.sqrt(size) * np.exp(self.rng.uniform(-1.6, 0.4, self.shape))
        new = self.u.copy()
        new[:, :, k] += length[..., None] * (self.rng.standard_normal((*self.shape, size)) @ shape.T)
        self._accept(new, 0.0)

    def _redraw(self, k):
        """One component from the prior: a near-empty one is elsewhere at once."""
        p, new = self.problem, self.u.copy()
        new[:, :, k] = p.draw_prior(self.rng, self.shape)
        before, after = (sum(p.log_prior(u[:, :, k, c], v) for v, c in p.columns.items()) for u in (self.u, new))
        self._accept(new, before - after)

    def _accept(self, new, gain):
        """Metropolis-Hastings; ``gain``: log of the proposal's density of the way back over that of the way there."""
        log_q, b = self._log_posterior(new), self.ladder[:, None]
        with np.errstate(invalid="ignore"):  # on the lowest rung, which is drawn anew, states may lie outside
            gain = gain + (1 - b) * (self._log_normal(new) - self._log_normal(self.u)) + b * (log_q - self.log_q)
        taken = np.isfinite(log_q) & (np.log(self.rng.random(self.shape)) < gain)
        self.u[taken], self.log_q[taken] = new[taken], log_q[taken]

    def sweep(self):
        """A step of every component; one anew; the lowest rung anew; exchanges. log posterior - log normal."""
        for k in range(self.problem.K):
            self._step(k)
        self._redraw(self.problem.K - 1)
        fresh = self.rng.standard_normal((self.shape[1], self.centre.size)) @ self.factor.T + self.centre
        self.u[0] = fresh.reshape(self.u[0].shape)
        self.log_q[0] = self._log_posterior(self.u[0])
        value = self.log_q - self._log_normal(self.u)
        low = np.arange(self.sweeps % 2, len(self.ladder) - 1, 2)
        gain = (self.ladder[low + 1] - self.ladder[low])[:, None] * (value[low] - value[low + 1])
        at, replica = np.nonzero(np.log(self.rng.random(gain.shape)) < gain)
        here, there = (low[at], replica), (low[at] + 1, replica)
        for array in (self.u, self.log_q, value):
            array[here], array[there] = array[there], array[here]
        self.sweeps += 1
        return value

    def run(self, sweeps, *, thin=5):
        """States of the highest rung (records, replicas, K, size) and values of all (records, rungs, replicas)."""
        found = [(self.u[-1].copy(), value) for value in (self.sweep() for _ in range(sweeps))][::thin]
        return tuple(np.array(part) for part in zip(*found, strict=True))
