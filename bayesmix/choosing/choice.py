"""The result of a choice: one row per candidate, what the rows say of K, which is best, and by which route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesmix.choosing import nobile
from bayesmix.choosing.by_em import Numbers
from bayesmix.choosing.candidates import Candidate
from bayesmix.choosing.prior_of_k import log_prior_of_k
from bayesmix.multimodality.maxima import NEGLIGIBLE

SMALLER_IS_BETTER, LARGER_IS_BETTER = -1, 1
ROUTES = {
    "bic": ("BIC", SMALLER_IS_BETTER),
    "icl": ("ICL", SMALLER_IS_BETTER),
    "aic": ("AIC", SMALLER_IS_BETTER),
    "held_out": ("held-out density", LARGER_IS_BETTER),
    "elpd_loo": ("leave-one-out", LARGER_IS_BETTER),
    "probability": ("evidence", LARGER_IS_BETTER),
}
"""Columns by which a candidate can be chosen: their names in words, and which end is better."""
EM_COLUMNS = ("log_likelihood", "reached", "df", "bic", "icl", "aic", "held_out")
DRAWS_COLUMNS = ("elpd_mcse", "pareto_k", "log_evidence", "log_evidence_error")


@dataclass(frozen=True, eq=False)
class Choice:
    """Candidates side by side.

    Attributes
    ----------
    candidates : sequence of Candidate
        Each mixture with its priors in numbers.
    records : sequence of dict
        What was found of each.
    prior : {"uniform", "bnb"} or mapping
        p(K), over the numbers of components that were asked about.
    notes : tuple of str
        What holds for all: which priors, how many folds.
    """

    candidates: Sequence[Candidate]
    records: Sequence[Numbers]
    prior: str | Mapping[int, float]
    notes: tuple[str, ...] = ()

    @property
    def sampled(self) -> bool:
        """Whether there are columns of posteriors."""
        return any("log_evidence" in record for record in self.records)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per candidate, called by its number of components (and its covariance, where several are compared).

        ``n_components, kind``; of EM: ``log_likelihood, reached`` (the share of starts that came to it), ``df, bic,
        icl, aic`` (smaller is better), ``held_out`` (log-density of every row under EM's fit without its fold, summed).
        Of the posterior: ``elpd_loo, elpd_se, elpd_diff, elpd_diff_se`` (against the best; the errors are those of so
        few rows, ``elpd_mcse`` is that of so few draws), ``pareto_k`` (the largest; rows with one above 0.7 are fitted
        without, where these are few, and do not count),
        ``log_evidence, log_evidence_error, nobile, nobile_error`` (a second estimate of the same),
        ``probability, probability_error`` (of the candidate, given the rows and p(K)), ``established, draws_ok,
        model_ok``.
        """
        rows = pd.DataFrame([{v: record.get(v, np.nan) for v in EM_COLUMNS} for record in self.records])
        rows.index = pd.Index([c.name for c in self.candidates], name="candidate")
        rows.insert(0, "n_components", [c.n_components for c in self.candidates])
        rows.insert(1, "kind", [c.kind for c in self.candidates])
        rows["df"] = rows["df"].astype("Int64")
        if not self.sampled:
            return rows
        rows[["elpd_loo", "elpd_se", "elpd_diff", "elpd_diff_se"]] = self._left_out()
        for name in DRAWS_COLUMNS:
            rows[name] = [float(record.get(name, np.nan)) for record in self.records]
        rows[["nobile", "nobile_error"]] = self._nobile()
        rows["probability"], rows["probability_error"] = self.probabilities
        rows["established"] = [record.get("established", False) for record in self.records]
        rows["draws_ok"] = [record.get("ok", False) for record in self.records]
        rows["model_ok"] = [record.get("model_ok") for record in self.records]
        return rows

    def _left_out(self) -> np.ndarray:
        """elpd with its error, and the difference from the best with its own, by row: (candidates, 4)."""
        n = max(len(record.get("elpd", ())) for record in self.records)
        by_row = np.array([record.get("elpd", np.full(n, np.nan)) for record in self.records], dtype=float)
        total = by_row.sum(axis=1)
        difference = by_row - by_row[np.nanargmax(total)]
        error = [np.sqrt(n) * a.std(axis=1, ddof=1) if n > 1 else np.full(len(a), np.nan) for a in (by_row, difference)]
        return np.column_stack([total, error[0], difference.sum(axis=1), error[1]])

    def _nobile(self) -> np.ndarray:
        """The second estimate of every evidence and its error, (candidates, 2)."""
        found = np.full((len(self.records), 2), np.nan)
        for kind in dict.fromkeys(c.kind for c in self.candidates):
            own = [i for i, c in enumerate(self.candidates) if c.kind == kind and "log_evidence" in self.records[i]]
            records = [{**self.records[i], "n_components": self._numbers[i]} for i in own]
            for record, i, before in zip(records[1:], own[1:], own[:-1], strict=True):
                alike = nobile.same_components(self.candidates[i].spec, self.candidates[before].spec)
                record["step_established"] = record.get("step_established", False) and alike
            found[own] = nobile.chained(records)
        return found

    @property
    def _numbers(self) -> list[int]:
        return [c.n_components for c in self.candidates]

    @cached_property
    def probabilities(self) -> tuple[np.ndarray, np.ndarray]:
        """p(candidate | y) and its error: of K by its prior, of several kinds each as probable as another.

        NaN where the evidence of a candidate is missing.
        """
        evidence, errors = self._evidence
        if not np.isfinite(evidence).all():
            return np.full(len(evidence), np.nan), np.full(len(evidence), np.nan)
        numbers = sorted(set(self._numbers))
        of_k = dict(zip(numbers, log_prior_of_k(self.prior, numbers), strict=True))
        log_p = evidence + [of_k[K] for K in self._numbers]
        p = np.exp(log_p - np.logaddexp.reduce(log_p))
        slope = p[:, None] * (np.eye(len(p)) - p)
        return p, np.sqrt((slope**2) @ errors**2)

    @property
    def _evidence(self) -> tuple[np.ndarray, np.ndarray]:
        values = [[float(record.get(v, np.nan)) for record in self.records] for v in DRAWS_COLUMNS[-2:]]
        return np.array(values[0]), np.array(values[1])

    @cached_property
    def posterior(self) -> pd.DataFrame:
        """What the rows say of the number of components: one row per K from 1.

        ``prior`` p(K); ``probability, probability_error`` of K components; ``occupied, occupied_error`` of K+
        components that have rows; ``modes, modes_error`` of the modes of the density, for measured columns. Kinds are
        summed over. Empty where nothing was sampled.
        """
        if not self.sampled:
            return pd.DataFrame()
        p, _ = self.probabilities
        _, errors = self._evidence
        most, numbers = max(self._numbers), sorted(set(self._numbers))
        index = pd.Index(range(1, most + 1), name="components")
        is_k = np.array(self._numbers)[:, None] == index.to_numpy()
        found = pd.DataFrame({"prior": 0.0}, index=index)
        found.loc[numbers, "prior"] = np.exp(log_prior_of_k(self.prior, numbers))
        found["probability"], found["probability_error"] = _mixed(p, is_k.astype(float), errors, 0.0 * is_k)
        for name in ("occupied", "modes"):
            if any(name in record for record in self.records):
                shares, mcse = (self._by_number(v, most) for v in (name, f"{name}_error"))
                found[name], found[f"{name}_error"] = _mixed(p, shares, errors, mcse)
        return found

    def _by_number(self, name: str, most: int) -> np.ndarray:
        return np.array(
            [np.pad(record.get(name, []), (0, most - len(record.get(name, [])))) for record in self.records]
        )

    @cached_property
    def routes(self) -> dict[str, str]:
        """The candidate that each route chooses, by the route's column; those that are not defined are left out."""
        chosen = {}
        for column, (_, sign) in ROUTES.items():
            if column in self.table and self.table[column].notna().any():
                chosen[column] = str((sign * self._sound[column]).idxmax())
        return chosen

    @property
    def _sound(self) -> pd.DataFrame:
        """The table without what EM's spikes say: their likelihood has no bound."""
        sound = self.table.copy()
        spikes = [bool(record["reasons"]) for record in self.records]
        if not all(spikes):
            sound.loc[spikes, ["log_likelihood", "bic", "icl", "aic"]] = np.nan
        return sound

    @property
    def best_name(self) -> str:
        """The row of :attr:`best`."""
        return self.routes.get("probability", self.routes["bic"])

    @property
    def best(self) -> Candidate:
        """The most probable candidate; where nothing was sampled, that of the smallest BIC."""
        return next(c for c in self.candidates if c.name == self.best_name)

    @property
    def best_record(self) -> Numbers:
        """What was found of :attr:`best`."""
        return self.records[list(self.table.index).index(self.best_name)]

    def together(self, name: str) -> np.ndarray | None:
        """Probability of every two rows to be in one component of this candidate, (n, n); None where it is not kept."""
        kept = self.records[list(self.table.index).index(name)].get("together")
        if kept is None:
            return None
        n = len(self.candidates[0].data)
        found = np.eye(n)
        found[np.triu_indices(n, 1)] = np.array(kept) / 100
        return np.maximum(found, found.T)

    @property
    def ok(self) -> bool:
        """Whether the draws of every candidate that counts can be trusted, and its evidence is established.

        Where nothing was sampled: whether EM converged, for all candidates.
        """
        if not self.sampled:
            return all(record["converged"] and not record["reasons"] for record in self.records)
        counts = ~(self.table["probability"] < NEGLIGIBLE)
        return bool((self.table["draws_ok"] & self.table["established"])[counts].all())

    @property
    def model_ok(self) -> bool | None:
        """Whether the data refute the best candidate; None where that was not looked at."""
        return self.best_record.get("model_ok")

    def __str__(self) -> str:
        from bayesmix.choosing.words import as_text

        return as_text(self)


def _mixed(p: np.ndarray, shares: np.ndarray, errors: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """sum_c p_c s_cj, and its error from those of log evidences and of the shares themselves."""
    mean = p @ shares
    slope = p[:, None] * (shares - mean)
    return mean, np.sqrt(errors**2 @ slope**2 + p**2 @ own**2)
