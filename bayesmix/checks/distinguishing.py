"""Which columns tell each component from the others: ranked, with the posterior's uncertainty about the ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesmix.drawing.level import LEVEL
from bayesmix.inputs.arguments import probabilities
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params
from bayesmix.parts.profile import Profile
from bayesmix.posterior.responsibilities import Fit
from bayesmix.rows.fitted import Fitted

UNITS = {"unit": "difference of probabilities", "simplexes": "share that would have to answer differently"}
"""What an effect is, by the support of the estimate."""
STANDARDIZED = "standard deviations of the column"
"""The same for all other supports."""
SAME_DIFFERENCE = 1e-9
"""Two answers differ alike where one takes what the other loses."""


def distinguishing(fit: Fit, *, prob: float = LEVEL) -> pd.DataFrame:
    r"""Rank the columns by how far each component lies from the others in them.

    The effect of column j in component k is its distance from the other components, the root of their weighted mean
    square,

    .. math:: e_{kj} = \sqrt{\sum_{l \ne k} \frac{w_l}{1 - w_k} d_{klj}^2},

    with :math:`d_{klj} = |m_{kj} - m_{lj}| / s_j` and s_j the standard deviation of the column (1 for probabilities).
    Where a column has several answers, d is the total variation distance, :math:`\frac12 \sum_a |p_{kja} - p_{lja}|`,
    the share of one that would have to answer differently to be like the other. A component that lies between two
    others is told from both, though it is like their mean. Distances are never negative: an interval does not reach 0
    where nothing differs.

    Parameters
    ----------
    fit : DataTree or EMFit
        A posterior of :func:`bayesmix.sample`, or a point estimate, which has no intervals.
    prob : float
        Probability of the interval, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per component and column, the largest effect first within each component: ``component, rank,
        feature``; ``answer``, that with the largest difference of probability (empty where a column is a number);
        ``effect`` (the posterior mean) with ``lower, upper``; ``first``, the probability that no other column has a
        larger effect; ``difference``, its sign included, from the weighted mean of the others, in the units of the
        column, or of the answer's probability.
        ``attrs["unit"]`` says what effects are measured in.

    Raises
    ------
    ValueError
        For one component, for a ``prob`` outside (0, 1), and where no estimate says what components are like.

    Notes
    -----
    The ranks' probabilities are shares of draws; why a rank without its uncertainty misleads: Goldstein and
    Spiegelhalter (1996), doi:10.2307/2983325. Total variation: Levin and Peres (2017), doi:10.1090/mbk/107, chapter 4.

    Examples
    --------
    >>> from bayesmix import Data, Mixture, fit_em
    >>> rows = [[0, 1], [1, 0], [0, 1], [9, 1], [8, 0], [9, 1]]
    >>> em = fit_em(Mixture("poisson", n_components=2), Data(rows), n_starts=2)
    >>> distinguishing(em)["feature"].tolist()
    ['x1', 'x2', 'x1', 'x2']
    """
    probabilities(prob=prob)
    fitted = Fitted.of(fit)
    table = _ranked(fitted.likelihood, fitted.params, prob)
    return table.assign(**dict.fromkeys(("lower", "upper", "first"), np.nan)) if fitted.point else table


def comparable(likelihood: Likelihood) -> bool:
    """Whether there are several components, and an estimate that says what they are like."""
    return len(likelihood.components) > 1 and likelihood.component.profile is not None


def shares(likelihood: Likelihood, params: Params) -> np.ndarray:
    """Weights of the components, averaged over the rows where they differ, (..., K)."""
    return np.asarray(np.exp(likelihood.log_weights(params)).mean(axis=-2))


def _ranked(likelihood: Likelihood, params: Params, prob: float) -> pd.DataFrame:
    profile = likelihood.component.profile
    if profile is None or not comparable(likelihood):
        count = len(likelihood.components)
        raise ValueError(
            f"fit: needs two or more components whose columns can be compared; a {likelihood.name} mixture of {count} "
            "has none"
        )
    weights = shares(likelihood, params)
    contrasts = profile.contrasts(params, weights).mean(axis=0)
    effects, of_entries = profile.effects(params, weights)
    lower, upper = np.quantile(effects, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
    first = (effects >= effects.max(axis=-1, keepdims=True)).mean(axis=0)
    mean, named = effects.mean(axis=0), _named(profile, of_entries.mean(axis=0), contrasts)
    rows = [
        {
            "component": name,
            "rank": rank,
            "feature": profile.columns[j],
            "answer": profile.entries[named[k, j]],
            "effect": mean[k, j],
            "lower": lower[k, j],
            "upper": upper[k, j],
            "first": first[k, j],
            "difference": (contrasts * profile.scale)[k, named[k, j]],
        }
        for k, name in enumerate(likelihood.components)
        for rank, j in enumerate(np.argsort(-mean[k], kind="stable"), start=1)
    ]
    table = pd.DataFrame(rows)
    table.attrs["unit"] = UNITS.get(profile.parameter.support, STANDARDIZED)
    return table


def _named(profile: Profile, effects: np.ndarray, contrasts: np.ndarray) -> np.ndarray:
    """Of every component and column the entry that differs most, (K, columns); of two the one that is more likely."""
    effects = effects + SAME_DIFFERENCE * np.sign(contrasts)
    places = [np.flatnonzero(profile.column == j) for j in range(len(profile.columns))]
    return np.stack([own[effects[:, own].argmax(axis=1)] for own in places], axis=1)
