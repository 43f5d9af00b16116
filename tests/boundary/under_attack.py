"""Run commands on a stranger's files, in a process of its own, and write down what happened.

``python under_attack.py FOLDER``: FOLDER/attacks.json says which command each subfolder is for. The process may take
one GiB more than it has after it did the same with files that are right; what the attacks must not do is written down.
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from bayesmix.cli import main
from bayesmix.posterior.files import load_fit
from bayesmix.posterior.record import Record
from bayesmix.report.subject import command_of, remembered

MOST = 1 << 30
"""Bytes on top of what the process has."""
LONGEST = 60
"""Seconds."""
FORBIDDEN = (
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "subprocess.Popen"),
    *("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind", "urllib.Request", "webbrowser.open"),
    *("pickle.find_class", "ctypes.dlopen"),
)
"""Python's audit events of what a file must not bring about."""


class Watch:
    """What was done that may not be, since the last look."""

    def __init__(self, root):
        self.root, self.seen, self.on = os.path.realpath(root), [], False
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if not self.on:
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path, (mode, flags) = os.path.realpath(os.fsdecode(arguments[0])), arguments[1:]
            writes = bool(set(mode or "") & set("wax+")) or bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            own = path.startswith(self.root + os.sep) and not path.startswith(os.path.join(self.root, "outside"))
            if (writes and not own and path != os.devnull) or (path.startswith(self.root) and not own):
                self.seen.append(f"open {path} {mode} {flags}")


def em(folder):
    """Read the model and fit it."""
    return command("em", folder, "--n-starts", "2")


def new(folder):
    """Make a model of the table, and fit that."""
    made = command("new", folder / "made", "--data", folder / "data.csv")
    return made if made["exit"] else command("em", folder / "made", "--n-starts", "2")


def command(*arguments):
    """Run a command of bayesmix."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    fault = "" if result.exception is None or isinstance(result.exception, SystemExit) else repr(result.exception)
    return {"exit": result.exit_code, "said": result.output, "fault": fault}


def fit(folder):
    """Read a saved fit as far as a report of it would, before it writes."""
    try:
        dt = load_fit(folder / "fit.nc")
        model = remembered(Record.of(dt), folder / "fit.nc")
    except ValueError as error:
        return {"exit": 2, "said": f"error: {error}", "fault": ""}
    return {"exit": 0, "said": f"{model.name} {model.title} {command_of(dt)}", "fault": ""}


COMMANDS = {"em": em, "new": new, "fit": fit}


def attacked(watch, name, folder):
    """What happened."""
    watch.seen, watch.on, start = [], True, time.monotonic()
    signal.alarm(LONGEST)
    try:
        told = COMMANDS[name](folder)
    except BaseException as error:
        told = {"exit": -1, "said": "", "fault": "".join(traceback.format_exception(error))}
    signal.alarm(0)
    watch.on = False
    return told | {"seen": watch.seen, "seconds": time.monotonic() - start}


def run(root):
    """Every attack; the first is right, and warms up what is loaded and compiled when it is first used."""
    attacks = json.loads((root / "attacks.json").read_text(encoding="utf-8"))
    watch, told = Watch(root), {}
    for place, name in attacks["right"].items():
        told[place] = COMMANDS[name](root / place)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST,) * 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for place, name in attacks["attacks"].items():
        os.chdir(root / place)
        told[place] = attacked(watch, name, root / place)
    told["memory"] = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    (root / "told.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError("went on for too long")))
    np.seterr(all="ignore")
    run(Path(sys.argv[1]).resolve())
