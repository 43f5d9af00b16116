"""Modes and their masses, beside long tempered runs of a log-density written by hand (tests/reference_masses.json)."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.multimodality.table import Modes
from reference_cases import CASES, reference


def maxima():
    """Two regions, the first of two maxima, and a negligible mode."""
    nan = float("nan")
    columns = {
        "mass": [0.9, 0.9, 0.1, nan],
        "mass_error": [0.02, 0.02, 0.02, nan],
        "log_evidence": [-10.0, -10.0, -12.2, nan],
        "log_evidence_error": [0.02, 0.02, 0.02, nan],
        "log_posterior": [-5.0, -4.0, -6.0, -9.0],
        "laplace": [0.0, -1.0, -2.0, -12.0],
        "reached": [3, 4, 5, 1],
        "region": [1, 1, 2, 0],
        "established": [1, 1, 1, 0],
    }
    named = {
        "weights": (("mode", "component"), [[0.5, 0.5], [0.4, 0.6], [0.01, 0.99], [0.5, 0.5]]),
        "means": (("mode", "component", "feature"), np.arange(8.0).reshape(4, 2, 1)),
    }
    coords = {"mode": [1, 2, 3, 4], "component": ["a", "b"], "feature": ["x"]}
    return xr.Dataset(named | {name: ("mode", v) for name, v in columns.items()}, coords=coords)


def test_linked_maxima_are_one_mode_and_negligible_ones_come_last():
    table = Modes(maxima(), 100).table
    assert list(table.columns[:6]) == [
        "mass",
        "mass_error",
        "log_evidence",
        "log_evidence_error",
        "log_posterior",
        "reached",
    ]
    assert table["reached"].tolist() == [7, 5, 1]
    assert table["log_posterior"].tolist() == [-4.0, -6.0, -9.0]
    assert table["mass"].tolist() == pytest.approx([0.9, 0.1, 0.9 * np.exp(-12)])
    assert "near-empty" in table["description"].iloc[1]
    assert "near-empty" not in Modes(maxima(), 1000).table["description"].iloc[1]


def test_printed_in_a_line_each():
    lines = str(Modes(maxima(), 100)).splitlines()
    assert lines[0].startswith("1. 0.9 +- 0.02 of the mass; 0.40 at (2), 0.60 at (3)")
    assert "(rough)" in lines[2]


def found(name, **settings):
    case = CASES[name]()
    compiled = CompiledModel(bm.build(case.resolved, case.data))
    return bm.modes(case.resolved, case.data, compiled=compiled, progress=False, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["four_corners", "stretched_corners"])
def test_two_splits_hold_the_masses_of_a_tempered_run(name):
    modes, known = found(name, n_starts=40), reference(name)
    table = modes.table
    assert table["established"].tolist()[:2] == [True, True]
    first = modes.maxima["means"].isel(mode=0).to_numpy()
    side_by_side = np.abs(first[0] - first[1]).argmax() == 0
    share = float(table["mass"].iloc[0 if side_by_side else 1])
    print(name, share, table["mass_error"].iloc[0], known["masses"][0])
    error = np.hypot(table["mass_error"].iloc[0], known["mass_errors"][0])
    assert abs(share - known["masses"][0]) < 4 * error
    total = np.logaddexp(*table["log_evidence"].iloc[:2])
    assert abs(total - known["log_evidence"]) < 4 * np.hypot(0.03, known["log_evidence_error"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["galaxies_3", pytest.param("galaxies_4", marks=pytest.mark.thorough)])
def test_galaxies_hold_the_evidence_of_a_tempered_run(name):
    table, known = found(name, n_starts=40, draws=3000).table, reference(name)
    sure = table[table["established"] & table["log_evidence"].notna()]
    total, error = np.logaddexp.reduce(sure["log_evidence"]), sure["log_evidence_error"].max()
    assert sure["mass"].sum() == pytest.approx(1.0)
    assert abs(total - known["log_evidence"]) < 4 * np.hypot(error, known["log_evidence_error"])
