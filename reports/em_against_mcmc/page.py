"""RESULTS.md: the command, the tables, the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from benchmarks.environment import describe
from benchmarks.markdown import machine
from reports.em_against_mcmc import pictures, tables
from reports.em_against_mcmc.contestants import EM, LONGER, NUTS, REFITS
from reports.em_against_mcmc.design import Cell, spec_of
from reports.em_against_mcmc.study import BOOTSTRAP_EVERY, Record, Study
from reports.em_against_mcmc.tables import Results

FINDING = Path(__file__).parent / "FINDING.md"
"""The finding in words, written by hand from the figures of the committed run."""
HEAD = """# What EM gets wrong, measured

`uv run python -m reports.em_against_mcmc --sims {sims}` · {date} · seed {seed} · {done} data sets done,
{least} to {most} of {sims} per cell{rest}

{machine}

"""
DESIGN = """## What was done

Two Gaussian groups on a line. For every data set the truth is drawn anew: the weight of one group uniform on (0.3,
0.7), the logarithms of the standard deviations Normal(0, 0.25), the means so far apart that the rule of the true
parameters puts exactly 1%, 10% or 20% of rows into the wrong group (*overlap*). *labelled*: the share of rows, drawn
at random, whose group is told.

* **EM**: `bm.fit_em`, maximum likelihood, {em[n_starts]} starts; probabilities of groups at its estimates.
* **MAP**: the mode of the posterior density of the same priors, climbed from EM's solutions. Against EM it shows
  what the prior does, against the posterior what averaging over the parameters does.
* **posterior**: `bm.sample`, {nuts[chains]} chains of {nuts[draws]} draws; the mean of the probabilities over the
  draws.

Fairness. MAP and the posterior share the library's default priors, resolved once per overlap on a large sample of
100 truths and never on the data set that is fitted; nobody is told the law of the truths, and it is not the prior:
that the posterior is calibrated where it is has been measured elsewhere (`benchmarks/calibration`), here it has to
stand a truth that it did not expect. All see the same rows and are scored on the same 1,000 new rows of the same
truth (and on the data's own unlabelled rows). Components are named, for all in the same way, after the group with
which they agree most under the true parameters; where rows are labelled, the labels name them. Fits whose
diagnostics complain are in every figure and are counted below; none was run again with longer chains. Scores are
given above those of the true parameters: 0 is the best possible.

Priors: {priors}
"""


def write(study: Study, cells: Sequence[Cell], folder: Path) -> None:
    """RESULTS.md and the pictures of what there is."""
    results = [Results(cell, study.done(cell)) for cell in cells]
    results = [result for result in results if result.usable]
    if results:
        (folder / "RESULTS.md").write_text(page(results, study.repeated(cells), seed=study.seed), encoding="utf-8")
        pictures.draw(results, folder)


def page(results: Sequence[Results], repeated: Mapping[str, Sequence[Record]], *, seed: int, sims: int = 200) -> str:
    """The whole of RESULTS.md."""
    counts = [len(result.records) for result in results]
    hours = sum(record["seconds"] for result in results for record in result.records) / 3600
    environment = describe("", one_thread=True)
    head = HEAD.format(
        sims=sims,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        seed=seed,
        done=sum(counts),
        least=min(counts),
        most=max(counts),
        rest=f", {hours:.1f} hours of a shared core",
        machine=machine(environment),
    )
    priors = "; ".join(f"overlap {o:.0%}: {_priors(o)}" for o in sorted({r.cell.overlap for r in results}))
    design = DESIGN.format(em=EM, nuts=NUTS, priors=priors)
    finding = FINDING.read_text(encoding="utf-8") if FINDING.exists() else ""
    return "\n".join(
        [head + finding, design, *(_section(*section) for section in sections(results, repeated) if len(section[2]))]
    )


def _priors(overlap: float) -> str:
    chosen = spec_of(overlap).priors
    return ", ".join(
        f"{key} {prior.distribution}({', '.join(f'{v.ravel()[0]:.3g}' for v in prior.parameters.values())})"
        for key, prior in chosen.items()
        if key != "correlations"
    )


def sections(
    results: Sequence[Results], repeated: Mapping[str, Sequence[Record]]
) -> list[tuple[str, str, pd.DataFrame]]:
    """Title, what the table shows, the table."""
    return [
        (
            "Log score",
            "Mean of -log P(true group) on new rows, above that of the true parameters, ± its standard error over data "
            "sets; *EM - posterior*: mean and median difference on the same data sets, positive where the posterior is "
            "better.\n\n![Log score](log_score.png)",
            tables.scores(results),
        ),
        (
            "The hard cells together",
            "Overlap of 10% and 20%, up to 300 rows, no labels: new rows that are called more than 99% sure, and 95% "
            "intervals.",
            tables.pooled(results),
        ),
        ("Own rows, Brier score", "Means above those of the true parameters.", tables.other_scores(results)),
        (
            "Calibration",
            "Mean |stated probability of the more probable group - share of rows that are in it|, over seven bins that "
            "pool the data sets of a cell, and the rows called more than 99% sure. In the picture the area of a mark "
            "says how many rows are stated to be so sure.\n\n![Reliability](reliability.png)",
            tables.calibration(results),
        ),
        *(
            (
                f"Intervals for the {part}",
                "Coverage of 50 / 80 / 95% intervals in percent, median length at 95%. *information*: EM's estimate "
                f"± z standard errors; *bootstrap*: percentiles of {REFITS} refits, for every data set whose number "
                f"is a multiple of {BOOTSTRAP_EVERY}; *map*: from the curvature; *posterior*: equal tails. *without*: "
                "data sets for which there is no interval (spikes, singular information)."
                + ("\n\n![Coverage](coverage.png)" if part == "weight" else ""),
                tables.coverage(results, part),
            )
            for part in tables.PARTS
        ),
        (
            "Where EM stops",
            "*spike*: an unbounded likelihood, or a group of two rows; *above*: a sound solution with a higher "
            "likelihood than the one that EM reaches from the true parameters: the maximum of the likelihood is "
            "elsewhere, and no number of starts would help; *below*: one with a lower likelihood, a worse mode. The "
            "rest stops next to the truth. *1 start*: Ward's hierarchy. Then the log scores of both, and of all single "
            "starts how many end in a spike, or soundly but below the best known.\n\n![Failures](failures.png)",
            tables.failures(results),
        ),
        (
            "What the posterior says of itself",
            "Share of fits with each problem in `bm.diagnose`: R-hat < 1.01 and ESS > 400 are asked of "
            f"{NUTS['chains'] * NUTS['draws']:,} draws.",
            tables.diagnostics(results),
        ),
        ("Who is better, by that verdict", "Log scores on new rows, all cells.", tables.verdicts(results)),
        (
            "Whether longer chains would change it",
            f"`--longer N`: the first N data sets of every cell again with {LONGER['chains']} chains of "
            f"{LONGER['draws']:,} draws; mean log scores above those of the true parameters, on these sets.",
            tables.longer(results, repeated),
        ),
    ]


def _section(title: str, about: str, table: pd.DataFrame) -> str:
    head = ["| " + " | ".join(table.columns) + " |", "|" + "---|" * len(table.columns)]
    body = ["| " + " | ".join(str(value) for value in row) + " |" for row in table.to_numpy()]
    return f"## {title}\n\n{about}\n\n" + "\n".join(head + body) + "\n"
