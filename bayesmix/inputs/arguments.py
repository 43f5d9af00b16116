"""Arguments that several functions share: one check, one default."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path
from reprlib import Repr
from typing import Any

FEWEST_DRAWS = 4
"""Of every chain: R-hat halves it, and a variance takes two."""
BRIEF = Repr(maxstring=200, maxother=200, maxlong=40, maxlevel=4, maxlist=12, maxtuple=12, maxdict=12)
"""Values in messages: those of a stranger may be megabytes, or nested without end."""
LONGEST_TOLD = 1200
"""Characters of an error about a file."""
LONGEST_LISTED = 60
"""Characters of a name in a list of them."""
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
            raise ValueError(f"{name}: must be a whole number >= {least}; got {shown(value)}")
    return {name: int(value) for name, value in arguments.items()}


def shown(value: Any) -> str:
    """A value as Python writes it, cut where it is long or deep.

    Examples
    --------
    >>> shown("a"), shown([[[[[[1]]]]]])
    ("'a'", '[[[[[...]]]]]')
    """
    try:
        return BRIEF.repr(value)
    except (ValueError, RecursionError):  # Python's, for a number of thousands of digits, for lists in lists
        return f"a {type(value).__name__} too long to be shown"


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names in a line, whatever is in them, and how many more there are.

    Examples
    --------
    >>> listed("abcdefgh", 3)
    'a, b, c and 5 more'
    """
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(_short(" ".join(name.split())) for name in names[:most]) + more


def of_file(path: Path, words: str, where: str = "") -> ValueError:
    """The error of a file that these words are of: the middle is cut where they quote what is long.

    Examples
    --------
    >>> of_file(Path("data.csv"), "X: must differ")
    ValueError('data.csv: must differ')
    """
    words = words.removeprefix("X: ")
    if len(words) > LONGEST_TOLD:
        words = f"{words[: LONGEST_TOLD // 2]} ... {words[-LONGEST_TOLD // 2 :]}"
    return ValueError(f"{path}: {where}{words}")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_LISTED else f"{name[:LONGEST_LISTED]}..."


def meant(given: Any, known: Iterable[str]) -> str:
    """The end of an error about a name that there is not: which was meant, where one is like it.

    Examples
    --------
    >>> meant("tittle", ["title", "source"])
    "; did you mean 'title'?"
    """
    like = get_close_matches(str(given), list(known), n=1)
    return f"; did you mean {like[0]!r}?" if like else ""


def probabilities(**arguments: float) -> None:
    """ValueError where an argument, by its name, is not between 0 and 1."""
    for name, value in arguments.items():
        if not 0 < value < 1:
            raise ValueError(f"{name}: must be between 0 and 1; got {value}")
