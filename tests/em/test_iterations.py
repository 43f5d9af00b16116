"""Quasi-Newton steps beside plain EM written out, and the algebra of one step."""

import numpy as np
import pytest
from scipy import stats

from bayesmix.em.iterations import MONOTONE, Memory, iterate, remaining
from bayesmix.inputs.data import Data
from bayesmix.mixture.spec import Mixture, bind


def plain_em(x, w, mu, sd, tolerance):
    """EM for 1-D groups until L, by Aitken's extrapolation, has less than tolerance (1 + |L|) to rise: L and steps."""
    history = []
    while True:
        joint = w * stats.norm.pdf(x[:, None], mu, sd)
        history.append(np.log(joint.sum(axis=1)).sum())
        if len(history) > 2:
            before, last = history[-2] - history[-3], history[-1] - history[-2]
            if last < before and last**2 / (before - last) < tolerance * (1 + abs(history[-1])):
                return history[-1], len(history)
        r = joint / joint.sum(axis=1, keepdims=True)
        mass = r.sum(axis=0)
        w, mu = mass / len(x), r.T @ x / mass
        sd = np.sqrt((r * (x[:, None] - mu) ** 2).sum(axis=0) / mass)


def one_dimensional(x, w, mu, sd):
    """The likelihood over x, and its parameters."""
    likelihood = bind(Mixture("gaussian", n_components=len(w)), Data(x))
    return likelihood, {"weights": w, "means": mu[:, None], "covariances": sd[:, None, None] ** 2}


@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e8])
def test_the_same_summit_in_a_fraction_of_the_steps(rng, scale):
    """Two groups two standard deviations apart: EM crawls."""
    x = np.concatenate([rng.normal(0, 1, 600), rng.normal(2, 1, 300)])
    w, mu, sd = np.array([0.5, 0.5]), np.array([-1.0, 3.0]), np.ones(2)
    L, steps = plain_em(x, w, mu, sd, 1e-11)
    likelihood, params = one_dimensional(scale * x, w, scale * mu, scale * sd)
    result = iterate(likelihood, "given", params, max_iter=2000, tolerance=1e-9)
    assert result.converged
    assert result.log_likelihood + len(x) * np.log(scale) == pytest.approx(L, abs=1e-9 * (1 + abs(L)))
    assert steps > 300
    assert result.n_iter < steps / 5
    assert len(result.history) <= result.n_iter
    assert (np.diff(result.history) >= -MONOTONE * (1 + np.abs(result.history[1:]))).all()


def test_where_em_is_quick_it_is_left_alone(rng):
    x = np.concatenate([rng.normal(0, 1, 200), rng.normal(8, 1, 100)])
    w, mu, sd = np.array([0.5, 0.5]), np.array([-1.0, 9.0]), np.ones(2)
    L, steps = plain_em(x, w, mu, sd, 1e-9)
    likelihood, params = one_dimensional(x, w, mu, sd)
    result = iterate(likelihood, "given", params, max_iter=2000, tolerance=1e-9)
    assert result.n_iter == len(result.history) == steps
    assert result.log_likelihood == pytest.approx(L, rel=1e-12)


def test_a_saddle_is_not_the_end(rng):
    """Both components nearly the same: the first gains shrink towards one group, the later ones grow."""
    x = np.concatenate([rng.normal(-3, 1, 150), rng.normal(3, 1, 150)])
    sd = np.full(2, x.std())
    likelihood, params = one_dimensional(x, np.array([0.5, 0.5]), x.mean() + np.array([-1.0, 1.0]), sd)
    result = iterate(likelihood, "given", params, max_iter=2000, tolerance=1e-7)
    L, _ = plain_em(x, np.array([0.5, 0.5]), np.array([-3.0, 3.0]), np.ones(2), 1e-11)
    assert result.log_likelihood == pytest.approx(L, abs=1e-7 * (1 + abs(L)))


def test_out_of_steps_is_not_converged(rng):
    likelihood, params = one_dimensional(rng.normal(size=50), np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.ones(2))
    result = iterate(likelihood, "given", params, max_iter=5, tolerance=1e-12)
    assert not result.converged
    assert result.n_iter == 6


def test_the_leap_is_the_bfgs_step(rng):
    """On a quadratic, against the dense update of the inverse Hessian (Nocedal and Wright 2006, equation 6.17)."""
    d = 6
    A = rng.normal(size=(d, d))
    A, H0 = A @ A.T + np.eye(d), np.diag(rng.uniform(0.1, 1, d))
    points = rng.normal(size=(5, d))
    memory = None
    for theta in points:
        here = Memory(theta, -A @ theta, H0 @ (-A @ theta))
        memory = here if memory is None else memory.after(here)
    H = H0
    for s in np.diff(points, axis=0):
        y = A @ s
        V = np.eye(d) - np.outer(y, s) / (y @ s)
        H = V.T @ H @ V + np.outer(s, s) / (y @ s)
    np.testing.assert_allclose(memory.leap(), H @ (-A @ points[-1]), rtol=1e-9)


def test_nothing_is_remembered_where_the_log_likelihood_is_convex():
    one, two = np.array([1.0]), np.array([2.0])
    before = Memory(one, one, one)
    assert before.after(Memory(two, two, two)) is None
    assert len(before.after(Memory(two, 0.5 * one, 0.5 * one)).pairs) == 1


def test_what_remains_of_a_geometric_rise():
    history = [-(0.9**t) for t in range(6)]
    assert remaining(history) == pytest.approx(-history[-1], rel=1e-12)
    assert remaining(history[:2]) == np.inf
    assert remaining([0.0, 1.0, 3.0]) == np.inf
    assert remaining([0.0, 1.0, 1.0]) == 0
