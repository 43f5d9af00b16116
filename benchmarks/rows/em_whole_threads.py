"""Whole calls of :mod:`benchmarks.rows.em_whole`, with threads as the machine gives them.

Without the two largest sizes, where scikit-learn takes the better part of an hour with its threads on two cores.
"""

from collections.abc import Iterator

from benchmarks.figures import Case
from benchmarks.rows import em_whole


def cases(*, quick: bool) -> Iterator[Case]:
    """The sizes that both end within minutes."""
    yield from em_whole.cases(quick=quick, longest=-2)
