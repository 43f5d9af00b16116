"""Files from strangers: none runs code, reads or writes elsewhere, sends a request, hangs, or takes a GiB of memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from boundary.attacks import ATTACKS, OUTSIDE, ROWS, SECRET, fit, model, table

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and pipes are Linux'")
RIGHT = {"right model": ("em", model()), "right table": ("new", table(ROWS.encode())), "right fit": ("fit", fit())}
CHILD = Path(__file__).with_name("under_attack.py")
LEAST = 40
"""Files that are tried, at least."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """By attack: what the command did and said, in one process for all of them."""
    root = tmp_path_factory.mktemp("strangers")
    (root / OUTSIDE).mkdir()
    for name in ("secret.csv", "secret.txt"):
        (root / OUTSIDE / name).write_text(SECRET)
    cases = {name: make for name, (_, make) in RIGHT.items()} | {name: attack.make for name, attack in ATTACKS.items()}
    for name, make in cases.items():
        (root / name).mkdir()
        make(root / name)
    commands = {"right": {name: command for name, (command, _) in RIGHT.items()}}
    commands["attacks"] = {name: attack.command for name, attack in ATTACKS.items()}
    (root / "attacks.json").write_text(json.dumps(commands))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
    environment = os.environ | threads | {"PYTHONDONTWRITEBYTECODE": "1"}
    before = {path: path.read_bytes() for path in (root / OUTSIDE).iterdir()}
    done = subprocess.run([sys.executable, CHILD, root], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in (root / OUTSIDE).iterdir()} == before
    assert list(root.rglob("ran")) == []
    return json.loads((root / "told.json").read_text())


@pytest.mark.parametrize("name", RIGHT)
def test_files_that_are_right_are_read(told, name):
    assert told[name]["exit"] in (0, 1), told[name]
    assert not told[name]["fault"]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_or_is_text(told, name):
    found, words = told[name], ATTACKS[name].words
    assert found["seen"] == []
    assert found["fault"] == ""
    assert found["exit"] in ((2,) if words else (0, 1)), found["said"]
    said = found["said"]
    assert words.lower() in said.lower()
    assert len(said) < 10_000
    assert SECRET not in said
    assert "fault of bayesmix" not in said
    assert "Traceback" not in said
    if words:
        assert said.startswith("error: ")
        assert len(said.strip().splitlines()) == 1
    assert all(c.isprintable() or c in "\n\u202f" for c in said), "a sign that commands the terminal"


def test_they_take_less_than_a_gigabyte(told):
    assert told["memory"] < 1 << 30
    assert len(ATTACKS) >= LEAST


def test_a_command_that_a_file_records_is_ours_and_quoted(told):
    assert "curl" not in told["fit with a command"]["said"]
    assert told["fit with a command behind ours"]["said"].endswith("bayesmix report 'x;' touch ran")
