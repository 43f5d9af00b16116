"""One row in a process of its own: cases as JSON lines on standard output, all other output on standard error."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from importlib import import_module


def main(name: str, quick: bool) -> None:
    """Run a row and print each case when it is finished."""
    out = sys.stdout
    with redirect_stdout(sys.stderr):
        for case in import_module(f"benchmarks.rows.{name}").cases(quick=quick):
            print(json.dumps(case.to_dict()), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], "--quick" in sys.argv[2:])
