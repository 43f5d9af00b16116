"""Options of commands that read a file, where it cannot be told how that is written."""

from __future__ import annotations

from collections.abc import Callable

import click

from bayesmix.inputs.tables.options import DECIMALS


def _tab(context: click.Context, option: click.Parameter, sep: str | None) -> str | None:
    r"""A tab, which most shells hand over as the two characters \t."""
    return "\t" if sep == r"\t" else sep


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add them to a command, which hands them to :func:`bayesmix.inputs.tables.read.read_table`."""
    options = [
        click.option("--sep", callback=_tab, help=r"The character between fields; '\t' is a tab."),
        click.option("--decimal", type=click.Choice(DECIMALS), help="The decimal mark."),
        click.option("--thousands", help="What is between groups of three digits."),
        click.option("--encoding", help="Such as utf-8, cp1252, utf-16."),
        click.option("--na", multiple=True, help="A text or number that marks a missing cell; may be repeated."),
        click.option("--header/--no-header", default=None, help="Whether the first line holds the names of columns."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
