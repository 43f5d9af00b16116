"""What goes wrong, and how the command line says it.

Bad input is a ValueError, what goes wrong though the input is possible a FitError; a fault of the program is neither.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import Any

import click

BAD_INPUT, INTERRUPTED = 2, 130
"""The exit codes of an error, and of Ctrl-C."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of the system that mean that no more can be written."""
CONTINUED = "whatever was finished is kept, and the same command goes on from there"
LASTING = ("report", "fit", "choose", "calibrate")
"""The commands of which that is true."""
WHOLE_FILES = "no file was half written"
"""Of the others."""
UNTOLD_SECONDS = 5.0
"""Seconds after which a person who waits is told what is going on."""


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


def printable(text: str) -> str:
    r"""The text without signs that command a terminal or turn the direction of writing: they are written out.

    Examples
    --------
    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c.isspace() else c.encode("unicode_escape").decode() for c in text)


def say(text: object, *, err: bool = False) -> None:
    """Print for the user of the command line, who may read names that come from a stranger; or on the error stream."""
    click.echo(printable(str(text)), err=err)


def steps[T](items: Sequence[T], label: str, *, progress: bool) -> Iterator[T]:
    """The items one after the other; a bar on the error stream after ``UNTOLD_SECONDS``."""
    began = time.monotonic()
    with ExitStack() as stack:
        bar: Any = None
        for done, item in enumerate(items):
            if progress and bar is None and time.monotonic() - began > UNTOLD_SECONDS:
                bar = stack.enter_context(click.progressbar(length=len(items), label=label, file=sys.stderr))
                bar.update(done)
            yield item
            if bar is not None:
                bar.update(1)


@contextmanager
def waiting(label: str, seconds: float, *, progress: bool) -> Iterator[None]:
    """A bar beside something that takes so many seconds at most, after ``UNTOLD_SECONDS``."""
    ended = Event()

    def tick() -> None:
        for _ in steps(range(max(1, int(seconds))), label, progress=progress):
            if ended.wait(1.0):
                return

    thread = Thread(target=tick, daemon=True)
    if progress:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if progress:
            thread.join()


def described(problem: BaseException) -> str:
    """The kind of an error and the first line of its text."""
    return ": ".join([type(problem).__name__, *str(problem).splitlines()[:1]])


class BadInput(click.ClickException):
    """What the user gave cannot be used: one line on stderr, exit code 2."""

    exit_code = BAD_INPUT

    def show(self, file: Any = None) -> None:
        """Print ``error: ...`` as one line."""
        click.echo(f"error: {printable(' '.join(self.message.split()))}", file=file, err=file is None)


class Interrupted(BadInput):
    """Ctrl-C: one line on stderr that says what was kept."""

    exit_code = INTERRUPTED

    def __init__(self, kept: str) -> None:
        super().__init__(f"interrupted; {kept}")


class Commands(click.Group):
    """Commands whose errors and warnings are one line each; the exit code of an error is 2, of Ctrl-C 130.

    ValueErrors and OSErrors are bad input, FitErrors say themselves what to do. Anything else is a fault of ours (a
    singular matrix too, though NumPy's error is a ValueError); its traceback is shown where BAYESMIX_DEBUG is set.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt as stop:
                raise Interrupted(str(stop) or _kept(ctx)) from stop
            except (click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except Exception as error:
                if os.environ.get("BAYESMIX_DEBUG"):
                    raise
                raise BadInput(_in_words(error, _kept(ctx))) from error


def disk_is_full(error: Exception) -> bool:
    """Whether no more could be written; HDF5 says it in words alone."""
    return getattr(error, "errno", None) in DISK_FULL or any(os.strerror(number) in str(error) for number in DISK_FULL)


def _kept(ctx: click.Context) -> str:
    return CONTINUED if ctx.invoked_subcommand in LASTING else WHOLE_FILES


def _in_words(error: Exception, kept: str) -> str:
    kind = type(error).__name__
    if isinstance(error, MemoryError):
        return "there is not enough memory for this: fewer rows, columns, components or draws take less"
    if disk_is_full(error):
        place = f" ({name})" if (name := getattr(error, "filename", None)) else ""
        return f"the disk is full{place}: free some space and give the same command again; {kept}"
    if kind == "FitError" or (isinstance(error, ValueError | OSError) and kind != "LinAlgError"):
        return str(error)
    return f"a fault of bayesmix, please report it: {kind}: {error} (BAYESMIX_DEBUG=1 shows where)"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"warning: {printable(' '.join(str(message).split()))}", err=True)
