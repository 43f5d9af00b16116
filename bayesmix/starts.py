"""Where chains begin: the distinct modes of the posterior that EM's solutions lead to, each with a rough mass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesmix.em import Run, best_run, reorder, canonical_order, to_dataset
from bayesmix.families import Params
from bayesmix.graphs import Graph
from bayesmix.kernels.reference import responsibilities
from bayesmix.relabel import best_permutations
from bayesmix.spec import Mixture, exchange_groups
from bayesmix.target import Target

NEGLIGIBLE = 1e-3
"""A mode with less than this share of the posterior mass is named and left out."""
LAPLACE_ERROR = 5.0
"""How far, in nats, a Laplace approximation of a mode's mass is trusted (near-empty components: up to 5 off)."""
COMPARED_ROWS = 2000
SAME_AGREEMENT = 0.995


@dataclass(frozen=True)
class PosteriorMode:
    """A local maximum of the log-posterior on the unconstrained scale.

    ``log_mass``: its Laplace approximation; ``reached``: how many starts led here; ``precision``: minus the Hessian.
    """

    x: np.ndarray
    params: Params
    log_posterior: float
    log_mass: float
    precision: np.ndarray
    reached: int

    def jittered(self, rng: np.random.Generator) -> np.ndarray:
        """A point around the mode, from the normal approximation where the curvature allows it."""
        values, vectors = np.linalg.eigh(self.precision)
        if values[0] <= 0:
            return self.x
        return self.x + vectors @ (rng.standard_normal(len(values)) / np.sqrt(values))


def find_modes(target: Target, parts: Graph, spec: Mixture, runs: Sequence[Run]) -> list[PosteriorMode]:
    """Climb the posterior from every EM run, spikes included; equal ends are one mode. The largest mass first."""
    family = parts.family
    groups = exchange_groups(spec, family)
    rows = np.unique(np.linspace(0, len(family.data) - 1, COMPARED_ROWS).astype(int))
    sample = family.rebind(family.data.take(rows))
    found: list[PosteriorMode] = []
    for run in runs:
        climb = target.mode(target.start(parts.start(run.params)))
        if not np.isfinite(climb.value):
            continue
        values = target.values(climb.x)
        params = {v: np.asarray(values[v]) for v in family.parameter_names}
        r = responsibilities(sample, params)
        same = [i for i, m in enumerate(found) if abs(m.log_posterior - climb.value) < 0.05 and _alike(sample, m, r, groups)]
        if same:
            m = found[same[0]]
            found[same[0]] = PosteriorMode(m.x, m.params, m.log_posterior, m.log_mass, m.precision, m.reached + 1)
        else:
            precision = target.precision(climb.x)
            mass = _laplace(climb.value, precision)
            found.append(PosteriorMode(climb.x, params, climb.value, mass, precision, 1))
    return sorted(found, key=lambda m: -m.log_mass)


def _alike(sample: object, mode: PosteriorMode, r: np.ndarray, groups: np.ndarray) -> bool:
    """Whether two sets of responsibilities agree up to labels."""
    q = responsibilities(sample, mode.params)  # type: ignore[arg-type]
    agreement = r.T @ q
    order = best_permutations(agreement[None], groups)[0]
    norm = np.sqrt((r**2).sum() * (q**2).sum())
    return bool(agreement[order, np.arange(len(order))].sum() / norm > SAME_AGREEMENT)


def _laplace(value: float, precision: np.ndarray) -> float:
    """log of the normal approximation's integral; -inf where the point is no maximum."""
    scale = np.sqrt(np.abs(precision.diagonal()))
    sign, log_det = np.linalg.slogdet(precision / np.outer(scale, scale))
    if sign <= 0 or np.linalg.eigvalsh(precision / np.outer(scale, scale))[0] <= 0:
        return value
    return float(value + 0.5 * len(precision) * np.log(2 * np.pi) - 0.5 * log_det - np.log(scale).sum())


def relative_masses(modes: Sequence[PosteriorMode]) -> np.ndarray:
    """log mass of every mode against the largest."""
    masses = np.array([m.log_mass for m in modes])
    return np.asarray(masses - masses.max())


def competing(modes: Sequence[PosteriorMode]) -> list[int]:
    """Modes whose mass cannot be called negligible, given how rough the approximation is."""
    bound = np.log(NEGLIGIBLE) - LAPLACE_ERROR
    return [i for i, mass in enumerate(relative_masses(modes)) if mass > bound]


def assign_chains(modes: Sequence[PosteriorMode], chains: int) -> np.ndarray:
    """The mode at which each chain begins: every second chain at the largest, the others over its competitors."""
    rivals = competing(modes)[1:]
    assigned = np.zeros(chains, dtype=int)
    for i, chain in enumerate(range(1, chains, 2)):
        assigned[chain] = rivals[i % len(rivals)] if rivals else 0
    return assigned


def modes_dataset(modes: Sequence[PosteriorMode], parts: Graph, spec: Mixture, assigned: np.ndarray) -> xr.Dataset:
    """The modes as a group of the DataTree: values, rough masses, named estimates, where chains began."""
    family = parts.family
    rows = []
    for m in modes:
        named = family.named(m.params)
        rows.append(to_dataset(family, reorder(family, named, canonical_order(spec, family, named))))
    table = xr.concat(rows, dim="mode").assign_coords(mode=np.arange(1, len(modes) + 1))
    return table.assign(
        log_posterior=("mode", [m.log_posterior for m in modes]),
        log_mass=("mode", relative_masses(modes)),
        reached=("mode", [m.reached for m in modes]),
        competing=("mode", np.isin(np.arange(len(modes)), competing(modes)).astype("int8")),
        chain_start=("chain", assigned + 1),
    )


def em_start(runs: Sequence[Run]) -> Params:
    """The best EM solution's parameters."""
    return runs[best_run(runs)].params
