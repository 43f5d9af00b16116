"""What goes wrong though the input is possible. Bad input is a ValueError; a fault of the program is neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FitError(Exception):
    """A fit that could not be made, or not be finished: its text says in a line what to do."""


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Failures of arithmetic and of the libraries below, as a FitError that says what was being done and what to do.

    Also a decorator. Errors in the input, and Ctrl-C, pass.
    """
    try:
        yield
    except (ArithmeticError, RuntimeError, MemoryError, ValueError) as problem:
        if isinstance(problem, ValueError) and type(problem).__name__ != "LinAlgError":
            raise
        raise FitError(
            f"{doing} failed ({described(problem)}): look for constant, duplicated or collinear columns, for values of "
            f"extreme size, for priors that contradict the data, and for terms added to the model"
        ) from problem


def described(problem: BaseException) -> str:
    """The kind of an error and the first line of its text."""
    return ": ".join([type(problem).__name__, *str(problem).splitlines()[:1]])
