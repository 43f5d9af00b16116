"""One data set that is fitted and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bayesmix as bm


@dataclass(frozen=True)
class Case:
    """A mixture and its data, made when asked for; cases with one ``layout`` share a compiled model."""

    name: str
    why: str
    layout: str
    make: Callable[[], tuple[bm.Mixture, bm.Data]]


def layout_of(spec: bm.Mixture, d: int) -> str:
    """What decides the compiled model: the family, its options, the number of components and of features."""
    options = ", ".join(str(value) for value in spec.options.values())
    return f"{spec.family}, d={d}, K={spec.n_components}, {options}"


def gaussian(K: int, d: int = 1, covariance: str = "full") -> tuple[bm.Mixture, str]:
    """A Gaussian mixture with default priors, and its layout."""
    spec = bm.Mixture("gaussian", n_components=K, covariance=covariance)
    return spec, layout_of(spec, d)
