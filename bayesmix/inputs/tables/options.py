"""How a file is to be read, as far as its reader says so, and how large it may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

MOST_BYTES = 1 << 28
"""A file is held as bytes once, to know its encoding, then its columns: a few times as much. More comes as a frame."""
MOST_FILE_ROWS = 10_000_000
"""A pass of EM over so many rows takes a second; draws of a posterior take days."""
MOST_FILE_COLUMNS = 10_000
"""Covariances of so many columns fill a gigabyte."""
MOST_LINE = 10_000_000
"""Characters of a line: a thousand for each of the most columns. A file without line ends is no table."""

DECIMALS = (".", ",")
THOUSANDS = (",", ".", "'", "\u2019", " ", "\u00a0", "\u202f")
"""What sets off groups of three digits: comma, point, apostrophes, spaces."""


@dataclass(frozen=True)
class Options:
    """What the reader of a file says of it; None: to be found out.

    Attributes
    ----------
    sep : str or None
        The character between fields.
    decimal, thousands : str or None
        What stands before decimals, and between groups of three digits. Where a point sets off thousands, a comma
        stands before decimals.
    encoding : str or None
        A name that Python knows.
    na : tuple of str
        Texts that mark a missing cell, besides the usual ones.
    header : bool or None
        Whether the first line holds the names of the columns.

    Examples
    --------
    >>> Options.of({"sep": ";", "na": [-999]}).na
    ('-999',)
    """

    sep: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    na: tuple[str, ...] = ()
    header: bool | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Those among ``given`` that are options, checked.

        Raises
        ------
        ValueError
            Naming the option, the value and what it must be.
        """
        held = {name: given[name] for name in OPTION_NAMES if given.get(name) is not None}
        if "na" in held:
            held["na"] = _texts(held["na"])
        for name, (allowed, rule) in OPTION_RULES.items():
            if name in held and not allowed(held[name]):
                raise ValueError(f"{name}: must be {rule}; got {held[name]!r}")
        if held.get("thousands") == ".":
            held = {"decimal": ","} | held
        options = cls(**held)
        if options.thousands is not None and options.thousands == options.decimal:
            raise ValueError(f"thousands: must differ from decimal; both are {options.thousands!r}")
        return options


def _texts(given: Any) -> tuple[str, ...]:
    entries = [given] if isinstance(given, str | int | float) else list(given)
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, str | int | float):
            raise ValueError(f"na: must be texts or numbers that mark a missing cell; got {entry!r}")
    return tuple(str(entry) for entry in entries)


def _is_encoding(name: Any) -> bool:
    try:
        return isinstance(name, str) and "a".encode(name) != b""  # base64 and the like are codecs, and none of text
    except LookupError:
        return False


OPTION_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "sep": (
        lambda v: isinstance(v, str) and len(v) == 1 and v not in '"\r\n\0' and not v.isalnum(),
        "one character between fields, such as ',', ';' or '\\t'",
    ),
    "decimal": (lambda v: v in DECIMALS, "'.' or ','"),
    "thousands": (lambda v: v in THOUSANDS, "',', '.', an apostrophe or a space"),
    "encoding": (_is_encoding, "a text encoding, such as 'utf-8', 'cp1252' or 'utf-16'"),
    "header": (lambda v: isinstance(v, bool), "true (the first line holds names) or false"),
}
"""Of every option the test of a value, and what it must be in words."""
OPTION_NAMES = tuple(field.name for field in fields(Options))
