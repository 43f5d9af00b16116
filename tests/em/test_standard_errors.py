"""The closed-form observed information beside numerical second derivatives of SciPy's log-likelihoods."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import bayesmix as bm
import naive
from bayesmix.em import standard_errors as information
from bayesmix.mixture.spec import bind

KINDS = ("full", "tied", "diag", "spherical")


def partly_labelled(rng, n, d):
    """Three groups: some rows with a label, some with a set of two, weights between 0 and 3."""
    z = rng.choice(3, n)
    x = rng.normal(size=(3, d))[z] * 2 + rng.normal(size=(n, d))
    labels = [{"0": {str(c), str((c + 1) % 3)}, "1": str(c)}.get(str(i % 5)) for i, c in enumerate(z)]
    return bm.Data(x, labels, classes=["0", "1", "2"], row_weights=rng.uniform(0, 3, n))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2])
def test_gaussian_information_is_minus_the_hessian(rng, kind, d):
    """At any point, not only at a maximum."""
    data = partly_labelled(rng, 40, d)
    likelihood = bind(bm.Mixture("gaussian", n_components=3, covariance=kind), data)
    params = naive.random_gaussian(rng, 3, d, kind)

    def L(u):
        joint = naive.gaussian_log_joint(data.x, **likelihood.moved(params, u), evidence=likelihood.evidence)
        return naive.total(joint, data.row_weights)

    p = likelihood.n_parameters
    H = naive.hessian(L, np.zeros(p), np.full(p, 1e-3))
    np.testing.assert_allclose(likelihood.information(params), -H, atol=2e-5 * np.abs(H).max())


def counts(rng, n=150, shift=0.0, scale=1.0):
    """Counts with a covariate in any unit."""
    a = rng.normal(size=n)
    y = np.where(rng.random(n) < expit(a - 0.5), 0, rng.poisson(np.exp(1 + 0.3 * a)))
    labels = [("structural_zero" if c == 0 else "poisson") if i % 7 == 0 else None for i, c in enumerate(y)]
    frame = pd.DataFrame({"y": y, "a": shift + scale * a})
    return bm.Data(frame, labels, response="y", row_weights=rng.uniform(0.5, 2, n))


def test_zip_information_is_minus_the_hessian(rng):
    data = counts(rng)
    likelihood = bind(bm.Mixture("zero_inflated_poisson", rate="1 + a", zero="1 + a"), data)
    params = {"rate_coef": np.array([0.8, 0.2]), "zero_coef": np.array([-0.3, 0.7])}

    def L(u):
        at = likelihood.moved(params, u)
        eta, zeta = (likelihood.design[part].to_numpy() @ at[f"{part}_coef"] for part in ("rate", "zero"))
        joint = naive.zip_log_joint(data.x[:, 0], np.exp(eta), expit(zeta), likelihood.evidence)
        return naive.total(joint, data.row_weights)

    H = naive.hessian(L, np.zeros(4), np.full(4, 1e-3))
    np.testing.assert_allclose(likelihood.information(params), -H, atol=1e-5 * np.abs(H).max())


@pytest.mark.parametrize(("shift", "scale"), [(1.7e9, 1e6), (2020.0, 5.0), (0.0, 1e-9)])
def test_zip_standard_errors_know_no_unit(shift, scale):
    """A covariate in unix seconds, years, or tiny: the slope's error in its unit, the same as of the standard one."""
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + a", zero="1 + a")
    one, two = (
        bm.fit_em(spec, counts(np.random.default_rng(5), shift=s, scale=c), n_starts=2, tolerance=1e-12)
        for s, c in ((0.0, 1.0), (shift, scale))
    )
    for part in ("rate", "zero"):
        slopes = [float(fit.standard_errors[f"{part}_coef"].sel({f"{part}_term": "a"})) for fit in (one, two)]
        assert slopes[1] * scale == pytest.approx(slopes[0], rel=1e-4)
    assert one.notes == ()


@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_named_estimates_by_numerical_derivatives(rng, kind):
    """The delta method with the Jacobian of ``named`` by central differences."""
    fit = bm.fit_em(bm.Mixture("gaussian", n_components=3, covariance=kind), partly_labelled(rng, 150, 3), n_starts=4)
    likelihood = bind(fit.spec, fit.data)
    params = {v: fit.params[v].to_numpy() for v in likelihood.parameter_names}
    V = np.linalg.inv(likelihood.information(params))
    steps = 1e-5 * np.eye(likelihood.n_parameters)
    for name in likelihood.dims:
        up, down = ([likelihood.named(likelihood.moved(params, s * e))[name] for e in steps] for s in (1, -1))
        J = (np.array(up) - np.array(down)) / 2e-5
        expected = np.sqrt(np.einsum("i...,ij,j...->...", J, V, J))
        np.testing.assert_allclose(fit.standard_errors[name], expected, rtol=1e-6, atol=1e-8)


def test_errors_are_computed_when_asked_for(monkeypatch, three_groups):
    calls = []
    real = information.standard_errors
    monkeypatch.setattr("bayesmix.em.fit_em.standard_errors", lambda *a: calls.append(1) or real(*a))
    fit = bm.fit_em(*three_groups, n_starts=2)
    repr(fit)
    assert calls == []
    assert fit.standard_errors is fit.standard_errors
    assert calls == [1]


def test_too_many_parameters_are_refused(monkeypatch, three_groups):
    monkeypatch.setattr(information, "MOST_PARAMETERS", 7)
    with pytest.raises(ValueError, match="8 free parameters need matrices"):
        _ = bm.fit_em(*three_groups, n_starts=2).standard_errors


def test_hopeless_errors_are_named():
    x = np.random.default_rng(0).normal(size=100)
    fit = bm.fit_em(bm.Mixture("gaussian", n_components=2), bm.Data(x), n_starts=2)
    likelihood = bind(fit.spec, fit.data)
    params = {v: fit.params[v].to_numpy() for v in likelihood.parameter_names}
    errors = {v: np.full(np.shape(a), 1e-3) for v, a in likelihood.named(params).items()}
    assert information.notes(likelihood, params, errors) == ()
    errors["means"][1, 0] = 1e3
    errors["weights"][:] = np.nan
    missing, huge = information.notes(likelihood, params, errors)
    assert "not positive definite: weights[component_1], weights[component_2]" in missing
    assert "next to nothing: means[component_2, " in huge


def test_errors_that_are_missing_carry_the_reason_wherever_they_are_printed(monkeypatch, three_groups):
    """An information that is singular, at a maximum, is a matter of rounding: it is made so here."""

    def missing(likelihood, params):
        return {v: np.full(np.shape(a), np.nan) for v, a in likelihood.named(params).items()}

    monkeypatch.setattr("bayesmix.em.fit_em.standard_errors", missing)
    fit = bm.fit_em(*three_groups, n_starts=2)
    assert not fit.degenerate
    assert np.isnan(fit.standard_errors["means"]).all()
    assert "no standard errors" in str(fit.standard_errors["means"])  # xarray cuts long lines
    assert "no standard errors" in str(fit.standard_errors)


def test_components_between_four_corners_have_no_standard_errors():
    """Two tied normals rise without bound from any split of four corners; elsewhere they are alike, or on a plateau."""
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    x = corners[np.random.default_rng(0).integers(4, size=400)]
    fit = bm.fit_em(bm.Mixture("gaussian", n_components=2, covariance="tied"), bm.Data(x))
    assert np.isnan(fit.standard_errors["means"]).all()
