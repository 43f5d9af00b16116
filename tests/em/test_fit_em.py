"""EM against closed forms, scikit-learn, published optima and numerical derivatives."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.mixture import GaussianMixture

import naive
from bayesmix.em.fit_em import fit_em
from bayesmix.em.iterations import MONOTONE
from bayesmix.estep.reference import e_step
from bayesmix.inputs.data import Data
from bayesmix.mixture.spec import Mixture, bind

KINDS = ("full", "tied", "diag", "spherical")


def blobs(rng, n=90, d=2):
    """Three overlapping groups, and which is which."""
    z = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    return rng.normal(size=(3, d))[z] * 3 + rng.normal(size=(n, d)), z


def evidence_of(kind, z, rng):
    """What is known of the rows, in every form there is."""
    n = len(z)
    if kind == "none":
        return {}
    if kind == "labels":
        return {"labels": [str(c) if i % 4 == 0 else None for i, c in enumerate(z)], "classes": ["0", "1", "2"]}
    if kind == "sets":
        return {"labels": [{str(c), str((c + 1) % 3)} if i % 2 else None for i, c in enumerate(z)]}
    if kind == "soft":
        return {"labels": 0.8 * np.eye(3)[z] + 0.2 * rng.dirichlet(np.ones(3), n)}
    return {"row_weights": rng.uniform(0, 3, n)}


EVIDENCE = ("none", "labels", "sets", "soft", "weights")


@pytest.mark.parametrize("covariance", KINDS)
@pytest.mark.parametrize("evidence", EVIDENCE)
@pytest.mark.parametrize("d", [1, 3])
def test_the_log_likelihood_never_falls(rng, covariance, evidence, d):
    x, z = blobs(rng, d=d)
    data = Data(x, **evidence_of(evidence, z, rng))
    fit = fit_em(Mixture("gaussian", n_components=3, covariance=covariance), data, n_starts=6)
    assert (np.diff(fit.history) >= -1e-12 * (1 + np.abs(fit.history[1:]))).all()
    assert fit.history[-1] == fit.log_likelihood
    assert MONOTONE == 1e-12
    params = {v: fit.params[v].to_numpy() for v in ("weights", "means", "covariances")}
    joint = naive.gaussian_log_joint(data.x, **params, evidence=data.evidence(bind(fit.spec, data).components))
    assert fit.log_likelihood == pytest.approx(naive.total(joint, data.row_weights), rel=1e-11)


@pytest.mark.parametrize("weights", [False, True])
def test_the_zip_log_likelihood_never_falls(rng, weights):
    n = 150
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.choice(["u", "v"], n)})
    frame["y"] = np.where(rng.random(n) < expit(frame["a"]), 0, rng.poisson(np.exp(1 + 0.3 * frame["a"])))
    labels = [("structural_zero" if y == 0 else "poisson") if i % 7 == 0 else None for i, y in enumerate(frame["y"])]
    data = Data(frame, labels, response="y", row_weights=rng.uniform(0, 2, n) if weights else None)
    fit = fit_em(Mixture("zero_inflated_poisson", rate="1 + a + b", zero="1 + a"), data, n_starts=4)
    assert (np.diff(fit.history) >= -1e-12 * (1 + np.abs(fit.history[1:]))).all()
    assert fit.converged
    assert not fit.degenerate


@pytest.mark.parametrize("covariance", KINDS)
def test_whole_weights_are_repeated_rows(rng, covariance):
    x, _ = blobs(rng)
    v = rng.integers(0, 4, len(x))
    v[:2] = 1
    spec = Mixture("gaussian", n_components=2, covariance=covariance)
    weighted, repeated = bind(spec, Data(x, row_weights=v)), bind(spec, Data(np.repeat(x, v, axis=0)))
    params = naive.random_gaussian(rng, 2, 2, covariance)
    other = params
    for _ in range(10):
        L, of_weighted = e_step(weighted, params)
        M, of_repeated = e_step(repeated, other)
        assert pytest.approx(M, rel=1e-11) == L
        params, other = weighted.m_step(of_weighted, params), repeated.m_step(of_repeated, other)
    for name, value in params.items():
        np.testing.assert_allclose(value, other[name], rtol=1e-9)


@pytest.mark.parametrize("covariance", KINDS)
def test_scikit_learn_finds_nothing_above_our_solution(rng, covariance):
    """From our solution scikit-learn's EM (no regularization) stays, at the same log-likelihood."""
    x, _ = blobs(rng, n=200)
    fit = fit_em(Mixture("gaussian", n_components=3, covariance=covariance), Data(x), n_starts=8)
    sigma = fit.params["covariances"].to_numpy()
    precision = np.linalg.inv(sigma)
    start = {
        "full": precision,
        "tied": precision[0],
        "diag": np.einsum("kjj->kj", precision),
        "spherical": precision[:, 0, 0],
    }[covariance]
    theirs = GaussianMixture(
        3,
        covariance_type=covariance,
        reg_covar=0,
        tol=1e-10,
        max_iter=2000,
        weights_init=fit.params["weights"].to_numpy(),
        means_init=fit.params["means"].to_numpy(),
        precisions_init=start,
    ).fit(x)
    assert theirs.lower_bound_ * len(x) == pytest.approx(fit.log_likelihood, rel=1e-8)
    np.testing.assert_allclose(theirs.means_, fit.params["means"], rtol=1e-2)
    assert fit.n_parameters == theirs._n_parameters()
    assert fit.bic == pytest.approx(theirs.bic(x), rel=1e-8)
    assert fit.aic == pytest.approx(theirs.aic(x), rel=1e-8)


def test_old_faithful(faithful_em):
    assert faithful_em.log_likelihood == pytest.approx(-1130.264, abs=0.01)
    assert faithful_em.converged
    assert not faithful_em.degenerate
    assert list(faithful_em.params["component"].values) == ["component_1", "component_2"]
    assert faithful_em.params["means"][0, 0] < faithful_em.params["means"][1, 0]


def test_iris(iris):
    fit = fit_em(*iris, n_starts=60, seed=1)
    assert fit.log_likelihood >= -180.186 - 0.01
    assert not fit.degenerate
    assert not fit.starts["degenerate"][fit.starts["chosen"]].any()
    usable = fit.starts[~fit.starts["degenerate"]]
    assert usable["log_likelihood"].max() == fit.log_likelihood


def test_articles(articles):
    fit = fit_em(*articles, n_starts=3)
    assert fit.log_likelihood == pytest.approx(-1604.773, abs=0.01)
    assert not fit.degenerate


def test_all_labelled_and_tied_is_linear_discriminant_analysis(iris):
    spec, data = iris
    x, y = data.x, data.truth
    fit = fit_em(spec.replace(covariance="tied"), Data(x, list(y)), n_starts=2)
    names = sorted(set(y))
    assert list(fit.params["component"].values) == names
    means = np.array([x[y == name].mean(axis=0) for name in names])
    within = sum((x[y == name] - m).T @ (x[y == name] - m) for name, m in zip(names, means, strict=True)) / len(x)
    np.testing.assert_allclose(fit.params["weights"], 1 / 3, rtol=1e-12)
    np.testing.assert_allclose(fit.params["means"], means, rtol=1e-12)
    np.testing.assert_allclose(fit.params["covariances"], np.tile(within, (3, 1, 1)), rtol=1e-10)


def test_all_labelled_and_full_is_quadratic_discriminant_analysis(iris):
    spec, data = iris
    x, y = data.x, data.truth
    fit = fit_em(spec, Data(x, list(y)), n_starts=2)
    for k, name in enumerate(sorted(set(y))):
        np.testing.assert_allclose(fit.params["covariances"][k], np.cov(x[y == name].T, ddof=0), rtol=1e-9)
    joint = sum(
        stats.multivariate_normal(x[y == c].mean(axis=0), np.cov(x[y == c].T, ddof=0)).logpdf(x[y == c]).sum()
        for c in set(y)
    ) + len(x) * np.log(1 / 3)
    assert fit.log_likelihood == pytest.approx(joint, rel=1e-10)


def spiky(rng):
    """Two groups and a pair of rows that all but coincide."""
    x = np.concatenate([rng.normal(0, 1, 30), rng.normal(8, 1, 30), [4.0, 4.0 + 1e-9]])
    return Mixture("gaussian", n_components=3), Data(x)


def test_spikes_are_flagged_and_never_win(rng):
    fit = fit_em(*spiky(rng), n_starts=60)
    assert fit.starts["degenerate"].any()
    assert not fit.degenerate
    flagged = fit.starts[fit.starts["degenerate"]]
    assert flagged["log_likelihood"].max() > fit.log_likelihood
    assert flagged["reasons"].str.len().min() > 0
    assert int(fit.starts["chosen"].sum()) == 1


def test_only_spikes_says_so():
    fit = fit_em(Mixture("gaussian", n_components=3), Data([0.0, 0.0, 1.0, 1.0, 5.0]), n_starts=5)
    assert fit.degenerate
    assert fit.starts["degenerate"].all()
    assert "component" in fit.reasons[0]
    assert "degenerate" in repr(fit)
    assert np.isnan(fit.standard_errors["means"]).all()


def test_counts_without_excess_zeros_run_to_the_boundary(rng):
    fit = fit_em(Mixture("zero_inflated_poisson"), Data(rng.poisson(6, 200) + 1), n_starts=3)
    assert fit.degenerate
    assert "runs to 0" in fit.reasons[0]


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_standard_errors_of_one_component_have_closed_forms(rng, scale):
    """se(mu) = s/sqrt(n), se(s) = s/sqrt(2n), se(r) = (1 - r^2)/sqrt(n)."""
    x = scale * (rng.normal(size=(400, 2)) @ np.array([[1.0, 0.5], [0, 2.0]]) + 3)
    fit = fit_em(Mixture("gaussian", n_components=1), Data(x), n_starts=1)
    s, r = x.std(axis=0), np.corrcoef(x.T)[0, 1]
    se = fit.standard_errors
    np.testing.assert_allclose(se["means"][0], s / np.sqrt(400), rtol=1e-6)
    np.testing.assert_allclose(se["scales"][0], s / np.sqrt(800), rtol=1e-6)
    np.testing.assert_allclose(
        se["correlations"].sel(component="component_1", pair="x2 ~ x1"), (1 - r**2) / np.sqrt(400), rtol=1e-6
    )
    np.testing.assert_allclose(se["covariances"][0, 0, 0], s[0] ** 2 * np.sqrt(2 / 400), rtol=1e-6)
    assert se["weights"].item() == 0


def test_standard_errors_of_a_mixture_against_a_numerical_hessian(three_groups):
    """In (w1, w2, mu, sd): another parametrization, differentiated numerically from SciPy's densities."""
    spec, data = three_groups
    fit = fit_em(spec, data, n_starts=5)
    x = data.x[:, 0]

    def L(t):
        w = np.array([t[0], t[1], 1 - t[0] - t[1]])
        return float(np.log(stats.norm.pdf(x[:, None], t[2:5], t[5:8]) @ w).sum())

    best = np.concatenate([fit.params["weights"][:2], fit.params["means"][:, 0], fit.params["scales"][:, 0]])
    information = -naive.hessian(L, best, np.full(8, 2e-3))
    se = np.sqrt(np.diag(np.linalg.inv(information)))
    np.testing.assert_allclose(fit.standard_errors["weights"][:2], se[:2], rtol=1e-3)
    np.testing.assert_allclose(fit.standard_errors["means"][:, 0], se[2:5], rtol=1e-3)
    np.testing.assert_allclose(fit.standard_errors["scales"][:, 0], se[5:8], rtol=1e-3)


def test_zip_standard_errors_against_a_numerical_hessian(zip_counts):
    """In (lambda, pi)."""
    spec, data = zip_counts
    fit = fit_em(spec, data, n_starts=3)
    x = data.x[:, 0]

    def L(t):
        return naive.total(naive.zip_log_joint(x, np.full(300, t[0]), np.full(300, t[1]), np.zeros((300, 2))))

    best = np.array([fit.params["rate"], fit.params["zero_prob"]])
    se = np.sqrt(np.diag(np.linalg.inv(-naive.hessian(L, best, np.array([1e-2, 1e-3])))))
    np.testing.assert_allclose([fit.standard_errors["rate"], fit.standard_errors["zero_prob"]], se, rtol=1e-4)
    assert fit.standard_errors["rate_coef"].item() == pytest.approx(se[0] / best[0], rel=1e-4)


def test_the_same_seed_is_the_same_fit(three_groups):
    one, two, other = (fit_em(*three_groups, n_starts=5, seed=s) for s in (3, 3, 4))
    assert one.params.identical(two.params)
    pd.testing.assert_frame_equal(one.starts, two.starts)
    assert not one.starts["n_iter"].equals(other.starts["n_iter"])


def test_starts_are_of_several_kinds_and_share_solutions(three_groups):
    starts = fit_em(*three_groups, n_starts=11).starts
    assert len(starts) == 11
    assert set(starts["kind"]) == {"ward", "k-means++", "k-means++ whitened", "random rows", "random partition"}
    top = starts[starts["solution"] == 1]["log_likelihood"]
    assert top.max() - top.min() < 1e-5 * (1 + abs(top.max()))
    assert len(top) > 1


def test_fewer_classes_than_components(rng):
    x, z = blobs(rng)
    labels = ["b" if c == 0 else None for c in z]
    fit = fit_em(Mixture("gaussian", n_components=3, covariance="tied"), Data(x, labels), n_starts=8)
    assert list(fit.params["component"].values) == ["b", "component_1", "component_2"]
    near = np.linalg.norm(fit.params["means"] - x[z == 0].mean(axis=0), axis=1)
    assert near.argmin() == 0


@pytest.mark.parametrize(("scale", "offset"), [(1e-8, 0.0), (1e8, 0.0), (1.0, 1e6)])
def test_units_do_not_matter(rng, scale, offset):
    """L of scaled data is L - n d log scale; estimates scale with the data."""
    x, _ = blobs(rng)
    spec = Mixture("gaussian", n_components=2)
    one, two = fit_em(spec, Data(x), n_starts=4), fit_em(spec, Data(scale * x + offset), n_starts=4)
    assert two.log_likelihood == pytest.approx(one.log_likelihood - x.size * np.log(scale), abs=1e-4)
    np.testing.assert_allclose((two.params["means"] - offset) / scale, one.params["means"], atol=1e-3)
    np.testing.assert_allclose(two.standard_errors["means"] / scale, one.standard_errors["means"], rtol=1e-2)
    assert not two.degenerate
