"""The result of a calibration: ranks, coverage, what is not uniform, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from bayesmix.calibration import store, uniformity
from bayesmix.calibration.ranks import RANKED_DRAWS
from bayesmix.calibration.simulation import Line
from bayesmix.checks.problems import Problem
from bayesmix.mixture.spec import Mixture

CALIBRATION_LEVEL = 0.01
"""A right posterior is called wrong with at most this probability, over all quantities together."""
INTERVALS = (0.5, 0.8, 0.95)
FEWEST = 100
"""With fewer simulations all but the grossest mistakes stay hidden."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ranks of true quantities among posterior draws, over many simulations.

    Attributes
    ----------
    header : dict
        Spec, seed, settings of the fits, layout of the design, names of the quantities, versions, when it began.
    records : sequence of dict
        One per simulation: ``simulation, ranks, ess`` (the smallest), ``draws, problems`` (names, of the fit's
        diagnostics), ``seconds``; or ``error`` where the fit did not finish.
    """

    header: Mapping[str, Any]
    records: Sequence[Line]

    @property
    def spec(self) -> Mixture:
        """The mixture."""
        return Mixture.from_dict(self.header["spec"])

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """The rank, 0 to 255, of every quantity (columns) in every finished simulation (rows)."""
        finished = [record for record in self.records if "ranks" in record]
        index = pd.Index([record["simulation"] for record in finished], name="simulation")
        values = np.array([record["ranks"] for record in finished], dtype=int)
        names = list(self.header["quantities"])
        return pd.DataFrame(values.reshape(len(finished), len(names)), index=index, columns=names)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per quantity: ``p_value`` of uniform ranks, ``adjusted`` for their number, ``mean_rank``.

        The p-value is exact and looks at the whole distribution at once; ``mean_rank`` is divided by 255, one half
        where the posterior is right, larger where it lies too low.
        """
        n, L = len(self.ranks), RANKED_DRAWS
        gamma = [uniformity.statistic(a.to_numpy(), L) for _, a in self.ranks.items()]
        p = [uniformity.p_value(n, L, g) for g in gamma]
        adjusted = np.minimum(1.0, np.array(p) * len(p))
        columns = {"p_value": p, "adjusted": adjusted, "mean_rank": self.ranks.mean().to_numpy() / L}
        return pd.DataFrame(columns, index=self.ranks.columns)

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """How often central intervals hold the truth: columns (interval, ``observed`` | ``expected`` | ``error``).

        Intervals end between draws: ``expected`` is the exact probability of the ranks that lie inside, ``error`` the
        binomial standard error at it.
        """
        n, places = len(self.ranks), RANKED_DRAWS + 1
        columns = {}
        for interval in INTERVALS:
            outside = round((1 - interval) / 2 * places)
            expected = 1 - 2 * outside / places
            inside = (self.ranks >= outside) & (self.ranks < places - outside)
            columns[interval, "observed"] = inside.mean()
            columns[interval, "expected"] = pd.Series(expected, index=self.ranks.columns)
            columns[interval, "error"] = pd.Series(stats.binom(n, expected).std() / max(n, 1), index=self.ranks.columns)
        return pd.DataFrame(columns)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What makes the posterior untrustworthy: quantities whose ranks are not uniform, fits that did not finish."""
        problems = []
        for name, row in self.table[self.table["adjusted"] < CALIBRATION_LEVEL].sort_values("adjusted").iterrows():
            message = f"The ranks of {name} are not uniform (p = {row['adjusted']:.1g} after correction)."
            advice = "The model, the sampler or the simulation is wrong."
            problems.append(Problem(str(name), float(row["adjusted"]), CALIBRATION_LEVEL, message, advice))
        errors = [record["error"] for record in self.records if "error" in record]
        if errors:
            message = f"{len(errors)} of {len(self.records)} fits did not finish, the first with {errors[0]}."
            advice = "Ranks without them say nothing: which fits fail depends on the truth."
            problems.append(Problem("unfinished", float(len(errors)), 0.0, message, advice))
        return tuple(problems)

    @property
    def ok(self) -> bool:
        """True where all fits finished and all ranks are uniform, at level 0.01 over all quantities."""
        return not self.problems

    @property
    def flagged(self) -> pd.Series:
        """In how many fits the diagnostics named each problem; those fits stay in the ranks."""
        names = [problem for record in self.records for problem in record.get("problems", ())]
        return pd.Series(names, dtype=object).value_counts()

    @property
    def verdict(self) -> str:
        """The verdict in plain words."""
        if not self.ok:
            return "Not calibrated. " + " ".join(str(problem) for problem in self.problems)
        n, least = len(self.ranks), self.table["adjusted"].min()
        if n < FEWEST:
            return f"Nothing speaks against the posterior, but {n} simulations say next to nothing: run hundreds."
        return (
            f"Calibrated as far as {n} simulations can tell: the ranks of all {len(self.table)} quantities are uniform "
            f"(smallest p = {least:.2g} after correction)."
        )

    def __str__(self) -> str:
        coverage = pd.DataFrame({f"in {c:.0%} interval": self.coverage[c, "observed"] for c in INTERVALS})
        expected = ", ".join(
            f"{c:.0%}: {self.coverage[c, 'expected'].iloc[0]:.3f} +- {self.coverage[c, 'error'].iloc[0]:.3f}"
            for c in INTERVALS
        )
        table = pd.concat([self.table, coverage], axis=1).to_string(float_format=lambda v: f"{v:.3f}")
        return "\n".join([self.verdict, *self._notes(), "", table, f"Expected coverage: {expected}"])

    def _notes(self) -> list[str]:
        flagged = sum(bool(record.get("problems")) for record in self.records)
        finished = [record for record in self.records if "ranks" in record]
        if not finished:
            return []
        names = ", ".join(f"{name} {count}" for name, count in self.flagged.items())
        ess, seconds = (np.median([record[k] for record in finished]) for k in ("ess", "seconds"))
        notes = [f"The diagnostics flagged {flagged} of {len(finished)} fits" + (f" ({names})." if names else ".")]
        return [*notes, f"Medians: smallest ESS {ess:.0f}, {seconds:.2f} s per fit.", self._provenance()]

    def _provenance(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.header["settings"].items())
        versions = ", ".join(f"{name} {number}" for name, number in self.header["versions"].items())
        return f"Seed {self.header['seed']}, {settings}; began {self.header['began']}; {versions}."

    def save(self, path: str | Path) -> Path:
        """Write all records as a text file; :meth:`load` reads it, and so does ``calibrate(folder=)`` its own."""
        store.write(Path(path), self.header, list(self.records))
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Read a file of :meth:`save`, or that of a run with ``folder=``, finished or not."""
        return cls(*store.read(Path(path)))

    def first(self, n: int) -> Calibration:
        """The same calibration with its first ``n`` simulations alone."""
        return Calibration(self.header, [record for record in self.records if record["simulation"] < n])
