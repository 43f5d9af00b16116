"""Work in processes: the same results, one by one, and no process that outlives the one that waits."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayesmix.kernels.parallel import in_processes

ORPHANS = """
import os, time
from bayesmix.kernels.parallel import in_processes

def work(item):
    print(os.getpid(), flush=True)
    time.sleep(600)

list(in_processes(work, range(4), processes=2))
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_every_item_once_by_functions_of_the_caller(processes):
    """A function that no module has goes over whole; where processes are several, none of them is this one."""
    offset = 10
    results = dict(in_processes(lambda i: (i, (i + offset, os.getpid())), range(5), processes=processes))
    assert {i: value for i, (value, _) in results.items()} == {i: i + 10 for i in range(5)}
    assert (os.getpid() in {pid for _, pid in results.values()}) == (processes == 1)


def test_an_error_is_the_callers():
    with pytest.raises(ZeroDivisionError):
        list(in_processes(lambda i: 1 / i, [1, 0], processes=2))


def test_what_a_process_caches_it_keeps():
    class Work:
        calls = 0

        def __call__(self, item):
            self.calls += 1
            return item, self.calls

    assert max(calls for _, calls in in_processes(Work(), range(8), processes=2)) >= 4


def test_a_killed_parent_leaves_no_process_behind():
    command, quiet = [sys.executable, "-c", ORPHANS], subprocess.DEVNULL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True) as parent:
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a process outlives the one that waited for it"
        time.sleep(0.2)


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
