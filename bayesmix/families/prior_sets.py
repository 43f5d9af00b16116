"""Priors that others have published, by name: ``Mixture(..., priors="richardson-green")``, ``choose(..., priors=)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bayesmix.families.table import FAMILIES
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.parts.weights import WEIGHTS

type Priors = dict[str, Prior]

RICHARDSON_GREEN, FMS = "richardson-green", "fms-2021"
LEVEL_SHAPE, LEVEL_RATE = 0.2, 10.0
"""Of the common level of variances: Gamma(0.2, 10 / R^2)."""
DYNAMIC = {"df1": 6.0, "df2": 3.0}
"""Of the concentration that weights share out: F(6, 3)."""
FMS_SHAPE, FMS_LEVEL_SHAPE, FMS_LEVEL_RATE = 2.5, 0.5, 20.0
"""c0, g0 and 100 g0 / c0 in one dimension: variances InverseGamma(2.5, C), C ~ Gamma(0.5, 20 / R^2)."""
FMS_RATE_SHAPE, FMS_RATE_LEVEL_SHAPE = 0.1, 0.5
"""a0 and h0: rates Gamma(0.1, b0), b0 ~ Gamma(0.5, .) with the mean 0.1 / mean of the column."""


def richardson_green(options: Mapping[str, Any], data: Data) -> Priors:
    """Priors of normal components in one column, from its midrange and range R.

    Weights ~ Dirichlet(1), means ~ Normal(midrange, R), variances ~ InverseGamma(2, C) with a common C ~ Gamma(0.2,
    10 / R^2), integrated out (Richardson and Green 1997, doi:10.1111/1467-9868.00095).
    """
    if data.n_features != 1:
        raise ValueError(f"priors: {RICHARDSON_GREEN!r} are of one column; the data have {data.n_features}")
    span = float(ranges(RICHARDSON_GREEN, data)[0])
    return {
        WEIGHTS: Prior("Dirichlet", a=1.0),
        "means": Prior("Normal", mu=np.nanmin(weighing(data)) + span / 2, sigma=span),
        "scales": Prior("PooledScales", alpha=2.0, level_shape=LEVEL_SHAPE, level_rate=LEVEL_RATE / span**2),
    }


def fms_gaussian(options: Mapping[str, Any], data: Data) -> Priors:
    """Priors of normal components whose columns are independent, from the median and the range R of each.

    Weights ~ Dirichlet(a / K), a ~ F(6, 3); means ~ Normal(median, R); variances ~ InverseGamma(2.5, C) with a C ~
    Gamma(0.5, 20 / R^2) for each column; a and C are integrated out (Fruehwirth-Schnatter, Malsiner-Walli and Gruen
    2021, doi:10.1214/21-BA1294; the numbers are those of their R package telescope). In several columns theirs are
    Wishart priors of full matrices, of which these are the diagonal case.
    """
    if data.n_features != 1 and options["covariance"] != "diag":
        raise ValueError(
            f"priors: {FMS!r} are of one column, or of several with covariance='diag'; got "
            f"{options['covariance']!r} and {data.n_features} columns"
        )
    span = ranges(FMS, data)
    level_span = span[0] if data.n_features == 1 else span
    return {
        WEIGHTS: Prior("DynamicDirichlet", **DYNAMIC),
        "means": Prior("Normal", mu=np.nanmedian(weighing(data), axis=0), sigma=span),
        "scales": Prior(
            "PooledScales", alpha=FMS_SHAPE, level_shape=FMS_LEVEL_SHAPE, level_rate=FMS_LEVEL_RATE / level_span**2
        ),
    }


def fms_poisson(options: Mapping[str, Any], data: Data) -> Priors:
    """Weights as :func:`fms_gaussian`; rates ~ Gamma(0.1, b0), b0 ~ Gamma(0.5, 5 m) with m the mean of the column."""
    mean = np.maximum(np.nanmean(weighing(data), axis=0), 1e-3)
    level_rate = FMS_RATE_LEVEL_SHAPE * mean / FMS_RATE_SHAPE
    shapes = {"alpha": FMS_RATE_SHAPE, "level_shape": FMS_RATE_LEVEL_SHAPE}
    return {
        WEIGHTS: Prior("DynamicDirichlet", **DYNAMIC),
        "rates": Prior("PooledRates", **shapes, level_rate=level_rate),
    }


def fms_classes(options: Mapping[str, Any], data: Data) -> Priors:
    """Weights as :func:`fms_gaussian`; probabilities uniform, as they are by default."""
    return {WEIGHTS: Prior("DynamicDirichlet", **DYNAMIC)}


PRIOR_SETS: dict[tuple[str, str], Callable[[Mapping[str, Any], Data], Priors]] = {
    (RICHARDSON_GREEN, "gaussian"): richardson_green,
    (FMS, "gaussian"): fms_gaussian,
    (FMS, "poisson"): fms_poisson,
    (FMS, "bernoulli"): fms_classes,
    (FMS, "categorical"): fms_classes,
}
"""By their name and the family that they are of."""
NAMES_OF_SETS = tuple(dict.fromkeys(name for name, _ in PRIOR_SETS))


def weighing(data: Data) -> np.ndarray:
    """The observations of the rows that have weight, (m, d)."""
    return data.x[data.row_weights > 0]


def ranges(name: str, data: Data) -> np.ndarray:
    """Of every column, (d,); ValueError where one has none."""
    x = weighing(data)
    span = np.asarray(np.nanmax(x, axis=0) - np.nanmin(x, axis=0), dtype=float)
    flat = np.flatnonzero(~(span > 0))
    if len(flat):
        raise ValueError(f"priors: {name!r} need a range; all rows of {data.feature_names[flat[0]]!r} are alike")
    return span


def check_set(name: str, family: str) -> None:
    """ValueError where there is no such set for mixtures of this family."""
    assert family in FAMILIES
    if (name, family) not in PRIOR_SETS:
        there = ", ".join(f"{n!r} of {f} mixtures" for n, f in PRIOR_SETS)
        raise ValueError(f"priors: {name!r} has none for {family} mixtures; there are {there}")


def prior_set(name: str, family: str, options: Mapping[str, Any], data: Data) -> Priors:
    """The priors of this name for mixtures of this family over these rows, for any number of components.

    Parameters
    ----------
    name : str
        ``"richardson-green"`` or ``"fms-2021"``.
    family : str
        One of :data:`bayesmix.families.NAMES`.
    options : mapping
        The family's own, as the mixture has them.
    data : Data
        The rows, from whose range they are scaled.

    Returns
    -------
    dict of str to Prior

    Raises
    ------
    ValueError
        For an unknown name, and where the set has no priors for such a family or such rows.

    Examples
    --------
    >>> prior_set("richardson-green", "gaussian", {"covariance": "full"}, Data([1.0, 5.0]))["means"]
    Prior('Normal', mu=3.0, sigma=4.0)
    """
    check_set(name, family)
    return PRIOR_SETS[name, family](options, data)
