"""What is said to a person who waits, and values in messages."""

import time

import click
import pytest

from bayesmix.inputs import errors
from bayesmix.inputs.arguments import shown


@pytest.fixture
def bars(monkeypatch):
    """The bars that are shown: label, length and how far each came."""
    made = []

    class Bar:
        def __init__(self, length, label, file):
            self.label, self.length, self.done = label, length, 0
            made.append(self)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self, n):
            self.done += n

    monkeypatch.setattr(click, "progressbar", Bar)
    return made


def test_a_bar_is_shown_once_work_takes_long(bars, monkeypatch):
    monkeypatch.setattr(errors, "UNTOLD_SECONDS", 0.05)
    slow = []
    for item in errors.steps(range(5), "Climbing", progress=True):
        slow.append(item)
        time.sleep(0.03)
    assert slow == [0, 1, 2, 3, 4]
    assert [(bar.label, bar.length, bar.done) for bar in bars] == [("Climbing", 5, 5)]
    assert list(errors.steps(range(3), "fast", progress=True)) == [0, 1, 2]
    for _ in errors.steps(range(3), "silent", progress=False):
        time.sleep(0.03)
    assert len(bars) == 1


def test_a_bar_runs_beside_what_has_no_steps(bars, monkeypatch):
    monkeypatch.setattr(errors, "UNTOLD_SECONDS", 0.0)
    with errors.waiting("Exchange", 60.0, progress=True):
        time.sleep(0.05)
    with errors.waiting("silent", 60.0, progress=False):
        pass
    assert [(bar.label, bar.length) for bar in bars] == [("Exchange", 60)]
    assert bars[0].done <= 1


def test_values_in_messages_are_short():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, "x" * 10**6, list(range(10**5)), {i: i for i in range(10**4)}, 16**50_000):
        assert len(shown(value)) < 500
    assert shown([1.5, "a"]) == "[1.5, 'a']"
    assert shown(-3) == "-3"
