"""Commands whose errors and warnings are one line each."""

from __future__ import annotations

import os
import warnings
from typing import Any

import click

BAD_INPUT = 2
"""The exit code of an error."""


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
