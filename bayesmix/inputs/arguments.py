"""Arguments that several functions share: one check, one default."""

from __future__ import annotations

from numbers import Integral
from typing import Any

FEWEST_DRAWS = 4
"""Of every chain: R-hat halves it, and a variance takes two."""
MOST_COMPONENTS = 1000
"""Of a mixture, and of classes: beyond it something else is meant, such as an id for every row."""
LEAST = {"draws": FEWEST_DRAWS, "seed": 0}
"""By name; of every other whole number 1."""


def is_whole(value: Any, least: int) -> bool:
    """Whether it is a whole number that is large enough, and fits a machine's."""
    return not isinstance(value, bool) and isinstance(value, Integral) and least <= int(value) < 2**63


def whole_numbers(**arguments: Any) -> dict[str, int]:
    """The arguments, by their names, as plain integers; ValueError for what is none, or too small.

    Examples
    --------
    >>> whole_numbers(chains=4, seed=0)
    {'chains': 4, 'seed': 0}
    """
    for name, value in arguments.items():
        least = LEAST.get(name, 1)
        if not is_whole(value, least):
            raise ValueError(f"{name}: must be a whole number >= {least}; got {value!r}")
    return {name: int(value) for name, value in arguments.items()}


def probabilities(**arguments: float) -> None:
    """ValueError where an argument, by its name, is not between 0 and 1."""
    for name, value in arguments.items():
        if not 0 < value < 1:
            raise ValueError(f"{name}: must be between 0 and 1; got {value}")
