"""The verdict in plain words, and the few numbers that matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from bayesmix.multimodality.thresholds import ESS, R_HAT
from bayesmix.report.blocks import Block, Bullets, Cards, Heading, Notice, Paragraph, Section
from bayesmix.report.fits import Fits
from bayesmix.report.text import fixed, percent, prose, whole

HEADLINES = {
    "good": "This fit can be trusted",
    "note": "This fit can be used, with care",
    "labels": "This fit can be trusted, but not by component",
    "refuted": "The draws are right, but the data refute the model",
    "bad": "Do not trust this fit yet",
}
COLOURS = {"refuted": "note", "labels": "note"}
"""Of the titles that are no colour themselves."""


def title_of(summary: Mapping[str, Any]) -> str:
    """The key of the headline: ``good``, ``note``, ``labels``, ``refuted`` or ``bad``."""
    judgement = summary["verdict"]
    if not judgement["trusted"]:
        return "bad"
    if judgement.get("model_ok") is False:
        return "refuted"
    if judgement.get("limits"):
        return "labels"
    return "note" if judgement["cautions"] else "good"


def level(summary: Mapping[str, Any]) -> str:
    """The headline's colour: ``good`` (green), ``note`` (amber) or ``bad`` (red)."""
    here = title_of(summary)
    return COLOURS.get(here, here)


def verdict(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """The first thing that a reader sees."""
    judgement = summary["verdict"]
    text = (
        prose(judgement["text"])
        if judgement["trusted"]
        else "The draws below do not describe the posterior well enough:"
    )
    items = [*_to_do(judgement["problems"]), *map(prose, judgement["cautions"])]
    blocks: list[Block] = [Notice(level(summary), HEADLINES[title_of(summary)], text, items)]
    if judgement["model_ok"] is False:
        lead = "The data differ from what the model makes; its parameters describe a model that is wrong:"
        blocks.append(Notice("note", "Does the model describe the data?", lead, _to_do(judgement["misfits"])))
    else:
        blocks.append(Paragraph(prose(judgement["model_text"])))
    blocks.append(Cards(_cards(fits, summary)))
    blocks += [Paragraph(text) for text in (fits.model.description,) if text]
    if fits.model.expected:
        blocks.append(Paragraph(Markup("<strong>What it is expected to show.</strong> {}").format(fits.model.expected)))
    if judgement["notes"]:
        blocks += [Heading("Good to know"), Bullets([prose(note) for note in judgement["notes"]])]
    return Section("verdict", "Verdict", blocks)


def _to_do(problems: Sequence[Mapping[str, Any]]) -> list[Markup]:
    """Each problem with its advice."""
    return [
        Markup("{} <strong>What to do:</strong> {}").format(prose(p["message"]), prose(p["advice"])) for p in problems
    ]


def _cards(fits: Fits, summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    posterior, of_em = summary["posterior"], "bad" if fits.em.degenerate else ""
    r_hat, ess = posterior["max_r_hat"], posterior["min_ess_bulk"]
    agree, enough = _state(r_hat is not None and r_hat < R_HAT), _state(ess is not None and ess > ESS)
    cards = [
        (fixed(r_hat, 3), f"largest R-hat of a parameter (wanted below {R_HAT})", agree),
        (whole(ess), f"smallest bulk effective sample size of a parameter (wanted above {ESS:.0f})", enough),
        (fixed(summary["em"]["log_likelihood"], 2), "log-likelihood at the EM estimate", of_em),
    ]
    accuracy = (summary["test"] or summary["scores"]).get("posterior", {}).get("accuracy")
    if accuracy is not None:
        rows = "held-out rows" if summary["test"] else "rows"
        return [*cards, (percent(accuracy), f"of {rows} put into their true class by the posterior", "")]
    flips = summary["comparison"]["flips"]
    return [*cards, (whole(flips), f"of {len(fits.data)} rows change group between EM and the posterior", "")]


def _state(good: bool) -> str:
    return "good" if good else "bad"
