"""Coefficients in coordinates that know neither the zero nor the unit of a covariate: the same model in any coding."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
from scipy import stats

import bayesmix as bm
import naive
from bayesmix.compiled.functions import INTERPRETED
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.formulas.orthonormal import Orthonormal, lower_factor
from bayesmix.mixture.spec import bind, resolve

N = 150
FAR = {
    "year": lambda rng: rng.integers(2019, 2024, N) * 1.0,
    "latitude": lambda rng: 48.137 + rng.normal(0, 0.02, N),
    "Julian date": lambda rng: 2459000.5 + rng.integers(0, 100, N),
    "unix seconds": lambda rng: 1.6e9 + rng.uniform(0, 3.15e7, N),
    "population": lambda rng: rng.lognormal(16.5, 1.3, N),
    "metres": lambda rng: rng.uniform(0, 1e8, N),
    "Kelvin": lambda rng: 290 + rng.normal(0, 0.3, N),
    "id": lambda rng: 1e5 + rng.permutation(N),
}


def standardized(x):
    return (x - x.mean()) / x.std()


def counts(rng, s):
    return np.where(rng.random(len(s)) < 1 / (1 + np.exp(1 - 0.5 * s)), 0, rng.poisson(np.exp(1 + 0.3 * s)))


def pair(name, rng):
    """The same rows with a covariate as it comes and standardized."""
    x = FAR[name](rng)
    s = standardized(x)
    y = counts(rng, s)
    return tuple(bm.Data(pd.DataFrame({"y": y, "x": v}), response="y") for v in (x, s))


BOTH = bm.Mixture("zero_inflated_poisson", rate="1 + x", zero="1 + x")


def test_the_basis_is_orthonormal_over_the_weighted_rows(rng):
    X, v = np.column_stack([np.ones(40), rng.normal(50, 2, 40), rng.normal(size=40)]), rng.uniform(0, 3, 40)
    v[:5] = 0
    at = Orthonormal.of(X, v)
    np.testing.assert_allclose((at.basis.T * v) @ at.basis / v.sum(), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(at.basis @ at.R, X, rtol=1e-12)
    np.testing.assert_allclose(at.R, naive.coordinates(X, v), rtol=1e-8, atol=1e-12)
    beta = rng.normal(size=(4, 3))
    np.testing.assert_allclose(at.basis @ at.coordinates(beta).T, X @ beta.T, rtol=1e-11)
    np.testing.assert_allclose(at.coefficients(at.coordinates(beta)), beta, rtol=1e-9)


def test_a_factor_of_a_product_that_is_singular_to_rounding():
    """Exact for [[1, t], [0, 1]]: the conditional sd of the second is 1 / sqrt(1 + t^2)."""
    t = 1e9
    C = lower_factor(np.array([[1.0, t], [0.0, 1.0]]))
    np.testing.assert_allclose(C, [[np.hypot(1, t), 0], [t / np.hypot(1, t), 1 / np.hypot(1, t)]], rtol=1e-6)


FRAME = pd.DataFrame(
    {
        "x": np.random.default_rng(3).uniform(6, 8, 90),
        "b": np.random.default_rng(4).normal(27, 3, 90),
        "g": np.random.default_rng(5).choice(["u", "v", "w"], 90),
        "y": np.random.default_rng(6).poisson(2.0, 90),
    }
).assign(kelvin=lambda f: f["x"] + 273.15, milli=lambda f: 1000 * f["x"])
SAME_SPACE = [
    ("1 + x", "1 + center(x)"),
    ("1 + x", "1 + kelvin"),
    ("1 + x", "1 + milli"),
    ("1 + x + I(x**2)", "poly(x, 2)"),
    ("1 + x + I(x**2)", "1 + kelvin + I(kelvin**2)"),
    ("x * b", "center(x) * center(b)"),
    ("g * x", "g * scale(x)"),
    ("1 + g", "0 + g"),
    ("1 + g", "1 + C(g, contr.sum)"),
    ("1 + g + x", "0 + C(g) + milli"),
    ("0 + x", "0 + milli"),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("codings", SAME_SPACE, ids=" = ".join)
def test_the_default_prior_of_the_linear_predictor_is_the_same_in_every_coding(codings, weighted, rng):
    """X beta ~ N(X mu, X C C' X') for all rows, so that the posterior of everything is the same too."""
    v = rng.uniform(0.1, 2, 90) if weighted else None
    data = bm.Data(FRAME, response="y", row_weights=v)
    laws = []
    for formula in codings:
        spec = resolve(bm.Mixture("zero_inflated_poisson", rate=formula, zero=formula), data)
        likelihood = bind(spec, data)
        for X, prior in (
            (likelihood.linears[0].X, spec.priors["rate_coef"]),
            (likelihood.linears[1].X, spec.priors["zero_coef"]),
        ):
            p = prior.parameters
            A = X @ (p["chol"] if "chol" in p else np.diag(p["sigma"]))
            laws.append((X @ p["mu"], A @ A.T))
    for one, other in ((laws[0], laws[2]), (laws[1], laws[3])):
        np.testing.assert_allclose(one[0], other[0], atol=1e-7)
        np.testing.assert_allclose(one[1], other[1], rtol=1e-6, atol=1e-6)


def test_of_one_standardized_covariate_the_default_is_as_it_always_was(rng):
    s = standardized(rng.normal(size=80))
    y = rng.poisson(3.0, 80)
    spec = resolve(BOTH, bm.Data(pd.DataFrame({"y": y, "x": s}), response="y"))
    rate, zero = (spec.priors[v].parameters for v in ("rate_coef", "zero_coef"))
    np.testing.assert_allclose(rate["mu"], [np.log(y.sum() / (y > 0).sum()), 0], atol=1e-12)
    np.testing.assert_allclose(rate["chol"], np.diag([1.5, 1.0]), atol=1e-12)
    np.testing.assert_allclose(zero["mu"], 0)
    np.testing.assert_allclose(zero["chol"], 1.5 * np.eye(2), atol=1e-12)


def value_and_gradient(model):
    logp = model.logp()
    values = model.value_vars
    return pytensor.function(values, [logp, *pytensor.grad(logp, values)], mode=INTERPRETED)


OWN = {
    "default": lambda sd: {},
    "own": lambda sd: {
        "rate_coef": bm.Prior("Normal", mu=0, sigma=[1e12, 0.5 / sd]),
        "zero_coef": bm.Prior("StudentT", nu=4, mu=0, sigma=[1e12, 1 / sd]),
    },
}


@pytest.mark.parametrize("priors", OWN)
@pytest.mark.parametrize("name", FAR)
def test_the_gradient_does_not_lose_its_digits(name, priors, rng):
    """With the constant in the design, Q is (1, s): a covariate as it comes and standardized have one density in z.

    The user's priors are on the slopes, in the covariate's unit; those of the intercepts are flat.
    """
    raw, standard = pair(name, rng)
    sd = raw.covariates["x"].std(ddof=0)
    models = [bm.build(BOTH.replace(priors=OWN[priors](scale)), data) for data, scale in ((raw, sd), (standard, 1.0))]
    one, other = map(value_and_gradient, models)
    points = [[rng.normal(0, 1, 2), rng.normal(0, 1, 2)] for _ in range(4)]
    found, expected = ([f(*p) for p in points] for f in (one, other))
    constants = [a[0] - b[0] for a, b in zip(found, expected, strict=True)]
    np.testing.assert_allclose(constants, constants[0], atol=1e-8 * (1 + abs(expected[0][0])))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.concatenate(a[1:]), np.concatenate(b[1:]), rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("name", ["Julian date", "population", "Kelvin"])
@pytest.mark.parametrize("formulas", [{"zero": "1 + x"}, {"rate": "1 + x + I(x**2)", "zero": "1 + x"}])
def test_em_takes_the_same_steps_in_any_unit(name, formulas, rng):
    fits = [bm.fit_em(bm.Mixture("zero_inflated_poisson", **formulas), data, n_starts=4) for data in pair(name, rng)]
    raw, standard = fits
    assert raw.converged
    assert raw.log_likelihood == pytest.approx(standard.log_likelihood, abs=1e-5)
    assert raw.starts["n_iter"].sum() < 2 * standard.starts["n_iter"].sum()
    slopes = [float(f.params["zero_coef"][1]) * f.data.covariates["x"].std(ddof=0) for f in fits]
    assert slopes[0] == pytest.approx(slopes[1], abs=1e-3)


@pytest.fixture(scope="module")
def line_compiled():
    """One compiled model with a covariate in both parts."""
    return CompiledModel(bm.build(BOTH, pair("year", np.random.default_rng(1))[1]))


@pytest.mark.parametrize("name", ["Julian date", "population"])
def test_the_posterior_is_that_of_the_standardized_covariate(name, line_compiled):
    raw, standard = pair(name, np.random.default_rng(7))
    found = []
    for data in (raw, standard):
        compiled = line_compiled.with_data(bm.build(BOTH, data))
        dt = bm.sample(BOTH, data, compiled=compiled, draws=500, tune=300, progress=False)
        assert bm.diagnose(dt).ok
        sd = data.covariates["x"].std(ddof=0)
        slopes = [sd * dt["posterior"][v].isel({f"{v[:4]}_term": 1}).to_numpy() for v in ("rate_coef", "zero_coef")]
        found.append([(s.mean(), s.std() / np.sqrt(500), s.std()) for s in slopes])
    for (mean, mcse, sd), (expected, other, sd_expected) in zip(*found, strict=True):
        assert abs(mean - expected) < 4 * np.hypot(mcse, other)
        assert sd == pytest.approx(sd_expected, rel=0.15)


def test_prior_draws_of_pymc_follow_the_default_prior_far_from_zero():
    """A year's covariance matrix is singular to rounding; in the linear predictor the draws are what resolve says."""
    raw, _ = pair("Julian date", np.random.default_rng(2))
    model, likelihood = bm.build(BOTH, raw), bind(BOTH, raw)
    draws = pm.draw(model["zero_coef"], 3000, random_seed=1, mode=INTERPRETED)
    level, slope = likelihood.weights.linear.at.coordinates(draws).T
    for z in (level, slope):
        assert stats.kstest(z, stats.norm(0, 1.5).cdf).pvalue > 1e-3


def test_rows_without_weight_cannot_carry_a_column():
    frame = pd.DataFrame({"y": [0, 1, 2, 3, 0, 4], "g": list("aaaabb")})
    with pytest.raises(ValueError, match=r"rate: the columns .*g\[T.b\].* are linearly dependent"):
        bm.fit_em(
            bm.Mixture("zero_inflated_poisson", rate="1 + g"),
            bm.Data(frame, response="y", row_weights=[1, 1, 1, 1, 0, 0]),
        )
