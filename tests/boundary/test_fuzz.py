"""Folders made wrong by a machine: a few in every run; a million are counted in benchmarks/fuzz/RESULTS.md."""

from random import Random

from benchmarks.fuzz.mutations import gallery, mutated
from benchmarks.fuzz.trial import batch, tried


def test_folders_made_wrong_are_read_or_refused():
    tally = batch(20261128, range(200))
    assert tally.crashes == []
    assert tally.counts["refused"] > tally.counts["accepted"] > 0


def test_an_input_can_be_made_again():
    assert mutated(Random("1:7")) == mutated(Random("1:7"))
    assert len({str(mutated(Random(f"1:{n}"))) for n in range(30)}) > 25


def test_an_error_that_names_no_file_is_a_crash(tmp_path, monkeypatch):
    folder = gallery()[0]
    assert tried(folder, tmp_path) == "accepted"
    for error in (KeyError("x"), ValueError("setting an array element with a sequence"), RuntimeWarning("overflow")):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr("benchmarks.fuzz.trial.read", fail)
        assert type(error).__name__ in tried(folder, tmp_path)
