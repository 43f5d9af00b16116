"""The posterior: table, intervals, chains; its components over the data; its modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmix.mixture.spec import exchange_groups
from bayesmix.report.blocks import Block, Paragraph, Section
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.tables import Column, number, parameter_table, span, table
from bayesmix.report.text import DASH, fixed, plural, prose, significant, whole

RELABELLED = {
    "order": "Components are labelled by the order of their means.",
    "ecr": "Draws are relabelled to agree with the allocation of the rows at the best draw.",
    "stephens": "Draws are relabelled so that their allocations of the rows diverge least from their mean.",
    "data": "Draws are relabelled so that each component keeps rows of one place and spread.",
}
"""How label switching was settled, by method."""


def posterior(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Free scalars and what follows from them, with convergence; forest, traces and ranks, pairs."""
    sampling = summary["posterior"]
    chains, draws = whole(sampling["chains"]), whole(sampling["draws"])
    if "round_trips" in sampling:
        how = (
            f"{chains} chains of {draws} draws by replica exchange over powers of the likelihood; replicas came from "
            f"the prior to the posterior {plural(sampling['round_trips'], 'time')}."
        )
    else:
        how = (
            f"{chains} chains of {draws} draws by NUTS, {plural(sampling['divergences'], 'divergence')}, smallest "
            f"E-BFMI {fixed(sampling['e_bfmi'], 2)}, {fixed(sampling['n_steps'], 1)} leapfrog steps per draw on "
            "average."
        )
    lead = f"{how} {_labels(fits)}"

    columns: list[Column] = [
        ("Mean", number("mean")),
        ("SD", number("sd")),
        ("90% interval", span),
        ("MCSE", number("mcse_mean", "mcse_mean")),
        ("Bulk ESS", lambda entry: whole(entry["ess_bulk"])),
        ("Tail ESS", lambda entry: whole(entry["ess_tail"])),
        ("R\N{NON-BREAKING HYPHEN}hat", lambda entry: fixed(entry["r_hat"], 3)),
    ]
    caption = (
        "Free scalars and what follows from them. 90% equal-tailed intervals; MCSE: Monte Carlo error of the mean."
    )
    shown = parameter_table(sampling["parameters"], columns, caption)
    blocks: list[Block] = [Paragraph(lead, "lead"), shown, *figures(fits, summary, "forest", "traces", "pairs")]
    return Section("posterior", "The posterior", blocks)


def _labels(fits: Fits) -> str:
    """How label switching was settled."""
    groups = exchange_groups(fits.likelihood)
    if len(set(groups.tolist())) == len(groups):
        return "The components cannot switch labels: kinds, labels or priors tell them apart."
    unsaid = "order" if fits.em.spec.order else "ecr"
    return RELABELLED[fits.dt["relabelling"].attrs.get("method", unsaid)]


def components(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """The components over the data."""
    return Section("components", "Components over the data", figures(fits, summary, "components", "structure"))


def modes(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """Where there is more than one mode: which, how heavy, and which of them the draws describe."""
    all_modes = summary["modes"]
    if len(all_modes) < 2:
        return None
    regions = {m["region"] for m in all_modes if m["region"] > 0}
    left_out = [m for m in all_modes if m["region"] == 0]
    unknown = [m for m in all_modes if m["region"] < 0]
    everywhere = "all modes that matter" if not unknown else "the modes that they were sent to"
    exchanged = "round_trips" in summary["posterior"]
    alone = len([m for m in all_modes if m["region"] > 0]) == 1
    apart = (
        "One of them has nearly all of the mass, and the draws describe it."
        if alone and not unknown
        else f"Chains cross between {everywhere}, so the draws describe them all."
        if len(regions) == 1 or exchanged
        else f"Chains hardly ever cross between {len(regions)} regions; the draws hold each region that matters "
        "in proportion to its mass, and means of components average over different groupings."
    )
    are = "is" if len(left_out) == 1 else "are"
    why = "to which no draw climbs" if exchanged else "with a negligible Laplace mass"
    low = f" {plural(len(left_out), 'mode')} {why} {are} left out." if left_out else ""
    low += f" {plural(len(unknown), 'competing mode')} got no chain: too many compete." if unknown else ""
    measured = "the share of draws that climb to it" if exchanged else "measured by bridge sampling"
    lead = (
        f"EM's solutions and climbs from random allocations lead to {plural(len(all_modes), 'mode')} of the posterior. "
        f"{apart}{low} The mass of a region is {measured}; Laplace's approximation beside it is rough."
    )
    columns: list[Column] = [
        ("Mode", lambda mode: mode["description"].partition(": ")[0].removeprefix("mode ")),
        ("Region", lambda mode: whole(mode["region"])),
        ("Starts", lambda mode: whole(mode["reached"])),
        ("Log-posterior", lambda mode: fixed(mode["log_posterior"], 2)),
        ("Log mass, Laplace", lambda mode: fixed(mode["laplace"], 2)),
        ("Mass of the region", _mass),
        ("Chains", lambda mode: ", ".join(map(str, mode["chains"])) or DASH),
        ("Components", lambda mode: prose(mode["description"].partition(": ")[2]) or DASH),
    ]
    caption = (
        "Starts: those that led here. Log mass: relative to the largest mode. Chains: those that began here. "
        "Components: weight at (means)."
        + (" Region 0 is negligible." if left_out else "")
        + (f" Region {whole(-1)}: not looked at." if unknown else "")
    )
    shown = table(all_modes, columns, caption, words=(0, 7))
    return Section("modes", "Modes", [Paragraph(lead, "lead"), shown, *figures(fits, summary, "modes")])


def _mass(mode: Mapping[str, Any]) -> str:
    if mode["mass"] is None:
        return "not known" if mode["region"] else "negligible"
    error = f" ± {significant(mode['mass_error'], 1)}" if mode["mass_error"] else ""
    return f"{significant(mode['mass'], 3)}{error}" + ("" if mode["established"] else " (not established)")
