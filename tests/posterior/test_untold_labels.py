"""Whether labels can be told apart: against the formula for two humps, and on fits where one knows."""

import numpy as np
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.multimodality.thresholds import UNTOLD
from bayesmix.posterior.record import Record
from bayesmix.posterior.relabel import apply
from bayesmix.posterior.untold_labels import boundary_density, label_overlaps


@pytest.mark.parametrize("u", [0.0, 1.0, 1.5, 2.0, 3.0, 6.0])
def test_two_normal_humps(rng, u):
    """f(0) / E f of N(u, 1)/2 + N(-u, 1)/2, of which relabelling keeps the positive half."""
    t = np.abs(rng.normal(u, 1, (20_000, 1)))
    formula = 4 * np.sqrt(np.pi) * norm.pdf(u) / (1 + np.exp(-(u**2)))
    assert boundary_density(t) == pytest.approx(formula, rel=0.1, abs=0.02)


def test_one_direction_of_many_is_enough(rng):
    """Ten differences of which one tells the labels apart, whatever their units and mixtures."""
    z = rng.normal(size=(2000, 10))
    z[:, 0] = np.abs(z[:, 0] + 6)
    mixed = z @ rng.normal(size=(10, 10)) * np.logspace(-8, 8, 10)
    assert boundary_density(mixed) < 0.001
    z[:, 0] -= 6  # one hump, kept whole
    z[:, 0] = np.abs(z[:, 0])
    assert boundary_density(z) > 1


def test_constants_tell_nothing():
    assert boundary_density(np.zeros((50, 2))) == 0.0


def test_pinned_components_have_no_swaps(zip_dt):
    assert label_overlaps(Record.of(zip_dt).likelihood, zip_dt["posterior"].to_dataset()) == {}
    assert not [p for p in bm.diagnose(zip_dt).problems if p.name == "labels"]


def test_switching_alone_raises_no_alarm(rng, gaussian_1d_dt):
    """Three groups well apart, whose labels changed in every draw, and were found again."""
    sizes = gaussian_1d_dt["posterior"].sizes
    order = np.array([[rng.permutation(3) for _ in range(sizes["draw"])] for _ in range(sizes["chain"])])
    dt = bm.relabel(apply(gaussian_1d_dt, order), "stephens")
    overlaps = label_overlaps(Record.of(dt).likelihood, dt["posterior"].to_dataset())
    assert len(overlaps) == 3
    assert max(overlaps.values()) < UNTOLD / 10
    assert not [p for p in bm.diagnose(dt).problems if p.name == "labels"]


def test_draws_left_unlabelled_are_told(rng, gaussian_1d_dt):
    """The same draws with their labels shuffled: every label means every group."""
    sizes = gaussian_1d_dt["posterior"].sizes
    order = np.array([[rng.permutation(3) for _ in range(sizes["draw"])] for _ in range(sizes["chain"])])
    dt = apply(gaussian_1d_dt, order)
    assert min(label_overlaps(Record.of(dt).likelihood, dt["posterior"].to_dataset()).values()) > UNTOLD


def test_two_features_are_told_apart(faithful_dt):
    assert bm.diagnose(faithful_dt).labels_ok


def test_three_components_on_one_group(three_groups, three_groups_compiled):
    """There is one normal group of 100 rows: the verdict says what is meaningless, and what is not."""
    spec, _ = three_groups
    data = bm.Data(np.random.default_rng(3).normal(size=100))
    compiled = three_groups_compiled.with_data(bm.build(spec, data))
    dt = bm.sample(spec, data, compiled=compiled, draws=400, tune=300, progress=False)
    check = bm.diagnose(dt)
    (problem,) = check.limits
    assert problem.value > problem.threshold == UNTOLD
    assert "cannot be told apart" in check.verdict
    assert "bm.co_clustering" in problem.advice
    assert not check.labels_ok
