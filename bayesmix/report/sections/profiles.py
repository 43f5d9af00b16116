"""What the components are like: their profile, and the columns that tell each from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bayesmix.checks.distinguishing import STANDARDIZED, UNITS
from bayesmix.report.blocks import Block, Heading, Inline, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.text import fixed, interval, listed, percent, significant

MOST_RANKED = 5
"""Columns of every component in the table."""
CLEARLY_FIRST = 0.95
"""A column leads for certain where it ranks first with this probability."""


def profiles(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """Profile, then the ranks; nothing where there are too few columns to make one."""
    drawn = figures(fits, summary, "profile")
    if not drawn:
        return None
    ranking = summary["distinguishing"]
    blocks: list[Block] = [*([Paragraph(_in_words(ranking), "lead")] if ranking else []), *drawn]
    if ranking:
        blocks += [Heading("What tells each component from the others"), _table(fits, ranking)]
    return Section("profiles", "What the components are like", blocks)


def _in_words(ranking: Sequence[Mapping[str, Any]]) -> str:
    top = [row for row in ranking if row["rank"] == 1]
    sure = [row for row in top if row["first"] >= CLEARLY_FIRST]
    leads = listed([f"{row['component']} by {_of(row)}" for row in top], most=12)
    text = f"What tells a component best from the others: {leads}."
    if len(sure) == len(top):
        return f"{text} Each leads with a probability of {percent(CLEARLY_FIRST, 0)} at least."
    doubtful = listed([str(row["component"]) for row in top if row not in sure], most=12)
    return f"{text} For {doubtful} another column may tell as much."


def _of(row: Mapping[str, Any]) -> str:
    return f"{row['feature']} ({row['answer']})" if row["answer"] else str(row["feature"])


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{significant(value, 2)}"


def _table(fits: Fits, ranking: Sequence[Mapping[str, Any]]) -> Table:
    profile = fits.likelihood.component.profile
    assert profile is not None
    rows: list[Sequence[Inline]] = []
    for row in ranking:
        if row["rank"] > MOST_RANKED:
            continue
        if row["rank"] == 1:
            rows.append([str(row["component"])])
        difference = (
            f"{row['answer']}: {_signed(row['difference'])}" if profile.by_level else _signed(row["difference"])
        )
        effect = [fixed(row["effect"], 2), interval(row["lower"], row["upper"], 2)]
        rows.append([str(row["feature"]), *effect, percent(row["first"], 0), difference])
    heads = [
        "Column",
        "Effect",
        "90% interval",
        "Ranks first",
        "Answer that differs most" if profile.by_level else "Difference",
    ]
    unit = UNITS.get(profile.parameter.support, STANDARDIZED)
    more = f" The {MOST_RANKED} largest of {len(profile.columns)}." if len(profile.columns) > MOST_RANKED else ""
    caption = (
        f"Effect: how far the component lies from the others, by the root of the weighted mean square ({unit}). Ranks "
        f"first: the probability that no other column has a larger one. Difference: from the mean of the others.{more}"
    )
    return Table(heads, rows, [False, True, True, True, not profile.by_level], caption)
