"""EM's starts: on which rows they begin, where each start ended, which ends are one solution, which is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesmix.estep import responsibilities
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture import scalars
from bayesmix.mixture.estimates import canonical_order, reorder
from bayesmix.mixture.permutations import best_permutations
from bayesmix.parts.part import Params

SAME_MODE = 1e-5
"""Two solutions may be one where log-likelihoods differ by less than SAME_MODE (1 + |L|), ..."""
SAME_AGREEMENT = 0.995
"""... and are, where their responsibilities agree to this degree, up to labels."""
COMPARED_ROWS = 1000
FEW_ROWS, FEW_PER_PARAMETER, MOST_FEW_ROWS = 5_000, 4, 20_000
"""Starts are iterated over so many rows, or so many for each free parameter, where there are more."""
WITHIN_REACH = 50.0
"""Solutions further than this and twice the number of parameters below the best, in L, are not carried on."""
LEAST_LABELLED = 50
"""So many labelled rows of every class are among the few, where there are so many."""


@dataclass(frozen=True, eq=False)
class StartResult:
    """One start, carried to its end.

    ``n_iter``: E-steps spent on it. ``own``: False where the end was taken over from another start that reached the
    same solution; those share one ``params`` object. ``left``: given up, since it would not have become the best.
    ``path``: the parameters at every entry of ``history``, where they were to be kept.
    """

    kind: str
    params: Params
    history: np.ndarray
    converged: bool
    reasons: tuple[str, ...]
    n_iter: int
    own: bool = True
    left: bool = False
    path: tuple[Params, ...] = ()

    @property
    def log_likelihood(self) -> float:
        """L at the end."""
        return float(self.history[-1])

    def at(self, end: StartResult) -> StartResult:
        """The start at another's end."""
        return replace(end, kind=self.kind, n_iter=self.n_iter, own=False)


def few_rows(likelihood: Likelihood, rng: np.random.Generator) -> Likelihood:
    """The likelihood over a random sample of its rows, labelled rows in proportion; over all where they are few enough.

    Rows without weight are left out. Where the sample cannot tell the covariates' effects apart, all rows are kept.
    """
    n = min(max(FEW_ROWS, FEW_PER_PARAMETER * likelihood.n_parameters), MOST_FEW_ROWS)
    if len(likelihood.data) <= n:
        return likelihood
    shuffled = rng.permutation(np.flatnonzero(likelihood.row_weights > 0))
    label = np.where(likelihood.data.labelled, likelihood.evidence.argmax(axis=1), -1)[shuffled]
    by_label = shuffled[np.argsort(label, kind="stable")]
    picked = by_label[evenly(len(by_label), n)]
    rare = [shuffled[label == k][:LEAST_LABELLED] for k in range(len(likelihood.components))]
    few = likelihood.rebind(likelihood.data.take(np.unique(np.concatenate([picked, *rare]))))
    lost = any(np.linalg.matrix_rank(X / X.abs().max().clip(1e-300)) < X.shape[1] for X in few.design.values())
    return likelihood if lost else few


def best_result(results: Sequence[StartResult]) -> int:
    """The best one that is not degenerate. Where none is: the best that came to an end, which no spike does.

    Of equals, the one that came by itself.
    """
    usable = [i for i, result in enumerate(results) if not result.reasons]
    usable = usable or [i for i, result in enumerate(results) if result.converged] or list(range(len(results)))
    return max(usable, key=lambda i: (results[i].log_likelihood, results[i].own))


def similarity(q: np.ndarray, r: np.ndarray, groups: np.ndarray) -> float:
    """How far two sets of responsibilities (n, K) agree up to labels: 1 where they are proportional, NaN for spikes."""
    agreement = r.T @ q
    order = best_permutations(agreement[None], groups)[0]
    with np.errstate(invalid="ignore"):
        return float(agreement[order, np.arange(len(order))].sum() / np.sqrt((r**2).sum() * (q**2).sum()))


def merged(
    likelihood: Likelihood, results: Sequence[StartResult], groups: np.ndarray | None = None
) -> list[StartResult]:
    """The same, where those that reached one solution share the best end among them.

    Equal log-likelihoods do not suffice: groups may be split in two ways that are equally likely. Labels may switch
    within ``groups``, by default those that the label evidence leaves.
    """
    groups = likelihood.exchangeable if groups is None else groups
    rows = likelihood.evenly(COMPARED_ROWS)
    ends: list[tuple[StartResult, np.ndarray]] = []
    shared = list(results)
    for i in sorted(range(len(results)), key=lambda i: (-results[i].log_likelihood, not results[i].own)):
        if not np.isfinite(results[i].log_likelihood) or likelihood.spikes(results[i].params):
            continue
        r = responsibilities(rows, results[i].params)
        end = next((end for end, q in ends if _one(end, results[i]) and _alike(q, r, groups)), None)
        if end is None:
            ends.append((results[i], r))
        else:
            shared[i] = results[i].at(end)
    return shared


def _one(a: StartResult, b: StartResult) -> bool:
    gap = abs(a.log_likelihood - b.log_likelihood)
    return bool(a.reasons) == bool(b.reasons) and gap < SAME_MODE * (1 + abs(a.log_likelihood))


def _alike(q: np.ndarray, r: np.ndarray, groups: np.ndarray) -> bool:
    return similarity(q, r, groups) > SAME_AGREEMENT


def solutions(results: Sequence[StartResult]) -> list[tuple[StartResult, int]]:
    """One for each solution, with the number of starts that reached it; the best first."""
    counts = pd.Series([id(result.params) for result in results]).value_counts()
    ends = {id(result.params): result for result in sorted(results, key=lambda result: result.own)}
    ordered = sorted(ends.values(), key=lambda result: -result.log_likelihood)
    return [(result, int(counts[id(result.params)])) for result in ordered]


def starts_table(likelihood: Likelihood, results: Sequence[StartResult]) -> pd.DataFrame:
    """One row per start; the last columns are the free scalars where it ended, its components in canonical order."""
    distinct = solutions(results)
    number = {id(result.params): i + 1 for i, (result, _) in enumerate(distinct)}
    index = scalars.index_of(likelihood)
    ends = [_scalars(likelihood, result.params, index) for result, _ in distinct]
    table = pd.DataFrame(
        {
            **{
                v: [getattr(result, v) for result in results] for v in ("kind", "log_likelihood", "n_iter", "converged")
            },
            "degenerate": [bool(result.reasons) for result in results],
            "reasons": ["; ".join(result.reasons) for result in results],
            "left": [result.left for result in results],
            "solution": [number[id(result.params)] for result in results],
            "chosen": np.arange(len(results)) == (best_result(results) if results else -1),
        }
    )
    values = np.array([list(end.values()) for end in ends])[table["solution"].to_numpy() - 1]
    return pd.concat([table, pd.DataFrame(values, index=table.index, columns=list(ends[0]))], axis=1)


def _scalars(likelihood: Likelihood, params: Params, index: scalars.Index) -> dict[str, float]:
    with np.errstate(invalid="ignore", divide="ignore"):  # a spike may have no correlations
        named = likelihood.named(params)
    ordered = reorder(likelihood, named, canonical_order(likelihood, named))
    return {label: float(ordered[v][where]) for v, where, label in index}
