"""Names of columns that have none; names of columns and rows in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

MOST_IN_SENTENCE = 5


def array_names(width: int) -> tuple[str, ...]:
    """Names for the columns of an array or of a file, which have none."""
    return ("x",) if width == 1 else tuple(f"x{j + 1}" for j in range(width))


def some(names: Iterable[object], *, quoted: bool = False) -> str:
    """The first names, and how many more there are.

    Examples
    --------
    >>> some("abcdefg"), some(["a b"], quoted=True)
    ('a, b, c, d, e and 2 more', "'a b'")
    """
    texts = [repr(str(name)) if quoted else " ".join(str(name).split()) for name in names]
    more = len(texts) - MOST_IN_SENTENCE
    return ", ".join(texts[:MOST_IN_SENTENCE]) + (f" and {more} more" if more > 0 else "")
