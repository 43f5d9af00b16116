"""The reference samplers themselves, against SciPy's densities and sums over all assignments."""

import numpy as np
import pytest
from scipy import integrate, stats

import bayesmix as bm
import exact
from naive import gaussian_log_joint, lkj_log_density, total
from random_walks import Problem, Tempering, WithinRegion, log_evidence, masses
from reference_cases import corners, split_axis

PRIORS = {
    "weights": bm.Prior("Dirichlet", a=[2.0, 2.0]),
    "means": bm.Prior("Normal", mu=0.0, sigma=3.0),
    "scales": bm.Prior("InverseGamma", alpha=2.0, beta=1.0),
}


def problem_of(x, covariance):
    correlations = {"correlations": bm.Prior("LKJ", eta=1.5)} if covariance == "full" else {}
    spec = bm.Mixture("gaussian", n_components=2, covariance=covariance, priors=PRIORS | correlations)
    return Problem.of(bm.resolve(spec, bm.Data(x)), x), spec


def test_likelihood_is_that_of_scipy(rng):
    problem, _ = problem_of(rng.normal(size=(15, 3)), "full")
    u = problem.draw_prior(rng, (5, problem.K))
    values = problem.log_likelihood(u[..., 0], problem.log_density(u))
    params = problem.params(u)
    for s in range(5):
        joint = gaussian_log_joint(problem.x, *(params[v][s] for v in params), np.zeros((15, 2)))
        assert values[s] == pytest.approx(total(joint), rel=1e-9)


def test_priors_are_densities_of_what_is_drawn(rng):
    problem, _ = problem_of(rng.normal(size=(10, 2)), "full")
    drawn = problem.draw_prior(rng, (20_000,))
    for name, columns in problem.columns.items():
        size = columns.stop - columns.start
        grid = np.linspace(-60, 60, 240_001)

        def log_density(t, name=name, size=size):
            return problem.log_prior(np.repeat(np.asarray(t)[:, None], size, axis=1), name) / size

        with np.errstate(over="ignore"):
            density = np.exp(log_density(grid))
        cumulative = integrate.cumulative_trapezoid(density, grid, initial=0)
        assert cumulative[-1] == pytest.approx(1, abs=1e-4)
        for column in drawn[:, columns].T:
            assert stats.kstest(column, lambda v, x=grid, c=cumulative: np.interp(v, x, c)).pvalue > 1e-4


def test_correlations_are_those_of_lkj(rng):
    """The density of R in two dimensions, by its one partial correlation."""
    problem, _ = problem_of(rng.normal(size=(10, 2)), "full")
    y = np.array([[-0.7], [0.2], [1.5]])
    rho = np.tanh(y[:, 0])
    expected = [lkj_log_density(np.array([[1, r], [r, 1]]), 1.5) + np.log(1 - r**2) for r in rho]
    np.testing.assert_allclose(problem.log_prior(y, "correlations"), expected)


def test_evidence_is_the_sum_over_assignments(rng):
    x = np.concatenate([rng.normal(-2, 0.5, 4), rng.normal(2, 0.5, 4)])[:, None]
    problem, spec = problem_of(x, "diag")
    sampler = Tempering(problem, rungs=10, replicas=8)
    _, values = sampler.run(800)
    value, error = log_evidence(sampler.ladder, values)
    assert error < 0.1
    assert abs(value - exact.log_evidence(x, spec)) < 4 * error


def test_run_within_a_labelling_finds_its_half_of_the_evidence(rng):
    x = np.concatenate([rng.normal(-4, 0.3, 6), rng.normal(4, 0.3, 6)])[:, None]
    problem, spec = problem_of(x, "diag")
    start = problem.state([np.arange(6), np.arange(6, 12)])
    assert problem.params(start)["means"][:, 0] == pytest.approx([x[:6].mean(), x[6:].mean()])
    sampler = WithinRegion(problem, start, lambda u: u[..., 0, 1] < u[..., 1, 1], rungs=5, replicas=16)
    value, error = log_evidence(sampler.ladder, sampler.run(800)[1])
    assert error < 0.1
    assert abs(value + np.log(2) - exact.log_evidence(x, spec)) < 4 * error


def test_four_corners_map_to_themselves_and_are_split_two_ways():
    square = corners()
    turned = square @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(np.sort(square.ravel()), np.sort(turned.ravel()), atol=1e-12)
    means = np.array([[[3.0, 0], [-3, 0]], [[0.0, 3], [0, -3]]])
    assert split_axis({"means": means}, None).tolist() == [0, 1]
    share, error = masses(np.tile([0, 1], (100, 4)), 2)
    assert share.tolist() == [0.5, 0.5]
    assert error.tolist() == [0, 0]
