"""Columns of answers that are independent within a component, each with probabilities of its levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import pandas as pd

from bayesmix.inputs.covariates import Levels, level_text
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.discrepancies import drawn
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.canonical import LARGEST_PREDICTOR
from bayesmix.parts.component import Component
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.part import Params, Sums
from bayesmix.parts.profile import Profile

PROBABILITIES = Parameter(
    "probs",
    ("component", "answer"),
    "simplexes",
    "p_k",
    "probabilities of the answers",
    "probs $p$",
    sorts=True,
    knowable=False,
)
HARDLY_EVER = 1e-8
"""An answer that is less likely than this in a component is on the boundary."""
FARTHEST = 50.0
"""A logit may go so far at once, near the boundary."""
UNANSWERED = -1
"""The code of a missing answer."""


class Answers(Component):
    """log f(x_i | p_k) = sum_j log p_kj(x_ij) over the answers that row i gave.

    Columns may have different numbers of levels, so that ``probs`` (..., K, A) has all answers of all columns side by
    side; those of a column sum to 1. Sums: counts (K, A) = sum_i v_i r_ik 1(row i gave the answer). Coordinates are
    log(p_kjl / p_kjm), m the most frequent level of column j: a component that never gives that answer is rare, and all
    coordinates of the column would run away with it.

    Attributes
    ----------
    codes : ndarray of int, shape (n, d)
        Levels by number, ``UNANSWERED`` where there is no answer.
    column, level : ndarray of int, shape (A,)
        Of every answer its column, and the number of its level there.
    first, base : ndarray of int, shape (d,)
        The places of every column's first answer, and of its most frequent one.
    free : ndarray of bool, shape (A,)
        Answers that have a coordinate.
    average : ndarray, shape (1, A)
        Shares of the answers among the rows that the mixture was bound to.
    """

    names = (PROBABILITIES.name,)

    def __init__(
        self, data: Data, components: tuple[str, ...], levels: tuple[Levels, ...], average: np.ndarray | None = None
    ) -> None:
        self.data, self.components, self.levels, self.K = data, components, levels, len(components)
        self.codes = np.where(np.isnan(data.x), UNANSWERED, data.x).astype("int64")
        self.sizes = np.array([len(own) for own in levels])
        self.first = np.append(0, self.sizes.cumsum())[:-1]
        self.column = np.repeat(np.arange(len(levels)), self.sizes)
        self.level = np.arange(self.sizes.sum()) - self.first[self.column]
        self.average = self._shares(self.counts(data.row_weights[:, None])) if average is None else average
        self.base = np.array([first + self.average[0, first : first + m].argmax() for first, m in self._columns()])
        self.free = ~np.isin(np.arange(len(self.column)), self.base)
        self.parameters = (replace(PROBABILITIES, blocks=tuple(self.sizes.tolist())),)
        self.coords = {"component": list(components), "answer": answer_names(data.feature_names, levels)}

    @property
    def profile(self) -> Profile | None:
        """The probabilities, answer by answer."""
        return Profile(
            self.parameters[0],
            self.data.feature_names,
            self.column,
            tuple(level for own in self.levels for level in own),
            self.average[0],
            np.ones(len(self.column)),
            (self.codes == UNANSWERED).sum(axis=0),
        )

    @property
    def size(self) -> int:
        """One for each component and answer but one of every column."""
        return self.K * int(self.free.sum())

    def over(self, data: Data) -> Self:
        """Other rows, aligned."""
        return type(self)(data, self.components, self.levels, self.average)

    def default_priors(self) -> dict[str, Prior]:
        """Uniform over the probabilities of each column."""
        return {PROBABILITIES.name: Prior("Dirichlet", a=1.0)}

    def _columns(self) -> Iterator[tuple[int, int]]:
        """The first answer of every column, and how many it has."""
        return zip(self.first.tolist(), self.sizes.tolist(), strict=True)

    def aligned(self, data: Data) -> Data:
        """The columns by their names, the answers by theirs; ValueError for one that was never seen."""
        data = data.with_features(self.data.feature_names)
        if data.levels == self.levels:
            return data
        columns = [_recoded(data, j, own) for j, own in enumerate(self.levels)]
        return data.coded(np.column_stack(columns), self.levels)

    def counts(self, vr: np.ndarray) -> np.ndarray:
        """sum_i v_i r_ik 1(row i gave the answer), (K, A)."""
        columns = [
            [np.bincount(code + 1, weights=own, minlength=size + 1)[1:] for own in vr.T]
            for code, size in zip(self.codes.T, self.sizes, strict=True)
        ]
        return np.concatenate(columns, axis=1)

    def by_column(self, flat: np.ndarray) -> np.ndarray:
        """Sums over the answers of each column, beside each answer, (..., A)."""
        return np.add.reduceat(flat, self.first, axis=-1)[..., self.column]

    def _shares(self, counts: np.ndarray, otherwise: np.ndarray | float = 1.0) -> np.ndarray:
        """Counts (..., A) as shares of their columns, where these have any."""
        total = self.by_column(counts)
        other = np.broadcast_to(otherwise / self.by_column(np.broadcast_to(otherwise, counts.shape)), counts.shape)
        return np.divide(counts, total, out=other.astype(float), where=total > 0)

    def log_probs(self, params: Params) -> np.ndarray:
        """log p, (..., K, A), finite at 0."""
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(params["probs"]), -LARGEST_PREDICTOR)

    def padded(self, flat: np.ndarray, fill: float = 0.0) -> np.ndarray:
        """Values of all answers (..., A) as a table (..., d, most levels), ``fill`` beyond the levels of a column."""
        out = np.full((*flat.shape[:-1], len(self.levels), int(self.sizes.max())), fill)
        out[..., self.column, self.level] = flat
        return out

    def log_density(self, params: Params) -> np.ndarray:
        """(..., n, K)."""
        table = self.padded(self.log_probs(params))
        total = np.zeros((*table.shape[:-2], len(self.codes)))
        for j, code in enumerate(self.codes.T):
            total += np.where(code == UNANSWERED, 0.0, table[..., j, :][..., code])
        return np.swapaxes(total, -1, -2)

    def sums(self, vr: np.ndarray, params: Params) -> Sums:
        """Counts of the answers."""
        return {"answers": self.counts(vr)}

    def step(self, sums: Sums, params: Params) -> Params:
        """p_kjl = counts_kjl / sum_m counts_kjm; where a component has no answer, it keeps its probabilities."""
        return {"probs": self._shares(sums["answers"], params["probs"])}

    def start(self, vr: np.ndarray) -> Params:
        """Shares with one more row that answers as all do."""
        return {"probs": self._shares(self.counts(vr) + self.average)}

    def pack(self, params: Params) -> np.ndarray:
        """log(p_kjl / p_kjm), m the most frequent level."""
        log_p = np.maximum(self.log_probs(params), -LARGEST_PREDICTOR / 2)
        return np.asarray((log_p - log_p[..., self.base][..., self.column])[..., self.free]).ravel()

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        eta = np.zeros((self.K, len(self.column)))
        eta[:, self.free] = theta.reshape(self.K, -1)
        top = np.maximum.reduceat(eta, self.first, axis=-1)[:, self.column]
        return {"probs": self._shares(np.exp(eta - top))}

    def units(self, params: Params) -> np.ndarray:
        """1 / (2 sd) of the indicator of an answer: where it is hardly ever given, its logit may go far."""
        p = params["probs"][:, self.free]
        return np.minimum(0.5 / np.sqrt(np.maximum(p * (1 - p), HARDLY_EVER)), FARTHEST).ravel()

    def score(self, params: Params, sums: Sums) -> np.ndarray:
        """Counts less what the probabilities expect of so many answers."""
        counts = sums["answers"]
        return np.asarray((counts - self.by_column(counts) * params["probs"])[:, self.free]).ravel()

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """The whole range."""
        return {"probs": np.ones(np.shape(params["probs"]))}

    def on_boundary(self, params: Params) -> np.ndarray:
        """Answers that a component never gives; where that is the base, the likeliest answer stands for it.

        With the base gone, the coordinates of the column are known but for a constant.
        """
        p = params["probs"]
        gone = p < HARDLY_EVER
        out = gone.copy()
        for base, (first, size) in zip(self.base, self._columns(), strict=True):
            likeliest = first + p[:, first : first + size].argmax(axis=1)
            out[np.arange(self.K), likeliest] |= gone[:, base]
        return np.asarray(out[:, self.free]).ravel()

    def draw(self, z: np.ndarray, params: Params, rng: np.random.Generator) -> np.ndarray:
        """Every answer of every row."""
        table = self.padded(params["probs"])[z]
        return drawn(table, rng.random(table.shape[:-1])).astype(float)

    def clouds(self) -> np.ndarray:
        """An indicator of every answer, centred and divided by its standard deviation; 0 where it is missing."""
        there = self.codes[:, self.column] != UNANSWERED
        given = self.codes[:, self.column] == self.level
        share = self.average[0]
        return np.where(there, (given - share) / np.sqrt(np.maximum(share * (1 - share), 1e-12)), 0.0)


def answers(likelihood: Likelihood) -> Answers:
    """The components of a likelihood of this family."""
    return likelihood.made_of(Answers)


def answer_names(columns: Sequence[str], levels: Sequence[Levels]) -> list[str]:
    """``column: level`` of all answers; ValueError where two are called alike."""
    names = [f"{column}: {level}" for column, own in zip(columns, levels, strict=True) for level in own]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise ValueError(f"X: two answers would be called {twice!r}; rename a column")
    return names


def as_codes(data: Data) -> Data:
    """The rows with every column as codes of levels; those of numbers are the numbers that occur, by size."""
    coded = [_coded(x, levels) for x, levels in zip(data.x.T, data.levels, strict=True)]
    if tuple(levels for _, levels in coded) == data.levels:
        return data
    return data.coded(np.column_stack([x for x, _ in coded]), [levels for _, levels in coded])


def _coded(x: np.ndarray, levels: Levels) -> tuple[np.ndarray, Levels]:
    if levels:
        return x, levels
    numbers = np.unique(x[~np.isnan(x)])
    codes = np.searchsorted(numbers, x).astype(float)
    return np.where(np.isnan(x), np.nan, codes), tuple(level_text(value) for value in numbers.tolist())


def _recoded(data: Data, j: int, levels: Levels) -> np.ndarray:
    """Column j as codes of these levels."""
    x, there = _coded(data.x[:, j], data.levels[j])
    numbers = pd.Index(levels).get_indexer(pd.Index(there)) if there else np.empty(0, dtype=int)
    seen = np.isfinite(x)
    codes = np.full(len(x), np.nan)
    codes[seen] = numbers[x[seen].astype(int)]
    new = np.flatnonzero(codes < 0)
    if len(new):
        row, value = data.obs_names[new[0]], there[int(x[new[0]])]
        name = data.feature_names[j]
        raise ValueError(f"X: column {name!r}, row {row} has the answer {value!r}; the fit knew {', '.join(levels)}")
    return codes
