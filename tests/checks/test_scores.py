"""Scores against scikit-learn and hand-made cases."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

import bayesmix as bm
from bayesmix.checks.scores import class_of_component, score_table


def test_binary_scores_agree_with_scikit_learn(rng):
    p = rng.uniform(0.01, 0.99, 500)
    y = (rng.random(500) < p).astype(int)
    r = np.column_stack([1 - p, p])
    data = bm.Data(rng.normal(size=500), truth=[("a", "b")[v] for v in y])
    row = score_table({"em": r}, data, ("a", "b")).loc["em"]
    assert row["accuracy"] == pytest.approx(np.mean((p > 0.5) == y))
    assert row["brier"] == pytest.approx(2 * brier_score_loss(y, p))
    assert row["log_score"] == pytest.approx(log_loss(y, r))
    assert row["calibration_error"] < 0.1


def test_unnamed_components_are_matched_to_classes(rng):
    truth = np.repeat(["x", "y", "z"], 20)
    r = np.eye(3)[np.repeat([2, 0, 1], 20)]
    row = score_table({"em": r}, bm.Data(rng.normal(size=60), truth=truth), ("c1", "c2", "c3")).loc["em"]
    assert row["accuracy"] == 1
    assert row["adjusted_rand"] == 1
    assert row["brier"] == 0


def test_overconfidence_shows_in_the_calibration_error(rng):
    y = rng.random(2000) < 0.7
    r = np.tile([0.02, 0.98], (2000, 1))
    data = bm.Data(rng.normal(size=2000), truth=np.where(y, "b", "a"))
    row = score_table({"em": r}, data, ("a", "b")).loc["em"]
    assert row["calibration_error"] == pytest.approx(0.98 - y.mean())


def test_labelled_rows_are_not_scored():
    data = bm.Data([1.0, 2.0, 3.0], labels=["a", None, "b"], truth=["b", "a", "a"])
    row = score_table({"em": np.array([[1.0, 0], [1, 0], [0, 1]])}, data, ("a", "b")).loc["em"]
    assert row["accuracy"] == 1


def test_fewer_components_than_classes_miss_a_class(rng):
    truth = np.repeat(["x", "y", "z"], 10)
    r = np.eye(2)[np.repeat([0, 1, 1], 10)]
    row = score_table({"em": r}, bm.Data(rng.normal(size=30), truth=truth), ("c1", "c2")).loc["em"]
    assert row["accuracy"] == pytest.approx(2 / 3)
    assert np.isfinite(row["log_score"])


def test_without_truth_there_are_no_scores():
    assert score_table({"em": np.ones((2, 1))}, bm.Data([1.0, 2.0]), ("c",)).empty


def test_soft_labels_on_every_row_leave_them_open():
    data = bm.Data([1.0, 2.0, 3.0], labels=[[1, 0], [0.5, 0.5], [0.4, 0.6]], classes=["a", "b"], truth=["b", "a", "b"])
    row = score_table({"em": np.array([[1.0, 0], [1, 0], [0, 1]])}, data, ("a", "b")).loc["em"]
    assert row["accuracy"] == 1
    hard = bm.Data([1.0, 2.0], labels=["a", "b"], truth=["b", "b"])
    assert score_table({"em": np.eye(2)}, hard, ("a", "b")).loc["em", "accuracy"] == 0.5


def test_a_component_named_by_a_class_keeps_it():
    truth = np.repeat(["a", "b", "c"], 10)
    r = np.eye(3)[np.repeat([1, 0, 2], 10)]
    assert class_of_component(r, truth, ("a", "component_1", "component_2")) == ["a", "b", "c"]
    assert class_of_component(r[:10], truth[:10], ("b", "component_1"), classes=["a", "b"]) == ["b", "a"]
    r = np.eye(4)[np.repeat([3, 1, 2], 10)]
    assert class_of_component(r, truth, ("b", "u", "v", "w")) == ["b", "u", "c", "a"]
