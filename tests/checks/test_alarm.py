"""The alarm study: its data are what they are said to be, its records what the issue asks for, and its tools work."""

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.posterior.relabel import apply
from benchmarks.alarm import __main__ as command
from benchmarks.alarm import ambiguous, ordinary
from benchmarks.alarm.page import page
from benchmarks.alarm.shuffles import PATTERNS, shuffled, undone
from benchmarks.alarm.verdict import Fitter, separate_modes, switched, verdict
from benchmarks.environment import describe

FOLDER = Path(__file__).parents[2] / "benchmarks" / "alarm"
RECORDS = command.read()


def of(name):
    return [record for record in RECORDS if record["set"] == name]


def case(cases, name):
    return next(one for one in cases if one.name == name)


def same_rows(a, b):
    """Equal but for the order of the rows."""
    a, b = (x[np.lexsort(x.round(6).T)] for x in (a, b))
    np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize(("make", "times"), [(ambiguous.corners, 4), (ambiguous.cross, 4), (ambiguous.triangle, 3)])
def test_turns_map_the_rows_to_themselves(make, times):
    a = 2 * np.pi / times
    same_rows(make(), make() @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]))
    np.testing.assert_allclose(np.cov(make().T), np.eye(2) * np.var(make()[:, 0], ddof=1), atol=1e-9)


@pytest.mark.parametrize("centres", [(-4.0, 0.0, 4.0), (-9.0, -3.0, 3.0, 9.0)])
def test_the_mirror_maps_the_values_to_themselves(centres):
    x = ambiguous.mirrored(centres, 20, 0.5)
    assert len(x) == 20 * len(centres)
    np.testing.assert_allclose(np.sort(x), np.sort(-x))
    nearest = np.abs(x[:, None] - centres).argmin(axis=1)
    assert (np.bincount(nearest) == 20).all()


def test_a_stretched_square_keeps_its_scatter():
    moved = ambiguous.corners(1.02) - ambiguous.corners()
    np.testing.assert_allclose(np.unique(moved[:, 0].round(9)), [-0.06, 0.06])
    assert not moved[:, 1].any()


@pytest.mark.parametrize("seed", range(1, 101))
def test_ordinary_data_keep_the_rules(seed):
    one = ordinary.CASES[seed - 1]
    spec, data = one.make()
    assert 100 <= len(data) <= 1000
    assert spec.priors == {}
    np.testing.assert_array_equal(data.x, one.make()[1].x)
    kind = ordinary.KINDS[seed % len(ordinary.KINDS)]
    if isinstance(kind, tuple) and kind[0] > 1:
        assert len(data) >= 50 * kind[0]
        assert data.labelled.any() == (seed % 3 == 0)


@pytest.mark.parametrize("K", [2, 3, 4])
@pytest.mark.parametrize("d", [1, 2])
def test_groups_are_as_far_apart_as_was_drawn(rng, K, d):
    """Along the line between two means u = a' x: |u_j - u_k| over its standard deviation, pooled."""
    for _ in range(20):
        S = ordinary.covariances(rng, K, d, "full")
        mu = ordinary.means(rng, S)
        gaps = []
        for j, k in combinations(range(K), 2):
            a = (mu[j] - mu[k]) / np.linalg.norm(mu[j] - mu[k])
            gaps.append(abs(a @ mu[j] - a @ mu[k]) / np.sqrt((a @ S[j] @ a + a @ S[k] @ a) / 2))
        assert 3 <= min(gaps) <= 6


def test_every_case_has_a_record():
    assert sorted(r["name"] for r in of("ambiguous")) == sorted(one.name for one in ambiguous.CASES)
    assert sorted(r["name"] for r in of("ordinary")) == sorted(one.name for one in ordinary.CASES)
    assert len({one.name for one in ordinary.CASES}) == 100
    assert len({r["name"] for r in of("shuffled")}) == len(command.SHUFFLED)


def test_the_alarm_works_both_ways():
    assert len(of("ambiguous")) >= 8
    assert [r["name"] for r in of("ambiguous") if not r["flagged"]] == []
    assert len([r["name"] for r in of("ordinary") if r["flagged"]]) <= 2
    assert [r for r in of("shuffled") if r["flagged"]] == []


@pytest.mark.parametrize(("name", "modes"), [("square", 2), ("cross", 2), ("three on a line", 2), ("triangle", 3)])
def test_exact_symmetries_give_equal_masses(name, modes):
    """A half each, a third each, within four of the errors that the verdict states."""
    record = next(r for r in of("ambiguous") if r["name"] == name)
    assert record["modes"] == modes
    stated = re.findall(r"\(([\d.]+) \+- ([\de.-]+)\)", record["notes"][0])
    mass, error = np.array(stated, dtype=float).T
    assert len(mass) == modes
    assert (np.abs(mass - 1 / modes) < 4 * error + 5e-4).all()  # printed to three digits


def test_four_groups_on_a_line_have_three_modes():
    """The mirror exchanges the modes that merge the left and the right pair; the middle pair's is as likely."""
    assert next(r for r in of("ambiguous") if r["name"] == "four on a line")["modes"] == 3


def test_the_page_counts_the_records():
    text = (FOLDER / "RESULTS.md").read_text()
    head = page(RECORDS, describe("", one_thread=False)).splitlines()
    assert [line for line in text.splitlines() if line.startswith("#")] == [l for l in head if l.startswith("#")]
    assert text.splitlines()[:-1] == head[:-1]


def test_patterns_of_switching(rng):
    by_chain, by_stretch, by_draw = (PATTERNS[name](rng, 3, 200) for name in ("by chain", "by stretch", "by draw"))
    assert (by_chain == np.arange(3)[:, None]).all()
    assert len(np.unique(by_draw)) == 600
    assert 3 < by_stretch.max() < 30
    assert set(np.diff(by_stretch.ravel())) == {0, 1}


def test_switching_is_seen(gaussian_1d_dt):
    sizes = gaussian_1d_dt["posterior"].sizes
    order = np.tile(np.arange(3), (sizes["chain"], sizes["draw"], 1))
    order[0, : sizes["draw"] // 2] = [1, 0, 2]
    assert switched(gaussian_1d_dt) == 0.0
    assert switched(apply(gaussian_1d_dt, order)) == pytest.approx(0.5 / sizes["chain"])


@pytest.mark.parametrize(("pattern", "method"), [("by chain", "ecr"), ("by stretch", "data"), ("by draw", "stephens")])
def test_switching_alone_raises_no_alarm(gaussian_1d_dt, pattern, method):
    """As they are, switched labels spoil the verdict; relabelled they do not."""
    assert verdict(shuffled(gaussian_1d_dt, PATTERNS[pattern], 1))["flagged"]
    assert not undone(gaussian_1d_dt, pattern, method)["flagged"]


@pytest.fixture(scope="module")
def fitter():
    return Fitter()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("three on a line", marks=pytest.mark.thorough),
        pytest.param("near duplicates", marks=pytest.mark.thorough),
        "one class known",
    ],
)
def test_the_alarm_goes_off(fitter, name):
    assert fitter(case(ambiguous.CASES, name))["flagged"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 27])
def test_the_alarm_keeps_quiet(fitter, seed):
    assert not fitter(ordinary.CASES[seed - 1])["flagged"]


@pytest.mark.slow
def test_separate_modes_are_announced_with_their_masses(fitter):
    dt = fitter.fit(case(ambiguous.CASES, "three on a line"))
    assert separate_modes(dt) == 2
    assert "2 modes of the posterior" in bm.diagnose(dt).notes[0] or "2 separate modes" in bm.diagnose(dt).notes[0]
    modes = dt["modes"].to_dataset()
    held = modes.isel(mode=[int(np.flatnonzero(modes["region"] == g)[0]) for g in (1, 2)])
    np.testing.assert_allclose(held["mass"], 0.5, atol=max(0.02, 3 * float(held["mass_error"].max())))
    assert json.loads(json.dumps(verdict(dt)))["modes"] == 2
