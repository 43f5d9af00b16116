"""Can this posterior be trusted? Numbers, thresholds, and a verdict whose text is the advice. Prints nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.checks.convergence import Part, counting, of_invariants, of_parameters, parts
from bayesmix.checks.misfit import NOT_ASKED, ModelCheck, check_model
from bayesmix.checks.problems import (
    ONE_CHAIN,
    Problem,
    convergence_problems,
    exchange_problems,
    interruption,
    label_problems,
    mode_problems,
    regions_table,
    sampler_problems,
    tempering_problems,
)
from bayesmix.multimodality.maxima import NEGLIGIBLE
from bayesmix.multimodality.table import SHOWN
from bayesmix.multimodality.watched import chain_groups
from bayesmix.posterior.record import Posterior, Record
from bayesmix.sampling.by_exchange import TEMPERING
from bayesmix.sampling.until import EFFORT


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """The verdict on a posterior: whether its draws are right for the model, and whether the model describes the data.

    Attributes
    ----------
    problems : tuple of Problem
        Empty where the draws can be trusted.
    limits : tuple of Problem
        What right draws cannot say all the same: labels that nothing tells apart, so that tables by component mean
        nothing, while what labels do not change can be trusted.
    model : ModelCheck
        What the data say of the model.
    notes : tuple of str
        What a reader should know that is no problem (modes that were found and left out, their mass).
    parameters, invariants : DataFrame
        One row per free scalar, and per quantity that labels do not change; columns ``mean, sd, mcse_mean, ess_bulk,
        ess_tail, r_hat`` (rank-normalized split R-hat, Vehtari et al. 2021, doi:10.1214/20-BA1221).
    sampler : dict
        ``draws, chains, divergences, max_treedepth, e_bfmi`` (the smallest), ``n_steps`` (mean); of a replica
        exchange ``draws, chains, divergences, round_trips``.
    chain_groups : tuple of int
        A number per chain; chains with the same number explore the same region.
    """

    problems: tuple[Problem, ...]
    limits: tuple[Problem, ...]
    model: ModelCheck
    notes: tuple[str, ...]
    parameters: pd.DataFrame
    invariants: pd.DataFrame
    sampler: dict[str, float]
    chain_groups: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """True where nothing was found that makes the draws untrustworthy."""
        return not self.problems

    @property
    def labels_ok(self) -> bool:
        """True where components can be told apart, so that estimates by component mean something."""
        return not self.limits

    @property
    def model_ok(self) -> bool | None:
        """True where nothing in the data refutes the model; None where that was not looked at, or is not defined."""
        return self.model.ok

    @property
    def misfits(self) -> tuple[Problem, ...]:
        """What refutes the model, in words, and what to try."""
        return self.model.misfits

    @property
    def verdict(self) -> str:
        """The verdict on the draws in plain words."""
        if not self.ok:
            return "Do not trust this posterior yet. " + " ".join(str(p) for p in (*self.problems, *self.limits))
        table, of = (
            (self.parameters, "a parameter") if self.labels_ok else (self.invariants, "what labels do not change")
        )
        r_hat, ess = table["r_hat"].max(), table["ess_bulk"].min()
        apart = len(set(self.chain_groups))
        agree = "agree" if apart == 1 else f"agree within {apart} separate modes, whose masses are known"
        if "round_trips" in self.sampler:
            last = f"replicas came from the prior {self.sampler['round_trips']:.0f} times, so that no mode is missed"
        else:
            last = "no draw diverged"
        trusted = "can be trusted" if self.labels_ok else "can be trusted in all that labels do not change,"
        limits = "".join(f" {limit}" for limit in self.limits)
        return (
            f"The posterior {trusted} as far as the draws can tell: {self.sampler['chains']:.0f} chains {agree} "
            f"(largest R-hat {r_hat:.3f}), the smallest bulk effective sample size of {of} is {ess:.0f}, and "
            f"{last}.{limits}"
        )

    def __str__(self) -> str:
        return "\n".join([self.verdict, self.model.verdict, *(f"Note: {note}" for note in self.notes)])


def diagnose(dt: Posterior, *, model: bool = True) -> Diagnostics:
    """Diagnose a posterior of :func:`bayesmix.sample`: the draws, and the model.

    Convergence (R-hat < 1.01, bulk and tail ESS > 400) is asked of every free scalar after relabelling and of
    quantities that labels do not change: log-posterior, log-likelihood, log-density at data rows and midpoints,
    co-assignment of fixed pairs of rows, weight entropy. Then divergences, tree depth, E-BFMI (> 0.3), chains that
    sit in different modes, modes that no chain visited, and components whose labels cannot be told apart.

    The draws may be right for a model that the data refute: ``check.ok`` is about the draws, ``check.model_ok`` about
    the model, which is held against data of its own making (:func:`bayesmix.checks.misfit.check_model`).

    Parameters
    ----------
    dt
        A posterior.
    model
        Look at the model too; without it ``check.model_ok`` is None.

    Returns
    -------
    Diagnostics

    Raises
    ------
    ValueError
        Where ``dt`` is no posterior of :func:`bayesmix.sample`.

    Examples
    --------
    >>> import bayesmix as bm
    >>> counts = bm.Data([0, 0, 0, 2, 3, 5, 0, 1])
    >>> dt = bm.sample(bm.Mixture("zero_inflated_poisson"), counts, progress=False)
    >>> check = diagnose(dt)
    >>> check.ok, check.model_ok, bool(check.parameters["r_hat"].max() < 1.01)
    (True, True, True)
    """
    record = Record.of(dt)
    dt, regions = record.dt, parts(record)
    parameters, invariant = of_parameters(record, regions), of_invariants(record, regions)
    within = [chain_groups(part.watched) for part in regions]
    groups = _chain_groups(record, regions, within)
    sampler = _sampler(record, regions)
    one_chain = any(len(part.chains) == 1 for part in counting(regions))
    limits = label_problems(regions)
    asked = (invariant,) if limits else (parameters, invariant)
    problems = [
        *mode_problems(dt, regions, within),
        *([ONE_CHAIN] if one_chain else convergence_problems(*asked)),
        *sampler_problems(sampler),
        *tempering_problems(dt),
        *exchange_problems(record.exchange),
        *interruption(dt),
    ]
    of_model = check_model(record) if model else NOT_ASKED
    notes = (*_notes(dt, regions), *_efforts(dt))
    return Diagnostics(tuple(problems), tuple(limits), of_model, notes, parameters, invariant, sampler, groups)


def _chain_groups(record: Record, regions: Sequence[Part], within: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """A number per chain: regions differ, and so do chains of one that counts that do not agree (``within`` each).

    A chain that speaks for several regions has the number of the first, as has one that speaks for none.
    """
    numbers = np.zeros(record.as_made("posterior").sizes["chain"], dtype=int)
    for part, groups in zip(regions, within, strict=True):
        highest = numbers.max()
        for chain, group in zip(part.chains, groups, strict=True):
            numbers[chain] = numbers[chain] or highest + (group if part.counts else 1)
    return tuple(int(g) for g in np.where(numbers == 0, 1, numbers))


def _sampler(record: Record, regions: Sequence[Part]) -> dict[str, float]:
    """Of all chains as they were made; what went wrong, in regions whose share counts."""
    whole, counted = record.as_made("sample_stats"), counting(regions)
    if TEMPERING in record.dt.children:
        sizes = {name: float(whole.sizes[d]) for name, d in (("chains", "chain"), ("draws", "draw"))}
        trips = float(record.dt[TEMPERING].to_dataset()["round_trips"].sum())
        return sizes | {"divergences": 0.0, "round_trips": trips}
    statistics = [part.statistics for part in counted]
    inside = np.isin(whole["region"], [part.region for part in counted]) if len(regions) > 1 else True
    with np.errstate(divide="ignore", invalid="ignore"):  # a chain that stands still has energies without variance
        energy = [az.bfmi(xr.DataTree.from_dict({"sample_stats": one}))["energy"].to_numpy() for one in statistics]
    return {
        "chains": float(whole.sizes["chain"]),
        "draws": float(whole.sizes["draw"]),
        "divergences": float((whole["diverging"].to_numpy() & inside).sum()),
        "max_treedepth": float((whole["reached_max_treedepth"].to_numpy() & inside).sum()),
        "e_bfmi": float(np.min(np.concatenate(energy))),
        "n_steps": float(whole["n_steps"].mean()),
    }


def _efforts(dt: xr.DataTree) -> list[str]:
    """What was done until the draws could be trusted, where that took more than one run."""
    steps = json.loads(dt.attrs.get(EFFORT, "[]"))
    if len(steps) < 2:
        return []
    told = []
    for before, after in pairwise(steps):
        changed = [f"{name} = {v}" for name, v in after["with"].items() if v != before["with"][name]]
        told.append(f"{', '.join(before['problems'])} after {before['seconds']:.0f} s: {', '.join(changed)}")
    return [f"Sampling went on {len(steps) - 1} time{'s' * (len(steps) > 2)} ({'; '.join(told)})."]


def _of_basins(dt: xr.DataTree, table: pd.DataFrame) -> list[str]:
    """Which modes the chains of a replica exchange crossed between, and whether they had the time for it."""
    notes = []
    if len(table) > 1:
        held = "; ".join(
            f"{row['description']} ({row['mass']:.2g} +- {row['mass_error']:.1g})"
            for _, row in table.head(SHOWN).iterrows()
        )
        more = f"; and {len(table) - SHOWN} smaller ones" if len(table) > SHOWN else ""
        notes.append(
            f"Chains cross between {len(table)} modes of the posterior, by replica exchange; the draws hold them in "
            f"proportion to their masses: {held}{more}. Component-wise means average over different groupings: read "
            "the modes one by one, or what labels do not change (density, co-clustering, predictions)."
        )
    if not dt[TEMPERING].attrs["finished"]:
        notes.append("The replica exchange ran out of time before its chains agreed closely: raise minutes.")
    return notes


def _notes(dt: xr.DataTree, regions: Sequence[Part]) -> list[str]:
    """Regions and their masses, those left out of the draws, and what was not looked at."""
    notes = []
    table = regions_table(dt)
    if TEMPERING in dt.children:
        return _of_basins(dt, table)
    doubtful = table[~table["established"] & (table["mass"] <= NEGLIGIBLE)]
    table = table[table["established"]]
    inside = table["region"].isin([part.region for part in regions])
    held = "; ".join(
        f"{row['description']} ({row['mass']:.3g} +- {row['mass_error']:.1g})" for _, row in table[inside].iterrows()
    )
    if len(regions) > 1:
        proportion = (
            f"in proportion to their masses: {held}" if held else "in shares that are not those of the posterior"
        )
        notes.append(
            f"The posterior has {len(regions)} separate modes, between which chains hardly ever cross. The draws hold "
            f"them {proportion}. Component-wise means average over different groupings: read "
            "the modes one by one, or what labels do not change (density, co-clustering, predictions)."
        )
    for _, row in table[~inside].iterrows():
        notes.append(
            f"{row['description']} holds {row['mass']:.2g} (+- {row['mass_error']:.1g}) of the posterior mass and is "
            "left out of the draws: every posterior probability is off by at most about that much."
        )
    for _, row in doubtful.iterrows():
        notes.append(
            f"{row['description']} seems to hold no more than {row['mass']:.1g}; that could not be established."
        )
    modes = dt["modes"].to_dataset()
    ignored = modes["laplace"].to_numpy()[modes["region"].to_numpy() == 0]
    if len(ignored):
        notes.append(
            f"{len(ignored)} lower mode(s) were found and not sampled; the largest has about exp({ignored.max():.1f}) "
            "of the main mode's mass (Laplace approximation)."
        )
    if dt.attrs.get("adopted"):
        notes.append(
            "The draws were made elsewhere, from that sampler's own starts, and are taken to be of one region: modes "
            "that no chain went to were not sought. bm.sample seeks them."
        )
    elif dt.attrs.get("extended_model"):
        notes.append(
            "The model is an extension of bayesmix's own: EM, from whose solutions its modes were sought, knows "
            "bayesmix's part alone."
        )
    return notes
