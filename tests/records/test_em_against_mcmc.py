"""The study of EM against the posterior: its scores, its simulated data, two small cells from end to end."""

import json

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import brier_score_loss, log_loss

from bayesmix.em.starts import StartResult
from bayesmix.likelihood.likelihood import Params
from reports.em_against_mcmc import __main__ as command
from reports.em_against_mcmc import contestants, design, scoring, study, tables
from reports.em_against_mcmc.design import CELLS, Cell, bayes_error, draw_truth, simulate, spec_of


@pytest.fixture
def probabilities(rng):
    p = rng.uniform(0.01, 0.99, 500)
    return np.column_stack([p, 1 - p]), rng.integers(2, size=500)


def test_log_score_is_scikit_learns(probabilities):
    r, groups = probabilities
    assert scoring.log_score(r, groups) == pytest.approx(log_loss(groups, r), rel=1e-12)


def test_a_certain_error_costs_a_bounded_log_score():
    assert scoring.log_score(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(1e-12))


def test_brier_is_twice_scikit_learns_for_two_groups(probabilities):
    r, groups = probabilities
    assert scoring.brier(r, groups) == pytest.approx(2 * brier_score_loss(groups, r[:, 1]), rel=1e-12)


def test_reliability_by_hand():
    p = np.array([0.55, 0.55, 0.97, 0.02, 1.0, 0.5])
    groups = np.array([0, 1, 0, 0, 0, 1])
    rows, stated, right = scoring.reliability(np.column_stack([p, 1 - p]), groups)
    np.testing.assert_allclose(rows, [3, 0, 0, 0, 0, 2, 1])
    np.testing.assert_allclose(stated, [1.6, 0, 0, 0, 0, 1.95, 1])
    np.testing.assert_allclose(right, [1, 0, 0, 0, 0, 1, 1])
    assert scoring.calibration_error(np.array([rows, stated, right])) == pytest.approx((0.6 + 0.95) / 6)


def test_probabilities_that_are_true_are_calibrated(rng):
    p = rng.uniform(0, 1, 200_000)
    groups = (rng.random(len(p)) >= p).astype(int)
    table = scoring.reliability(np.column_stack([p, 1 - p]), groups)
    assert scoring.calibration_error(table) < 0.005
    assert scoring.calibration_error(scoring.reliability(np.column_stack([p > 0.5, p <= 0.5]), groups)) > 0.2


def test_matching_undoes_a_permutation(rng):
    r = rng.dirichlet([0.2, 0.2, 0.2], 200)
    np.testing.assert_array_equal(r[:, [2, 0, 1]][:, scoring.matching(r[:, [2, 0, 1]], r)], r)


def test_normal_intervals_cover_as_often_as_they_say(rng):
    truth, error = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    ends = np.array([scoring.normal_ends(truth + error * z, error) for z in rng.standard_normal((20_000, 2))])
    inside = scoring.covered(ends, np.tile(truth, (len(ends), 1))).mean(axis=(0, 1))
    np.testing.assert_allclose(inside, [0.5, 0.8, 0.95], atol=0.01)
    np.testing.assert_allclose(scoring.lengths(ends)[0, 0], 2 * 0.5 * norm.ppf([0.75, 0.9, 0.975]))


def test_the_overlap_of_equal_groups_is_known():
    weights, sds = np.array([0.5, 0.5]), np.array([1.0, 1.0])
    assert bayes_error(weights, np.array([-1.0, 1.0]), sds) == pytest.approx(norm.cdf(-1), abs=1e-6)


@pytest.mark.parametrize("overlap", design.OVERLAPS)
def test_the_rule_of_the_true_parameters_errs_as_often_as_the_cell_says(overlap, rng):
    wrong = []
    for _ in range(20):
        truth = draw_truth(overlap, rng)
        x, groups = design.draw_rows(truth, 20_000, rng)
        sds = np.sqrt(truth["covariances"].ravel())
        joint = truth["weights"] * norm.pdf(x[:, None], truth["means"].ravel(), sds)
        wrong.append((joint.argmax(axis=1) != groups).mean())
    assert np.mean(wrong) == pytest.approx(overlap, abs=4 * np.sqrt(overlap / 400_000))


def test_a_data_set_is_a_function_of_seed_cell_and_number():
    first, again = (simulate(CELLS[-1], 1, 7)[0] for _ in range(2))
    np.testing.assert_array_equal(first.data.x, again.data.x)
    for cell, seed, number in ((CELLS[0], 1, 7), (CELLS[-1], 2, 7), (CELLS[-1], 1, 8)):
        assert not np.array_equal(simulate(cell, seed, number)[0].new.x, first.new.x)


def test_the_labels_that_are_told_are_true_and_as_many_as_the_cell_says():
    case, _ = simulate(Cell(100, 0.2, 0.3), 1, 0)
    told = case.data.labelled
    assert told.sum() == 30
    shown = case.data.evidence(design.CLASSES)[told].argmax(axis=1)
    np.testing.assert_array_equal(shown, case.groups[told])


def test_priors_do_not_see_the_data_set():
    assert set(spec_of(0.1).priors) >= {"weights", "means", "scales"}
    assert spec_of(0.1) is spec_of(0.1)


def _result(L: float, *reasons: str) -> StartResult:
    params: Params = {}
    return StartResult("k-means++", params, np.array([L]), True, reasons, 1)


def _fit(L: float, *, degenerate: bool = False):
    return type("Fit", (), {"degenerate": degenerate, "log_likelihood": float(L)})


@pytest.mark.parametrize(
    ("ends", "kept", "expected"),
    [
        ((-10, -10), -10, {"first": "truth", "kept": "truth", "spikes": 0, "worse_starts": 0}),
        ((-12, -11), -11, {"first": "below", "kept": "below", "spikes": 0, "worse_starts": 2}),
        ((-10, -9), -9, {"first": "truth", "kept": "above", "spikes": 0, "worse_starts": 1}),
    ],
)
def test_where_starts_stop(ends, kept, expected):
    assert contestants.starts([_result(L) for L in ends], _result(-10), _fit(kept)) == expected


def test_a_fit_whose_every_start_is_a_spike_is_no_worse_mode():
    found = contestants.starts([_result(50, "a variance vanishes")], _result(-10), _fit(50, degenerate=True))
    assert found == {"first": "spike", "kept": "spike", "spikes": 1, "worse_starts": 0}


def test_where_the_truth_leads_into_a_spike_a_sound_end_is_elsewhere():
    assert contestants.place(-10.0, False, _result(50, "a variance vanishes")) == "above"


def test_a_run_carries_on_where_a_line_was_cut(tmp_path):
    cell = CELLS[0]
    one = study.Study(tmp_path)
    one.path(cell).write_text('{"number":1,"x":1}\n{"number":0,"x":2}\n{"number":2,"x')
    assert [record["number"] for record in one.done(cell)] == [0, 1]
    assert one.path(cell).read_text().count("\n") == 2


def test_rounding_keeps_whole_numbers_and_what_is_no_number():
    found = study.rounded({"a": [0.123456789, 2.0, True, None], "b": float("nan"), "c": "text"})
    assert found["a"] == [0.123457, 2, True, None]
    assert np.isnan(found["b"])


@pytest.mark.slow
def test_two_cells_from_end_to_end(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "mkdtemp", lambda prefix: str(tmp_path))
    assert command.main(["--quick", "--longer", "1"]) == 0
    page = (tmp_path / "RESULTS.md").read_text()
    for section in ("Log score", "Calibration", "Intervals for the weight", "Where EM stops", "Whether longer chains"):
        assert f"## {section}" in page
    assert sum(map(len, study.Study(tmp_path / "results/seed1").repeated(command.QUICK).values())) == 2
    for name in ("log_score", "reliability", "coverage", "failures"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
    one = study.Study(tmp_path / "results/seed1")
    records = one.done(command.QUICK[0])
    assert [record["number"] for record in records] == [0, 1]
    again = json.loads(json.dumps(one.one(command.QUICK[0], 1)))
    assert again["truth"] == records[1]["truth"]
    assert again["em"] == records[1]["em"]
    for fit in tables.FITS:
        assert records[0][fit]["log_score"] > 0
        assert np.array(records[0][fit]["reliability"])[0].sum() == design.NEW_ROWS
    lower, upper = np.split(np.array(records[0]["posterior"]["ends"]), 2, axis=-1)
    assert (lower < upper).all()
    assert (np.diff(lower, axis=-1) < 0).all()
    assert (np.diff(upper, axis=-1) > 0).all()
