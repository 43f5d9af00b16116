"""What the model was expected to show, and how to reproduce the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bayesmix.report.blocks import Block, Code, Paragraph, Section, Table, Terms
from bayesmix.report.fits import Fits
from bayesmix.report.tables import found_value
from bayesmix.report.text import plural, prose

REBUILD = 'import bayesmix.report\n\nbayesmix.report.rebuild("fit.nc", out="rebuilt")'
OWN_WORDS = {"n_starts": "climbs to modes (n_starts)"}
"""Settings whose name the reader takes for another: EM has starts of its own."""
HOLDS = {
    True: Markup('<span class="state good">✓ holds</span>'),
    False: Markup('<span class="state bad">✗ does not</span>'),
}


def expectations(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """Every claim of the model's source, and whether it holds."""
    claims = summary["expectations"]
    if not claims:
        return None
    holding = sum(e["holds"] for e in claims)
    lead = f"{holding} of {plural(len(claims), 'expectation')} hold."
    if len(claims) == 1:
        lead = "The one expectation holds." if holding else "The one expectation does not hold."
    rows = [
        [_breakable(e["quantity"]), prose(e["rule"]), found_value(e["value"]), HOLDS[e["holds"]], prose(e["because"])]
        for e in claims
    ]
    heads = ("Quantity", "Expected", "Found", "", "Because")
    table = Table(heads, rows, (False, False, True, False, False))
    return Section("expectations", "What this model was expected to show", [Paragraph(lead, "lead"), table])


def _breakable(path: str) -> Markup:
    """A path that may break after its slashes."""
    return Markup("/<wbr>").join(path.split("/"))


def reproduce(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Command, rebuilding from the saved draws, seed, settings, versions, date."""
    settings = ", ".join(f"{OWN_WORDS.get(name, name)} = {value}" for name, value in summary["settings"].items())
    versions = ", ".join(f"{name} {value}" for name, value in summary["versions"].items())
    blocks: list[Block] = [
        Paragraph(
            "The same command with the same versions gives the same draws on one machine, with any number of cores.",
            "lead",
        ),
        Code(summary["command"]),
        Paragraph(
            "From the draws in fit.nc beside this page, without sampling, the report is rebuilt by "
            "'bayesmix report fit.nc' or in Python:"
        ),
        Code(REBUILD),
        Terms(
            [
                ("Seed", str(summary["seed"])),
                ("Sampler", settings),
                ("Versions", versions),
                ("Date", summary["date"]),
                (
                    "Numbers",
                    "all of them, machine-readable, beside this page: summary.json, and row by row "
                    "responsibilities.csv; the tables of this page as CSV in tables/, the pictures in figures/; the "
                    "verdict, two pictures and the tables on at most four printed pages in short.html",
                ),
            ]
        ),
    ]
    return Section("reproduce", "How to reproduce this", blocks)
