"""Run what is missing in results.jsonl, and write RESULTS.md: ``uv run python -m benchmarks.evidence_atlas``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.environment import describe
from benchmarks.evidence_atlas.cells import cells, timed
from benchmarks.evidence_atlas.page import page

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
COMMAND = "uv run python -m benchmarks.evidence_atlas"


def read() -> list[dict[str, Any]]:
    """The records so far."""
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cells", nargs="*", help="begin of their names, as 'galaxies exchange'; all by default")
    begins = tuple(parser.parse_args().cells)
    environment = describe(COMMAND, one_thread=False)
    done = {record["cell"] for record in read()}
    with RESULTS.open("a") as file:
        for cell in cells():
            if cell.name in done or (begins and not cell.name.startswith(begins)):
                continue
            record = timed(cell) | {key: environment[key] for key in ("date", "commit")}
            file.write(json.dumps(record) + "\n")
            file.flush()
            print(json.dumps(record), flush=True)
    (HERE / "RESULTS.md").write_text(page(read(), environment, COMMAND))


if __name__ == "__main__":
    main()
