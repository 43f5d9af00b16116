"""The maths of each family against SciPy."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats
from scipy.linalg import solve_triangular
from scipy.optimize import check_grad
from scipy.special import expit

import naive
from bayesmix.estep import reference
from bayesmix.formulas.design import design_matrix
from bayesmix.inputs.data import Data
from bayesmix.mixture.spec import Mixture, bind
from bayesmix.posterior.files import load_fit, save

KINDS = ("full", "tied", "diag", "spherical")
SCALES = [(1.0, 0.0), (1e-8, 0.0), (1e8, 0.0), (1.0, 1e6)]


def gaussian(rng, kind, K=3, d=2, n=40, *, scale=1.0, offset=0.0, **data):
    """A Gaussian likelihood over random rows, and random parameters."""
    likelihood = bind(
        Mixture("gaussian", n_components=K, covariance=kind),
        Data(offset + scale * rng.normal(size=(n, d)) * 3, **data),
    )
    return likelihood, naive.random_gaussian(rng, K, d, kind, scale, offset)


def some_labels(n):
    """Hard labels, sets and nothing."""
    return (["a", None, {"a", "b"}, "b", {"c"}] * n)[:n]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize(("scale", "offset"), SCALES)
def test_gaussian_log_joint(rng, kind, d, scale, offset):
    likelihood, params = gaussian(rng, kind, d=d, scale=scale, offset=offset, labels=some_labels(40))
    expected = naive.gaussian_log_joint(likelihood.data.x, **params, evidence=likelihood.evidence)
    np.testing.assert_allclose(likelihood.log_joint(params), expected, rtol=1e-9 if offset else 1e-11)
    assert np.isneginf(expected).any()


def test_soft_evidence_adds_its_logarithm(rng):
    b = rng.dirichlet([1, 1], 40)
    b[3] = [1, 0]
    b[5] = np.nan
    likelihood, params = gaussian(rng, "full", K=3, labels=b, classes=["u", "v"])
    plain = naive.gaussian_log_joint(likelihood.data.x, **params, evidence=np.zeros((40, 3)))
    with np.errstate(divide="ignore"):
        expected = plain + np.column_stack([np.log(b), np.full(40, -np.inf)])
    expected[5] = plain[5]
    np.testing.assert_allclose(likelihood.log_joint(params), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_e_step_is_bayes_rule(rng, kind):
    v = rng.uniform(0, 3, 40)
    likelihood, params = gaussian(rng, kind, labels=some_labels(40), row_weights=v)
    expected = naive.gaussian_log_joint(likelihood.data.x, **params, evidence=likelihood.evidence)
    L, _ = reference.e_step(likelihood, params)
    assert L == pytest.approx(naive.total(expected, v), rel=1e-12)
    r = naive.posterior_probabilities(expected)
    np.testing.assert_allclose(reference.responsibilities(likelihood, params), r, atol=1e-13)


def test_e_step_far_from_every_component(rng):
    """exp underflows for every component; the logarithms do not."""
    likelihood, params = gaussian(rng, "full", n=10)
    far = likelihood.rebind(Data([[1e4, 1e4], [-1e5, 3.0]]))
    expected = naive.gaussian_log_joint(far.data.x, **params, evidence=np.zeros((2, 3)))
    L, _ = reference.e_step(far, params)
    assert L == pytest.approx(naive.total(expected), rel=1e-12)
    r = naive.posterior_probabilities(expected)
    np.testing.assert_allclose(reference.responsibilities(far, params), r, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize(("scale", "offset"), SCALES)
def test_gaussian_statistics_are_their_definition(rng, kind, d, scale, offset):
    """N_k, s_k and S_k, row by row, z by a triangular solve."""
    v = rng.uniform(0, 3, 40)
    likelihood, params = gaussian(rng, kind, d=d, scale=scale, offset=offset, labels=some_labels(40), row_weights=v)
    joint = naive.gaussian_log_joint(likelihood.data.x, **params, evidence=likelihood.evidence)
    r = naive.posterior_probabilities(joint)
    _, statistics = reference.e_step(likelihood, params)
    for k in range(3):
        C = np.linalg.cholesky(params["covariances"][k])
        z = np.array([solve_triangular(C, row - params["means"][k], lower=True) for row in likelihood.data.x])
        vr = v * r[:, k]
        near = {"rtol": 1e-6 if offset else 1e-9, "atol": 1e-7 if offset else 1e-9}
        np.testing.assert_allclose(statistics["mass"][k], vr.sum(), **near)
        np.testing.assert_allclose(statistics["first"][k], vr @ z, **near)
        second = sum(vr[i] * np.outer(z[i], z[i]) for i in range(40))
        second = second if kind in ("full", "tied") else second * np.eye(d)
        np.testing.assert_allclose(statistics["second"][k], second, **near)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize(("scale", "offset"), SCALES)
def test_gaussian_pack_round_trip(rng, kind, d, scale, offset):
    likelihood, params = gaussian(rng, kind, d=d, scale=scale, offset=offset)
    theta = likelihood.pack(params)
    assert theta.shape == (likelihood.n_parameters,)
    for name, value in likelihood.unpack(theta).items():
        np.testing.assert_allclose(value, params[name], rtol=1e-9, atol=1e-9 * scale**2 * (name == "covariances"))


@pytest.mark.parametrize(
    ("kind", "d", "count"),
    [
        ("full", 2, 2 + 6 + 9),
        ("tied", 2, 2 + 6 + 3),
        ("diag", 2, 2 + 6 + 6),
        ("spherical", 2, 2 + 6 + 3),
        ("full", 1, 8),
    ],
)
def test_gaussian_parameter_count(rng, kind, d, count):
    assert gaussian(rng, kind, d=d)[0].n_parameters == count


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e8])
def test_gaussian_score(rng, kind, d, scale):
    likelihood, params = gaussian(
        rng, kind, d=d, scale=scale, labels=some_labels(40), row_weights=rng.uniform(0.1, 3, 40)
    )
    theta, units = likelihood.pack(params), likelihood.units(params)

    def L(t):
        joint = naive.gaussian_log_joint(
            likelihood.data.x, **likelihood.unpack(theta + units * t), evidence=likelihood.evidence
        )
        return naive.total(joint, likelihood.row_weights)

    def score(t):
        return units * score_of(likelihood)(theta + units * t)

    zero = np.zeros_like(theta)
    assert check_grad(L, score, zero, epsilon=1e-7) < 1e-4 * (1 + np.linalg.norm(score(zero)))


def score_of(likelihood):
    """theta -> dL/dtheta, from the E-step there."""
    return lambda theta: likelihood.score(theta, reference.e_step(likelihood, likelihood.unpack(theta))[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("scale", "offset"), SCALES)
def test_gaussian_m_step_is_weighted_moments(rng, kind, scale, offset):
    """From statistics about any parameters; NumPy's weighted mean and covariance."""
    v = rng.uniform(0.1, 3, 60)
    likelihood, params = gaussian(rng, kind, n=60, scale=scale, offset=offset, row_weights=v)
    r = rng.dirichlet(np.ones(3), 60)
    best = likelihood.m_step(likelihood.sums(r, params), params)
    mass = v @ r
    np.testing.assert_allclose(best["weights"], mass / mass.sum(), rtol=1e-12)
    sigma = np.array([np.cov(likelihood.data.x.T, aweights=v * r[:, k], ddof=0) for k in range(3)])
    if kind == "tied":
        sigma = np.tile(np.average(sigma, axis=0, weights=mass), (3, 1, 1))
    if kind in ("diag", "spherical"):
        sigma = np.array([np.diag(np.diag(S)) for S in sigma])
    if kind == "spherical":
        sigma = np.array([np.eye(2) * np.trace(S) / 2 for S in sigma])
    for k in range(3):
        mean = np.average(likelihood.data.x, axis=0, weights=v * r[:, k])
        np.testing.assert_allclose(best["means"][k], mean, rtol=1e-11, atol=1e-11 * scale)
        np.testing.assert_allclose(best["covariances"][k], sigma[k], rtol=1e-8, atol=1e-8 * scale**2)


def test_an_empty_component_keeps_its_mean(rng):
    likelihood, params = gaussian(rng, "tied")
    r = np.eye(3)[np.arange(40) % 2]
    best = likelihood.m_step(likelihood.sums(r, params), params)
    assert best["weights"][2] == 0
    np.testing.assert_array_equal(best["means"][2], params["means"][2])
    np.testing.assert_allclose(best["means"][0], likelihood.data.x[::2].mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_gaussian_named_estimates(rng, kind):
    likelihood, params = gaussian(rng, kind, d=3)
    named = likelihood.named(params)
    sd = np.sqrt([np.diag(S) for S in params["covariances"]])
    R = np.array([S / np.outer(s, s) for S, s in zip(params["covariances"], sd, strict=True)])
    scales = {"full": sd, "diag": sd, "tied": sd[0], "spherical": sd[:, 0]}[kind]
    np.testing.assert_allclose(named["scales"], scales, rtol=1e-14)
    assert ("correlations" in named) == (kind in ("full", "tied"))
    if kind in ("full", "tied"):
        pairs = np.array([[M[1, 0], M[2, 0], M[2, 1]] for M in R])
        np.testing.assert_allclose(named["correlations"], pairs if kind == "full" else pairs[0], rtol=1e-13)
        assert likelihood.coords["pair"] == ["x2 ~ x1", "x3 ~ x1", "x3 ~ x2"]
    for name, dims in likelihood.dims.items():
        assert named[name].shape == tuple(len(likelihood.coords[d]) for d in dims)
    varying = {v: a for v, a in named.items() if v != "covariances"}
    for name, values in likelihood.given(varying).items():
        np.testing.assert_allclose(values, params[name], rtol=1e-13)


def test_gaussian_simulation_has_the_mixture_moments(rng):
    n = 40_000
    labels = ["a"] * 10_000 + [None] * 30_000
    likelihood, params = gaussian(rng, "full", K=2, n=n, labels=labels, classes=["a"])
    x = likelihood.simulate(params, rng)
    w, m, S = params["weights"], params["means"], params["covariances"]
    for rows, weights in ((x[:10_000], np.array([1.0, 0.0])), (x[10_000:], w)):
        mean = weights @ m
        cov = sum(w * (c + np.outer(a - mean, a - mean)) for w, a, c in zip(weights, m, S, strict=True))
        error = np.sqrt(np.diag(cov) / len(rows))
        assert (np.abs(rows.mean(axis=0) - mean) < 5 * error).all()
        np.testing.assert_allclose(np.cov(rows.T), cov, atol=0.06 * np.diag(cov).max())


def counts_frame(rng, n=120):
    return pd.DataFrame(
        {
            "y": np.where(rng.random(n) < 0.3, 0, rng.poisson(3, n)),
            "a": rng.normal(2, 1, n),
            "b": rng.choice(["u", "v", "w"], n),
        }
    )


def zip_likelihood(rng, rate="1 + a + b", zero="1 + a", **data):
    frame = counts_frame(rng)
    return bind(Mixture("zero_inflated_poisson", rate=rate, zero=zero), Data(frame, response="y", **data)), frame


def zip_params(rng, likelihood, size=()):
    return {
        v: 0.3 * rng.normal(size=(*size, len(likelihood.coords[f"{v[:4]}_term"]))) for v in ("rate_coef", "zero_coef")
    }


def by_hand(frame, params):
    """Rates and zero probabilities with the design written out."""
    F = np.column_stack([np.ones(len(frame)), frame["a"], frame["b"] == "v", frame["b"] == "w"])
    G = np.column_stack([np.ones(len(frame)), frame["a"]])
    return np.exp(F @ params["rate_coef"]), expit(G @ params["zero_coef"])


def test_zip_design_is_the_one_written_out(rng):
    likelihood, frame = zip_likelihood(rng)
    assert likelihood.coords["rate_term"] == ["Intercept", "a", "b[T.v]", "b[T.w]"]
    assert likelihood.coords["zero_term"] == ["Intercept", "a"]
    params = zip_params(rng, likelihood)
    rate, zero_prob = by_hand(frame, params)
    expected = naive.zip_log_joint(frame["y"].to_numpy(), rate, zero_prob, np.zeros((len(frame), 2)))
    np.testing.assert_allclose(likelihood.log_joint(params), expected, rtol=1e-10)


def test_zip_log_likelihood_is_the_textbook_formula(rng):
    likelihood, frame = zip_likelihood(rng)
    params = zip_params(rng, likelihood)
    rate, pi = by_hand(frame, params)
    y = frame["y"].to_numpy()
    p = np.where(y == 0, pi + (1 - pi) * np.exp(-rate), (1 - pi) * stats.poisson.pmf(y, rate))
    np.testing.assert_allclose(reference.pointwise(likelihood, params), np.log(p), rtol=1e-11)


def test_zip_labels(rng):
    frame = counts_frame(rng)
    at_zero, positive = np.flatnonzero(frame["y"] == 0), np.flatnonzero(frame["y"] > 0)
    labels = np.full(120, None)
    labels[at_zero[0]], labels[positive[0]] = "structural_zero", "poisson"
    spec = Mixture("zero_inflated_poisson")
    r = reference.responsibilities(
        bind(spec, Data(frame, list(labels), response="y")), {"rate_coef": np.ones(1), "zero_coef": np.zeros(1)}
    )
    assert r[at_zero[0]].tolist() == [1, 0]
    assert r[positive[0]].tolist() == [0, 1]
    assert 0 < r[at_zero[1], 0] < 1
    labels[positive[1]] = "structural_zero"
    with pytest.raises(ValueError, match=f"labels: row {positive[1] + 1} is labelled structural_zero"):
        bind(spec, Data(frame, list(labels), response="y"))


def test_zip_rebind_keeps_the_levels(rng):
    likelihood, frame = zip_likelihood(rng)
    params = zip_params(rng, likelihood)
    some = frame[frame["b"] == "v"].head(5)
    new = likelihood.rebind(Data(some, response="y"))
    assert new.coords == likelihood.coords
    rate, zero_prob = by_hand(some, params)
    expected = naive.zip_log_joint(some["y"].to_numpy(), rate, zero_prob, np.zeros((5, 2)))
    np.testing.assert_allclose(new.log_joint(params), expected, rtol=1e-10)


def test_zip_rebind_refuses_a_level_it_never_saw(rng):
    likelihood, frame = zip_likelihood(rng)
    with pytest.raises(ValueError, match="rate: column 'b', row 1.*'z'.*u, v, w"):
        likelihood.rebind(Data(frame.head(3).assign(b=["z", "u", "v"]), response="y"))
    likelihood, frame = zip_likelihood(rng, rate="1 + C(b)")
    with pytest.raises(ValueError, match="rate: .*'z'"):
        likelihood.rebind(Data(frame.head(3).assign(b=["z", "u", "v"]), response="y"))


def test_zip_stateful_terms_keep_their_centre(rng):
    likelihood, frame = zip_likelihood(rng, rate="1 + center(a)")
    new = likelihood.rebind(Data(frame.head(4), response="y"))
    np.testing.assert_allclose(new.linears[0].X[:, 1], frame["a"].head(4) - frame["a"].mean(), rtol=1e-10)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        ("1 + nothing", ["rate", "'nothing'", "a, b"]),
        ("a + I(2 * a)", ["rate", "linearly dependent"]),
        ("0", ["rate", "no terms"]),
        ("log(a - 100)", ["rate"]),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in log:RuntimeWarning")
def test_zip_bad_formulas_are_refused(rng, rate, words):
    with pytest.raises(ValueError, match="rate") as caught:
        zip_likelihood(rng, rate=rate)
    for word in words:
        assert word in str(caught.value)


def test_zip_missing_covariate_is_named(rng):
    frame = counts_frame(rng)
    frame.loc[4, "a"] = np.nan
    with pytest.raises(ValueError, match="rate: column 'a', row 5 is missing"):
        bind(Mixture("zero_inflated_poisson", rate="1 + a"), Data(frame, response="y"))


@pytest.mark.parametrize(("value", "rule"), [(-1, "negative"), (1.5, "whole"), (2.0**31, "at most")])
def test_counts_must_be_counts(value, rule):
    with pytest.raises(ValueError, match=f"column 'x', row 2: a count must .*{rule}"):
        bind(Mixture("zero_inflated_poisson"), Data([0, value, 3]))


def test_zip_m_step_maximizes(rng):
    likelihood, frame = zip_likelihood(rng, row_weights=rng.uniform(0.1, 3, 120))
    y = frame["y"].to_numpy()
    r0 = np.where(y == 0, rng.random(120), 0.0)
    r = np.column_stack([r0, 1 - r0])

    def expected(params):
        rate, pi = by_hand(frame, params)
        terms = r0 * np.log(pi) + (1 - r0) * (np.log1p(-pi) + stats.poisson.logpmf(y, rate))
        return float(likelihood.row_weights @ terms)

    params = zip_params(rng, likelihood)
    best = params
    for _ in range(20):
        best = likelihood.m_step(likelihood.sums(r, best), best)
    theta, top = likelihood.pack(best), expected(best)
    for _ in range(50):
        assert expected(likelihood.unpack(theta + 1e-3 * rng.normal(size=len(theta)))) < top


def test_zip_simulation_has_the_moments(rng):
    n = 50_000
    likelihood = bind(Mixture("zero_inflated_poisson"), Data(np.arange(n) % 3))
    x = likelihood.simulate({"rate_coef": np.log([4.0]), "zero_coef": np.log([0.25 / 0.75])}, rng)[:, 0]
    mean, variance = 0.75 * 4, 0.75 * 4 * (1 + 4 * 0.25)
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / n)
    assert abs(x.var() - variance) < 0.15
    p0 = 0.25 + 0.75 * np.exp(-4)
    assert abs((x == 0).mean() - p0) < 5 * np.sqrt(p0 / n)


@pytest.mark.parametrize("family_name", ["gaussian", "zero_inflated_poisson"])
def test_draw_components_follow_weights_and_evidence(rng, family_name):
    if family_name == "gaussian":
        likelihood, params = gaussian(
            rng, "diag", K=3, n=30_000, labels=([None, {"a", "c"}] * 15_000), classes=["a", "b", "c"]
        )
        w = params["weights"]
        share = {0: w, 1: w * [1, 0, 1] / (w[0] + w[2])}
    else:
        likelihood = bind(Mixture(family_name), Data(np.zeros(30_000)))
        params = {"rate_coef": np.ones(1), "zero_coef": np.ones(1)}
        share = dict.fromkeys((0, 1), np.array([expit(1), expit(-1)]))
    z = likelihood.draw_components(params, rng)
    for half, p in share.items():
        observed = np.bincount(z[half::2], minlength=len(p))
        assert not observed[p == 0].any()
        assert stats.chisquare(observed[p > 0], 15_000 * p[p > 0]).pvalue > 1e-4


def test_gaussian_rebind_needs_the_same_columns(rng):
    likelihood, _ = gaussian(rng, "full", d=2)
    with pytest.raises(ValueError, match=r"data: must have 2 columns, as the fit had \(x1, x2\); got 3 \(x1, x2, x3\)"):
        likelihood.rebind(Data(rng.normal(size=(4, 3))))


def test_gaussian_rebind_goes_by_the_columns_names(rng):
    frame = pd.DataFrame(rng.normal(size=(20, 2)), columns=["height", "mass"])
    likelihood = bind(Mixture("gaussian", n_components=2), Data(frame))
    for same in (frame[["mass", "height"]], frame.to_numpy()):
        new = likelihood.rebind(Data(same, row_weights=np.arange(20)))
        np.testing.assert_array_equal(new.data.x, frame)
        assert new.coords == likelihood.coords
        assert new.data.feature_names == ("height", "mass")
        np.testing.assert_array_equal(new.row_weights, np.arange(20))
    other = frame.set_axis(["mass", "age"], axis=1)
    with pytest.raises(ValueError, match=r"as the fit had \(height, mass\); got 2 \(mass, age\)"):
        likelihood.rebind(Data(other))


def test_probes_are_unlabelled_rows_and_midpoints(rng):
    likelihood, _ = gaussian(rng, "full", labels=some_labels(40))
    probes = likelihood.family.probes(likelihood, rng, 6)
    assert probes.x.shape == (12, 2)
    assert not probes.labelled.any()
    rows = {tuple(row) for row in likelihood.data.x}
    assert all(tuple(row) in rows for row in probes.x[:6])
    midpoints = {tuple((a + b) / 2) for a in likelihood.data.x for b in likelihood.data.x}
    assert all(tuple(row) in midpoints for row in probes.x[6:])


@pytest.mark.parametrize(
    ("zero_coef", "reason"),
    [
        ([0.0, 0.0], None),
        ([-40.0, 0.0], "runs to 0"),
        ([40.0, 0.0], "runs to 1"),
        ([np.nan, 0.0], "not finite"),
    ],
)
def test_zip_boundaries_are_named(rng, zero_coef, reason):
    likelihood, _ = zip_likelihood(rng)
    likelihood.linears[1].X[:, 1] = np.linspace(-1, 1, len(likelihood.linears[1].X))
    reasons = likelihood.spikes({"rate_coef": np.zeros(4), "zero_coef": np.array(zero_coef)}, np.full((120, 2), 0.5))
    assert (reasons == []) if reason is None else (reason in reasons[0])


def mixed_covariates(rng, n=60):
    """One column of every kind, in no alphabetical order."""
    return pd.DataFrame(
        {
            "y": rng.poisson(2, n),
            "size": pd.Categorical(rng.choice(["small", "medium", "large"], n), ["small", "medium", "large"]),
            "shade": pd.Categorical(rng.choice(["pale", "dark"], n), ["pale", "none", "dark"]),
            "grade": pd.Categorical(rng.choice(["low", "high"], n), ["low", "high"], ordered=True),
            "group": rng.choice(["b", "a", "c"], n),
            "dose": pd.Categorical(rng.choice([10, 2, 30], n), [10, 2, 30]),
            "alive": rng.random(n) < 0.5,
            "age": rng.integers(20, 60, n),
            "width": rng.normal(size=n),
            "half": rng.normal(size=n).astype("float32"),
            "maybe": pd.array(rng.random(n) < 0.5, dtype="boolean"),
            "note": np.where(rng.random(n) < 0.5, "x", None),
        }
    )


@pytest.mark.parametrize("through_a_file", [False, True])
def test_covariates_come_back_as_they_were(rng, tmp_path, through_a_file):
    frame = mixed_covariates(rng)
    data = Data(frame, response="y")
    stored = data.to_dataset()
    if through_a_file:
        tree = xr.DataTree.from_dict({"posterior": xr.Dataset(), "input": stored})
        tree.attrs["spec"] = "{}"
        stored = load_fit(save(tree, tmp_path / "fit.nc"))["input"].to_dataset()
    back = Data.from_dataset(stored)
    for name in ("alive", "age", "width", "half"):
        pd.testing.assert_series_equal(back.covariates[name], data.covariates[name])
    for name in ("size", "shade", "dose"):
        assert back.covariates[name].cat.categories.tolist() == list(map(str, frame[name].cat.categories))
    for name in ("size", "shade", "grade", "group", "dose", "note"):
        expected = [None if pd.isna(value) else str(value) for value in frame[name]]
        assert [None if pd.isna(value) else value for value in back.covariates[name]] == expected
    rate = "1 + size + group + dose + alive + age + width + half"
    spec = Mixture("zero_inflated_poisson", rate=rate, zero="0 + grade + maybe")
    before, after = bind(spec, data), bind(spec, back)
    assert after.coords == before.coords
    assert "size[T.medium]" in after.coords["rate_term"]
    assert "size[T.small]" not in after.coords["rate_term"]
    np.testing.assert_array_equal(after.linears[0].X, before.linears[0].X)
    np.testing.assert_array_equal(after.linears[1].X, before.linears[1].X)
    shades = [design_matrix("1 + shade", d.covariates, "rate")[0] for d in (data, back)]
    pd.testing.assert_frame_equal(*shades)
    assert list(shades[1]) == ["Intercept", "shade[T.dark]"]  # no row is "none": its column would be zero
    again = Data.from_dataset(back.to_dataset())
    pd.testing.assert_frame_equal(again.covariates, back.covariates)
