"""Write the report of every gallery model, in parallel processes, then the page that lists them.

A report whose inputs have not changed (the model's folder, the package's source) is kept. One that fails does not stop
the others: it is named at the end, and the exit code is 1. So it is where an expectation of a model does not hold.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent
INPUTS = "inputs.json"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def digest(paths: Iterable[Path], root: Path) -> str:
    """SHA-256 over the names and contents of files."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path.relative_to(root)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def inputs_of(model_folder: Path) -> dict[str, str]:
    """What a report depends on: the model's folder and the package's source."""
    import bayesmix

    package = Path(str(bayesmix.__file__)).parent
    source = [p for p in package.rglob("*") if p.suffix in (".py", ".j2", ".css") and "models" not in p.parts]
    files = [p for p in model_folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {"model": digest(files, model_folder), "source": digest(source, package)}


def is_current(report: Path, inputs: dict[str, str]) -> bool:
    """Whether a whole report of these inputs is there."""
    stamp = report / INPUTS
    whole = (report / "index.html").is_file() and (report / "summary.json").is_file() and stamp.is_file()
    return whole and json.loads(stamp.read_text(encoding="utf-8")) == inputs


def write_one(name: str, out: Path) -> str:
    """Write a report and stamp it with its inputs, in a process of its own; returns the verdict."""
    from bayesmix.gallery.model_toml import find
    from bayesmix.inputs.storage import write_text
    from bayesmix.report import write_report

    inputs = inputs_of(find(name))
    result = write_report(name, out=out / name, progress=False)
    write_text(out / name / INPUTS, json.dumps(inputs) + "\n")
    return result.verdict


def generate(names: Sequence[str], out: Path, *, jobs: int, force: bool) -> dict[str, str]:
    """Write what is not current; returns the traceback of every report that could not be written."""
    from bayesmix.gallery.model_toml import find

    wanted = [name for name in names if force or not is_current(out / name, inputs_of(find(name)))]
    for name in sorted(set(names) - set(wanted)):
        print(f"{name}: unchanged, kept", flush=True)
    os.environ.update({variable: "1" for variable in THREADS})
    failed: dict[str, str] = {}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=jobs, mp_context=spawn, max_tasks_per_child=1) as pool:
        begin = time.monotonic()
        futures = {pool.submit(write_one, name, out): name for name in wanted}
        for future in as_completed(futures):
            name = futures[future]
            try:
                print(f"{name}: {future.result()} [{time.monotonic() - begin:.0f} s]", flush=True)
            except Exception as error:
                failed[name] = "".join(traceback.format_exception(error))
                print(f"{name}: FAILED: {error}", flush=True)
    return failed


def broken_expectations(names: Sequence[str], out: Path) -> list[str]:
    """Expectations of these models that do not hold, in words."""
    broken = []
    for name in names:
        path = out / name / "summary.json"
        claims = json.loads(path.read_text(encoding="utf-8"))["expectations"] if path.is_file() else []
        broken += [f"{name}: {c['quantity']}, {c['rule']}; found {c['value']}" for c in claims if not c["holds"]]
    return broken


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    from bayesmix.gallery.model_toml import names
    from bayesmix.report.index import write_index

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (default 2)")
    parser.add_argument("--only", nargs="+", choices=names(), metavar="NAME", help="these models alone")
    parser.add_argument("--force", action="store_true", help="write reports that are current, too")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the reports (default: this one)")
    options = parser.parse_args(arguments)
    chosen = options.only or names()
    failed = generate(chosen, options.out, jobs=options.jobs, force=options.force)
    print(f"wrote {write_index(options.out)}")
    broken = broken_expectations([name for name in chosen if name not in failed], options.out)
    for name, text in failed.items():
        print(f"\n{name} could not be written:\n{text}", file=sys.stderr)
    for claim in broken:
        print(f"does not hold: {claim}", file=sys.stderr)
    return 1 if failed or broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
