"""A choice in words: what each route chooses, whether they agree, and why not where they do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesmix.choosing.choice import EM_COLUMNS, ROUTES, Choice
from bayesmix.multimodality.thresholds import PARETO_K

STANDARD_ERRORS, NEXT_TO_NOTHING = 2.0, 1.0
"""By leave-one-out what is within so many standard errors of the best cannot be told from it, nor can what makes all
rows together less than e times as probable."""
BARE_MENTION = 3.0
"""Odds up to this are not worth more than a bare mention (Kass and Raftery 1995,
doi:10.1080/01621459.1995.10476572)."""
APART_ERRORS = 3.0
"""Two estimates that differ by more of their standard errors contradict each other."""
ONE_OF = 20
"""Where no more than one of so many starts came to EM's best, there may be a better one."""
LOO_IS_FLAT = (
    "It asks how well new rows are predicted. Once the density is right, a further component changes next to nothing: "
    "it says how many components suffice, not how many groups there are."
)
EVIDENCE_IS_FLAT = (
    "A component that the rows do not need stays nearly empty and costs little. How little, and so p(K | y), is up to "
    "the priors of weights and components; read p(K+ | y), of the components that have rows."
)
EVIDENCE_AND_LOO = (
    "The evidence asks how well the mixture with its priors foretells all rows from the first on, leave-one-out how "
    "well it foretells one when the others are known: priors weigh in the former, hardly in the latter."
)
WHY = {
    "probability": (
        "BIC stands for the evidence of a regular model. A mixture with more components than the rows need is none, "
        "and BIC then takes off too much; nor does it know the priors."
    ),
    "icl": (
        "ICL asks for groups that are apart, and so for fewer where several components make up one shape, or overlap."
    ),
    "aic": "AIC takes off the same for a parameter however many rows there are, and so tends to keep too many.",
}
"""Why a route differs from BIC."""
PLUGGED_IN = (
    "Held-out density takes EM's estimates without a part of the rows as if they were known: where components have few "
    "rows that is far too sure, and leave-one-out, which averages over the posterior, is the better judge."
)


def routes_in_words(choice: Choice) -> str:
    """What each route chooses, those that agree together."""
    by_name: dict[str, list[str]] = {}
    for column, name in choice.routes.items():
        by_name.setdefault(name, []).append(ROUTES[column][0])
    if len(by_name) == 1 and len(choice.routes) > 1:
        return f"All routes choose {_called(next(iter(by_name)))}: {_listed(next(iter(by_name.values())))}."
    parts = [f"{_listed(routes)}: {_called(name)}" for name, routes in by_name.items()]
    return f"The routes do not agree. {'; '.join(parts)}."


def reasons(choice: Choice) -> list[str]:
    """Why the routes differ here, or cannot tell; empty where all agree and nothing is flat."""
    found, routes = [], choice.routes
    close, flat = close_by_loo(choice), flat_evidence(choice)
    if close:
        best = _called(routes["elpd_loo"])
        found.append(f"Leave-one-out hardly tells {_names(close)} from {best}. {LOO_IS_FLAT}")
    if flat:
        best = _called(routes["probability"])
        odds = f"within a factor of {BARE_MENTION:g} of that of {best}"
        found.append(f"The evidence is flat: that of {_names(flat)} is {odds}. {EVIDENCE_IS_FLAT}")
    if "elpd_loo" in routes and "probability" in routes and routes["elpd_loo"] not in (routes["probability"], *flat):
        found.append(EVIDENCE_AND_LOO)
    found += [why for column, why in WHY.items() if column in routes and routes[column] != routes.get("bic")]
    if "elpd_loo" in routes and routes.get("held_out", routes["elpd_loo"]) not in (routes["elpd_loo"], *close):
        found.append(PLUGGED_IN)
    return found


def close_by_loo(choice: Choice) -> list[str]:
    """Candidates that leave-one-out cannot tell from the best."""
    if "elpd_loo" not in choice.routes:
        return []
    table = choice.table.drop(index=choice.routes["elpd_loo"])
    reach = np.maximum(STANDARD_ERRORS * table["elpd_diff_se"], NEXT_TO_NOTHING)
    return [str(name) for name in table.index[-table["elpd_diff"] <= reach]]


def flat_evidence(choice: Choice) -> list[str]:
    """Candidates whose evidence is about that of the most probable, whatever p(K)."""
    if "probability" not in choice.routes:
        return []
    evidence, best = choice.table["log_evidence"], choice.routes["probability"]
    gap = (evidence.drop(index=best) - float(evidence.loc[best])).abs()
    return [str(name) for name in gap.index[gap < np.log(BARE_MENTION)]]


def numbers_in_words(choice: Choice) -> list[str]:
    """How many components have rows, and how many modes the density has, where that is known."""
    told = {"occupied": "Components that have rows", "modes": "Modes of the density, that is clusters"}
    found, sentences = choice.posterior, []
    for name, what in told.items():
        if name in found and found[name].notna().all():
            best = int(found[name].to_numpy().argmax())
            p, error = (float(found[v].iloc[best]) for v in (name, f"{name}_error"))
            sentences.append(f"{what}: most probably {best + 1}, with probability {p:.2f} (+- {error:.1g}).")
    return sentences


def cautions(choice: Choice) -> list[str]:
    """What of the table cannot be relied on."""
    table, found = choice.table, []
    spikes = [c.name for c, record in zip(choice.candidates, choice.records, strict=True) if record["reasons"]]
    if spikes:
        found.append(f"EM found nothing but spikes for {_names(spikes)}: their likelihoods and criteria mean nothing.")
    lucky = [name for name in table.index[table["reached"] <= 1 / ONE_OF] if name not in spikes]
    if lucky:
        found.append(f"Hardly a start found EM's best for {_names(lucky)}: there may be a better one.")
    ends = {table["n_components"].min(), table["n_components"].max()} - {1}
    at_end = [ROUTES[v][0] for v, name in choice.routes.items() if table["n_components"].loc[name] in ends]
    if at_end and table["n_components"].nunique() > 1:
        found.append(f"The choice by {_listed(at_end)} is at an end of the range that was asked about: ask for more.")
    for record, c in zip(choice.records, choice.candidates, strict=True):
        if "error" in record:
            found.append(f"{_called(c.name)} could not be sampled: {record['error']}")
    if choice.sampled:
        found += _of_draws(table)
    return found


def _of_draws(table: pd.DataFrame) -> list[str]:
    found = []
    doubtful = list(table.index[~table["draws_ok"].astype(bool)])
    if doubtful:
        found.append(f"The draws cannot be trusted yet for {_names(doubtful)}.")
    unknown = list(table.index[~table["established"].astype(bool)])
    if unknown:
        found.append(f"The evidence is not established for {_names(unknown)}, and so no p(K | y) is.")
    long_tails = list(table.index[table["pareto_k"] > PARETO_K])
    if long_tails:
        found.append(f"A row's leave-one-out density is unreliable (Pareto k > {PARETO_K:g}) for {_names(long_tails)}.")
    error = np.hypot(table["log_evidence_error"], table["nobile_error"])
    apart = list(table.index[(table["log_evidence"] - table["nobile"]).abs() > APART_ERRORS * error])
    if apart:
        found.append(f"The two estimates of the evidence contradict each other for {_names(apart)}.")
    refuted = list(table.index[table["model_ok"].eq(False)])
    if refuted:
        found.append(f"The data refute the model with {_names(refuted)}: its evidence is that of a wrong model.")
    return found


def as_text(choice: Choice) -> str:
    """Tables and sentences."""
    lines = [_table(choice.table[["n_components", "kind", *EM_COLUMNS]])]
    if choice.sampled:
        rest = [v for v in choice.table.columns if v not in (*EM_COLUMNS, "n_components", "kind")]
        lines += [_table(choice.table[rest[:8]]), _table(choice.table[rest[8:]]), _table(choice.posterior)]
    sentences = [routes_in_words(choice), *reasons(choice), *numbers_in_words(choice)]
    lines.append("\n".join(s for s in sentences if s))
    lines.append("\n".join([*(f"Caution: {text}" for text in cautions(choice)), *choice.notes]))
    return "\n\n".join(line for line in lines if line)


def _table(table: pd.DataFrame) -> str:
    shown = table.drop(columns=[v for v in ("kind", "n_components") if v in table], errors="ignore")
    return shown.to_string(float_format=lambda v: f"{v:.3f}", na_rep="-")


def _called(name: str) -> str:
    return f"K = {name}"


def _names(names: Sequence[str]) -> str:
    return f"K = {_listed(names)}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
