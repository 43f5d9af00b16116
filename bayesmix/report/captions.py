"""One sentence per picture: what to look for, and what it shows here, in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayesmix.likelihood.words import words_of
from bayesmix.multimodality.thresholds import PARETO_K
from bayesmix.plots.imputed import MOST_GAPPY
from bayesmix.report.blocks import Figure
from bayesmix.report.figures import KINDS
from bayesmix.report.fits import Fits
from bayesmix.report.text import fixed, listed, percent, plural, significant, whole

type Summary = Mapping[str, Any]


def figures(fits: Fits, summary: Summary, *names: str) -> list[Figure]:
    """The figures of these names that apply to these fits, with their captions."""
    there = {name: CAPTIONS[name] for name in names if KINDS[name].applies(fits)}
    return [illustrated(name, title, caption(fits, summary)) for name, (title, caption) in there.items()]


def illustrated(name: str, title: str, caption: str) -> Figure:
    """A figure whose text in place of the picture says what it shows here: what follows what to look for.

    Examples
    --------
    >>> illustrated("forest", "Intervals", "Marks should lie inside: 3 of 4 do.").alt
    'Intervals: 3 of 4 do.'
    """
    return Figure(name, f"{title}: {caption.partition(': ')[2] or caption}", caption)


def _data(fits: Fits, summary: Summary) -> str:
    caption = words_of(fits.likelihood).data_caption(fits.data, fits.likelihood.family.observation)
    if caption.endswith("zero"):
        return f"{caption}."
    labelled = fits.data.labelled.sum()
    tail = f"; {plural(labelled, 'row carries', 'rows carry')} a label." if labelled else ", without any label."
    return f"{caption}: {plural(len(fits.data), 'row')}{tail}"


def _imputed(fits: Fits, summary: Summary) -> str:
    n, most = summary["model"]["missing_cells"], int(np.isnan(fits.data.x).any(axis=0).sum())
    few = f" Shown are the {MOST_GAPPY} columns of {most} with most gaps." if most > MOST_GAPPY else ""
    if any(fits.likelihood.data.levels):
        return (
            f"What the fit says of {plural(n, 'missing cell')}, given the other answers of their rows: shares differ "
            "from the observed ones where some classes leave out more than others. Nothing was filled in for the fit."
            + few
        )
    return (
        f"What the fit says of {plural(n, 'missing cell')}, given the rest of their rows: intervals should run where "
        "the observed rows lie, and are wide where the group is open. Nothing was filled in for the fit." + few
    )


def _em_history(fits: Fits, summary: Summary) -> str:
    history = fits.em.history
    return (
        "The log-likelihood must never fall, by EM's own steps and by the quasi-Newton steps that follow where these "
        f"would crawl: here it rose from {fixed(history[0], 2)} to {fixed(history[-1], 2)} in "
        f"{plural(len(history) - 1, 'step')}."
    )


def _em_steps(fits: Fits, summary: Summary) -> str:
    history, last = fits.em.history, len(fits.em.history) - 1
    early = (history[min(2, last)] - history[0]) / max(history[-1] - history[0], 1e-300)
    return (
        "Each step shares the rows out among the components as they stand, then moves the components to their shares: "
        f"of the whole rise of the log-likelihood, {percent(early)} came in the first two of {plural(last, 'step')}."
    )


def _em_starts(fits: Fits, summary: Summary) -> str:
    starts = fits.em.starts
    best = int((starts["solution"] == starts.loc[starts["chosen"], "solution"].iloc[0]).sum())
    spikes = int(starts["degenerate"].sum())
    return (
        "Many starts at the same best height mean that the optimum is no accident: "
        f"{best} of {len(starts)} starts reached the solution that is kept, and {spikes} ran into a degenerate one."
    )


def _forest(fits: Fits, summary: Summary) -> str:
    table = fits.comparison.parameters
    inside = ((table["em"] >= table["lower"]) & (table["em"] <= table["upper"])).sum()
    return (
        "A mark for EM far from the middle of its interval shows where the maximum of the likelihood is not typical of "
        f"the posterior: {inside} of {len(table)} EM estimates lie inside the 90% interval."
        + " Intervals span separate modes, which group the rows differently."
        * fits.record.resampled
    )


def _traces(fits: Fits, summary: Summary) -> str:
    posterior = summary["posterior"]
    if fits.record.resampled:
        return (
            "Chains as they were made: each stays in its mode, so bands and ranks differ between modes and should "
            f"agree within one. The worst R-hat within a mode is {fixed(posterior['max_r_hat'], 3)}, the smallest bulk "
            f"ESS {whole(posterior['min_ess_bulk'])}."
        )
    return (
        "Chains should overlap like thick grass and their ranks be level: the worst R-hat of all is "
        f"{fixed(posterior['max_r_hat'], 3)}, the smallest bulk ESS {whole(posterior['min_ess_bulk'])}."
    )


def _pairs(fits: Fits, summary: Summary) -> str:
    n = summary["posterior"]["divergences"]
    marked = plural(n, "divergence is", "divergences are") if n else "no divergence is"
    return f"Narrow ridges, bends and separate islands are what makes sampling hard; {marked} marked."


def _components(fits: Fits, summary: Summary) -> str:
    table = fits.comparison.responsibilities
    responsibilities = {k: table[f"mean[{k}]"].to_numpy() for k in fits.likelihood.components}
    own = words_of(fits.likelihood).components_caption(fits.likelihood, responsibilities)
    if own is not None:
        return own
    widths = "the band" if fits.data.n_features == 1 else "the spread of the ellipses, each from one posterior draw,"
    weights = summary["posterior"]["parameters"]
    shares = [
        percent(weights[f"weights[{k}]"]["mean"], 0) for k in fits.likelihood.components if f"weights[{k}]" in weights
    ]
    mean_weights = f" The posterior mean weights are {listed(shares, most=12)}." if shares else ""
    known = f"{widths} shows how well they are known"
    several = " The draws come from separate modes, which group the rows differently." * fits.record.resampled
    return f"The components should follow the data, and {known}; dashed lines are EM's.{mean_weights}{several}"


def _structure(fits: Fits, summary: Summary) -> str:
    return words_of(fits.likelihood).structure_caption(fits.likelihood)


def _profile(fits: Fits, summary: Summary) -> str:
    text = "Columns whose marks lie apart tell the components from each other; intervals are 90%, crosses are EM's."
    ranking = summary["distinguishing"]
    top = [f"{row['feature']} ({row['component']})" for row in ranking if row["rank"] == 1]
    return text + (f" Each is told best by {listed(top, most=12)}." if top else "")


def _modes(fits: Fits, summary: Summary) -> str:
    rows = [m for m in summary["modes"] if m["region"] > 0]
    apart = {m["region"]: m["mass"] for m in rows}
    shares = [f"{significant(100 * m, 2)}%" if m is not None else "an unknown share" for m in apart.values()]
    if "round_trips" in summary["posterior"]:
        return (
            "Replica exchange crosses between all of these modes, and a mode's mass is the share of draws that climb "
            f"to it: {listed(shares)}."
        )
    grey = " Grey ones are left out." if len(rows) < len(summary["modes"]) else ""
    if len(apart) == 1 and all(m["region"] >= 0 for m in summary["modes"]):
        return f"Chains cross within a region, not between regions: all modes that matter are in one region here.{grey}"
    hold = f"the {len(apart)} regions hold" if len(apart) > 1 else "the one that they were sent to holds"
    return f"Chains cross within a region, not between regions: {hold} {listed(shares)} of the posterior mass.{grey}"


def _responsibilities(fits: Fits, summary: Summary) -> str:
    table = fits.comparison.responsibilities
    best = np.column_stack([table[f"mean[{k}]"] for k in fits.likelihood.components]).max(axis=1)
    unclear = int(((best < 0.9) & fits.open_rows).sum())
    return (
        "Rows in the middle belong to no group clearly, and their intervals show how much of that is parameter "
        f"uncertainty: {plural(unclear, 'row')} of {whole(int(fits.open_rows.sum()))} whose group the data leave open "
        f"{'gives' if unclear == 1 else 'give'} no group 90% probability."
    )


def _em_against_posterior(fits: Fits, summary: Summary) -> str:
    worst, flips = summary["comparison"]["largest_difference"], summary["comparison"]["flips"]
    if not worst:
        return "Points off the diagonal and far from zero are where EM and the posterior disagree."
    return (
        "Points off the diagonal and far from zero are where EM and the posterior disagree: the largest difference is "
        f"{fixed(abs(worst['sds']), 2)} posterior standard deviations ({worst['parameter']}), and "
        f"{plural(flips, 'row changes', 'rows change') if flips else 'no row changes'} group."
    )


def _calibration(fits: Fits, summary: Summary) -> str:
    scores = summary["scores"]
    return (
        "On the diagonal, what is said with 80% confidence is right in 80% of the rows: the mean gap is "
        f"{fixed(scores['em']['calibration_error'], 3)} for EM and "
        f"{fixed(scores['posterior']['calibration_error'], 3)} for the posterior."
    )


def _density(fits: Fits, summary: Summary) -> str:
    counts = [
        f"{significant(rows['outside'], 3)} outside the {percent(float(c), 0)} region "
        f"({significant(rows['expected'], 3)} expected)"
        for c, rows in summary["regions"].items()
    ]
    return (
        "As many rows should lie outside a region as the model expects there, and those outside should not crowd in "
        f"one place: of {plural(len(fits.data), 'row')} there are, averaged over draws, {listed(counts)}."
    )


def _outliers(fits: Fits, summary: Summary) -> str:
    first = summary["outliers"][0]
    return (
        "Left of the dotted line less than one of so many new rows is expected as far out; a row is odd far left of "
        f"it: as far out as row {first['row']} there would be {significant(first['expected'], 2)}."
    )


def _prior_predictive(fits: Fits, summary: Summary) -> str:
    statistics = summary["prior"]["predictive"]
    inside = sum(row["lower"] <= row["observed"] <= row["upper"] for row in statistics.values())
    return (
        "The data should look possible among what the prior expects, and the prior should not expect what cannot be: "
        f"{inside} of {plural(len(statistics), 'statistic')} of the data lie in the middle 90% of data sets from it."
    )


def _predictive(fits: Fits, summary: Summary) -> str:
    p = {name: row["p_value"] for name, row in summary["ppc"].items() if row["p_value"] is not None}
    odd = min(p, key=lambda name: min(p[name], 1 - p[name]))
    words = f"number of {odd}" if odd in ("zeros", "ones") else odd
    return (
        "The data should look like one more of the replicated data sets: of the statistics below the least typical is "
        f"the {words}, with a predictive p-value of {fixed(p[odd], 3)}."
    )


def _pareto_k(fits: Fits, summary: Summary) -> str:
    loo = summary["loo"]
    return (
        f"Rows above {PARETO_K} are too influential for leave-one-out by reweighting: "
        f"{whole(loo['pareto_k_bad'])} of {plural(len(fits.data), 'row')} are, the largest k is "
        f"{fixed(loo['pareto_k_max'], 2)}."
    )


CAPTIONS: dict[str, tuple[str, Callable[[Fits, Summary], str]]] = {
    "data": ("The data", _data),
    "imputed": ("Missing cells over the data", _imputed),
    "em_history": ("Log-likelihood over EM iterations", _em_history),
    "em_steps": ("EM step by step", _em_steps),
    "em_starts": ("Where every EM start ended", _em_starts),
    "forest": ("Posterior intervals with EM and MAP", _forest),
    "traces": ("Trace and rank plots by chain", _traces),
    "pairs": ("Posterior pair plot", _pairs),
    "components": ("Components over the data", _components),
    "structure": ("What the components are made of", _structure),
    "profile": ("Profile of the components", _profile),
    "modes": ("Posterior mass of the modes", _modes),
    "responsibilities": ("Responsibilities with 90% intervals", _responsibilities),
    "em_against_posterior": ("EM against the posterior", _em_against_posterior),
    "calibration": ("Calibration of EM and posterior", _calibration),
    "density": ("Density and highest-density regions", _density),
    "outliers": ("The least dense rows", _outliers),
    "prior_predictive": ("Prior predictive check", _prior_predictive),
    "predictive": ("Posterior predictive check", _predictive),
    "pareto_k": ("Pareto k of every row", _pareto_k),
}
"""By picture: its title, and what to look for."""
