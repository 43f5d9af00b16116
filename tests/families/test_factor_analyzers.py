"""Factor analysers: closed forms, numbers of other programs, rotations, Heywood cases, scores."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logsumexp
from scipy.stats import ortho_group
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA, FactorAnalysis

import bayesmix as bm
from bayesmix import plots
from bayesmix.em.iterations import iterate
from bayesmix.estep import reference
from bayesmix.families.factor_analyzers import kernel
from bayesmix.families.factor_analyzers.maths import FAMILY
from bayesmix.families.factor_analyzers.rotation import lower_triangular, principal_axes, turned_towards
from bayesmix.mixture.simulate import prior_draws
from bayesmix.mixture.spec import resolved

IRIS, SPECIES = load_iris(return_X_y=True)
FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def mixture(K=1, q=1, noise="diagonal", **options):
    return bm.Mixture("factor_analyzers", n_components=K, n_factors=q, noise=noise, **options)


def iris():
    return bm.Data(pd.DataFrame(IRIS, columns=FEATURES))


def simulated(rng, n=300, d=6, q=2):
    """Rows of factor analysis with q factors, each on columns of its own."""
    loadings = np.zeros((d, q))
    loadings[np.arange(d), np.arange(d) % q] = rng.uniform(0.8, 1.2, d)
    return rng.normal(size=(n, q)) @ loadings.T + rng.normal(size=(n, d)) * 0.5


@pytest.mark.parametrize(("q", "L", "noise"), [(1, -470.669458, 0.11413908), (2, -404.962780, 0.05068215)])
def test_probabilistic_pca_is_its_closed_form(q, L, noise):
    em = bm.fit_em(mixture(q=q, noise="isotropic"), iris(), n_starts=3)
    assert em.log_likelihood == pytest.approx(L, abs=1e-6)
    assert float(em.params["noise_variances"].squeeze()) == pytest.approx(noise, abs=1e-8)
    values, vectors = np.linalg.eigh(np.cov(IRIS.T, bias=True))
    common = (vectors[:, -q:] * (values[-q:] - values[:-q].mean())) @ vectors[:, -q:].T
    loadings = em.params["loadings"].to_numpy()[0]
    np.testing.assert_allclose(loadings @ loadings.T, common, atol=1e-6)
    assert em.n_parameters == 4 + (4 * q - q * (q - 1) // 2) + 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"noise": "isotropic"}, -218.84764),
        ({"noise": "diagonal", "shared_noise": True}, -228.51720),
        ({"noise": "diagonal"}, -195.60040),
    ],
)
def test_mixtures_from_the_species_reach_published_heights(options, expected):
    likelihood = resolved(mixture(3, **options), iris())
    vr = np.eye(3)[SPECIES]
    start = {**likelihood.weights.start(vr), **likelihood.component.start(vr)}
    result = iterate(likelihood, "species", start, max_iter=2000, tolerance=1e-11)
    assert result.converged
    assert result.log_likelihood == pytest.approx(expected, abs=1e-5)
    assert (np.diff(result.history) > -1e-9).all()
    if expected == -195.60040:
        assert result.params["noise_variances"].min() == pytest.approx(0.0099, abs=1e-4)


def test_many_starts_do_better_than_the_species():
    em = bm.fit_em(mixture(3, shared_noise=True), iris(), n_starts=5)
    assert em.log_likelihood == pytest.approx(-210.77703, abs=1e-4)
    assert em.params["noise_variances"].dims == ("feature",)


def test_factor_analysis_is_scikit_learn_s(rng):
    x = simulated(rng)
    em = bm.fit_em(mixture(q=2), bm.Data(x), n_starts=2)
    other = FactorAnalysis(2, tol=1e-10, max_iter=10_000, svd_method="lapack").fit(x)
    assert em.log_likelihood == pytest.approx(other.score(x) * len(x), abs=1e-4)
    psi = em.params["noise_variances"].to_numpy()[0]
    np.testing.assert_allclose(psi, other.noise_variance_, rtol=1e-3)


def test_a_heywood_case_is_named():
    em = bm.fit_em(mixture(), iris(), n_starts=3)
    assert em.degenerate
    assert "component_1: the noise of petal_length vanishes" in em.reasons[0]
    assert "Heywood" in em.reasons[0]


def test_the_prior_keeps_heywood_cases_away():
    """Where the likelihood is largest at a noise variance of 0, the posterior's mode is not there."""
    em = bm.fit_em(mixture(), iris(), n_starts=1, method="map")
    assert (em.params["noise_variances"].to_numpy() > 1e-3 * IRIS.var(axis=0)).all()
    with pytest.warns(UserWarning, match="do not vanish at 0"):
        bm.resolve(mixture(priors={"noise_variances": bm.Prior("HalfNormal", sigma=1.0)}), iris())


@pytest.mark.parametrize(
    ("options", "d", "message"),
    [
        ({"q": 2}, 4, r"4 columns have 10 variances and covariances, which tell at most 1 factors"),
        ({"q": 1}, 2, r"at most 0 factors"),
        ({"q": 3, "noise": "isotropic"}, 3, r"fewer than there are columns, 3; got 3"),
    ],
)
def test_more_factors_than_can_be_told_are_refused(rng, options, d, message):
    with pytest.raises(ValueError, match=message):
        bm.fit_em(mixture(**options), bm.Data(rng.normal(size=(20, d))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": "none"}, "noise: unknown kind 'none'; choose from diagonal, isotropic"),
        ({"n_factors": 0}, "n_factors: must be a whole number >= 1; got 0"),
        ({"shared_noise": 1}, "shared_noise: must be True or False; got 1"),
        ({"priors": {"loadings": bm.Prior("Normal", mu=1.0, sigma=1.0)}}, "the same for any rotation"),
        ({"priors": {"loadings": bm.Prior("Laplace", mu=0.0, b=1.0)}}, "the same for any rotation"),
        ({"priors": {"loadings": bm.Prior("Normal", mu=0.0, sigma=[1.0, 2.0])}}, "the same for any rotation"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        bm.Mixture("factor_analyzers", **({"n_components": 2} | options))


def test_a_constant_column_is_named(rng):
    x = pd.DataFrame(rng.normal(size=(20, 3)), columns=list("abc")).assign(b=2.0)
    with pytest.raises(ValueError, match=r"column 'b' is constant \(2\)"):
        bm.fit_em(mixture(), bm.Data(x))


def test_rotations_agree(rng):
    loadings, Q = rng.normal(size=(5, 3)), ortho_group.rvs(3, random_state=rng)
    L = lower_triangular(loadings @ Q)
    np.testing.assert_allclose(L @ L.T, loadings @ loadings.T, atol=1e-12)
    np.testing.assert_allclose(L, lower_triangular(loadings), atol=1e-12)
    assert (np.diag(L) > 0).all()
    assert not np.triu(L, 1).any()
    psi = rng.uniform(0.5, 2, 5)
    axes = principal_axes(loadings @ Q, psi)
    products = axes.T @ np.diag(1 / psi) @ axes
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-12)
    assert (np.diff(np.diag(products)) < 0).all()
    assert ((axes / np.sqrt(psi)[:, None]).sum(axis=0) > 0).all()
    np.testing.assert_allclose(loadings @ Q @ turned_towards(loadings @ Q, loadings, np.ones(5)), loadings, atol=1e-12)


def test_the_likelihood_knows_no_rotation(rng):
    likelihood = resolved(mixture(2, 2, "isotropic"), iris())
    params = likelihood.initial(likelihood.start_kinds[0], rng)
    turned = {**params, "loadings": params["loadings"] @ ortho_group.rvs(2, random_state=rng)}
    np.testing.assert_allclose(likelihood.log_joint(turned), likelihood.log_joint(params), rtol=1e-10)
    np.testing.assert_allclose(likelihood.pack(turned), likelihood.pack(params), atol=1e-10)


@pytest.mark.parametrize("q", [1, 2])
def test_the_model_s_prior_is_that_of_independent_loadings(q):
    """Draws of PyMC's lower triangular loadings, against SciPy's normal ones: law of Lambda Lambda' entry by entry."""
    import pymc as pm

    spec = mixture(1, q, "isotropic")
    x = pd.DataFrame(IRIS, columns=FEATURES)
    with bm.build(spec, bm.Data(x)):
        model = pm.sample_prior_predictive(2000, random_seed=1, var_names=["common_covariances", "noise_variances"])
    expected = prior_draws(spec, bm.Data(x), 2000, seed=2)
    for name in ("common_covariances", "noise_variances"):
        ours = model["prior"][name].to_numpy().reshape(2000, -1)
        theirs = expected[name].reshape(2000, -1)
        assert min(stats.ks_2samp(a, b).pvalue for a, b in zip(ours.T, theirs.T, strict=True)) > 1e-3


def test_scores_are_scikit_learn_s(rng):
    x = simulated(rng)
    em = bm.fit_em(mixture(q=2), bm.Data(x), n_starts=1)
    found, shown = bm.factor_scores(em), bm.factor_loadings(em)
    other = FactorAnalysis(2).fit(x)
    other.components_ = shown.to_numpy()[0].T
    other.noise_variance_ = em.params["noise_variances"].to_numpy()[0]
    other.mean_ = em.params["means"].to_numpy()[0]
    np.testing.assert_allclose(found["mean"].to_numpy()[:, 0], other.transform(x), atol=1e-8)
    precision = np.eye(2) + (other.components_ / other.noise_variance_) @ other.components_.T
    np.testing.assert_allclose(found["sd"].to_numpy()[3, 0], np.sqrt(np.diag(np.linalg.inv(precision))), rtol=1e-10)
    new = bm.factor_scores(em, data=bm.Data(x[:5]))
    np.testing.assert_allclose(new["mean"], found["mean"][:5])


def test_scores_of_probabilistic_pca_are_shrunken_principal_components():
    """E(u | x) = L^-1 (L - s2)^1/2 times the principal component, L its variance (Tipping and Bishop 1999)."""
    em = bm.fit_em(mixture(q=2, noise="isotropic"), iris(), n_starts=1)
    pca, noise = PCA(2).fit(IRIS), float(em.params["noise_variances"].squeeze())
    variance = pca.explained_variance_ * 149 / 150
    expected = pca.transform(IRIS) * np.sqrt(variance - noise) / variance
    found = bm.factor_scores(em)["mean"].to_numpy()[:, 0]
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-6)


def test_families_without_factors_say_so():
    em = bm.fit_em(bm.Mixture("gaussian", n_components=1), bm.Data([1.0, 2.0, 4.0]), n_starts=1)
    with pytest.raises(ValueError, match="a gaussian mixture has no factors"):
        bm.factor_scores(em)


def test_bic_finds_the_number_of_factors(rng):
    x = bm.Data(simulated(rng, d=8, q=3))
    bic = {q: bm.fit_em(mixture(q=q), x, n_starts=1).bic for q in (1, 2, 3, 4)}
    assert min(bic, key=bic.get) == 3


def test_words_say_what_it_is():
    from bayesmix.likelihood.words import words_of

    said = {
        "Factor analysis with 1 factor": mixture(),
        "Probabilistic principal components with 2 factors": mixture(q=2, noise="isotropic"),
        "A mixture of 3 factor analysers with 1 factor each, which share their noise": mixture(3, shared_noise=True),
    }
    for words, spec in said.items():
        assert words_of(resolved(spec, iris())).model(resolved(spec, iris())) == words
    assert FAMILY.name == "factor_analyzers"


@pytest.fixture(scope="module")
def drawn():
    """A posterior of two factors in six columns, the truth beside it."""
    rng = np.random.default_rng(3)
    x = simulated(rng, n=200)
    dt = bm.sample(mixture(q=2), bm.Data(x), draws=1000, tune=300, chains=2, n_starts=2, progress=False, seed=1)
    return x, dt


def test_the_posterior_is_checked_by_what_rotations_leave(drawn):
    x, dt = drawn
    check = bm.diagnose(dt)
    assert check.ok, check.verdict
    assert check.model_ok
    names = {str(name).split("[")[0] for name in check.parameters.index}
    assert names == {"means", "common_covariances", "noise_variances"}
    covariances = dt["posterior"]["covariances"].mean(("chain", "draw")).to_numpy()[0]
    np.testing.assert_allclose(covariances, np.cov(x.T), atol=0.25)
    table = bm.compare(bm.fit_em(mixture(q=2), bm.Data(x), n_starts=2), dt).parameters
    assert (((table["em"] - table["mean"]) / table["sd"]).abs() < 1).all()


def test_draws_of_loadings_and_scores_have_one_rotation(drawn):
    x, dt = drawn
    found = bm.factor_loadings(dt)
    assert found.dims == ("chain", "draw", "component", "feature", "factor")
    em = bm.fit_em(mixture(q=2), bm.Data(x), n_starts=2)
    np.testing.assert_allclose(found.mean(("chain", "draw")), bm.factor_loadings(em), atol=0.25)
    own = dt["posterior"]["loadings"].to_numpy()
    turned = found.to_numpy()
    np.testing.assert_allclose(turned @ turned.swapaxes(-1, -2), own @ own.swapaxes(-1, -2), atol=1e-8)
    assert not np.triu(own[0, 0, 0], 1).any()
    scores, point = bm.factor_scores(dt), bm.factor_scores(em)
    np.testing.assert_allclose(scores["mean"], point["mean"], atol=0.5)
    assert float((scores["sd"] / point["sd"]).mean()) > 1
    axes = plots.structure(dt, em=em).axes
    assert [ax.get_title(loc="left") for ax in axes] == ["factor_1", "factor_2", "explained by the factors"]


def test_leave_one_out_prefers_the_right_number_of_factors(drawn):
    x, dt = drawn
    one = bm.sample(mixture(q=1), bm.Data(x), draws=300, tune=300, chains=2, n_starts=2, progress=False, seed=1)
    assert float(bm.loo(dt)["elpd"].sum()) > float(bm.loo(one)["elpd"].sum()) + 5


@pytest.mark.thorough
def test_the_evidence_counts_both_signs_of_a_column():
    """Against the mean likelihood of draws from the prior, for rows that leave the sign of loadings in doubt."""
    rng = np.random.default_rng(5)
    data = bm.Data(rng.normal(size=(6, 2)))
    spec = bm.resolve(mixture(noise="isotropic"), data)
    draws = prior_draws(spec, data, 1_000_000, seed=1)
    loadings, psi = draws["loadings"][:, 0, :, 0], draws["noise_variances"][:, 0]
    e = data.x - draws["means"]
    square, along = (e**2).sum(-1) / psi[:, None], (e * loadings[:, None]).sum(-1) / psi[:, None]
    M = 1 + (loadings**2).sum(-1) / psi
    log_f = -0.5 * (square - along**2 / M[:, None] + (np.log(M) + 2 * np.log(2 * np.pi * psi))[:, None])
    expected = logsumexp(log_f.sum(axis=1)) - np.log(len(psi))
    dt = bm.sample(spec, data, draws=1500, tune=500, chains=4, n_starts=2, progress=False, seed=1)
    assert bm.log_evidence(dt).value == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(("d", "q"), [(4, 2), (16, 1), (21, 2)])
def test_the_gradient_is_the_score_by_either_way(rng, d, q):
    """By Cholesky factors of few columns and by Woodbury's identity of many: what the M-step's sums say."""
    data = bm.Data(rng.normal(size=(70, d)), labels=[["class", None][i % 9 > 0] for i in range(70)])
    likelihood = resolved(mixture(2, q, "isotropic" if d == 4 else "diagonal"), data)
    params = likelihood.initial(likelihood.start_kinds[0], rng)
    psi = likelihood.component.psi(params)
    operands = (params["weights"], params["means"], params["loadings"], np.ascontiguousarray(psi))
    pointwise = np.empty(70)
    L, *found = kernel.gradient(data.x, *operands, likelihood.evidence, likelihood.row_weights, pointwise)
    assert pytest.approx(L, rel=1e-12) == reference.e_step(likelihood, params)[0]
    np.testing.assert_allclose(pointwise, reference.pointwise(likelihood, params), rtol=1e-10)
    score = likelihood.component.score(params, reference.e_step(likelihood, params)[1])
    rows, columns = likelihood.component.free
    by_noise = np.bincount(likelihood.component.index.ravel(), weights=(found[3] * psi).ravel())
    expected = np.concatenate([found[1].ravel(), found[2][:, rows, columns].ravel(), by_noise])
    np.testing.assert_allclose(score, expected, rtol=1e-7, atol=1e-7 * np.abs(score).max())
