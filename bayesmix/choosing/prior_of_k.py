"""How probable a number of components is before the rows are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import betaln, gammaln

BNB = (1.0, 4.0, 3.0)
"""Beta-negative-binomial for K - 1: few components are the likelier ones, the tail is heavy."""
PRIORS_OF_K = ("uniform", "bnb")


def log_prior_of_k(name: str | Mapping[int, float], numbers: Sequence[int]) -> np.ndarray:
    r"""log p(K) over these numbers of components, normalized over them.

    Parameters
    ----------
    name : {"uniform", "bnb"} or mapping of int to float
        ``"bnb"``: K - 1 ~ BNB(1, 4, 3), that is p(K) = Gamma(a + K - 1) B(a + b, K - 1 + c) / (Gamma(a) Gamma(K)
        B(b, c)) with (a, b, c) = (1, 4, 3) (Fruehwirth-Schnatter, Malsiner-Walli and Gruen 2021,
        doi:10.1214/21-BA1294). A mapping gives a probability, up to a common factor, to every number.
    numbers : sequence of int

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        For another name, or a mapping that leaves a number out or has a negative value.

    Examples
    --------
    >>> np.exp(log_prior_of_k("bnb", [1, 2, 3])).round(3)
    array([0.649, 0.243, 0.108])
    """
    K = np.asarray(numbers, dtype=float)
    if isinstance(name, Mapping):
        missing = [k for k in numbers if k not in name]
        values = np.array([float(name.get(k, 0.0)) for k in numbers])
        if missing or not (np.isfinite(values).all() and (values >= 0).all() and values.any()):
            wrong = f"{missing[0]} has none" if missing else f"got {dict(name)!r}"
            raise ValueError(f"p_components: needs a probability >= 0 for every number of components; {wrong}")
        with np.errstate(divide="ignore"):
            density = np.log(values)
    elif name == "uniform":
        density = np.zeros_like(K)
    elif name == "bnb":
        a, b, c = BNB
        density = gammaln(a + K - 1) + betaln(a + b, K - 1 + c) - gammaln(a) - gammaln(K) - betaln(b, c)
    else:
        choices = ", ".join(map(repr, PRIORS_OF_K))
        raise ValueError(f"p_components: must be one of {choices}, or a probability for every K; got {name!r}")
    return np.asarray(density - np.logaddexp.reduce(density))
