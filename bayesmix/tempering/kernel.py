"""Replicas under way, compiled: a Hamiltonian step on every rung, components anew, exchanges between neighbours.

The density of rung r is prior x likelihood^b_r: one C function (:mod:`bayesmix.compiled`) with a record for every rung,
in which the row weights are multiplied by b_r.
"""

from __future__ import annotations

import numba
import numpy as np

from bayesmix.compiled.addresses import call

SHORTER_STEP, LONGER_STEP = -0.7, 0.2
"""The step of a trajectory is the rung's times e to a power between these, so that no period of the motion is met."""
ACCEPTED = 0.8
"""The rate of accepted trajectories that steps are set to."""
UNSEEN, FROM_THE_PRIOR, AT_THE_POSTERIOR = 0, 1, 2
"""Which end of the ladder a replica has seen last."""


@numba.njit(cache=True, nogil=True)
def _density(rungs, r, x, gradient, value):  # type: ignore[no-untyped-def]
    """Log-density of a rung at x, its gradient into ``gradient``; -inf where the graph refuses the point."""
    code = call(rungs[0], len(x), x.ctypes.data, gradient.ctypes.data, value.ctypes.data, rungs[1][r])
    return value[0] if code == 0 else -np.inf


@numba.njit(cache=True, nogil=True)
def _log_likelihood(rungs, r, x, density, room):  # type: ignore[no-untyped-def]
    """L at x, from the density on its rung and on the end of the ladder that is further off."""
    b, gradient, value = rungs[2][r], room[2], room[3]
    if b >= 0.5:
        return (density - _density(rungs, 0, x, gradient, value)) / b
    cold = _density(rungs, len(rungs[2]) - 1, x, gradient, value)
    return (cold - density) / (1.0 - b) if np.isfinite(cold) else -1e300


@numba.njit(cache=True, nogil=True)
def _trajectory(rungs, r, replicas, step, n_steps, room, rng):  # type: ignore[no-untyped-def]
    """Leapfrog steps in u of x = A u (Duane et al. 1987), taken or not; the probability of taking them."""
    x, gradient, factor = replicas[0][r], replicas[1][r], rungs[3][r]
    p, moved, slope, value = room
    for i in range(len(x)):
        p[i] = rng.normal()
    before = replicas[2][r] - 0.5 * (p @ p)
    moved[:] = x
    slope[:] = gradient
    now = -np.inf
    for _ in range(n_steps):
        p += 0.5 * step * (slope @ factor)
        moved += step * (factor @ p)
        now = _density(rungs, r, moved, slope, value)
        if not np.isfinite(now):
            return 0.0
        p += 0.5 * step * (slope @ factor)
    after = now - 0.5 * (p @ p)
    probability = np.exp(min(0.0, after - before)) if np.isfinite(after) else 0.0
    if rng.random() < probability:
        x[:] = moved
        gradient[:] = slope
        replicas[2][r] = now
    return probability


@numba.njit(cache=True, nogil=True)
def _replaced(rungs, r, replicas, own, log_ratio, room, rng):  # type: ignore[no-untyped-def]
    """The trial point, which differs from the replica in coordinates ``own``, taken by the ratio of densities.

    ``log_ratio`` is that of proposing the way back to proposing the trial.
    """
    x, trial, slope = replicas[0][r], room[1], room[0]
    density = _density(rungs, r, trial, slope, room[3])
    if not np.isfinite(density) or rng.random() >= np.exp(min(0.0, density - replicas[2][r] + log_ratio)):
        return 0.0
    for i in own:
        x[i] = trial[i]
    replicas[1][r, :] = slope
    replicas[2][r] = density
    return 1.0


@numba.njit(cache=True, nogil=True)
def _log_proposal(guess, r, theta):  # type: ignore[no-untyped-def]
    """Log-density of a component's coordinates under the rung's mixture of normals."""
    _, means, _, inverses, constants = guess
    total = -np.inf
    for g in range(means.shape[1]):
        z = inverses[r, g] @ (theta - means[r, g])
        total = np.logaddexp(total, constants[r, g] - 0.5 * (z @ z))
    return total


@numba.njit(cache=True, nogil=True)
def _moved(rungs, guess, r, replicas, own, room, rng):  # type: ignore[no-untyped-def]
    """A component's coordinates drawn from the rung's mixture of normals (an independence sampler)."""
    cumulative, means, factors, _, _ = guess
    g = min(np.searchsorted(cumulative[r], rng.random()), means.shape[1] - 1)
    z = np.empty(len(own))
    for i in range(len(own)):
        z[i] = rng.normal()
    theta = means[r, g] + factors[r, g] @ z
    before = replicas[0][r][own]
    room[1][:] = replicas[0][r]
    for i in range(len(own)):
        room[1][own[i]] = theta[i]
    log_ratio = _log_proposal(guess, r, before) - _log_proposal(guess, r, theta)
    return _replaced(rungs, r, replicas, own, log_ratio, room, rng)


@numba.njit(cache=True, nogil=True)
def _exchange(rungs, parity, replicas, rejected, value, rng):  # type: ignore[no-untyped-def]
    """Every second pair of neighbours, in turns: replicas pass up and down instead of to and fro (Syed et al. 2022)."""
    x, gradient, density, L, which, _ = replicas
    ladder = rungs[2]
    for r in range(parity, len(ladder) - 1, 2):
        probability = np.exp(min(0.0, (ladder[r + 1] - ladder[r]) * (L[r] - L[r + 1])))
        rejected[r] += 1.0 - probability
        if rng.random() < probability:
            for i in range(x.shape[1]):
                x[r, i], x[r + 1, i] = x[r + 1, i], x[r, i]
            L[r], L[r + 1] = L[r + 1], L[r]
            which[r], which[r + 1] = which[r + 1], which[r]
            for q in (r, r + 1):
                density[q] = _density(rungs, q, x[q], gradient[q], value)


@numba.njit(cache=True, nogil=True)
def _arrived(which, seen):  # type: ignore[no-untyped-def]
    """Whether the replica on the last rung comes from the first; the ends that replicas have seen are noted."""
    seen[which[0]] = FROM_THE_PRIOR
    last = which[len(which) - 1]
    came = seen[last] == FROM_THE_PRIOR
    if came:
        seen[last] = AT_THE_POSTERIOR
    return came


@numba.njit(cache=True, nogil=True)
def sweeps(rungs, components, prior, replicas, rng, out, tally, learning):  # type: ignore[no-untyped-def]
    """As many sweeps over all rungs as ``out`` has room for log-likelihoods; states of the last rung are kept.

    Parameters
    ----------
    rungs
        Address of the log-density; of every rung the address of what it reads (R,), its power from 0 to 1 (R,), the
        factor of its coordinates (R, n, n), the leapfrog steps of its trajectories at most (R,).
    components
        The coordinates of every component (K, d), and by rung where components are
        (:mod:`bayesmix.tempering.guesses`).
    prior (S or 0, n)
        Independent draws from the prior: the state of the first rung in every sweep. Without them the first rung moves
        as the others do.
    replicas
        By rung: states (R, n), gradients (R, n), densities, log-likelihoods, which replica it is, the end seen last.
    rng
        The generator of everything that is random here.
    out
        States (S, n) and log-densities (S,) of the last rung; log-likelihoods (S, R) of all, states of all at some
        sweeps (T, R, n).
    tally
        Sums over sweeps: acceptance of trajectories (R,) and of components (R,), rejected exchanges (R - 1,), products
        of gradients (R, n, n), replicas that come from the prior (R,), arrivals (1,); and the rungs' steps (R,), which
        change while there is something to learn.
    learning
        By how much the logarithm of a step may change in a sweep (Robbins and Monro); 0 once draws are kept.
    """
    x, gradient, density, L, which, seen = replicas
    members, guess = components
    states, densities, record, everywhere = out
    accepted, moved, rejected, products, descended, arrivals, steps = tally
    S, R = record.shape
    every, looked = -(-S // max(1, len(everywhere))), 0
    n = x.shape[1]
    room = (np.empty(n), np.empty(n), np.empty(n), np.empty(1))
    for r in range(R):
        density[r] = _density(rungs, r, x[r], gradient[r], room[3])
    for s in range(S):
        for r in range(R):
            if r == 0 and len(prior):
                x[0] = prior[s]
                density[0] = _density(rungs, 0, x[0], gradient[0], room[3])
            else:
                step = steps[r] * np.exp(rng.uniform(SHORTER_STEP, LONGER_STEP))
                taken = _trajectory(rungs, r, replicas, step, 1 + rng.integers(0, rungs[4][r]), room, rng)
                accepted[r] += taken
                steps[r] *= np.exp(learning * (taken - ACCEPTED))
                if guess[0].size:
                    moved[r] += _moved(rungs, guess, r, replicas, members[rng.integers(0, len(members))], room, rng)
            L[r] = _log_likelihood(rungs, r, x[r], density[r], room)
            for i in range(n):
                for j in range(i + 1):
                    products[r, i, j] += gradient[r, i] * gradient[r, j]
        record[s] = L
        _exchange(rungs, s % 2, replicas, rejected, room[3], rng)
        arrivals[0] += _arrived(which, seen)
        for r in range(R):
            descended[r] += seen[which[r]] == FROM_THE_PRIOR
        states[s], densities[s] = x[R - 1], density[R - 1]
        if s % every == 0 and looked < len(everywhere):
            everywhere[looked] = x
            looked += 1
