"""Offsets and exposures: a coefficient fixed at 1, in EM, the posterior, new rows and new data alike."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy.special import expit

import bayesmix as bm
import naive
from bayesmix.estep import pointwise, reference
from bayesmix.mixture.simulate import prior_predictive
from bayesmix.mixture.spec import bind, resolve
from bayesmix.posterior.record import Record

N = 400
RATE, EXPOSED = {"rate": "1 + a + offset(log(effort))"}, {"rate": "1 + a", "exposure": "effort"}


@pytest.fixture(scope="module")
def frame():
    """Counts per effort: log rate 0.4 + 0.5 a + log effort, logit of a structural zero -1 + 0.7 b."""
    rng = np.random.default_rng(12)
    f = pd.DataFrame({"a": rng.normal(size=N), "effort": rng.uniform(0.2, 5, N), "b": rng.normal(size=N)})
    y = rng.poisson(f["effort"] * np.exp(0.4 + 0.5 * f["a"]))
    return f.assign(y=np.where(rng.random(N) < expit(-1 + 0.7 * f["b"]), 0, y))


def mixture(**options):
    return bm.Mixture("zero_inflated_poisson", **options)


def log_likelihood(theta, f, *, zero_offset=0.0):
    """By SciPy: rows of the textbook formula with the offset written out."""
    rate = f["effort"] * np.exp(theta[0] + theta[1] * f["a"])
    pi = expit(theta[2] + theta[3] * f["b"] + zero_offset) if len(theta) > 3 else expit(theta[2] + zero_offset)
    y = f["y"]
    return np.log(np.where(y == 0, pi + (1 - pi) * np.exp(-rate), (1 - pi) * stats.poisson.pmf(y, rate))).sum()


@pytest.mark.parametrize("options", [RATE, EXPOSED])
def test_em_with_an_offset_is_scipys_maximum(frame, options):
    em = bm.fit_em(mixture(zero="1 + b", **options), bm.Data(frame, response="y"), n_starts=3, tolerance=1e-12)
    best = optimize.minimize(lambda t: -log_likelihood(t, frame), np.zeros(4), method="BFGS", tol=1e-8)
    found = np.concatenate([em.params[v] for v in ("rate_coef", "zero_coef")])
    np.testing.assert_allclose(found, best.x, atol=1e-4)
    assert em.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    errors = np.concatenate([em.standard_errors[v] for v in ("rate_coef", "zero_coef")])
    H = naive.hessian(lambda t: -log_likelihood(t, frame), best.x, np.full(4, 1e-2))
    np.testing.assert_allclose(errors, np.sqrt(np.diag(np.linalg.inv(H))), rtol=1e-3)


def test_an_offset_in_the_zero_part_is_on_the_logit(frame):
    spec = mixture(rate=RATE["rate"], zero="1 + offset(0.5 * b)")
    em = bm.fit_em(spec, bm.Data(frame, response="y"), n_starts=3, tolerance=1e-12)
    best = optimize.minimize(lambda t: -log_likelihood(t, frame, zero_offset=0.5 * frame["b"]), np.zeros(3), tol=1e-8)
    found = np.concatenate([em.params[v] for v in ("rate_coef", "zero_coef")])
    np.testing.assert_allclose(found, best.x, atol=1e-4)
    assert "zero_prob" not in em.params


def test_the_model_with_offsets_is_the_mixture_written_out(frame, rng):
    from bayesmix.compiled.functions import INTERPRETED

    spec, data = mixture(zero="1 + offset(0.5 * b)", **EXPOSED), bm.Data(frame, response="y")
    spec = resolve(spec, data)
    model = bm.build(spec, data)
    F, G = np.column_stack([np.ones(N), frame["a"]]), np.ones((N, 1))
    R = {v: naive.coordinates(X, np.ones(N)) for v, X in (("rate_coef", F), ("zero_coef", G))}
    logp = model.compile_logp(mode=INTERPRETED)
    for _ in range(5):
        y = {f"{v}_orthonormal__": rng.normal(0, 0.3, len(r)) for v, r in R.items()}
        beta = {v: np.linalg.solve(r, y[f"{v}_orthonormal__"]) for v, r in R.items()}
        expected = log_likelihood(np.concatenate(list(beta.values())), frame, zero_offset=0.5 * frame["b"])
        expected += sum(naive.prior_log_density(spec.priors[v], beta[v]) - np.linalg.slogdet(R[v])[1] for v in R)
        assert logp(y) == pytest.approx(expected, rel=1e-10)


def test_kernels_know_the_offset(frame, rng):
    likelihood = bind(mixture(zero="1 + offset(b)", **EXPOSED), bm.Data(frame, response="y"))
    params = {"rate_coef": rng.normal(size=(3, 2)), "zero_coef": rng.normal(size=(3, 1))}
    np.testing.assert_allclose(pointwise(likelihood, params), reference.pointwise(likelihood, params), rtol=1e-10)


def test_the_default_level_is_the_rate_per_unit_of_exposure(frame):
    prior = resolve(mixture(exposure="effort"), bm.Data(frame, response="y")).priors["rate_coef"].parameters
    positive = frame[frame["y"] > 0]
    assert prior["mu"].item() == pytest.approx(np.log(positive["y"].sum() / positive["effort"].sum()))
    assert prior["sigma"].item() == pytest.approx(1.5)


def test_data_from_the_prior_scale_with_exposure():
    frame = pd.DataFrame({"y": [1, 0, 2] * 40, "effort": np.repeat([1.0, 1000.0], 60)})
    priors = {"rate_coef": bm.Prior("Normal", mu=0, sigma=0.01), "zero_coef": bm.Prior("Normal", mu=-9, sigma=0.01)}
    x = prior_predictive(mixture(exposure="effort", priors=priors), bm.Data(frame, response="y"), 50)[..., 0]
    np.testing.assert_allclose([x[:, :60].mean(), x[:, 60:].mean()], [1, 1000], rtol=0.05)


def test_posterior_and_em_agree_through_a_file_and_on_new_rows(frame, tmp_path):
    """The exposure is stored; a new row with 100 times the effort and no count is a structural zero."""
    spec, data = mixture(**EXPOSED), bm.Data(frame, response="y")
    dt = bm.sample(spec, data, draws=250, tune=250, chains=2, progress=False)
    em = bm.fit_em(spec, data, n_starts=3)
    sd = dt["posterior"]["rate_coef"].std(("chain", "draw"))
    assert (np.abs(dt["posterior"]["rate_coef"].mean(("chain", "draw")) - em.params["rate_coef"]) < 0.5 * sd).all()
    assert "rate" not in dt["posterior"]
    bm.save(dt, tmp_path / "fit.nc")
    back = bm.load_fit(tmp_path / "fit.nc")
    assert Record.of(back).likelihood.options["exposure"] == "effort"
    pd.testing.assert_series_equal(Record.of(back).data.covariates["effort"], data.covariates["effort"])
    new = bm.Data(pd.DataFrame({"y": [0, 0], "a": [0.0, 0.0], "effort": [0.01, 100.0]}), response="y")
    for fit in (em, back):
        structural = bm.responsibilities(fit, data=new).sel(component="structural_zero")
        means = structural.mean([d for d in structural.dims if d != "obs"]).to_numpy()
        assert means[0] < 0.4
        assert means[1] > 0.999


@pytest.mark.parametrize(
    ("options", "column", "words"),
    [
        ({"exposure": "hours"}, {}, ["exposure: no column 'hours'", "effort"]),
        ({"exposure": "effort"}, {"effort": [1.0, 0.0, 2.0]}, ["exposure", "'effort'", "row 2", "positive", "got 0"]),
        ({"exposure": "effort"}, {"effort": [1.0, 2.0, -3.0]}, ["row 3", "positive", "got -3"]),
        ({"exposure": "effort"}, {"effort": [1.0, np.nan, 2.0]}, ["exposure", "'effort'", "row 2"]),
        ({"exposure": "effort"}, {"effort": ["u", "v", "u"]}, ["exposure", "'effort'", "numbers", "'u'"]),
        ({"rate": "1 + offset(log(effort))"}, {"effort": [1.0, 0.0, 2.0]}, ["rate", "not finite"]),
        ({"exposure": 3}, {}, ["exposure", "name of a column", "3"]),
        ({"exposure": ""}, {}, ["exposure", "name of a column"]),
    ],
)
def test_refusals_name_column_row_and_value(options, column, words):
    frame = pd.DataFrame({"y": [0, 1, 2], "effort": [1.0, 2.0, 3.0]}).assign(**column)
    with pytest.raises(ValueError, match=r"exposure|rate") as caught:
        bm.fit_em(mixture(**options), bm.Data(frame, response="y"))
    for word in words:
        assert word in str(caught.value)


def test_an_exposure_is_checked_on_new_rows_too(frame):
    likelihood = bind(mixture(**EXPOSED), bm.Data(frame, response="y"))
    with pytest.raises(ValueError, match="exposure: column 'effort', row 2 must be positive"):
        likelihood.rebind(bm.Data(pd.DataFrame({"y": [0, 0], "a": [0.0, 0.0], "effort": [1.0, 0.0]}), response="y"))


def test_the_option_is_part_of_the_mixture():
    spec = mixture(exposure="effort")
    assert bm.Mixture.from_dict(spec.to_dict()) == spec
    assert spec.replace(exposure=None) == mixture()
    assert "exposure" not in mixture().to_dict()
