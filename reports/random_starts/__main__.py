"""Where single random starts of EM end on iris: run them, write RESULTS.md and the picture.

    uv run python -m reports.random_starts [--starts 1000] [--again]

``record.json`` holds every end; where it holds as many starts as were asked for, only page and picture are written.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when NumPy is imported

import argparse
import json
import sys
from pathlib import Path

from bayesmix.inputs.storage import write_text
from reports.random_starts.page import picture, write
from reports.random_starts.study import MANNERS, Record, record

HERE = Path(__file__).parent


def main(arguments: list[str] | None = None, folder: Path = HERE) -> int:
    """0 where page and picture were written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=1000, help="single starts of each kind")
    parser.add_argument("--again", action="store_true", help="run them even where they were run before")
    asked = parser.parse_args(arguments)
    path = folder / "record.json"
    known: Record | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() and not asked.again else None
    if known is None or any(len(known["starts"][m.name]["agreement"]) != asked.starts for m in MANNERS):
        known = record(asked.starts)
        write_text(path, json.dumps(known) + "\n")
    write(known, folder / "RESULTS.md")
    picture(known).savefig(folder / "ends.png", dpi=144)
    print(f"written: {folder / 'RESULTS.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
