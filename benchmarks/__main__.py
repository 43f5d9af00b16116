"""``python -m benchmarks [ROW ...] [--quick] [--out FOLDER]``."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from benchmarks.environment import describe, thread_environment
from benchmarks.figures import Case
from benchmarks.store import Store
from benchmarks.table import ROWS

COMMAND = "uv run --group bench python -m benchmarks"
HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Run rows, each in a process of its own; 1 where any failed."""
    parser = ArgumentParser(
        prog="python -m benchmarks",
        formatter_class=RawDescriptionHelpFormatter,
        description="Without rows: all that are not finished yet.",
        epilog="\n".join(f"{name:17}{row.title}{' (by name only)' * row.on_request}" for name, row in ROWS.items()),
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", choices=[*ROWS, []], help="measure these anew")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--out", type=Path, help="folder of results.json and RESULTS.md")
    given = parser.parse_args(arguments)
    store = Store(given.out or (HERE.parent / "build" / "benchmarks" if given.quick else HERE))
    wanted = given.rows or [name for name, row in ROWS.items() if not (row.on_request or store.finished(name))]
    failed = [name for name in wanted if not run(name, store, quick=given.quick)]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def run(name: str, store: Store, *, quick: bool) -> bool:
    """Run one row to its end, keeping every case as it comes."""
    row = ROWS[name]
    options = ["--quick"] if quick else []
    store.begin(name, describe(" ".join([COMMAND, name, *options]), one_thread=row.one_thread))
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.child", name, *options],
        env=thread_environment(row.one_thread),
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            case = Case.from_dict(json.loads(line))
            store.add(name, case)
            print(f"{name}: {case.name}: " + "; ".join(f"{n} {f.text()}" for n, f in case.figures.items()), flush=True)
    if process.returncode == 0:
        store.finish(name)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
