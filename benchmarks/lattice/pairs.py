"""Which of mclust's fourteen structures holds which as a special case."""

from __future__ import annotations

from itertools import permutations

NAMES = ("EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV")
ORDERS = ("EV", "IEV", "IEV")
"""Of volume, shape and orientation, from the poorest: equal and variable; spheres, equal, variable; along the columns,
equal, variable."""


def holds(richer: str, poorer: str) -> bool:
    """Whether every set of matrices of the one is one of the other."""
    return all(order.index(a) >= order.index(b) for a, b, order in zip(richer, poorer, ORDERS, strict=True))


PAIRS = [(a, b) for a, b in permutations(NAMES, 2) if holds(a, b)]
"""(richer, poorer), all 61 of them."""
