"""Priors that others have published, by name: what a user asks for as ``choose(..., priors="richardson-green")``."""

from __future__ import annotations

from collections.abc import Callable

from bayesmix.families.table import FAMILIES
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior

LEVEL_SHAPE, LEVEL_RATE = 0.2, 10.0
"""Of the common level of variances: Gamma(0.2, 10 / R^2)."""


def richardson_green(data: Data) -> dict[str, Prior]:
    """Priors of normal components in one column, from its midrange and range R.

    Weights ~ Dirichlet(1), means ~ Normal(midrange, R), variances ~ InverseGamma(2, C) with a common C ~ Gamma(0.2,
    10 / R^2), integrated out (Richardson and Green 1997, doi:10.1111/1467-9868.00095).
    """
    if data.n_features != 1:
        raise ValueError(f"priors: 'richardson-green' are of one column; the data have {data.n_features}")
    low, high = data.x.min(), data.x.max()
    if not high > low:
        raise ValueError("priors: 'richardson-green' need a range; all rows are alike")
    return {
        "weights": Prior("Dirichlet", a=1.0),
        "means": Prior("Normal", mu=(low + high) / 2, sigma=high - low),
        "scales": Prior("PooledScales", alpha=2.0, level_shape=LEVEL_SHAPE, level_rate=LEVEL_RATE / (high - low) ** 2),
    }


PRIOR_SETS: dict[tuple[str, str], Callable[[Data], dict[str, Prior]]] = {
    ("richardson-green", "gaussian"): richardson_green
}
"""By their name and the family that they are of."""
NAMES_OF_SETS = tuple(dict.fromkeys(name for name, _ in PRIOR_SETS))


def prior_set(name: str, family: str, data: Data) -> dict[str, Prior]:
    """The priors of this name for mixtures of this family over these rows, for any number of components.

    Parameters
    ----------
    name : str
        ``"richardson-green"``.
    family : str
        One of :data:`bayesmix.families.NAMES`.
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
    >>> prior_set("richardson-green", "gaussian", Data([1.0, 5.0]))["means"]
    Prior('Normal', mu=3.0, sigma=4.0)
    """
    assert family in FAMILIES
    if (name, family) not in PRIOR_SETS:
        there = ", ".join(f"{n!r} of {f} mixtures" for n, f in PRIOR_SETS)
        raise ValueError(f"priors: {name!r} has none for {family} mixtures; there are {there}")
    return PRIOR_SETS[name, family](data)
