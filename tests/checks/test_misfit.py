"""The verdict's second line: measures against SciPy and by hand, data that refute a model, and data that do not."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import bayesmix as bm
from bayesmix.checks.misfit import MISFIT_LEVEL, check_model, discrepancies_of
from bayesmix.kernels.residuals import residuals, shapes
from bayesmix.likelihood.discrepancies import drawn
from bayesmix.mixture.spec import bind
from bayesmix.posterior.record import Record
from benchmarks.environment import describe
from benchmarks.misfit import __main__ as command
from benchmarks.misfit import planted
from benchmarks.misfit.page import page

RECORDS = command.read()


def posterior_of(spec, data, params, spread, *, draws=400):
    """Draws about the truth, as wide as a posterior, put together by hand."""
    rng = np.random.default_rng(1)
    spec = bm.resolve(spec, data)
    likelihood = bind(spec, data)
    made = {}
    for name, value in params.items():
        made[name] = np.asarray(value) + spread * rng.standard_normal((1, draws, *np.shape(value)))
    if "weights" in made:
        made["weights"] = np.abs(made["weights"]) / np.abs(made["weights"]).sum(axis=-1, keepdims=True)
    if "covariances" in made:
        made["covariances"] = np.broadcast_to(params["covariances"], made["covariances"].shape)
    dims = {name: ("chain", "draw", *likelihood.dims[name]) for name in made}
    posterior = xr.Dataset({name: (dims[name], value) for name, value in made.items()})
    tree = xr.DataTree.from_dict({"posterior": posterior, "input": data.to_dataset()})
    tree.attrs["spec"] = json.dumps(spec.to_dict())
    return tree


def counts_of(rng, make, *, rate="1 + a", zero="1", n=400):
    """A table of counts and two covariates."""
    a, b = rng.standard_normal((2, n))
    frame = pd.DataFrame({"count": make(a, b), "a": a, "b": b})
    return bm.Mixture("zero_inflated_poisson", rate=rate, zero=zero), bm.Data(frame, response="count")


def names(check):
    return {misfit.name for misfit in check.misfits}


def test_residuals_and_uniforms_are_scipys(rng):
    x, means = rng.normal(size=(7, 3)), rng.normal(size=(2, 2, 3))
    A = rng.normal(size=(2, 2, 3, 3))
    C = np.linalg.cholesky(A @ A.swapaxes(-1, -2) + np.eye(3))
    shares, z = rng.dirichlet([1, 1], (2, 1)), rng.integers(2, size=(2, 7))
    e, u = np.empty((2, 2, 7, 3))
    residuals(x[None], means, C, shares, z, e, u)
    for s in range(2):
        wanted = [np.linalg.solve(C[s, k], row - means[s, k]) for row, k in zip(x, z[s], strict=True)]
        np.testing.assert_allclose(e[s], wanted, rtol=1e-10)
        sd = np.sqrt(np.einsum("kij,kij->ki", C[s], C[s]))
        cdf = sum(shares[s, 0, k] * stats.norm.cdf(x, means[s, k], sd[k]) for k in range(2))
        np.testing.assert_allclose(u[s], cdf, rtol=1e-12)


def test_shapes_are_those_by_hand(rng):
    e, u, z = rng.normal(size=(1, 60, 2)), rng.random((1, 60, 2)), rng.integers(2, size=(1, 60))
    out = np.empty((1, 7))
    shapes(e, u, z, 2, out)
    heavy, light, skew, pairs, spread, far, margin = out[0]
    parts = [e[0, z[0] == k] for k in range(2)]
    ratios, skews, pair, log_spread = [], 0.0, 0.0, []
    for part in parts:
        q, n = ((part - part.mean(axis=0)) ** 2).sum(axis=1), len(part)
        ratios.append(((q**2).mean() / q.mean() ** 2 - 2.0) * 4 / np.sqrt(8 * 2 * 4 / n))
        skews += (stats.skew(part) ** 2 * n / 6).sum()
        pair += np.corrcoef(part.T)[0, 1] ** 2 * n
        log_spread += list(np.abs(np.log(part.var(axis=0))) * np.sqrt(n / 2))
    polynomials = [np.polynomial.legendre.Legendre.basis(r)(2 * u[0] - 1).sum(axis=0) for r in range(1, 9)]
    by_order = [(2 * r + 1) * total**2 / 60 for r, total in zip(range(1, 9), polynomials, strict=True)]
    assert (heavy, light) == pytest.approx((max(ratios), max(-r for r in ratios)))
    assert (skew, pairs, spread) == pytest.approx((skews, pair, max(log_spread)))
    assert far == pytest.approx((e**2).sum(axis=-1).max())
    assert margin == pytest.approx(np.sum(by_order, axis=0).max())


def test_components_are_drawn_in_their_shares(rng):
    p = np.broadcast_to([0.2, 0.0, 0.8], (20_000, 3))
    shares = np.bincount(drawn(p, rng.random(20_000)), minlength=3) / 20_000
    np.testing.assert_allclose(shares, [0.2, 0.0, 0.8], atol=0.015)


@pytest.mark.parametrize("family", ["gaussian", "counts"])
def test_under_the_model_the_data_and_replicates_have_one_distribution(rng, family):
    """Both come from the same law at the true parameters: the means of 200 data sets agree within their errors."""
    here, new = [], []
    for _ in range(200):
        if family == "gaussian":
            z = rng.choice(2, 80, p=[0.3, 0.7])
            spec, data = bm.Mixture("gaussian", n_components=2), bm.Data(rng.normal(5.0 * z, 1.0 + z))
            params = {"weights": [0.3, 0.7], "means": [[0.0], [5.0]], "covariances": [[[1.0]], [[4.0]]]}
        else:
            spec, data = counts_of(
                rng, lambda a, b: np.where(rng.random(80) < 0.3, 0, rng.poisson(np.exp(1 + 0.3 * a))), n=80
            )
            params = {"rate_coef": [1.0, 0.3], "zero_coef": [np.log(0.3 / 0.7)]}
        bound = bind(spec, data)
        measured = discrepancies_of(bound).compare(
            bound, {name: np.array([value]) for name, value in params.items()}, rng
        )
        here.append(measured[0][0])
        new.append(measured[1][0])
    here, new = (np.where(np.isfinite(a), a, 0.0) for a in (np.array(here), np.array(new)))
    error = np.sqrt((here.var(axis=0) + new.var(axis=0)) / 200)
    assert (np.abs(here.mean(axis=0) - new.mean(axis=0)) < 4 * error + 1e-12).all()


GAUSSIAN = {"weights": [0.5, 0.5], "means": [[0.0], [10.0]], "covariances": [[[1.0]], [[1.0]]]}


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda rng, n: rng.standard_normal(n), set()),
        (lambda rng, n: rng.standard_t(3, n) / np.sqrt(3), {"tails"}),
        (lambda rng, n: rng.uniform(-np.sqrt(3), np.sqrt(3), n), {"flatness"}),
        (lambda rng, n: rng.exponential(size=n) - 1, {"skewness"}),
    ],
    ids=["normal", "t", "uniform", "exponential"],
)
def test_shapes_of_components_refute(rng, make, wanted):
    x = 10.0 * (rng.random(400) < 0.5) + make(rng, 400)
    dt = posterior_of(bm.Mixture("gaussian", n_components=2), bm.Data(x), GAUSSIAN, 0.03)
    check = check_model(Record.of(dt))
    assert check.ok == (not wanted)
    assert wanted <= names(check)
    p = check.measures["p_value"]
    assert set(p.index[p <= MISFIT_LEVEL]) == names(check) - {"influence"}


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda rng, a, b: rng.poisson(np.exp(1.2 + 0.3 * a)), set()),
        (lambda rng, a, b: rng.negative_binomial(1.5, 1.5 / (1.5 + np.exp(1.2 + 0.3 * a))), {"overdispersion"}),
        (lambda rng, a, b: rng.binomial(8, np.minimum(np.exp(1.2 + 0.3 * a) / 8, 0.95)), {"underdispersion"}),
        (lambda rng, a, b: rng.poisson(np.exp(1.1 + 0.3 * a + 0.4 * b)), {"rate"}),
    ],
    ids=["Poisson", "negative binomial", "binomial", "left out"],
)
def test_counts_refute(rng, make, wanted):
    spec, data = counts_of(rng, lambda a, b: np.where(rng.random(400) < 0.3, 0, make(rng, a, b)), zero="1 + b")
    dt = posterior_of(spec, data, {"rate_coef": [1.2, 0.3], "zero_coef": [np.log(0.3 / 0.7), 0.0]}, 0.03)
    check = check_model(Record.of(dt))
    assert check.ok == (not wanted), check.verdict
    assert wanted <= names(check)


def test_rows_with_weights_are_not_judged(rng):
    x = rng.standard_t(2, 100)
    dt = posterior_of(bm.Mixture("gaussian", n_components=2), bm.Data(x, row_weights=np.full(100, 2.0)), GAUSSIAN, 0.03)
    check = check_model(Record.of(dt))
    assert (check.ok, check.misfits) == (None, ())
    assert "rows carry weights" in check.verdict


def test_many_rows_are_looked_at_in_bounded_memory_and_always_the_same(rng):
    x = 10.0 * (rng.random(20_000) < 0.5) + rng.standard_normal(20_000)
    dt = posterior_of(bm.Mixture("gaussian", n_components=2), bm.Data(x), GAUSSIAN, 0.003)
    first, second = check_model(Record.of(dt)), check_model(Record.of(dt))
    assert first.ok
    pd.testing.assert_frame_equal(first.measures, second.measures)


def test_the_verdict_has_two_lines(gaussian_1d_dt, faithful_dt):
    """Normal groups are normal; Old Faithful's short eruptions are skewed (SciPy's skewness test: p = 7e-6)."""
    check = bm.diagnose(gaussian_1d_dt)
    assert (check.ok, check.model_ok, check.misfits) == (True, True, ())
    assert str(check).splitlines()[1].startswith("Nothing in the data refutes the model")
    skipped = bm.diagnose(gaussian_1d_dt, model=False)
    assert skipped.model_ok is None
    assert "was not looked at: it was not asked" in str(skipped)
    check = bm.diagnose(faithful_dt)
    assert (check.ok, check.model_ok, names(check)) == (True, False, {"skewness", "margin"})
    second = str(check).splitlines()[1]
    assert second.startswith("The data refute the model. Components are skewed")
    assert all(misfit.message in second and misfit.advice in second for misfit in check.misfits)


def test_planted_misfits_are_caught_and_data_from_the_model_are_not():
    """What was measured: nine of ten data sets of every kind, and at most two of a hundred from the model."""
    for kind in planted.KINDS:
        own = [r for r in RECORDS if r["set"] == "planted" and r["name"].startswith(f"{kind}, seed")]
        assert sorted(r["name"] for r in own) == sorted(f"{kind}, seed {s}" for s in range(1, planted.DATA_SETS + 1))
        assert sum(r["flagged"] for r in own) >= 9, kind
    for name in ("ordinary", "fresh"):
        right = [r for r in RECORDS if r["set"] == name]
        assert sorted(r["name"] for r in right) == sorted(case.name for case in command.SETS[name])
        assert len(right) == 100
        assert sum(r["flagged"] for r in right) <= 2


def test_the_page_is_that_of_the_records():
    text = (command.HERE / "RESULTS.md").read_text()
    assert text.splitlines()[:-1] == page(RECORDS, describe("", one_thread=False)).splitlines()[:-1]


@pytest.mark.parametrize("kind", planted.KINDS)
def test_planted_data_are_the_same_each_time(kind):
    one = next(case for case in planted.CASES if case.name == f"{kind}, seed 3")
    (spec, data), (again, others) = one.make(), one.make()
    assert spec == again
    np.testing.assert_array_equal(data.x, others.x)
    assert 100 <= len(data) <= 1000


def test_what_cannot_differ_is_not_among_what_was_looked_at(rng):
    """One column does not depend on itself, and without covariates none is left out."""
    data = bm.Data(rng.normal(size=60))
    one = posterior_of(bm.Mixture("gaussian", n_components=1), data, {"means": [[0.0]], "covariances": [[[1.0]]]}, 0.1)
    assert "dependence" not in check_model(Record.of(one)).measures.index
    counts = bm.Data(rng.poisson(2.0, 60) * (rng.random(60) < 0.7))
    plain = posterior_of(bm.Mixture("zero_inflated_poisson"), counts, {"rate_coef": [0.7], "zero_coef": [-0.8]}, 0.1)
    assert {"zero part", "rate"}.isdisjoint(check_model(Record.of(plain)).measures.index)
