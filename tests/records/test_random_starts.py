"""The study of single random starts: its measure, a small run of it, and that the committed page is of its record."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np

import bayesmix as bm
from bayesmix.mixture.spec import resolved
from reports.random_starts import page, study
from reports.random_starts.__main__ import HERE, main


def test_agreement_is_the_best_of_all_pairings(rng):
    z, truth = rng.integers(3, size=50), np.array(["u", "v", "w"])[rng.integers(3, size=50)]
    names = np.unique(truth)
    best = max(np.mean(np.array(order)[z] == truth) for order in permutations(names))
    assert study.agreement(z, truth) == best
    assert study.agreement(np.zeros(4, int), np.array(["a", "a", "a", "b"])) == 0.75


def test_single_starts_depend_on_their_seed_alone():
    likelihood = resolved(*bm.load("iris"))
    manner = study.Manner("few steps", "random rows", 5)
    few, more = (study.single_starts(likelihood, manner, n) for n in (3, 5))
    assert few["agreement"] == more["agreement"][:3]
    assert len(set(more["log_likelihood"])) == 5
    assert all(0.3 < a <= 1 for a in more["agreement"])


def test_the_committed_page_is_that_of_its_record(tmp_path):
    known = json.loads((HERE / "record.json").read_text())
    assert {len(starts["agreement"]) for starts in known["starts"].values()} == {1000}
    (tmp_path / "record.json").write_text(json.dumps(known))
    assert main(["--starts", "1000"], Path(tmp_path)) == 0
    assert (tmp_path / "RESULTS.md").read_text() == (HERE / "RESULTS.md").read_text()
    assert (tmp_path / "ends.png").stat().st_size > 10_000
    assert len(page.picture(known).axes) == 2
