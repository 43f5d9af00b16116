"""One folder, read: what came of it."""

from __future__ import annotations

import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from bayesmix.gallery.read import read
from benchmarks.fuzz.mutations import Folder, mutated

SECONDS = 20
"""Reading a folder that takes longer hangs."""
LONGEST = 2_000
"""Characters of an error that still are one line for a person."""
MOST_CRASHES = 5
"""So many of a batch are told in full."""


@dataclass
class Tally:
    """How many folders were accepted, refused, and crashed; of crashes some in full, by number."""

    counts: Counter[str] = field(default_factory=Counter)
    crashes: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Those of another batch too."""
        self.counts += other.counts
        self.crashes += other.crashes


def tried(folder: Folder, where: Path) -> str:
    """``accepted``, ``refused``, or what went wrong.

    Refused is a ValueError of ours: it begins with the folder or file that is wrong, and is one line.
    """
    for path in where.iterdir():
        path.unlink()
    for name, content in folder.files.items():
        (where / name).write_bytes(content)
    signal.alarm(SECONDS)
    try:
        read(where)
    except ValueError as error:
        told = str(error)
        ours = type(error) is ValueError and told.startswith(str(where)) and "\n" not in told and len(told) <= LONGEST
        return "refused" if ours else f"an error of others: {traceback.format_exc(limit=-3)}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return traceback.format_exc(limit=-3)
    finally:
        signal.alarm(0)
    return "accepted"


def batch(seed: int, numbers: Iterable[int]) -> Tally:
    """Folders by their numbers: each is made by a random stream of its own, so that any can be made again."""
    tally = Tally()
    signal.signal(signal.SIGALRM, _hangs)
    with TemporaryDirectory(prefix="bayesmix-fuzz-") as temporary, warnings.catch_warnings():
        warnings.simplefilter("error")
        where = Path(temporary).resolve()
        for number in numbers:
            found = tried(mutated(Random(f"{seed}:{number}")), where)
            kind = found if found in ("accepted", "refused") else "crashed"
            tally.counts[kind] += 1
            if kind == "crashed" and len(tally.crashes) < MOST_CRASHES:
                tally.crashes.append((number, found))
    return tally


def _hangs(*_: object) -> None:
    raise TimeoutError(f"reading took longer than {SECONDS} s")
