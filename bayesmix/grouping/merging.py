"""Components merged into clusters by the entropy that their overlap leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import xlogy

from bayesmix import estep
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.data import evenly
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.responsibilities import Fit, bound

MERGED_DRAWS = 200
"""Draws whose components are merged."""
ENDS = (0.05, 0.95)
"""Of the intervals."""


def merge(fit: Fit) -> pd.DataFrame:
    r"""Merge components, two at a time, always those whose union lowers the entropy of the allocation most.

    .. math:: E = -\sum_i v_i \sum_k r_{ik} \log r_{ik}

    Where entropy falls steeply, components overlap and make up one cluster; where it hardly falls, clusters are apart
    and are better left (Baudry, Raftery, Celeux, Lo and Gottardo 2010, doi:10.1198/jcgs.2010.08111: clustCombi).

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, each of whose draws is merged in its own order, or a point estimate.

    Returns
    -------
    DataFrame
        One row per number of clusters, from K down to 1: ``entropy`` (of a posterior its mean), ``lower, upper`` (90%
        interval; NaN of a point estimate), ``merged``: the components that became one at this step, by responsibilities
        averaged over draws.

    Raises
    ------
    ValueError
        Where ``fit`` is neither.

    Examples
    --------
    Three components for two groups: the two that share one are merged first.

    >>> import numpy as np
    >>> from bayesmix import Data, Mixture, fit_em
    >>> x = np.r_[np.linspace(1, 4, 40), np.linspace(11, 12, 20)]
    >>> table = merge(fit_em(Mixture("gaussian", n_components=3), Data(x)))
    >>> table["merged"].tolist()
    ['', 'component_1 + component_2', 'component_1 + component_2 + component_3']
    """
    likelihood, params = bound(fit, None)
    if isinstance(fit, EMFit):
        return _table(likelihood, estep.responsibilities(likelihood, params)[None])
    some = {v: a[evenly(len(a), MERGED_DRAWS)] for v, a in params.items()}
    return _table(likelihood, estep.responsibilities(likelihood, some))


def _table(likelihood: Likelihood, r: np.ndarray) -> pd.DataFrame:
    """Of responsibilities (draws, n, K)."""
    K, v = r.shape[-1], likelihood.row_weights
    entropies = np.array([merged_by_entropy(one, v)[0] for one in r])
    ends = np.quantile(entropies, ENDS, axis=0) if len(r) > 1 else np.full((2, K), np.nan)
    groups = merged_by_entropy(r.mean(axis=0), v)[1]
    names = ["", *(" + ".join(likelihood.components[k] for k in group) for group in groups)]
    index = pd.Index(range(K, 0, -1), name="clusters")
    columns = {"entropy": entropies.mean(axis=0), "lower": ends[0], "upper": ends[1], "merged": names}
    return pd.DataFrame(columns, index=index)


def merged_by_entropy(r: np.ndarray, row_weights: np.ndarray) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Entropies with K, ..., 1 clusters, (K,), and the components that became one at each step.

    r (n, K) responsibilities, row weights (n,).
    """
    groups: list[tuple[int, ...]] = [(k,) for k in range(r.shape[1])]
    made, entropies = [], [_entropy(r, row_weights)]
    while len(groups) > 1:
        gains = {(a, b): _gain(r, row_weights, a, b) for b in range(len(groups)) for a in range(b)}
        a, b = max(gains, key=lambda pair: gains[pair])
        both = tuple(sorted(groups[a] + groups[b]))
        kept = [k for k in range(len(groups)) if k not in (a, b)]
        r = np.column_stack([r[:, kept], r[:, a] + r[:, b]])
        groups = [*(groups[k] for k in kept), both]
        made.append(both)
        entropies.append(_entropy(r, row_weights))
    return np.array(entropies), made


def _gain(r: np.ndarray, row_weights: np.ndarray, a: int, b: int) -> float:
    """By how much entropy falls where these two are one."""
    pair = np.column_stack([r[:, a], r[:, b]])
    return _entropy(pair, row_weights) - _entropy(pair.sum(axis=1, keepdims=True), row_weights)


def _entropy(r: np.ndarray, row_weights: np.ndarray) -> float:
    return -float((row_weights[:, None] * xlogy(r, r)).sum())
