"""A posterior by replica exchange: chains that cross between modes, because they come from the prior again and again.

Parallel tempering (Geyer 1991; Earl and Deem 2005, doi:10.1039/b509983h): replicas of the parameters on a ladder of
powers of the likelihood, from the prior (b = 0) to the posterior (b = 1), move by Hamiltonian trajectories and change
places with their neighbours. Neighbours are asked in turns, even pairs and odd pairs, so that a replica travels instead
of diffusing (Syed, Bouchard-Cote, Deligiannidis and Doucet 2022, doi:10.1111/rssb.12464). In between components are
drawn anew from where the components of the rung are (:mod:`bayesmix.tempering.guesses`): with many groups a trajectory
seldom carries a component from a group that has two to one that has none.

Why this, and not NUTS with moves of the allocations: split and merge moves need proposals for every family's
parameters, and a term of the user's own would leave them out of tune; powers of the likelihood need the compiled
density alone, whose row weights are data.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import arviz as az
import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.compiled.many_points import Points
from bayesmix.kernels.parallel import n_threads
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.multimodality.watched import Watch
from bayesmix.tempering.budget import Budget
from bayesmix.tempering.evidence import log_evidence
from bayesmix.tempering.ladder import Ladder
from bayesmix.tempering.powers import Tempered
from bayesmix.tempering.replicas import Drawn, Replicas

WARM_UP = (50, 50, 100, 100, 100, 200, 200, 400)
"""Sweeps after each of which the ladder learns."""
FIRST_SWEEPS, SWEEPS_AT_MOST = 1000, 128_000
"""After the first sweeps and whenever there are as many as seemed enough it is asked whether they are."""
LEAST_FACTOR, MOST_FACTOR, AHEAD = 1.25, 2.0, 1.1
"""Sweeps are raised to this many times what there is at least and at most; by so much more than what seems enough."""
ROUND_TRIPS = 10
"""Fewer in all chains together say little of how the modes share the mass."""
ENOUGH_TRIPS, ENOUGH_DRAWS, ENOUGH_AGREEMENT = 40, 600.0, 1.008
"""Where no more sweeps are made: round trips, effective draws and R-hat of everything that labels do not change."""
SWEEPS_FOR_EVIDENCE = 16_000
"""No more sweeps are made for the sake of the evidence's error alone."""
FEWEST_SWEEPS = 200
"""Worth a round of their own, where time runs out."""
FIRST_STATES = 500


@dataclass(frozen=True, eq=False)
class Exchanged:
    """Draws of the posterior by replica exchange, and what they say of themselves.

    Attributes
    ----------
    states : ndarray, shape (chains, draws, n_dim)
        Unconstrained points; ``density`` (chains, draws) their log-posterior.
    powers : ndarray, shape (R,)
        Of the likelihood, by rung.
    rejection : ndarray, shape (R - 1,)
        Rejection rate of the exchanges between neighbours; their sum is the barrier.
    from_prior, moved : ndarray, shape (R,)
        By rung: the share of replicas that have seen the prior after the posterior (where it falls steeply, replicas
        are held up; Katzgraber et al. 2006, doi:10.1088/1742-5468/2006/03/P03018), and how many of the components that
        were drawn anew were taken.
    round_trips : ndarray, shape (chains,)
        How often a replica came from the prior to the posterior.
    log_evidence, log_evidence_error : float
        The log of the posterior density's integral over all unconstrained points, by Bennett's acceptance ratio from
        rung to rung; NaN where a term of the user's own stays on every rung.
    sweeps : int
        Of every chain.
    finished : bool
        False where time ran out first.
    """

    states: np.ndarray
    density: np.ndarray
    powers: np.ndarray
    rejection: np.ndarray
    from_prior: np.ndarray
    moved: np.ndarray
    round_trips: np.ndarray
    log_evidence: float
    log_evidence_error: float
    sweeps: int
    finished: bool


def exchange(
    compiled: CompiledModel,
    likelihood: Likelihood,
    starts: np.ndarray,
    *,
    chains: int,
    draws: int,
    cores: int | None,
    seed: int,
    budget: Budget,
) -> Exchanged | None:
    """Draw from the posterior by replica exchange until all chains agree, or the time is up.

    None where the warm-up shows that the time would not do for a first round of sweeps.

    Parameters
    ----------
    compiled, likelihood
        The compiled posterior and its likelihood over the rows.
    starts : ndarray, shape (m, n_dim)
        Points of high density, such as modes: half of the rungs begin there, the others at draws from the prior.
    chains, draws : int
        Lines of replicas, and the draws that are kept of each, evenly over its sweeps.
    cores : int, optional
        Lines at once, by default as many as the machine has.
    seed : int
        Same seed, same draws, for any number of cores; where time runs out, as far as it went.
    budget : Budget
        When no new round of sweeps begins, and the error of the log evidence for whose sake there are up to 16,000.
    """
    deadline = time.monotonic() + budget.seconds
    model = Tempered(compiled, likelihood)
    replicas = _begun(model, starts, chains=chains, cores=cores or n_threads(), seed=seed)
    n = max(FIRST_SWEEPS, draws)
    replicas.sweep(1)  # the first call may have to compile
    for sweeps in WARM_UP:
        begun = time.monotonic()
        seen = replicas.sweep(sweeps, learn=True)
        if begun + (time.monotonic() - begun) / sweeps * n > deadline:
            return None
        replicas.adapt(seen)
    pieces: list[Drawn] = []
    finished = False
    watch = _Watching(model, budget.evidence_error)
    while not finished and sum(p.L.shape[1] for p in pieces) < SWEEPS_AT_MOST:
        begun = time.monotonic()
        pieces.append(replicas.sweep(n))
        drawn = Drawn.joined(pieces)
        wanted = watch.wanted(drawn, replicas.ladder.powers)
        finished = wanted <= 1.0
        a_sweep = (time.monotonic() - begun) / n
        n = int((np.clip(AHEAD * wanted, LEAST_FACTOR, MOST_FACTOR) - 1.0) * drawn.L.shape[1])
        if time.monotonic() + a_sweep * n > deadline:
            n = int((deadline - time.monotonic()) / a_sweep)
        if n < FEWEST_SWEEPS:
            break
    kept = np.linspace(0, drawn.L.shape[1] - 1, draws).round().astype(int)
    evidence = log_evidence(replicas.ladder.powers, drawn.L) if model.plain else (np.nan, np.nan)
    rates = {v: np.mean([getattr(p.seen, v) for p in pieces], axis=0) for v in ("rejection", "from_prior", "moved")}
    return Exchanged(
        states=drawn.states[:, kept],
        density=drawn.density[:, kept],
        powers=replicas.ladder.powers,
        **rates,
        round_trips=drawn.arrivals.astype(int),
        log_evidence=evidence[0],
        log_evidence_error=evidence[1],
        sweeps=drawn.L.shape[1],
        finished=finished,
    )


def _begun(model: Tempered, starts: np.ndarray, *, chains: int, cores: int, seed: int) -> Replicas:
    """Every line with its upper rungs at starts, in turns, and the others at draws from the prior."""
    rows = model.prior(FIRST_STATES, seed) if model.plain else starts
    spread = rows.std(axis=0) if model.plain else np.ones(model.compiled.n_dim)
    ladder = Ladder.first(spread)
    rng = np.random.default_rng(seed)
    states = rows[rng.integers(len(rows), size=(chains, len(ladder)))]
    upper = range(len(ladder) // 2, len(ladder))
    for c in range(chains):
        for r in upper:
            states[c, r] = starts[(c + r) % len(starts)]
    return Replicas(model, ladder, states, cores=cores, seed=seed)


class _Watching:
    """Whether there are enough draws, by what labels do not change, and by the evidence."""

    def __init__(self, model: Tempered, evidence_error: float) -> None:
        self.model, self.evidence_error = model, evidence_error
        self.watch, self.points = Watch(model.likelihood), Points(model.compiled, model.likelihood.parameter_names)

    def wanted(self, drawn: Drawn, powers: np.ndarray) -> float:
        """How many times the sweeps there are would be enough, as far as can be told; at most 1 where they are.

        By round trips, effective draws and agreement of the chains, and while that is cheap by the evidence's error.
        """
        trips = ENOUGH_TRIPS / max(drawn.arrivals.sum(), 1)
        if trips > 1:
            return float(trips)
        columns = [self.watch(self.points.values(states)) for states in drawn.states]
        values = np.stack([np.stack(list(c.values()), axis=-1) for c in columns])
        values = np.concatenate([values, drawn.L[:, :, -1:]], axis=-1)
        moving = np.ptp(values, axis=(0, 1)) > 1e-2
        dataset = xr.Dataset({"value": (("chain", "draw", "scalar"), values[..., moving])})
        factors = [ENOUGH_DRAWS / float(az.ess(dataset)["value"].min())]
        if not float(az.rhat(dataset)["value"].max()) < ENOUGH_AGREEMENT:
            factors.append(MOST_FACTOR)
        if self.model.plain and drawn.L.shape[1] < SWEEPS_FOR_EVIDENCE:
            factors.append((log_evidence(powers, drawn.L)[1] / self.evidence_error) ** 2)
        return float(np.nan_to_num(factors, nan=MOST_FACTOR).max())  # of what stands still in a chain nothing is known
