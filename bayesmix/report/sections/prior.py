"""The prior: what it expects before the data, and how much it matters after them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesmix.checks.prior import SENSITIVE
from bayesmix.report.blocks import Block, Paragraph, Section, Table
from bayesmix.report.captions import figures
from bayesmix.report.fits import Fits
from bayesmix.report.tables import Column, parameter_table
from bayesmix.report.text import fixed, listed, plural, significant, whole

VAST = 100
OF_SMALLEST = "smallest of "
"""How the statistics begin that say whether a column has values below 0."""
DIAGNOSES = {
    (True, True): "prior and data both matter",
    (True, False): "the prior decides",
    (False, False): "neither moves it",
    (False, True): "the data decide",
}
"""By whether prior and likelihood matter."""


def prior(fits: Fits, summary: Mapping[str, Any]) -> Section:
    """Prior predictive check, then power-scaling sensitivity."""
    prior_numbers = summary["prior"]
    return Section(
        "prior",
        "The prior, before and after the data",
        [*_before(fits, summary, prior_numbers), *_after(prior_numbers)],
    )


def _before(fits: Fits, summary: Mapping[str, Any], prior_numbers: Mapping[str, Any]) -> list[Block]:
    predictive = prior_numbers["predictive"]
    if not predictive:
        return [Paragraph(f"There is no prior predictive check ({prior_numbers['problem']}).", "lead")]
    odd = [name for name, row in predictive.items() if not row["lower"] <= row["observed"] <= row["upper"]]
    count = plural(len(predictive), "statistic")
    lead = "Data sets are drawn from the prior alone; a default prior knows at most where the rows lie and how wide. "
    lead += (
        f"It did not expect these data in every respect: outside the middle 90% of them lie {listed(odd)}."
        if odd
        else f"The observed data are among what it expects: all of {count} lie in the middle 90%."
    )
    far = [name for name, row in predictive.items() if row["upper"] > VAST * abs(row["observed"]) > 0]
    if far:
        lead += f" It also expects what may be impossible: {listed(far)} more than {VAST} times as large as observed."
    negative = [
        name.removeprefix(OF_SMALLEST)
        for name, row in predictive.items()
        if name.startswith(OF_SMALLEST) and row["lower"] < 0 < row["observed"]
    ]
    if negative:
        lead += f" It expects values below 0, of which there are none in {listed(negative)}."
    n, used = len(fits.likelihood.data), prior_numbers["rows"]
    note = "Intervals are wide on purpose: a weak prior excludes little."
    note += f" Observed: of {whole(used)} of the {whole(n)} rows, evenly spaced." if used < n else ""
    return [Paragraph(lead, "lead"), *figures(fits, summary, "prior_predictive"), _statistics(predictive, note)]


def _statistics(statistics: Mapping[str, Any], note: str) -> Table:
    rows = [
        [name, significant(row["observed"], 4), f"{significant(row['lower'], 3)} to {significant(row['upper'], 3)}"]
        for name, row in statistics.items()
    ]
    heads = ("Statistic", "Observed", "90% of data sets from the prior")
    return Table(heads, rows, (False, True, True), note)


def _after(prior_numbers: Mapping[str, Any]) -> list[Block]:
    entries = prior_numbers["sensitivity"]
    if not entries:
        return [Paragraph("The model extends bayesmix's own, so how much its prior matters is not known here.")]
    return [Paragraph(in_words(entries)), _table(entries)]


def in_words(entries: Mapping[str, Any]) -> str:
    """What power-scaling says of the weights, means or coefficients, and responsibilities."""
    strong = [name for name, e in entries.items() if _matters(e["prior"])]
    alone = [name for name in strong if not _matters(entries[name]["likelihood"])]
    asked = "weights, centres or coefficients, the least certain responsibilities"
    if not strong:
        largest = max((e["prior"] for e in entries.values() if e["prior"] is not None), default=0.0)
        return (
            f"After the data the prior hardly matters: making it count a little more or less moves none of the "
            f"quantities below: {asked} (largest sensitivity {fixed(largest, 3)}; above {SENSITIVE:g} it would matter)."
        )
    text = (
        f"After the data the prior still matters for {len(strong)} of {plural(len(entries), 'quantity', 'quantities')} "
        f"({asked}): {listed(strong)}. Make sure that it says what you know, or see what another prior changes."
    )
    if len(strong) > len(alone):
        text += " Where the data matter too, the prior is informative or in conflict with them."
    return text + (f" The data say little of {listed(alone)}." if alone else "")


def _matters(value: float | None) -> bool:
    return value is not None and value >= SENSITIVE


def _table(entries: Mapping[str, Any]) -> Table:
    columns: list[Column] = [
        ("Prior", lambda entry: fixed(entry["prior"], 3)),
        ("Likelihood", lambda entry: fixed(entry["likelihood"], 3)),
        ("In words", lambda entry: DIAGNOSES[_matters(entry["prior"]), _matters(entry["likelihood"])]),
    ]
    caption = (
        "Power-scaling sensitivity (Kallioinen et al. 2024): how far a quantity's distribution moves per doubling of "
        f"the prior's or the likelihood's power; above {SENSITIVE:g} it matters. Responsibilities by their log-odds."
    )
    return parameter_table(entries, columns, caption, first="Quantity", words=(2,))
