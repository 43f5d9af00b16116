"""Scripts in a process of their own, timed from the outside, memory measured inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.timing import timed

SCRIPTS = Path(__file__).parent / "scripts"


def script(name: str, *arguments: object, python: Sequence[str] = (sys.executable,)) -> dict[str, Any]:
    """Run a script to its end; what its last line says in JSON, with ``seconds`` of the whole process.

    Raises
    ------
    RuntimeError
        Where it fails, with the end of what it wrote.
    """
    command = [*python, str(SCRIPTS / name), *map(str, arguments)]
    environment = dict(os.environ) | {"PYTHONPATH": str(SCRIPTS.parents[1])}
    seconds, done = timed(lambda: subprocess.run(command, capture_output=True, text=True, check=False, env=environment))
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1]) | {"seconds": seconds}
