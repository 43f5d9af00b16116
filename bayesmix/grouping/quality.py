"""How well rows are told apart: the probabilities with which they belong to the groups that they are put into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import xlogy

from bayesmix import estep
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.expected_error import Errors
from bayesmix.posterior.responsibilities import Fit, bound

SURE = 0.9
"""A row that belongs to its group with more than this probability is sure of it."""
QUALITY_DRAWS = 400
"""Draws that are looked at."""
PROBABILITY = 0.9
"""Of the intervals."""


@dataclass(frozen=True, eq=False)
class Quality:
    """How well the rows of a mixture are classified.

    Attributes
    ----------
    groups : DataFrame
        One row per component: ``rows`` that are put into it; ``average``, the mean probability with which they belong
        to it; ``sure``, the share of them that does with more than 0.9; each with ``_lower, _upper``, 90% intervals
        over draws (NaN of a point estimate).
    overall : DataFrame
        Rows ``expected error`` (of taking every row for its most probable component), ``sure``, ``relative entropy``
        (1 - E / (n log K): 1 where all rows are certain, 0 where none says anything); columns ``value, lower, upper``.
    confusion : DataFrame
        Of the rows put into a component (index), the share that is expected to belong to each (columns).
    """

    groups: pd.DataFrame
    overall: pd.DataFrame
    confusion: pd.DataFrame

    def __str__(self) -> str:
        tables = (self.groups, self.overall, self.confusion)
        return "\n\n".join(table.to_string(float_format=lambda v: f"{v:.3f}") for table in tables)


def classification_quality(fit: Fit) -> Quality:
    """How well rows are told apart, over all and by group.

    Every row goes to its most probable component, by responsibilities averaged over draws; what is said of these groups
    is then taken under single draws, so that intervals say how far it is known. It is right as far as the model is;
    true classes have no part in it.

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, of which at most 400 draws are used, or a point estimate.

    Returns
    -------
    Quality

    Raises
    ------
    ValueError
        Where ``fit`` is neither.

    References
    ----------
    Nagin (2005), doi:10.4159/9780674041318, chapter 5 (average posterior probabilities); Celeux and Soromenho (1996),
    doi:10.1007/BF01246098 (entropy).

    Examples
    --------
    >>> from bayesmix import Data, Mixture, fit_em
    >>> em = fit_em(Mixture("gaussian", n_components=2), Data([1.0, 2.0, 3.0, 11.0, 12.0, 13.0]), n_starts=1)
    >>> classification_quality(em).groups["average"].round(3).tolist()
    [1.0, 1.0]
    """
    likelihood, params = bound(fit, None)
    if isinstance(fit, EMFit):
        return _quality(likelihood, estep.responsibilities(likelihood, params)[None])
    some = {v: a[evenly(len(a), QUALITY_DRAWS)] for v, a in params.items()}
    return _quality(likelihood, estep.responsibilities(likelihood, some))


def _quality(likelihood: Likelihood, r: np.ndarray) -> Quality:
    """Of responsibilities (draws, n, K)."""
    S, n, K = r.shape
    group = r.mean(axis=0).argmax(axis=1)
    errors = Errors(likelihood, S)
    errors.add(slice(None), r, r.mean(axis=0))
    found = errors.found(PROBABILITY)
    own = r[:, np.arange(n), group]
    columns: dict[str, np.ndarray] = {"rows": np.bincount(group, minlength=K)}
    for name, values in (("average", own), ("sure", (own > SURE).astype(float))):
        by_group = np.column_stack([_mean(values[:, group == k]) for k in range(K)])
        columns |= dict(zip((name, f"{name}_lower", f"{name}_upper"), _summary(by_group), strict=True))
    groups = pd.DataFrame(columns, index=pd.Index(likelihood.components, name="group"))
    v = likelihood.row_weights
    entropy = -np.einsum("n,snk->s", v, xlogy(r, r)) / (v.sum() * np.log(K)) if K > 1 else np.zeros(S)
    sure = (own > SURE).mean(axis=1)
    rows = [_summary(values[:, None])[:, 0] for values in (sure, 1 - entropy)]
    table = np.vstack([[found.error, found.lower, found.upper], *rows])
    names = pd.Index(["expected error", "sure", "relative entropy"], name="quality")
    return Quality(groups, pd.DataFrame(table, names, ["value", "lower", "upper"]), found.confusion)


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)


def _summary(values: np.ndarray) -> np.ndarray:
    """Mean and ends of the interval over draws, (3, columns), of (draws, columns)."""
    ends = np.full((2, values.shape[1]), np.nan)
    if len(values) > 1:
        ends = np.quantile(values, [(1 - PROBABILITY) / 2, (1 + PROBABILITY) / 2], axis=0)
    return np.vstack([values.mean(axis=0), ends])
