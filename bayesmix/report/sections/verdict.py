"""The verdict in plain words, and the few numbers that matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from bayesmix.problems import ESS, R_HAT
from bayesmix.report.blocks import Block, Bullets, Cards, Heading, Notice, Paragraph, Section
from bayesmix.report.fits import Fits
from bayesmix.report.text import fixed, percent, prose, whole

TITLES = {
    "good": "This fit can be trusted",
    "note": "This fit can be used, with care",
    "bad": "Do not trust this fit yet",
}


def level(summary: Mapping[str, Any]) -> str:
    """``good``, ``note`` or ``bad``."""
    if not summary["verdict"]["trusted"]:
        return "bad"
    return "note" if summary["verdict"]["cautions"] else "good"


def verdict(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """The first thing that a reader sees."""
    found = summary["verdict"]
    text = prose(found["text"]) if found["trusted"] else "The draws below do not describe the posterior well enough:"
    problems = [
        Markup("{} <strong>What to do:</strong> {}").format(prose(p["message"]), prose(p["advice"]))
        for p in found["problems"]
    ]
    here = level(summary)
    blocks: list[Block] = [
        Notice(here, TITLES[here], text, [*problems, *map(prose, found["cautions"])]),
        Cards(_cards(fits, summary)),
    ]
    blocks += [Paragraph(text) for text in (fits.model.description,) if text]
    if fits.model.expected:
        blocks.append(Paragraph(Markup("<strong>What it is expected to show.</strong> {}").format(fits.model.expected)))
    if found["notes"]:
        blocks += [Heading("Good to know"), Bullets([prose(note) for note in found["notes"]])]
    return Section("verdict", "Verdict", blocks)


def _cards(fits: Fits, summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    posterior = summary["posterior"]
    r_hat, ess = posterior["max_r_hat"], posterior["min_ess_bulk"]
    cards = [
        (
            fixed(r_hat, 3),
            f"largest R-hat of a parameter (wanted below {R_HAT})",
            _state(r_hat is not None and r_hat < R_HAT),
        ),
        (
            whole(ess),
            f"smallest effective sample size of a parameter (wanted above {ESS:.0f})",
            _state(ess is not None and ess > ESS),
        ),
        (fixed(summary["em"]["log_likelihood"], 2), "log-likelihood at the EM estimate", _em_state(fits)),
    ]
    accuracy = (summary["test"] or summary["scores"]).get("posterior", {}).get("accuracy")
    if accuracy is not None:
        rows = "held-out rows" if summary["test"] else "rows"
        return [*cards, (percent(accuracy), f"of {rows} put into their true class by the posterior", "")]
    flips = summary["comparison"]["flips"]
    return [*cards, (whole(flips), f"of {len(fits.data)} rows change group between EM and the posterior", "")]


def _state(good: bool) -> str:
    return "good" if good else "bad"


def _em_state(fits: Fits) -> str:
    return "bad" if fits.em.degenerate else ""
