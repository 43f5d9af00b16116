"""Work that is killed again and again, in processes of its own, then done to its end, beside the same done at once.

``python killed.py WORK FOLDER``: what there was to count after every kill, and how both ends compare, as JSON.
"""

import json
import os
import signal
import sys
import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np

import bayesmix as bm
from bayesmix.calibration import calibrate as calibration
from bayesmix.calibration.ranks import RANKED_DRAWS
from bayesmix.compiled.log_posterior import CompiledModel

SIMULATIONS = 60
ASKED = {"n_components": range(1, 5), "covariance": ("full", "tied", "diag"), "n_starts": 4, "folds": 0}
EARLY = 0.2
"""The share of kills before any work is done; the others come when about a twentieth of it is."""
CORNERS = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 0.0], [10.0, 10.0]])


class Simulator(calibration.Simulator):
    """Ranks that cost nothing but some time: what is tried is how they are kept."""

    def __call__(self, number):
        time.sleep(0.05)
        rng = np.random.default_rng(number)
        ranks = rng.integers(0, RANKED_DRAWS + 1, len(self.names)).tolist()
        return {"simulation": number, "ranks": ranks, "ess": 500.0, "draws": 1000, "problems": [], "seconds": 0.01}


def choose(folder):
    """EM of twelve candidates."""
    spec, data = bm.load("old_faithful")
    choice = bm.choose(spec, data, mode="em", out=folder, progress=False, **ASKED)
    return choice.table.drop(columns=[v for v in choice.table if "seconds" in v]).to_json(double_precision=15)


def calibrate(folder):
    """Simulations, one after the other."""
    made = bm.calibrate(*design(), n_sims=SIMULATIONS, folder=folder, cores=1, progress=False)
    return made.ranks.to_json()


@cache
def design():
    """Read once, before the first fork."""
    spec, data = bm.load("zip_simulated")
    return bm.resolve(spec, data.take(np.arange(20))), data.take(np.arange(20))


def sample(folder):
    """Chains of a posterior with two regions: which pairs of four corners belong together."""
    dt = bm.sample(*corners(), draws=200, tune=200, chains=2, n_starts=4, cores=1, keep=folder, compiled=compiled())
    groups = {name: dt[name].to_dataset() for name in ("posterior", "sample_stats", "relabelling")}
    return json.dumps({f"{g}/{v}": a.to_numpy().tolist() for g, ds in groups.items() for v, a in ds.items()})


def corners():
    """Rows around the corners of a square, and two components."""
    x = np.repeat(CORNERS, 12, axis=0) + np.random.default_rng(3).normal(size=(48, 2))
    return bm.Mixture("gaussian", n_components=2, covariance="diag"), bm.Data(x)


@cache
def compiled():
    """Its model, compiled once, before the first fork."""
    return CompiledModel(bm.build(*corners()))


def kernels():
    """Every kernel that the candidates need, loaded before the first fork."""
    spec, data = bm.load("old_faithful")
    bm.choose(spec, data, mode="em", progress=False, **(ASKED | {"n_components": (1, 2), "n_starts": 1}))


WORK = {"choose": choose, "calibrate": calibrate, "sample": sample}


def in_a_child(work, folder, out=None, seconds=None):
    """Whether the work came to its end before it was killed."""
    child = os.fork()
    if not child:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = work(folder)
        if out is not None:
            out.write_text(text)
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == 0


def finished(folder):
    """Files and lines of what is done."""
    files = [p for p in folder.rglob("*") if p.is_file() and ".partial" not in p.name]
    return sum(len(p.read_text().splitlines()) - 1 if p.suffix == ".jsonl" else 1 for p in files)


def written(folder):
    """When every record that is a file was."""
    files = [p for p in folder.rglob("*") if p.suffix in (".json", ".nc") and ".partial" not in p.name]
    return {str(p): p.stat().st_mtime_ns for p in files}


def main(name, root, kills):
    """Both ways."""
    work = WORK[name]
    {"sample": compiled, "calibrate": design, "choose": kernels}[name]()
    in_a_child(work, root / "warm")
    began = time.monotonic()
    assert in_a_child(work, root / "whole", root / "whole.json")
    seconds = time.monotonic() - began
    made = written(root / "whole")
    began = time.monotonic()
    assert in_a_child(work, root / "whole", root / "again.json")
    idle = time.monotonic() - began  # what it takes when all is done
    rng, counts, pace = np.random.default_rng(0), [], 1.0
    for _ in range(3 * kills):
        early = rng.random() < EARLY
        moment = rng.uniform(0, idle) if early else idle + rng.uniform(0, 3 * max(seconds - idle, 0) / kills)
        if in_a_child(work, root / "killed", seconds=pace * moment):
            pace *= 0.7  # the machine is less busy than when it was timed
        else:
            counts.append(finished(root / "killed"))
        if len(counts) == kills:
            break
    before = written(root / "killed")
    ended = in_a_child(work, root / "killed", root / "killed.json")
    kept = before.items() & written(root / "killed").items()
    told = {"kills": len(counts), "counts": counts, "ended": ended, "seconds": [seconds, idle]}
    told |= {"before": len(before), "kept": len(kept), "reused": made == written(root / "whole")}
    told["same"] = len({(root / f"{one}.json").read_text() for one in ("whole", "again", "killed")}) == 1
    told["files"] = [sorted(p.name for p in (root / one).rglob("*") if p.is_file()) for one in ("whole", "killed")]
    print(json.dumps(told))


if __name__ == "__main__":
    calibration.Simulator = Simulator
    warnings.simplefilter("ignore")
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
