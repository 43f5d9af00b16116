"""Model folders from anybody: they name no other file of the reader's, and no more than a reader can bear."""

from __future__ import annotations

import re
from pathlib import Path

from bayesmix.inputs.tables.options import MOST_BYTES

LARGEST_TOML = 1 << 20
"""Bytes of a model.toml."""
LONGEST_NAME = 255
"""Of a file, on most systems."""
DEEPEST_KEY = 20
"""Names in a dotted key: tomllib keeps all beginnings of one, so that its memory grows with their square."""
TOML_TOKENS = re.compile(r"""(?P<name>"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|[\w-]+)|(?P<dot>\.)|(?P<space>[ \t]+)|.|\n""")


def check_keys(text: str) -> None:
    """ValueError for names joined by more than ``DEEPEST_KEY`` dots."""
    joined, last = 0, ""
    for token in TOML_TOKENS.finditer(text):
        kind = token.lastgroup or ""
        if kind == "space":
            continue
        joined = joined + 1 if (kind == "dot" and last == "name") else joined if (kind, last) == ("name", "dot") else 0
        last = kind
        if joined > DEEPEST_KEY:
            raise ValueError(f"a key of more than {DEEPEST_KEY} names")


def inside(folder: Path, name: str, *, most: int = MOST_BYTES) -> Path:
    """The path of a file of a model's folder, whether it exists or not.

    A folder from elsewhere must not make a reader of other files, nor wait for a device.

    Raises
    ------
    ValueError
        Where a link leads out of the folder, or the file is no plain one or larger than ``most`` bytes.
    """
    path = folder / name
    place = folder / (name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}...")
    try:
        real = path.resolve()
        if not real.is_relative_to(folder.resolve()):
            raise ValueError(f"is a link out of the model's folder, to {real}; put a copy of the file there instead")
        if real.exists() and not (real.is_file() or real.is_dir()):
            raise ValueError("is no plain file")
        if real.is_file() and real.stat().st_size > most:
            raise ValueError(f"is larger than {most:,} bytes")
    except (OSError, RuntimeError) as error:  # a name that is too long, links in a circle
        raise ValueError(f"{place}: cannot be read: {getattr(error, 'strerror', error)}") from None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    return path
