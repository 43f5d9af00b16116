"""Semi-supervised data: what the unlabelled rows add to the labelled ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmix.report.blocks import Block, Notice, Paragraph, Section, Table
from bayesmix.report.fits import Fits
from bayesmix.report.tables import number, parameter_table, score_rows
from bayesmix.report.text import fixed, plural


def unlabelled(fits: Fits, summary: Mapping[str, Any]) -> Section | None:
    """EM on the labelled rows alone beside EM and the posterior on all rows."""
    unlabelled_numbers = summary["unlabelled"]
    if not unlabelled_numbers:
        return None
    blocks: list[Block] = [Paragraph(_in_words(fits, summary), "lead")]
    if unlabelled_numbers["problem"]:
        text = f"{unlabelled_numbers['problem']}. There are too few labelled rows for this model by themselves."
        blocks.append(Notice("note", "The labelled rows alone do not suffice", text))
    if unlabelled_numbers["labelled_alone"]:
        blocks.append(_table(summary))
    if unlabelled_numbers["scores"]:
        where = "held-out rows" if fits.model.test is not None else "unlabelled rows"
        blocks.append(score_rows(unlabelled_numbers["scores"], f"Scores on the {where}."))
    return Section("unlabelled", "What the unlabelled rows add", blocks)


def _in_words(fits: Fits, summary: Mapping[str, Any]) -> str:
    n = summary["unlabelled"]["n_labelled"]
    text = f"{plural(n, 'row is', 'rows are')} labelled, {len(fits.data) - n} are not."
    ratio = _narrowing(summary)
    if ratio is not None:
        text += (
            f" With the unlabelled rows the standard errors of EM are {fixed(ratio, 1)} times smaller in the median."
        )
    return text


def _narrowing(summary: Mapping[str, Any]) -> float | None:
    """The median ratio of standard errors, labelled rows alone against all rows."""
    alone = summary["unlabelled"]["labelled_alone"].get("parameters", {})
    ratios = sorted(
        entry["se"] / summary["em"]["parameters"][name]["se"]
        for name, entry in alone.items()
        if entry["se"] and summary["em"]["parameters"][name]["se"]
    )
    return ratios[len(ratios) // 2] if ratios else None


def _table(summary: Mapping[str, Any]) -> Table:
    alone, em = summary["unlabelled"]["labelled_alone"]["parameters"], summary["em"]["parameters"]
    entries = {
        name: {**entry, "few": alone[name]["estimate"], "few_se": alone[name]["se"], **em[name]}
        for name, entry in summary["posterior"]["parameters"].items()
        if name in alone
    }
    columns = [
        ("EM, labelled alone", number("few")),
        ("SE", number("few_se")),
        ("EM, all rows", number("estimate")),
        ("SE", number("se")),
        ("Posterior mean, all rows", number("mean")),
        ("SD", number("sd")),
    ]
    return parameter_table(entries, columns, "The same model on fewer and on all rows.")
