"""The records as tables: one row per cell, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from reports.em_against_mcmc import scoring
from reports.em_against_mcmc.contestants import EM
from reports.em_against_mcmc.design import Cell
from reports.em_against_mcmc.study import BOOTSTRAP_EVERY, Record

FITS = ("em", "map", "posterior")
NAMES = {"em": "EM", "map": "MAP", "posterior": "posterior"}
INTERVALS = ("information", "bootstrap", "map", "posterior")
PARTS = {"weight": slice(0, 1), "means": slice(1, 3)}
SURE = len(scoring.EDGES) - 2
"""The bin of the rows that are called all but certain."""


@dataclass(frozen=True)
class Results:
    """The records of a cell."""

    cell: Cell
    records: Sequence[Record]

    @property
    def usable(self) -> list[Record]:
        """Data sets that every contestant could fit: comparisons are on the same ones."""
        return [record for record in self.records if not any("error" in record[fit] for fit in FITS)]

    def values(self, fit: str, score: str) -> np.ndarray:
        """A score of every usable data set."""
        return np.array([record[fit][score] for record in self.usable])

    def excess(self, fit: str, score: str = "log_score") -> np.ndarray:
        """How much worse than the true parameters."""
        return self.values(fit, score) - self.values("truth", score)

    def reliability(self, fit: str) -> np.ndarray:
        """Rows, sum of confidences, right ones, by bin, over all data sets."""
        return np.sum([record[fit]["reliability"] for record in self.usable], axis=0)

    def ends(self, kind: str) -> tuple[np.ndarray, np.ndarray, int]:
        """Ends of intervals (sets, P, 6), the truth (sets, P), and of how many data sets they were asked for."""
        asked = [
            r
            for r in self.usable
            if kind != "bootstrap" or "bootstrap" in r["em"] or r["number"] % BOOTSTRAP_EVERY == 0
        ]
        found = [(_ends(record, kind), record["truth"]["parameters"]) for record in asked]
        there = [(e, t) for e, t in found if e is not None and np.isfinite(e).all()]
        ends = np.array([e for e, _ in there]).reshape(-1, 3, 6)
        return ends, np.array([t for _, t in there]).reshape(-1, 3), len(asked)


def _ends(record: Record, kind: str) -> np.ndarray | None:
    fit = {"information": "em", "bootstrap": "em"}.get(kind, kind)
    source = record[fit].get("bootstrap", {}) if kind == "bootstrap" else record[fit]
    return np.array(source["ends"], dtype=float) if "ends" in source else None


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """The mean and its standard error."""
    few = len(values) < 2
    return float(np.mean(values)) if len(values) else np.nan, np.nan if few else float(
        np.std(values, ddof=1) / np.sqrt(len(values))
    )


def layout(cell: Cell) -> dict[str, Any]:
    """The first columns of every table."""
    return {"overlap": f"{cell.overlap:.0%}", "n": cell.n, "labelled": f"{cell.labelled:.0%}"}


def with_error(values: np.ndarray) -> str:
    """Mean +- standard error, as text."""
    mean, error = mean_and_error(values)
    return f"{mean:.3f} ± {error:.3f}"


def scores(results: Iterable[Results]) -> pd.DataFrame:
    """Log score above that of the true parameters, and who is better."""
    rows = []
    for result in results:
        em, posterior = result.excess("em"), result.excess("posterior")
        row = layout(result.cell) | {
            "sets": len(result.usable),
            "best possible": f"{result.values('truth', 'log_score').mean():.3f}",
        }
        row |= {NAMES[fit]: with_error(result.excess(fit)) for fit in FITS}
        row |= {"EM - posterior": with_error(em - posterior), "median": f"{np.median(em - posterior):.3f}"}
        rows.append(row | {"posterior better": f"{(em > posterior).mean():.0%}"})
    return pd.DataFrame(rows)


def other_scores(results: Iterable[Results]) -> pd.DataFrame:
    """The same on the data's own unlabelled rows, and Brier scores on new rows."""
    rows = []
    for result in results:
        row = layout(result.cell)
        row |= {f"own rows: {NAMES[fit]}": f"{result.excess(fit, 'own_log_score').mean():.3f}" for fit in FITS}
        row |= {f"Brier: {NAMES[fit]}": f"{result.excess(fit, 'brier').mean():.3f}" for fit in FITS}
        rows.append(row)
    return pd.DataFrame(rows)


def calibration(results: Iterable[Results]) -> pd.DataFrame:
    """Calibration error, and how often rows that were called more than 99% sure are wrong."""
    rows = []
    for result in results:
        tables = {fit: result.reliability(fit) for fit in FITS}
        row = layout(result.cell)
        row |= {NAMES[fit]: f"{scoring.calibration_error(t):.3f}" for fit, t in tables.items()}
        for fit, t in tables.items():
            row[f">99%: {NAMES[fit]}"] = f"{t[0, SURE] / t[0].sum():.0%} of rows, {wrong_of_sure(t):.1%} wrong"
        rows.append(row)
    return pd.DataFrame(rows)


def wrong_of_sure(table: np.ndarray) -> float:
    """How many of the rows that are called more than 99% sure are in another group; NaN where none is."""
    return float(1 - table[2, SURE] / table[0, SURE]) if table[0, SURE] else float("nan")


def coverage_of(result: Results, kind: str, part: str) -> tuple[np.ndarray, float, int]:
    """Coverage by level (3,) of the intervals that there are, median length at 95%, data sets without any."""
    ends, truth, asked = result.ends(kind)
    if not len(ends):
        return np.full(3, np.nan), np.nan, asked
    own = ends[:, PARTS[part]]
    inside = scoring.covered(own, truth[:, PARTS[part]]).mean(axis=(0, 1))
    return inside, float(np.median(scoring.lengths(own)[..., -1])), asked - len(ends)


def wilson(share: float, n: int) -> tuple[float, float]:
    """A 95% interval of a share that was seen in ``n`` data sets."""
    if not n:
        return np.nan, np.nan
    found = binomtest(round(share * n), n).proportion_ci(method="wilson")
    return min(found.low, share), max(found.high, share)


def coverage(results: Iterable[Results], part: str) -> pd.DataFrame:
    """Coverage of 50/80/95% intervals, median length at 95%, data sets that have none."""
    rows = []
    for result in results:
        row = layout(result.cell)
        for kind in INTERVALS:
            inside, length, without = coverage_of(result, kind, part)
            cell = "none" if np.isnan(inside).any() else f"{' / '.join(f'{100 * c:.0f}' for c in inside)}, {length:.2f}"
            row[kind] = cell + (f" ({without} without)" if without else "")
        rows.append(row)
    return pd.DataFrame(rows)


def share(result: Results, key: str, place: str) -> float:
    """How often EM stops there, with all starts (``kept``) or one (``first``)."""
    return float(np.mean([record["em"][key] == place for record in result.records]))


PLACES = {
    "spike": "spike",
    "above": "a higher likelihood far from the truth",
    "below": "a lower likelihood than known",
}
"""Where EM goes wrong: see :func:`reports.em_against_mcmc.contestants.place`."""


def failures(results: Iterable[Results]) -> pd.DataFrame:
    """How often EM fails, with 20 starts, with one, and start by start."""
    rows = []
    for result in results:
        row = layout(result.cell)
        for name, key in (("20 starts", "kept"), ("1 start", "first")):
            row |= {f"{name}: {place}": f"{share(result, key, place):.0%}" for place in PLACES}
        row |= {"EM, 20 starts": with_error(result.excess("em"))}
        first = np.array([record["em"]["first_log_score"] for record in result.usable])
        row |= {"EM, 1 start": with_error(first - result.values("truth", "log_score"))}
        spikes, worse = (sum(r["em"][key] for r in result.records) for key in ("spikes", "worse_starts"))
        starts = EM["n_starts"] * len(result.records)
        row["any start: spike / worse"] = f"{spikes / starts:.0%} / {worse / starts:.0%}"
        rows.append(row)
    return pd.DataFrame(rows)


PROBLEMS = {
    "labels": ("labels",),
    "R-hat or ESS": ("r_hat", "ess_bulk", "ess_tail"),
    "divergences": ("divergences",),
    "modes": ("modes", "modes_unknown", "modes_left_out"),
}


def diagnostics(results: Iterable[Results]) -> pd.DataFrame:
    """What the posterior's own verdict says, and the scores where it is good and where it is not."""
    rows = []
    for result in results:
        row = layout(result.cell) | {"failed": sum("error" in r["posterior"] for r in result.records)}
        found = [r["posterior"]["problems"] for r in result.usable]
        row |= {name: f"{np.mean([bool(set(p) & set(own)) for p in found]):.0%}" for name, own in PROBLEMS.items()}
        told = np.array(["labels" not in p for p in found])
        for name, chosen in (("labels told apart", told), ("labels not told apart", ~told)):
            gap = (result.excess("em") - result.excess("posterior"))[chosen]
            row[f"EM - posterior, {name}"] = f"{gap.mean():.3f} ({len(gap)})" if len(gap) else ""
        row["several regions"] = f"{np.mean([r['posterior']['regions'] > 1 for r in result.usable]):.0%}"
        rows.append(row)
    return pd.DataFrame(rows)


def hard(results: Iterable[Results]) -> list[Results]:
    """The cells where groups overlap and rows are few, without labels."""
    return [r for r in results if not r.cell.labelled and r.cell.overlap >= 0.1 and r.cell.n <= 300]


def pooled(results: Iterable[Results]) -> pd.DataFrame:
    """Sure rows and 95% intervals over all data sets of the hard cells together."""
    chosen, rows = hard(results), []
    names = {"information": "EM", "bootstrap": "EM, bootstrap", "map": "MAP", "posterior": "posterior"}
    for kind, name in names.items():
        row: dict[str, Any] = {"": name, ">99% sure": "", "wrong of these": ""}
        if kind != "bootstrap":
            t = np.sum([r.reliability({"information": "em"}.get(kind, kind)) for r in chosen], axis=0)
            row[">99% sure"] = f"{t[0, SURE] / t[0].sum():.1%}"
            row["wrong of these"] = f"{wrong_of_sure(t):.1%}"
        found = [r.ends(kind) for r in chosen]
        ends, truth = (np.concatenate([f[i] for f in found]) for i in (0, 1))
        inside = scoring.covered(ends, truth)[..., -1]
        row |= {f"95% interval holds the {part}": f"{inside[:, where].mean():.1%}" for part, where in PARTS.items()}
        row["data sets with / without intervals"] = f"{len(ends)} / {sum(f[2] for f in found) - len(ends)}"
        rows.append(row)
    return pd.DataFrame(rows)


def verdicts(results: Iterable[Results]) -> pd.DataFrame:
    """How much worse EM's log score is than the posterior's, by what the posterior's diagnostics say, in all cells."""
    found = [
        (set(record["posterior"]["problems"]), record["em"]["log_score"] - record["posterior"]["log_score"])
        for result in results
        for record in result.usable
    ]
    groups = {
        "no problem": [gap for problems, gap in found if not problems],
        "labels cannot be told apart": [gap for problems, gap in found if "labels" in problems],
        "other problems alone": [gap for problems, gap in found if problems and "labels" not in problems],
    }
    return pd.DataFrame(
        [
            {"verdict": name, "fits": len(gaps), "EM - posterior, mean": f"{np.mean(gaps):.3f}"}
            | {"median": f"{np.median(gaps):.4f}"}
            for name, gaps in groups.items()
            if gaps
        ]
    )


def longer(results: Iterable[Results], repeated: Mapping[str, Sequence[Record]]) -> pd.DataFrame:
    """The posterior's log scores by the chains of the study and by longer ones, on the same data sets."""
    rows = []
    for result in results:
        first = {record["number"]: record for record in result.usable}
        again = [record for record in repeated.get(result.cell.name, ()) if record["number"] in first]
        if not again:
            continue
        best = np.array([first[record["number"]]["truth"]["log_score"] for record in again])
        short = np.array([first[record["number"]]["posterior"]["log_score"] for record in again]) - best
        long = np.array([record["posterior"]["log_score"] for record in again]) - best
        em = np.array([first[record["number"]]["em"]["log_score"] for record in again]) - best
        row = layout(result.cell) | {"sets": len(again), "EM": f"{em.mean():.3f}"}
        row |= {"posterior": f"{short.mean():.3f}", "longer chains": f"{long.mean():.3f}"}
        row |= {"largest change": f"{np.abs(long - short).max():.3f}"}
        found = sorted({name for record in again for name in record["posterior"]["problems"]})
        counts = [sum(name in record["posterior"]["problems"] for record in again) for name in found]
        row["problems left"] = ", ".join(f"{name} {n}" for name, n in zip(found, counts, strict=True)) or "none"
        rows.append(row)
    return pd.DataFrame(rows)
