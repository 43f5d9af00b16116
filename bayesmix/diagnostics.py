"""Can this posterior be trusted? Numbers, thresholds, and a verdict whose text is the advice. Prints nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.ambiguity import label_overlaps
from bayesmix.convergence import LEAST_SHARE, Part, counting, of_invariants, of_parameters, parts
from bayesmix.families import Family
from bayesmix.invariants import chain_groups
from bayesmix.landscape import NEGLIGIBLE
from bayesmix.mode_table import describe_mode
from bayesmix.pooling import as_made
from bayesmix.predict import family_of, spec_of
from bayesmix.spec import Mixture

R_HAT = 1.01
ESS = 400.0
E_BFMI = 0.3
UNTOLD = 0.2
"""Labels are told apart where the posterior on the border between two labellings is below this share of its average."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: its name, the value found, the threshold, what it means and what to do."""

    name: str
    value: float
    threshold: float
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.message} {self.advice}"


ONE_CHAIN = Problem(
    "one_chain",
    1.0,
    2.0,
    "There is one chain alone: nothing says whether another would agree.",
    "Draw at least two chains, better four.",
)


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """The verdict on a posterior.

    Attributes
    ----------
    problems : tuple of Problem
        Empty where the draws can be trusted.
    notes : tuple of str
        What a reader should know that is no problem (modes that were found and left out, their mass).
    parameters, invariants : DataFrame
        One row per free scalar, and per quantity that labels do not change; columns ``mean, sd, mcse_mean, ess_bulk,
        ess_tail, r_hat`` (rank-normalized split R-hat, Vehtari et al. 2021, doi:10.1214/20-BA1221).
    sampler : dict
        ``draws, chains, divergences, max_treedepth, e_bfmi`` (the smallest), ``n_steps`` (mean).
    chain_groups : tuple of int
        A number per chain; chains with the same number explore the same region.
    """

    problems: tuple[Problem, ...]
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
    def verdict(self) -> str:
        """The verdict in plain words."""
        if not self.ok:
            return "Do not trust this posterior yet. " + " ".join(str(p) for p in self.problems)
        r_hat, ess = self.parameters["r_hat"].max(), self.parameters["ess_bulk"].min()
        apart = len(set(self.chain_groups))
        agree = "agree" if apart == 1 else f"agree within {apart} separate modes, whose masses are known"
        return (
            f"The posterior can be trusted as far as the draws can tell: {self.sampler['chains']:.0f} chains {agree} "
            f"(largest R-hat {r_hat:.3f}), the smallest effective sample size is {ess:.0f}, and no draw diverged."
        )

    def __str__(self) -> str:
        return "\n".join([self.verdict, *(f"Note: {note}" for note in self.notes)])


def diagnose(dt: xr.DataTree) -> Diagnostics:
    """Diagnose a posterior of :func:`bayesmix.sample`.

    Convergence (R-hat < 1.01, bulk and tail ESS > 400) is asked of every free scalar after relabelling and of
    quantities that labels do not change: log-posterior, log-likelihood, log-density at data rows and midpoints,
    co-assignment of fixed pairs of rows, weight entropy. Then divergences, tree depth, E-BFMI (> 0.3), chains that
    sit in different modes, modes that no chain visited, and components whose labels cannot be told apart.

    Parameters
    ----------
    dt
        A posterior.

    Returns
    -------
    Diagnostics
    """
    spec, family = spec_of(dt), family_of(dt)
    regions = parts(dt, family)
    parameters, invariant = of_parameters(family, dt, regions), of_invariants(family, dt, regions)
    within = [chain_groups(part.watched) for part in regions]
    groups = _chain_groups(dt, regions, within)
    sampler = _sampler(dt, regions)
    one_chain = any(len(part.chains) == 1 for part in counting(regions))
    problems = [
        *_mode_problems(dt, regions, within),
        *([ONE_CHAIN] if one_chain else _convergence_problems(parameters, invariant)),
        *_sampler_problems(sampler),
        *_label_problems(_overlaps(spec, family, regions)),
        *_interruption(dt),
    ]
    return Diagnostics(tuple(problems), tuple(_notes(dt, regions)), parameters, invariant, sampler, groups)


def _chain_groups(dt: xr.DataTree, regions: Sequence[Part], within: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """A number per chain: regions differ, and so do chains of one region that do not agree (``within`` each).

    A chain that speaks for several regions has the number of the first, as has one that speaks for none.
    """
    found = np.zeros(as_made(dt, "posterior").sizes["chain"], dtype=int)
    for part, groups in zip(regions, within, strict=True):
        highest = found.max()
        for chain, group in zip(part.chains, groups, strict=True):
            found[chain] = found[chain] or highest + group
    return tuple(int(g) for g in np.where(found == 0, 1, found))


def _convergence_problems(*tables: pd.DataFrame) -> list[Problem]:
    problems = []
    rules = [
        (
            "r_hat",
            "R-hat",
            R_HAT,
            "idxmax",
            "the chains do not agree",
            "Draw more; if they still differ, reconsider K or the priors.",
        ),
        ("ess_bulk", "bulk ESS", ESS, "idxmin", "too few effective draws for the centre", "Raise draws."),
        ("ess_tail", "tail ESS", ESS, "idxmin", "too few effective draws for the tails", "Raise draws."),
    ]
    table = pd.concat(tables)
    for column, name, threshold, worst, meaning, advice in rules:
        bad = table[column] >= threshold if column == "r_hat" else table[column] <= threshold
        bad |= table[column].isna()
        if bad.any():
            where = str(getattr(table.loc[bad, column].fillna(np.inf if column == "r_hat" else 0.0), worst)())
            value = float(table.loc[[where], column].iloc[0])
            shown = f"{value:.3f}" if column == "r_hat" else f"{value:.0f}"
            message = (
                f"{name} of {where} is {shown} (wanted {'<' if column == 'r_hat' else '>'} {threshold:g}): {meaning}"
            )
            others = f", and so for {int(bad.sum()) - 1} more quantities." if bad.sum() > 1 else "."
            problems.append(Problem(column, value, threshold, message + others, advice))
    return problems


def _sampler(dt: xr.DataTree, regions: Sequence[Part]) -> dict[str, float]:
    """Of all chains as they were made; what went wrong, in regions whose share counts."""
    whole = as_made(dt, "sample_stats")
    statistics = [part.statistics for part in counting(regions)]
    energy = [az.bfmi(xr.DataTree.from_dict({"sample_stats": one}))["energy"].to_numpy() for one in statistics]
    return {
        "chains": float(whole.sizes["chain"]),
        "draws": float(whole.sizes["draw"]),
        "divergences": float(sum(one["diverging"].sum() for one in statistics)),
        "max_treedepth": float(sum(one["reached_max_treedepth"].sum() for one in statistics)),
        "e_bfmi": float(np.min(np.concatenate(energy))),
        "n_steps": float(whole["n_steps"].mean()),
    }


def _sampler_problems(sampler: dict[str, float]) -> list[Problem]:
    total = sampler["chains"] * sampler["draws"]
    problems = []
    if sampler["divergences"]:
        message = f"{sampler['divergences']:.0f} of {total:.0f} draws diverged: part of the posterior is missed."
        advice = "Raise target_accept to 0.95 or 0.99; if that does not help, use a prior that keeps scales off zero."
        problems.append(Problem("divergences", sampler["divergences"], 0.0, message, advice))
    if sampler["max_treedepth"] > 0.01 * total:
        message = f"{sampler['max_treedepth']:.0f} draws ran to the largest tree depth: steps are too short."
        problems.append(Problem("max_treedepth", sampler["max_treedepth"], 0.01 * total, message, "Raise tune."))
    if sampler["e_bfmi"] < E_BFMI:
        message = f"E-BFMI is {sampler['e_bfmi']:.2f} (wanted > {E_BFMI}): the chains cross the energy levels slowly."
        problems.append(Problem("e_bfmi", sampler["e_bfmi"], E_BFMI, message, "Raise tune and draws."))
    return problems


def _mode_problems(dt: xr.DataTree, regions: Sequence[Part], within: Sequence[tuple[int, ...]]) -> list[Problem]:
    """Chains of one region that do not agree; regions whose mass is not known."""
    problems = []
    counted = [groups for part, groups in zip(regions, within, strict=True) if part.counts]
    groups = max(counted, key=lambda groups: len(set(groups)))
    n = len(set(groups))
    if n > 1:
        shares = ", ".join(f"{groups.count(g)} of {len(groups)}" for g in sorted(set(groups)))
        message = f"The chains sit in {n} different modes ({shares} chains each) and do not cross between them."
        advice = "Shares of draws are not shares of the posterior: compare the modes, reconsider K or the priors."
        problems.append(Problem("modes", float(n), 1.0, message, advice))
    table = regions_table(dt)
    unknown = table[~table["established"] & ((table["mass"] > NEGLIGIBLE) | table["mass"].isna())]
    if len(unknown):
        names = "; ".join(unknown["description"])
        message = f"Masses could not be established: {len(unknown)} separate mode(s) hold an unknown share: {names}."
        advice = "Raise draws; if that does not help, reconsider K or the priors, or use fewer components."
        problems.append(Problem("modes_unknown", float(len(unknown)), 0.0, message, advice))
    missing = table[table["established"] & ~table["group"].isin([part.region for part in regions])]
    share = float(missing["mass"].sum())
    if share > LEAST_SHARE:
        names = "; ".join(f"{row['description']} ({row['mass']:.1%})" for _, row in missing.iterrows())
        message = f"Separate modes with {share:.1%} of the posterior mass are not in the draws: {names}."
        problems.append(Problem("modes_left_out", share, LEAST_SHARE, message, "Sample again with more draws."))
    return problems


def regions_table(dt: xr.DataTree) -> pd.DataFrame:
    """Regions and competing modes no chain was sent to: ``mass, mass_error, established, group, description``.

    One row per region that chains do not leave, by its first mode, and one per competing mode that was not scouted.
    """
    modes = dt["modes"].to_dataset()
    group = modes["group"].to_numpy()
    first = [int(np.flatnonzero(group == g)[0]) for g in np.unique(group[group > 0])]
    apart = modes.isel(mode=[*first, *np.flatnonzero(group < 0)])
    names = ["mass", "mass_error", "established", "group"]
    table = pd.DataFrame({v: apart[v].to_numpy() for v in names}, index=apart["mode"].to_numpy())
    return table.assign(
        established=table["established"] == 1,
        description=[describe_mode(apart.isel(mode=i)) for i in range(len(table))],
    )


def _notes(dt: xr.DataTree, regions: Sequence[Part]) -> list[str]:
    """Regions and their masses, those left out of the draws, and what was not looked at."""
    notes = []
    table = regions_table(dt)
    table = table[table["established"]]
    inside = table["group"].isin([part.region for part in regions])
    held = "; ".join(
        f"{row['description']} ({row['mass']:.3g} +- {row['mass_error']:.1g})" for _, row in table[inside].iterrows()
    )
    if len(regions) > 1:
        notes.append(
            f"The posterior has {len(regions)} separate modes, between which chains hardly ever cross. The draws hold "
            f"them in proportion to their masses: {held}. Component-wise means average over different groupings: read "
            "the modes one by one, or what labels do not change (density, co-clustering, predictions)."
        )
    for _, row in table[~inside].iterrows():
        notes.append(
            f"{row['description']} holds {row['mass']:.2g} (+- {row['mass_error']:.1g}) of the posterior mass and is "
            "left out of the draws: every posterior probability is off by at most about that much."
        )
    modes = dt["modes"].to_dataset()
    ignored = modes["laplace"].to_numpy()[modes["group"].to_numpy() == 0]
    if len(ignored):
        notes.append(
            f"{len(ignored)} lower mode(s) were found and not sampled; the largest has about exp({ignored.max():.1f}) "
            "of the main mode's mass (Laplace approximation)."
        )
    if dt.attrs.get("extended_model"):
        notes.append("The model is an extension of bayesmix's own; the modes come from its own likelihood and priors.")
    return notes


def _overlaps(spec: Mixture, family: Family, regions: Sequence[Part]) -> dict[tuple[str, str], float]:
    """How untold every two labels are in the region where they are least told apart."""
    found: dict[tuple[str, str], float] = {}
    for part in counting(regions):
        for pair, value in label_overlaps(spec, family, part.posterior).items():
            found[pair] = max(value, found.get(pair, 0.0))
    return found


def _label_problems(overlaps: dict[tuple[str, str], float]) -> list[Problem]:
    """Components whose labels remain a matter of chance after relabelling."""
    alike = {pair: value for pair, value in overlaps.items() if value > UNTOLD}
    if not alike:
        return []
    pair = max(alike, key=lambda pair: alike[pair])
    others = f", and so for {len(alike) - 1} more pair{'s' * (len(alike) > 2)}" if len(alike) > 1 else ""
    message = (
        f"The labels of {pair[0]} and {pair[1]} cannot be told apart: a draw on the border between the two labellings "
        f"is {alike[pair]:.2g} times as likely as an average one (wanted < {UNTOLD:g}){others}."
    )
    advice = (
        "Means, intervals and tables by component are not meaningful there; the density, which rows belong together "
        "(bm.co_clustering, bm.point_partition) and predictions are. Fewer components may do."
    )
    return [Problem("labels", alike[pair], UNTOLD, message, advice)]


def _interruption(dt: xr.DataTree) -> list[Problem]:
    if not dt.attrs.get("interrupted"):
        return []
    sizes = dt["posterior"].sizes
    message = f"Sampling was interrupted: {sizes['chain']} chains of {sizes['draw']} draws were kept."
    advice = "Use the draws to look at, and run it again to report."
    return [Problem("interrupted", float(sizes["draw"]), float(sizes["draw"]), message, advice)]
