"""The compiled log-posterior: maps, units, modes."""

import numpy as np
import pytensor.tensor as pt
import pytest

import naive
from bayesmix.compiled.log_posterior import INTERPRETED, curvature_scales, root
from bayesmix.families.gaussian.graph import OrderedComponents

UNITS = [(sd, centre) for sd in (1e-8, 1e-3, 1.0, 1e4, 1e8) for centre in (0.0, 1.0, 1e6) if sd > 1e-12 * centre]


@pytest.mark.parametrize(("sd", "centre"), UNITS)
def test_scales_come_in_the_units_of_each_coordinate(sd, centre):
    """A product of normals, and a mixture's mean, which a step of many sd takes out of sight of the data."""
    sds, at = np.array([sd, 1.0, sd]), np.array([centre, 3.0, 0.0])

    def gradient(x):
        z = (x - at) / sds
        pull = np.array([1 / (1 + np.exp(min(z[0] ** 2 / 2 - 3, 700))), 1, 1])
        return -(pull + 0.1) * z / sds

    found = curvature_scales(gradient, at)
    true = sds / np.sqrt([1 / (1 + np.exp(-3)) + 0.1, 1.1, 1.1])
    np.testing.assert_allclose(found, true, rtol=0.05)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_ordered_starts_that_coincide_are_spread(unit):
    transform = OrderedComponents(1e-3 * unit)
    y = transform.forward(pt.constant(unit * np.array([[2.0], [2.0], [1.0], [5.0]])))
    start, back = (v.eval(mode=INTERPRETED) for v in (y, transform.backward(y)))
    assert np.isfinite(start).all()
    assert (np.diff(back[:, 0]) > 0).all()
    np.testing.assert_allclose(back[:, 0] / unit, [2, 2.001, 2.002, 6.002], rtol=1e-9)
    np.testing.assert_allclose(naive.ordered(start[:, 0])[0], back[:, 0], rtol=1e-12)


def test_start_and_values_are_inverse(rng, faithful_compiled):
    given = {
        "weights": np.array([0.3, 0.7]),
        "means": rng.normal(size=(2, 2)),
        "scales": rng.uniform(0.5, 2, (2, 2)),
        "partial_correlations_01": rng.uniform(0.1, 0.9, (2, 1)),
    }
    x = faithful_compiled.start(given)
    values = faithful_compiled.values(x)
    for name, value in given.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-12)
    r = 2 * given["partial_correlations_01"][:, 0] - 1
    np.testing.assert_allclose(values["correlations"][:, 0], r, rtol=1e-12)
    s = given["scales"]
    np.testing.assert_allclose(values["covariances"][:, 0, 1], r * s[:, 0] * s[:, 1], rtol=1e-12)


def test_the_mode_is_one(faithful_compiled, faithful_em):
    """No gradient left, precision positive, and equal to differences of the gradient."""
    compiled = faithful_compiled
    start = compiled.start({v: faithful_em.params[v].to_numpy() for v in ("weights", "means", "scales")})
    mode = compiled.mode(start)
    assert mode.converged
    assert (np.diff(mode.history) >= -1e-9 * (1 + np.abs(mode.history[1:]))).all()
    precision = compiled.precision(mode.x)
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    gradient = compiled.log_density(mode.x)[1]
    assert np.abs(gradient * sd).max() < 1e-3
    steps = np.diag(1e-4 * sd)
    H = [(compiled.log_density(mode.x + e)[1] - compiled.log_density(mode.x - e)[1]) / (2 * e.sum()) for e in steps]
    np.testing.assert_allclose(precision * np.outer(sd, sd), -np.array(H) * np.outer(sd, sd), atol=1e-4)


def test_a_climb_from_em_takes_few_gradients(faithful_compiled, faithful_em, monkeypatch):
    """One gradient per coordinate tells the curvature; from there on the way up is round."""
    compiled = faithful_compiled
    start = compiled.start({v: faithful_em.params[v].to_numpy() for v in ("weights", "means", "scales")})
    calls = []
    density = compiled.log_density
    monkeypatch.setattr(compiled, "log_density", lambda x, **k: calls.append(1) or density(x, **k))
    assert compiled.mode(start).converged
    assert len(calls) <= 3 * compiled.n_dim + 20


def test_roots(rng):
    """A' P A = 1; of a matrix that is not positive definite the diagonal counts, in absolute value."""
    B = rng.normal(size=(4, 4)) * np.array([1e-6, 1, 1, 1e6])
    P = B.T @ B
    np.testing.assert_allclose(root(P).T @ P @ root(P), np.eye(4), atol=1e-6)
    np.testing.assert_allclose(root(np.array([[4.0, 9], [9, -16]])), np.diag([0.5, 0.25]))
