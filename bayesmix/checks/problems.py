"""What can be wrong with a posterior: for each problem what it means and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.checks.convergence import LEAST_SHARE, Part, counting
from bayesmix.mixture.exchangeable import Exchange
from bayesmix.multimodality.maxima import NEGLIGIBLE
from bayesmix.multimodality.table import by_region, describe_mode
from bayesmix.multimodality.thresholds import E_BFMI, ESS, R_HAT, UNTOLD
from bayesmix.posterior.untold_labels import label_overlaps
from bayesmix.sampling.by_exchange import TEMPERING
from bayesmix.tempering.exchange import ROUND_TRIPS

DISAGREE = 5.0
"""So many standard errors apart two estimates of the evidence do not agree."""


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


def convergence_problems(*tables: pd.DataFrame) -> list[Problem]:
    """R-hat and effective sizes beyond their thresholds, in any of the tables."""
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


def sampler_problems(sampler: dict[str, float]) -> list[Problem]:
    """Divergences, trees cut short, energies explored slowly: what NUTS can be told by."""
    if "e_bfmi" not in sampler:
        return []
    total = sampler["chains"] * sampler["draws"]
    problems = []
    if sampler["divergences"]:
        message = f"{sampler['divergences']:.0f} of {total:.0f} draws diverged: part of the posterior is missed."
        advice = "Raise target_accept to 0.95 or 0.99; if that does not help, use a prior that keeps scales off zero."
        problems.append(Problem("divergences", sampler["divergences"], 0.0, message, advice))
    if sampler["max_treedepth"] > 0.01 * total:
        message = f"{sampler['max_treedepth']:.0f} draws ran to the largest tree depth: steps are too short."
        problems.append(Problem("max_treedepth", sampler["max_treedepth"], 0.01 * total, message, "Raise tune."))
    if not sampler["e_bfmi"] >= E_BFMI:
        message = f"E-BFMI is {sampler['e_bfmi']:.2f} (wanted > {E_BFMI}): the chains cross the energy levels slowly."
        problems.append(Problem("e_bfmi", sampler["e_bfmi"], E_BFMI, message, "Raise tune and draws."))
    return problems


def tempering_problems(dt: xr.DataTree) -> list[Problem]:
    """Few round trips between prior and posterior, and two estimates of the evidence that do not agree."""
    if TEMPERING not in dt.children:
        return []
    held, problems = dt[TEMPERING].to_dataset(), []
    trips = float(held["round_trips"].sum())
    if trips < ROUND_TRIPS:
        message = f"Replicas came from the prior to the posterior {trips:.0f} times (wanted {ROUND_TRIPS} at least)."
        advice = "How the modes share the posterior is hardly known: raise minutes, or use fewer components."
        problems.append(Problem("round_trips", trips, float(ROUND_TRIPS), message, advice))
    known, of = bool(held.attrs.get("bridge_known", 0)), held.attrs
    if known and np.isfinite(of["log_evidence"]):
        error = float(np.hypot(of["log_evidence_error"], of["bridge_error"]))
        gap = abs(of["log_evidence"] - of["bridge"])
        if gap > DISAGREE * error:
            message = (
                f"Two estimates of the log evidence do not agree: {of['log_evidence']:.2f} by the replicas' ladder, "
                f"{of['bridge']:.2f} by bridge sampling, {gap / error:.1f} standard errors apart."
            )
            advice = "Draw more: one of the two has not seen all of the posterior."
            problems.append(Problem("evidence", gap / error, DISAGREE, message, advice))
    return problems


def mode_problems(dt: xr.DataTree, regions: Sequence[Part], within: Sequence[tuple[int, ...]]) -> list[Problem]:
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
    if TEMPERING in dt.children:
        return problems
    table = regions_table(dt)
    unknown = table[~table["established"] & ((table["mass"] > NEGLIGIBLE) | table["mass"].isna())]
    if len(unknown):
        names = "; ".join(unknown["description"])
        message = f"Masses could not be established: {len(unknown)} separate mode(s) hold an unknown share: {names}."
        advice = "Raise draws; if that does not help, reconsider K or the priors, or use fewer components."
        if (unknown["region"] < 0).any():
            advice = "More modes compete than chains are sent to: use fewer components, or priors that say more."
        problems.append(Problem("modes_unknown", float(len(unknown)), 0.0, message, advice))
    missing = table[table["established"] & ~table["region"].isin([part.region for part in regions])]
    share = float(missing["mass"].sum())
    if share > LEAST_SHARE:
        names = "; ".join(f"{row['description']} ({row['mass']:.1%})" for _, row in missing.iterrows())
        message = f"Separate modes with {share:.1%} of the posterior mass are not in the draws: {names}."
        problems.append(Problem("modes_left_out", share, LEAST_SHARE, message, "Sample again with more draws."))
    return problems


def regions_table(dt: xr.DataTree) -> pd.DataFrame:
    """Regions and competing modes no chain was sent to: ``mass, mass_error, established, region, description``.

    One row per region that chains do not leave, by its first mode, and one per competing mode that was not scouted.
    """
    tops = [maxima.isel(mode=0) for maxima in by_region(dt["modes"].to_dataset())]
    apart = [top for top in tops if top["region"] != 0]
    names = ["mass", "mass_error", "established", "region"]
    table = pd.DataFrame([[top[v].item() for v in names] for top in apart], columns=names)
    return table.assign(established=table["established"] == 1, description=[describe_mode(top) for top in apart])


def label_problems(regions: Sequence[Part]) -> list[Problem]:
    """Components whose labels remain a matter of chance after relabelling."""
    overlaps = _overlaps(regions)
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


def exchange_problems(exchange: Exchange | None) -> list[Problem]:
    """Variables of the user's that stay where they are while labels switch."""
    if exchange is None or not exchange.bound:
        return []
    names = ", ".join(exchange.bound)
    message = (
        f"The labels are a matter of chance: {names} cannot be permuted with the components, and nothing but "
        f"{names} tells these apart."
    )
    advice = (
        "Give a variable that runs over components dims='component' and one prior for all of them, without an ordered "
        "transform; one that has nothing to do with them another dimension. Or tell the components apart by "
        "order='means', labels or priors of their own."
    )
    return [Problem("exchange", float(len(exchange.bound)), 0.0, message, advice)]


def _overlaps(regions: Sequence[Part]) -> dict[tuple[str, str], float]:
    """How untold every two labels are in the region where they are least told apart."""
    overlaps: dict[tuple[str, str], float] = {}
    for part in counting(regions):
        for pair, value in label_overlaps(part.likelihood, part.posterior).items():
            overlaps[pair] = max(value, overlaps.get(pair, 0.0))
    return overlaps


def interruption(dt: xr.DataTree) -> list[Problem]:
    """Fewer draws than were asked for."""
    if not dt.attrs.get("interrupted"):
        return []
    sizes = dt["posterior"].sizes
    message = f"Sampling was interrupted: {sizes['chain']} chains of {sizes['draw']} draws were kept."
    advice = "Use the draws to look at, and run it again to report."
    return [Problem("interrupted", float(sizes["draw"]), float(sizes["draw"]), message, advice)]
