"""Machines die half-way: killed at random moments, on a full disk, by Ctrl-C, nothing that was finished is lost."""

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import bayesmix as bm
from bayesmix.calibration import store
from bayesmix.choosing import by_em, choose
from bayesmix.choosing import store as choices
from bayesmix.cli import main
from bayesmix.inputs import storage
from bayesmix.report import write
from bayesmix.sampling.rescue import KeptRuns

KILLER = Path(__file__).with_name("killed.py")
KILLS = 20
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks and limits are Linux'")


def killed(name, folder, kills=KILLS):
    """What work that is killed so often comes to."""
    command = [sys.executable, KILLER, name, folder, str(kills)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["choose", "calibrate"])
def test_what_is_killed_goes_on_and_gives_the_same(tmp_path, name):
    told = killed(name, tmp_path)
    assert told["kills"] == KILLS
    assert told["ended"]
    assert told["same"]
    assert told["files"][0] == told["files"][1]  # nothing lies about
    assert told["counts"] == sorted(told["counts"])  # what was there stayed
    assert told["counts"][-1] > 0
    assert told["kept"] == told["before"]  # and was not done again
    assert told["reused"]


@pytest.mark.slow
def test_chains_that_are_killed_go_on_from_finished_ones(tmp_path):
    told = killed("sample", tmp_path, kills=5)
    assert told["ended"]
    assert told["same"]
    assert told["files"][0] == told["files"][1]
    assert told["files"][0]
    assert told["reused"]
    assert told["counts"] == sorted(told["counts"])
    assert told["kept"] == told["before"]


def test_a_torn_record_is_noticed_and_made_again(tmp_path):
    path, made = tmp_path / "record.json", []

    def make():
        made.append(1)
        return {"bic": 1.25, "reasons": ["a"], "held_out": float("nan")}

    assert choices.kept(path, make)["bic"] == choices.kept(path, make)["bic"] == 1.25
    assert len(made) == 1
    whole = path.read_text()
    for torn in (whole[: len(whole) // 2], whole.replace("1.25", "1.26"), "", "\x00" * 50, "[1]"):
        path.write_text(torn)
        assert choices.kept(path, make)["bic"] == 1.25
        assert path.read_text() == whole
    assert len(made) == 6


def test_a_torn_line_of_a_calibration_is_done_again(tmp_path):
    path, head = tmp_path / "a.jsonl", {"quantities": ["x"], "spec": {}}
    lines = [{"simulation": i, "ranks": [i]} for i in range(3)]
    store.write(path, head, lines[:1])
    store.append(path, lines[1])
    store.append(path, lines[2])
    assert store.read(path) == (head, lines)
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*whole[:2], whole[2].replace("[1]", "[7]"), whole[3][:-9]]))
    assert store.read(path) == (head, lines[:1])


def test_committed_calibrations_are_read(tmp_path):
    """Files of before there were checksums."""
    folder = Path(__file__).parents[2] / "benchmarks" / "calibration" / "poisson"
    head, lines = store.read(next(folder.glob("*.jsonl")))
    assert len(lines) == 1000
    assert head["quantities"]


@pytest.mark.parametrize("failing", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch, failing):
    path = tmp_path / "a.jsonl"
    store.write(path, {"quantities": []}, [])
    before = path.read_text()

    def fails(_):
        raise failing

    def half():
        with storage.whole(path) as partial:
            partial.write_text("half")
            fails(partial)

    with pytest.raises(type(failing)):
        half()
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(type(failing)):
        store.append(path, {"simulation": 0, "ranks": []})
    with pytest.raises(type(failing)):
        store.write(path, {"quantities": ["x"]}, [])
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_dead_processes_left_is_cleared(tmp_path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    path = tmp_path / "a.txt"
    dead, alive = (tmp_path / f".{pid}.partial.a.txt" for pid in (done.pid, os.getppid()))
    other = tmp_path / ".note.partial.a.txt"
    for leftover in (dead, alive, other):
        leftover.write_text("half")
    storage.write_text(path, "whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, alive, other])
    folder, scratch = tmp_path / "report", tmp_path / f".{done.pid}.partial.report"
    (scratch / "old").mkdir(parents=True)
    (scratch / "old" / "index.html").write_text("old")
    with write.complete(folder) as partial:
        assert (folder / "index.html").read_text() == "old"  # killed between two moves: it is back
        (partial / "index.html").write_text("new")
    assert not scratch.exists()
    assert (folder / "index.html").read_text() == "new"


def model_in(folder):
    """A small model."""
    small = folder / "small"
    small.mkdir()
    rows = "".join(f"{x}\n" for x in np.r_[np.linspace(0, 1, 12), np.linspace(5, 7, 12)].round(3))
    (small / "data.csv").write_text(f"x\n{rows}")
    (small / "model.toml").write_text(
        'title = "t"\n[data]\nfile = "data.csv"\ncolumns = ["x"]\n[mixture]\nfamily = "gaussian"\nn_components = 2\n'
    )
    return small


def limited(*command, folder, size):
    """A command of bayesmix on a disk that takes no file larger than so many bytes."""
    code = "from bayesmix.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, command)],
        env=ENVIRONMENT,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


def test_a_full_disk_is_said_in_a_line_and_the_same_command_goes_on(tmp_path):
    command = ("choose", model_in(tmp_path), "--em", "--components", "1-3", "-q")
    found = limited(*command, folder=tmp_path, size=8192)
    assert found.returncode == 2
    assert found.stderr.startswith("error: the disk is full")
    assert "same command again" in found.stderr
    assert len(found.stderr.splitlines()) == 1
    folder = tmp_path / "choices" / "small"
    there = sorted(p.name for p in folder.rglob("*") if p.is_file())
    assert len([name for name in there if name.endswith(".json")]) == 3
    assert not [name for name in there if "partial" in name or name == "index.html"]
    for record in folder.glob("records/*.json"):
        assert storage.unsealed(record.read_text()) is not None
    again = limited(*command, folder=tmp_path, size=resource.RLIM_INFINITY)
    assert again.returncode == 0, again.stderr
    assert (folder / "index.html").is_file()


def test_a_fit_on_a_full_disk_leaves_the_old_file(tmp_path):
    code = (
        "import resource, sys, numpy as np, xarray as xr, bayesmix as bm\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from bayesmix.inputs.errors import disk_is_full\n"
        "try:\n"
        "    bm.save(xr.DataTree.from_dict({'posterior': xr.Dataset({'x': ('draw', np.zeros(10_000))})}), 'fit.nc')\n"
        "except Exception as error:\n"
        "    sys.exit(7 if disk_is_full(error) else repr(error))\n"
    )
    (tmp_path / "fit.nc").write_text("old")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("fit.nc", "old")]


def test_ctrl_c_is_one_line_and_code_130(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begun = []

    def one(candidate, made, **settings):
        begun.append(candidate.name)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return by_em.by_em(candidate, made, **settings)

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(choose, "by_em", one)
    command = ["choose", str(model_in(tmp_path)), "--em", "--components", "1-4", "-q"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 130
    assert result.output.splitlines() == [
        "error: interrupted; whatever was finished is kept, and the same command goes on from there"
    ]
    assert len(list(tmp_path.rglob("*.json"))) == 2
    begun.append("from now on")
    assert CliRunner().invoke(main, command).exit_code == 0
    assert begun[4:] == ["3", "4"]


def run_of(n, seed=0):
    """What a sampler gives."""
    rng = np.random.default_rng(seed)
    posterior = xr.Dataset(
        {"means": (("chain", "draw", "component"), rng.normal(size=(2, n, 2)))}, coords={"component": ["a", "b"]}
    )
    statistics = xr.Dataset(
        {
            "logp": (("chain", "draw"), rng.normal(size=(2, n))),
            "diverging": (("chain", "draw"), rng.random((2, n)) < 0.1),
            "depth": (("chain", "draw"), rng.integers(1, 9, (2, n)).astype("uint64")),
            "divergence_message": (("chain", "draw"), np.full((2, n), None)),
        }
    )
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": statistics})


def test_finished_runs_are_kept_and_only_whole_ones_used(tmp_path, faithful):
    spec, data = bm.resolve(*faithful), faithful[1]
    kept, raw, made = KeptRuns.of(tmp_path / "runs", spec, data), run_of(5), []

    def draw():
        made.append(1)
        return raw

    first, again = kept({"seed": 1}, draw), kept({"seed": 1}, draw)
    assert len(made) == 1
    assert first is raw
    for group in ("posterior", "sample_stats"):
        drawn = raw[group].to_dataset().drop_vars("divergence_message", errors="ignore")
        xr.testing.assert_equal(again[group].to_dataset(), drawn)
        assert {v: a.dtype for v, a in again[group].items()} == {v: a.dtype for v, a in drawn.items()}
    (file,) = (tmp_path / "runs").iterdir()
    content = bytearray(file.read_bytes())
    place = content.find(raw["posterior"]["means"].to_numpy().tobytes()[:64])
    content[place + 3] ^= 0xFF
    file.write_bytes(bytes(content))
    kept({"seed": 1}, draw)
    assert place > 0
    assert len(made) == 2
    kept({"seed": 2}, draw)
    KeptRuns.of(tmp_path / "runs", spec, data.take(np.arange(100)))({"seed": 1}, draw)
    assert len(made) == 4


def test_an_interrupted_run_is_not_kept(tmp_path, faithful):
    kept, raw = KeptRuns.of(tmp_path / "runs", bm.resolve(*faithful), faithful[1]), run_of(5)
    cut = raw["sample_stats"].to_dataset()
    raw["sample_stats"] = xr.DataTree(cut.assign(logp=cut["logp"].where(cut["draw"] < 3)))
    assert kept({"seed": 1}, lambda: raw) is raw
    assert not (tmp_path / "runs").exists()
