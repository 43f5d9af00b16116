"""What goes wrong, and how the command line says it.

Bad input is a ValueError, what goes wrong though the input is possible a FitError; a fault of the program is neither.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

BAD_INPUT = 2
"""The exit code of an error."""


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


class BadInput(click.ClickException):
    """What the user gave cannot be used: one line on stderr, exit code 2."""

    exit_code = BAD_INPUT

    def show(self, file: Any = None) -> None:
        """Print ``error: ...`` as one line."""
        click.echo(f"error: {' '.join(self.message.split())}", file=file, err=file is None)


class Commands(click.Group):
    """Commands whose errors and warnings are one line each; the exit code of an error is 2.

    ValueErrors and OSErrors are bad input, FitErrors say themselves what to do. Anything else is a fault of ours (a
    singular matrix too, though NumPy's error is a ValueError); its traceback is shown where BAYESMIX_DEBUG is set.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except (click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except Exception as error:
                if os.environ.get("BAYESMIX_DEBUG"):
                    raise
                raise BadInput(_in_words(error)) from error


def _in_words(error: Exception) -> str:
    kind = type(error).__name__
    if kind == "FitError" or (isinstance(error, ValueError | OSError) and kind != "LinAlgError"):
        return str(error)
    return f"a fault of bayesmix, please report it: {kind}: {error} (BAYESMIX_DEBUG=1 shows where)"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"warning: {' '.join(str(message).split())}", err=True)
