"""Calibration finds models that are wrong in one place, by the rule that passes the right one."""

from pathlib import Path

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.compiled.functions import INTERPRETED
from planted_bugs import BUGS, LAYOUTS, SURE, calibrate

RECORDS = Path(__file__).parents[2] / "benchmarks" / "calibration" / "planted_bugs"


def recorded(name):
    (file,) = (RECORDS / name.replace(" ", "_")).glob("*.jsonl")
    return bm.Calibration.load(file)


def test_bugs_were_planted_and_all_found():
    found = {name: recorded(name) for name in BUGS}
    assert len(found) >= 10
    assert all(result.table["adjusted"].min() < SURE for result in found.values())
    assert all("ranks" in record for result in found.values() for record in result.records)
    simulations = [len(result.records) for result in found.values()]
    assert max(simulations) <= 1000
    assert sum(n <= 200 for n in simulations) >= 8


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_changes_the_density(name, rng):
    """One that does not would be found by chance alone."""
    bug = BUGS[name]
    right, wrong = (build(*LAYOUTS[bug.layout]) for build in (bm.build, bug.build))
    point = {v: x + 0.3 * rng.standard_normal(np.shape(x)) for v, x in right.initial_point().items()}
    values = [float(model.compile_logp(mode=INTERPRETED)(point)) for model in (right, wrong)]
    assert abs(values[0] - values[1]) > 1e-6


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_right_model_passed(layout):
    result = recorded(layout)
    assert result.ok
    assert len(result.ranks) == 100


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("psi for 1 - psi", marks=pytest.mark.thorough), "labels off by one"])
def test_bugs_are_found(name):
    result = calibrate(BUGS[name].layout, BUGS[name].build, checkpoints=(20,))
    assert result.table["adjusted"].min() < SURE
    assert len(result.ranks) == 20
