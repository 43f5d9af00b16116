"""Scikit-learn's door: its own checks, its own mixture, and what its users do with an estimator."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_get_feature_names_out_error,
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    estimator_checks_generator,
    parametrize_with_checks,
)

import bayesmix as bm
from bayesmix.estimator import MixtureEstimator
from conftest import table
from rooms import README

CHECKED = [MixtureEstimator(), MixtureEstimator(n_components=2, ignore_y=True)]
"""With labels, of which scikit-learn's checks give as many as there are rows to speak of; and without."""
BEFORE_SAMPLING = {
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_estimators_unfitted",
    "check_transformers_unfitted",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_all_zero_sample_weights_error",
    "check_complex_data",
    "check_estimators_empty_data_messages",
    "check_estimator_sparse_tag",
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_fit2d_1sample",
    "check_fit1d",
}
"""What scikit-learn asks of an estimator before it draws."""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks(estimator, check):
    assert check(estimator) is None


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names:UserWarning")
@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_get_feature_names_out_error,
        check_global_output_transform_pandas,
        check_global_set_output_transform_polars,
        check_set_output_transform,
        check_set_output_transform_pandas,
        check_set_output_transform_polars,
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
    ],
)
def test_checks_of_names(check):
    assert check("MixtureEstimator", MixtureEstimator(random_state=0)) is None


def test_scikit_learns_checks_that_draw_nothing(monkeypatch):
    monkeypatch.setitem(vars(bm), "sample", None)
    checks = dict()
    for estimator, check in estimator_checks_generator(MixtureEstimator(method="nuts")):
        name = getattr(check, "func", check).__name__
        if name in BEFORE_SAMPLING:
            checks[name] = check(estimator)
    there = {name for name in BEFORE_SAMPLING if hasattr(estimator_checks, name)}
    assert len(BEFORE_SAMPLING - there) <= 1  # scikit-learn before 1.9 lacks one
    assert checks == dict.fromkeys(there)


@pytest.fixture(scope="module")
def X(iris):
    return iris[1].x


@pytest.fixture(scope="module")
def species(iris):
    return iris[1].truth


@pytest.fixture(scope="module")
def fitted(X):
    return MixtureEstimator(n_components=3, random_state=0).fit(X)


def test_same_estimates_and_criteria_as_scikit_learn(X, fitted):
    peer = GaussianMixture(3, n_init=5, tol=1e-12, max_iter=5000, reg_covar=0.0, random_state=0).fit(X)
    order = np.argsort(peer.means_[:, 0])
    assert np.argsort(fitted.means_[:, 0]).tolist() == [0, 1, 2]
    for name in ("weights_", "means_", "covariances_"):
        np.testing.assert_allclose(getattr(fitted, name), getattr(peer, name)[order], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(fitted.predict_proba(X), peer.predict_proba(X)[:, order], atol=1e-4)
    np.testing.assert_allclose(fitted.score_samples(X), peer.score_samples(X), atol=1e-3)
    for ours, theirs in ((fitted.score, peer.score), (fitted.aic, peer.aic), (fitted.bic, peer.bic)):
        assert ours(X) == pytest.approx(theirs(X), rel=1e-6)
    assert fitted.lower_bound_ == pytest.approx(peer.lower_bound_, rel=1e-6)
    assert fitted.predict(X).tolist() == np.argsort(order)[peer.predict(X)].tolist()


def test_criteria_by_hand(X, fitted):
    density = sum(
        w * multivariate_normal(m, S).pdf(X)
        for w, m, S in zip(fitted.weights_, fitted.means_, fitted.covariances_, strict=True)
    )
    L, p = np.log(density).sum(), 2 + 3 * 4 + 3 * 10
    assert fitted.log_likelihood_ == pytest.approx(L)
    assert fitted.aic(X) == pytest.approx(-2 * L + 2 * p)
    assert fitted.bic(X) == pytest.approx(-2 * L + p * np.log(len(X)))
    assert fitted.bic(X[:50]) == pytest.approx(-2 * np.log(density[:50]).sum() + p * np.log(50))


def test_it_is_the_fit_of_fit_em(X):
    ours = MixtureEstimator(n_components=2, covariance="tied", n_starts=3, tol=1e-8, random_state=4).fit(X)
    em = bm.fit_em(
        bm.Mixture("gaussian", n_components=2, covariance="tied"), bm.Data(X), n_starts=3, tolerance=1e-8, seed=4
    )
    for name in em.params:
        assert (getattr(ours, f"{name}_") == em.params[name].to_numpy()).all()
    assert (ours.n_iter_, ours.converged_, ours.component_names_) == (em.n_iter, True, em.likelihood.components)


def test_the_seed_is_scikit_learns(X):
    first, again = (MixtureEstimator(n_components=2, random_state=np.random.RandomState(3)) for _ in range(2))
    assert (first.fit(X).means_ == again.fit(X).means_).all()
    drawn = first.random_state.get_state()[2]
    first.fit(X)
    assert first.random_state.get_state()[2] != drawn


def test_all_labels_are_discriminant_analysis(X, species):
    qda = MixtureEstimator().fit(X, species)
    groups = [X[species == c] for c in ("setosa", "versicolor", "virginica")]
    joint = np.column_stack(
        [len(g) / len(X) * multivariate_normal(g.mean(axis=0), np.cov(g.T, bias=True)).pdf(X) for g in groups]
    )
    assert qda.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    np.testing.assert_allclose(qda.predict_proba(X), joint / joint.sum(axis=1, keepdims=True), atol=1e-8)
    assert (qda.predict(X) == qda.classes_[joint.argmax(axis=1)]).all()
    own = (species[:, None] == qda.classes_).argmax(axis=1)
    assert qda.log_likelihood_ == pytest.approx(np.log(joint[np.arange(len(X)), own]).sum())


def test_some_labels_are_a_stationary_point_of_the_joint_likelihood(X, species):
    codes = np.unique(species, return_inverse=True)[1]
    y = np.where(np.arange(len(X)) % 5 == 0, codes + 3, -1)
    some = MixtureEstimator(random_state=0, tol=1e-12).fit(X, y)
    assert some.classes_.tolist() == [3, 4, 5]
    joint = np.column_stack(
        [
            w * multivariate_normal(m, S).pdf(X)
            for w, m, S in zip(some.weights_, some.means_, some.covariances_, strict=True)
        ]
    )
    r = joint / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(some.predict_proba(X), r, atol=1e-9)
    r[y >= 0] = np.eye(3)[y[y >= 0] - 3]
    np.testing.assert_allclose(some.weights_, r.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(some.means_, (r.T @ X) / r.sum(axis=0)[:, None], rtol=1e-5)


@pytest.mark.parametrize("nothing", [-1, None, np.nan])
def test_fewer_classes_than_components(nothing):
    X = np.r_[np.linspace(0, 1, 20), np.linspace(10, 11, 20), np.linspace(20, 21, 20)][:, None]
    y = np.full(60, nothing, dtype=object)
    y[20:40] = 7
    numbers = MixtureEstimator(n_components=3, random_state=0).fit(X, y)
    assert (numbers.classes_.tolist(), numbers.component_names_) == ([7], ("7", "component_1", "component_2"))
    assert numbers.predict(X[[0, 25, 50]]).tolist() == [-1, 7, -1]
    y[20:40] = "middle"
    words = MixtureEstimator(n_components=3, random_state=0).fit(X, list(y))
    assert words.predict(X[[0, 25, 50]]).tolist() == ["component_1", "middle", "component_2"]
    assert words.get_feature_names_out().tolist() == ["middle", "component_1", "component_2"]


def test_numbers_of_components_without_labels(X, fitted):
    assert fitted.classes_.size == 0
    assert set(fitted.predict(X)) == {0, 1, 2}
    again = clone(fitted)
    assert (again.fit_predict(X) == fitted.predict(X)).all()
    assert (MixtureEstimator(n_components=1).fit(X, np.arange(len(X)) % 2).predict(X) == 0).all()


def test_another_fit_leaves_nothing_behind(X):
    estimator = MixtureEstimator(n_components=2, covariance="full", random_state=0).fit(X)
    assert hasattr(estimator, "correlations_")
    estimator.set_params(covariance="diag").fit(X)
    assert not hasattr(estimator, "correlations_")
    with pytest.raises(ValueError, match="n_components"):
        estimator.set_params(n_components=0).fit(X)
    with pytest.raises(NotFittedError):
        estimator.predict(X)


def test_weights_are_repeated_rows(X, rng):
    weights = rng.integers(0, 4, len(X))
    weighted = MixtureEstimator(n_components=3, random_state=0, tol=1e-13).fit(X, sample_weight=weights)
    repeated = clone(weighted).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.means_, repeated.means_, rtol=1e-5)
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-5)
    assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_, rel=1e-12)
    assert weighted.em_.bic == pytest.approx(repeated.em_.bic, rel=1e-12)
    there = np.arange(len(X)) < 100
    dropped, zero = clone(weighted).fit(X[there]), clone(weighted).fit(X, sample_weight=there.astype(float))
    assert (dropped.means_ == zero.means_).all()
    l = weighted.score_samples(X)
    assert weighted.score(X, sample_weight=weights) == pytest.approx((weights * l).sum() / weights.sum())


def test_missing_cells(X):
    holes = X.copy()
    holes[::7, 1] = np.nan
    estimator = MixtureEstimator(n_components=2, random_state=0).fit(holes)
    w, m, S = estimator.weights_, estimator.means_, estimator.covariances_
    seen = [0, 2, 3]
    joint = [w[k] * multivariate_normal(m[k][seen], S[k][np.ix_(seen, seen)]).pdf(holes[0, seen]) for k in (0, 1)]
    assert estimator.score_samples(holes[:1])[0] == pytest.approx(np.log(sum(joint)))
    assert estimator.predict_proba(holes[:1])[0] == pytest.approx(np.array(joint) / sum(joint))


def test_grids_folds_and_pipelines(X, species):
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = X[order]
    grid = GridSearchCV(
        MixtureEstimator(n_starts=2, random_state=0),
        {"n_components": [1, 2], "covariance": ["full", "tied"]},
        cv=3,
        error_score="raise",
    ).fit(shuffled)
    assert grid.best_params_ == {"n_components": 2, "covariance": "full"}
    assert grid.best_score_ == pytest.approx(cross_val_score(grid.best_estimator_, shuffled, cv=3).mean())
    lda = MixtureEstimator(covariance="tied")
    assert cross_val_score(lda, shuffled, species[order], scoring="accuracy", cv=5).mean() > 0.95
    steps = make_pipeline(
        StandardScaler(), MixtureEstimator(n_components=3, ignore_y=True, random_state=0), LinearRegression()
    )
    target = X @ [1.0, -2.0, 0.5, 3.0]
    assert 0.5 < steps.fit(X, target).score(X, target) < 1
    scaled = make_pipeline(StandardScaler(), MixtureEstimator(n_components=3, random_state=0)).fit(X)
    plain = MixtureEstimator(n_components=3, random_state=0).fit(X)
    assert scaled.score(X) - plain.score(X) == pytest.approx(np.log(X.std(axis=0)).sum(), abs=1e-4)
    assert (scaled.predict(X) == plain.predict(X)).mean() > 0.99


def test_weights_are_routed(X):
    weights = np.arange(len(X)) % 2
    with config_context(enable_metadata_routing=True):
        one = MixtureEstimator(n_components=2, n_starts=1, random_state=0)
        one.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        grid = GridSearchCV(one, {"covariance": ["diag", "tied"]}, cv=2).fit(X, sample_weight=weights)
    again = MixtureEstimator(n_components=2, n_starts=1, random_state=0, **grid.best_params_).fit(X[1::2])
    assert (grid.best_estimator_.means_ == again.means_).all()


def test_names_of_columns():
    frame = table("old_faithful")[["eruptions", "waiting"]]
    estimator = MixtureEstimator(n_components=2, random_state=0).set_output(transform="pandas").fit(frame)
    assert estimator.feature_names_in_.tolist() == ["eruptions", "waiting"]
    columns = estimator.transform(frame)
    assert list(columns) == ["component_1", "component_2"]
    assert columns.index.equals(frame.index)
    assert (columns.to_numpy() == estimator.predict_proba(frame)).all()
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(frame[["waiting", "eruptions"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert (estimator.predict(frame.to_numpy()) == estimator.predict(frame)).all()
    rows, components = estimator.sample(500)
    assert list(rows) == ["eruptions", "waiting"]
    assert (estimator.predict(rows) == components).mean() > 0.95
    numbered = MixtureEstimator(n_components=2, random_state=0).fit(frame.set_axis([5, 6], axis=1))
    assert not hasattr(numbered, "feature_names_in_")
    assert (numbered.predict(frame.to_numpy()) == estimator.predict(frame)).all()


def test_new_rows_have_the_density(fitted):
    rows, components = fitted.sample(4000)
    assert rows.shape == (4000, 4)
    np.testing.assert_allclose(np.bincount(components) / 4000, fitted.weights_, atol=0.03)
    np.testing.assert_allclose(rows[components == 0].mean(axis=0), fitted.means_[0], atol=0.05)
    assert (fitted.sample(5)[0] == fitted.sample(5)[0]).all()
    with pytest.raises(ValueError, match="n_samples: must be a whole number >= 1; got 0"):
        fitted.sample(0)


def test_pickle_and_clone(X, fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()
    priors = {"means": bm.Prior("Normal", mu=0, sigma=10)}
    copy = clone(MixtureEstimator("poisson", n_components=2, priors=priors, options={"order": "rates"}))
    assert copy.get_params()["options"] == {"order": "rates"}
    assert "order" in repr(copy)
    assert "MixtureEstimator" in fitted._repr_html_()


def counts():
    rng = np.random.default_rng(5)
    return rng.poisson(np.where(rng.random((80, 1)) < 0.5, [2.0, 9.0], [12.0, 1.0]))


def answers():
    rng = np.random.default_rng(6)
    z = rng.random(90) < 0.4
    words = [np.where(rng.random(90) < np.where(z, 0.9, 0.2), "yes", "no") for _ in range(4)]
    return pd.DataFrame(dict(zip("abcd", words, strict=True)), dtype=object)


FAMILIES = {
    "counts": (MixtureEstimator("poisson", n_components=2), counts(), "rates_", (2, 2)),
    "zeros": (MixtureEstimator("zero_inflated_poisson"), counts()[:, :1], "zero_prob_", ()),
    "bits": (MixtureEstimator("bernoulli", n_components=2), (counts() > 4).astype(int), "probs_", (2, 2)),
    "words": (MixtureEstimator("categorical", n_components=2), answers(), "weights_", (2,)),
    "words in an array": (MixtureEstimator("categorical", n_components=2), answers().to_numpy(), "weights_", (2,)),
    "factors": (
        MixtureEstimator("factor_analyzers", n_components=1, options={"n_factors": 1}),
        table("iris").select_dtypes("number"),
        "means_",
        (1, 4),
    ),
}


@pytest.mark.parametrize("case", FAMILIES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_families(case):
    estimator, X, name, shape = FAMILIES[case]
    fit = clone(estimator).set_params(random_state=0, n_starts=3).fit(X)
    assert getattr(fit, name).shape == shape
    K = len(fit.component_names_)
    assert fit.predict_proba(X).shape == (len(X), K)
    rows, components = fit.sample(7)
    assert (rows.shape, components.shape, type(rows)) == ((7, X.shape[1]), (7,), type(X))
    assert fit.score(rows) < 0 or case == "factors"
    assert np.isfinite(cross_val_score(fit, X, cv=2)).all()


def test_formulas_over_the_columns_of_a_frame():
    frame = table("zip_articles")[["art", "kid5", "ment"]]
    options = {"rate": "1 + ment", "zero": "1 + kid5"}
    estimator = MixtureEstimator("zero_inflated_poisson", response="art", options=options, n_starts=2, random_state=0)
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson", **options), bm.Data(frame, response="art"), n_starts=2, seed=0)
    assert (estimator.fit(frame).rate_coef_ == em.params["rate_coef"].to_numpy()).all()
    np.testing.assert_array_equal(estimator.predict_proba(frame), bm.responsibilities(em).to_numpy())
    rows, components = estimator.sample(10)
    assert list(rows) == list(frame)
    assert set(components) <= {0, 1}
    with pytest.raises(ValueError, match="response: needs X as a DataFrame with a column 'art'"):
        estimator.fit(frame.to_numpy())


ROWS = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [8.0, 9.0], [9.0, 8.0], [7.0, 7.0]])
REFUSED = {
    "method": ({"method": "vb"}, {}, "method: must be 'em' or 'nuts'; got 'vb'"),
    "family": ({"family": "gauss"}, {}, "family: unknown family 'gauss'; choose from"),
    "no components": ({"n_components": 0}, {}, "n_components: must be a whole number >= 1; got 0"),
    "too many": ({"n_components": 7}, {}, "n_components: must be at most the number of rows, 6; got 7"),
    "classes": (
        {"n_components": 2},
        {"y": [1, 2, 3, -1, -1, -1]},
        "n_components: must be at least the number of classes, 3 (1, 2, 3); got 2",
    ),
    "fractions": (
        {},
        {"y": [0.5, 1, 2, 3, 4, 5]},
        "y: must hold classes, -1 where there is none (not as a text); row 1 is",
    ),
    "-1 as text": ({}, {"y": np.array([-1, -1, -1, -1, "a", "b"])}, "(not as a text); row 1 is"),
    "no classes": ({}, {"y": [1, 2, 3, 4, 5, 6]}, "y: must hold classes; 6 entries of 6 differ; with ignore_y=True"),
    "columns of y": ({}, {"y": np.eye(6)}, "y: must be one column, one class per row; got shape (6, 6)"),
    "length of y": ({}, {"y": [1, 2]}, "y: must have one entry per row, 6; got 2"),
    "weight": (
        {},
        {"sample_weight": [1, 1, -1, 1, 1, 1]},
        "sample_weight: must be finite and not negative; row 3 is -1",
    ),
    "weights": ({}, {"sample_weight": [1, 1]}, "sample_weight: must have one entry per row, 6; got 2"),
    "one row": ({}, {"sample_weight": [0, 0, 1, 0, 0, 0]}, "X: needs two rows or more, of positive weight"),
    "tol": ({"tol": 0}, {}, "tol: must be positive; got 0"),
    "no tol": ({"tol": "a"}, {}, "tol: must be positive; got 'a'"),
    "true and 1": (
        {},
        {"y": np.array([True, 1, 0, 0, 1, 1], dtype=object)},
        "y: must hold truth values or numbers, not both; 1 is equal to another class",
    ),
    "n_starts": ({"n_starts": 0}, {}, "n_starts: must be a whole number >= 1; got 0"),
    "covariance": ({"covariance": "round"}, {}, "covariance: "),
    "no covariance": (
        {"family": "poisson", "covariance": "full"},
        {},
        "covariance: not an option of a poisson mixture",
    ),
    "options": ({"options": {"priors": {}}}, {}, "options: 'priors' is a parameter of its own"),
    "infinite": ({}, {"X": np.where(ROWS == 9, np.inf, ROWS)}, "X: column 'x1', row 5 is not a finite number: inf"),
    "text": (
        {},
        {"X": np.where(ROWS == 9, "much", ROWS.astype(object))},
        "X: column 'x1', row 5 is not a finite number: 'much'",
    ),
    "counts": ({"family": "poisson"}, {"X": ROWS - 2}, "X: column 'x1', row 1: a count must not be negative; got -1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_named(case):
    parameters, changes, message = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        MixtureEstimator(**parameters).fit(**({"X": ROWS} | changes))


def test_one_weight_of_every_row():
    by_row, by_number = (MixtureEstimator(random_state=0).fit(ROWS, sample_weight=v) for v in (np.full(6, 2.0), 2.0))
    assert by_number.log_likelihood_ == by_row.log_likelihood_
    assert by_number.score(ROWS, sample_weight=2.0) == pytest.approx(by_number.score_samples(ROWS).mean())
    with pytest.raises(ValueError, match="sample_weight: must be finite and not negative; row 1 is -1"):
        MixtureEstimator().fit(ROWS, sample_weight=-1)


def test_an_empty_text_says_nothing_of_a_row():
    fitted = MixtureEstimator(n_components=2, random_state=0).fit(ROWS[:, :1], ["a", "", "", "b", "", ""])
    assert fitted.classes_.tolist() == ["a", "b"]


def test_an_index_in_another_order_is_refused():
    frame = pd.DataFrame(ROWS, columns=["a", "b"])
    y = pd.Series([0, 0, 0, 1, 1, 1])
    assert MixtureEstimator().fit(frame[["a"]], y.set_axis(list("uvwxyz"))).classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match="y: its index is that of X in another order; use y.loc"):
        MixtureEstimator().fit(frame, y.iloc[::-1])
    with pytest.raises(ValueError, match="sample_weight: its index is that of X in another order"):
        MixtureEstimator().fit(frame, sample_weight=y.iloc[::-1])


def test_what_em_found_wrong_is_a_warning():
    with pytest.warns(ConvergenceWarning, match="EM: .* fewer components"):
        spike = MixtureEstimator(n_components=3, n_starts=1, random_state=0).fit(ROWS)
    assert spike.em_.degenerate
    X = np.random.default_rng(0).normal(size=(300, 2))
    with pytest.warns(ConvergenceWarning, match="no end after"):
        early = MixtureEstimator(n_components=3, n_starts=1, max_iter=2, random_state=0).fit(X)
    assert not early.converged_


def test_criteria_and_intervals_of_the_other_method(X, fitted):
    with pytest.raises(ValueError, match="interval: a point estimate has none, method='nuts' has; got 0.9"):
        fitted.predict_proba(X, interval=0.9)
    with pytest.raises(NotFittedError):
        MixtureEstimator().bic(X)


@pytest.fixture(scope="session")
def drawn(three_groups):
    """Two groups on a line by NUTS, too few draws to be trusted."""
    data = three_groups[1]
    y = np.where(np.arange(300) % 10 == 0, np.where(data.truth == "2", "far", "near"), "")
    few = MixtureEstimator(n_components=3, method="nuts", draws=50, tune=100, chains=2, n_starts=3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Do not trust this posterior yet"):
        return few.fit(data.x, y)


def test_draws(drawn, three_groups):
    X, draws = three_groups[1].x, drawn.posterior_["posterior"]
    assert drawn.component_names_ == ("far", "near", "component_1")
    assert (drawn.converged_, drawn.n_iter_) == (drawn.diagnostics_.ok, 150) == (False, 150)
    np.testing.assert_allclose(drawn.means_, draws["means"].mean(("chain", "draw")))
    assert drawn.covariances_.shape == (3, 1, 1)
    assert abs(drawn.means_[0, 0] - 10) < 0.3
    p = drawn.predict_proba(X)
    mean, lower, upper = drawn.predict_proba(X, interval=0.8)
    assert mean.shape == lower.shape == upper.shape == (300, 3)
    assert (mean == p).all()
    assert (lower <= upper).all()
    assert (upper - lower <= np.subtract(*drawn.predict_proba(X, interval=0.95)[:0:-1])).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    with pytest.raises(ValueError, match="interval: must be between 0 and 1"):
        drawn.predict_proba(X, interval=1.5)
    assert set(drawn.predict([[10.0], [2.0]])) <= {"far", "near", "component_1"}
    with pytest.raises(ValueError, match=r"AIC and BIC are of 'em'; of draws take bayesmix.loo"):
        drawn.bic(X)


def test_densities_of_draws_by_hand(drawn):
    draws = drawn.posterior_["posterior"].to_dataset().stack(sample=("chain", "draw")).transpose("sample", ...)
    w, m, sd = (draws[name].to_numpy().reshape(-1, 3) for name in ("weights", "means", "scales"))
    x = 4.0
    joint = w * np.exp(-0.5 * ((x - m) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
    assert drawn.score_samples([[x]])[0] == pytest.approx(np.log(joint.sum(axis=1).mean()))
    assert drawn.predict_proba([[x]])[0] == pytest.approx((joint / joint.sum(axis=1, keepdims=True)).mean(axis=0))


def test_draws_can_be_pickled(drawn):
    again = pickle.loads(pickle.dumps(drawn))
    X = [[2.0], [4.0], [9.0]]
    assert (again.predict_proba(X) == drawn.predict_proba(X)).all()
    assert again.posterior_["posterior"].equals(drawn.posterior_["posterior"])
    rows, components = again.sample(20)
    assert rows.shape == (20, 1)
    assert set(components) <= {"far", "near", "component_1"}


def test_the_readmes_example_runs():
    section = README.read_text().split("## In scikit-learn")[1].split("\n## ")[0]
    code = section.split("```python")[1].split("```")[0]
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        exec(code, names)
    assert names["grid"].best_estimator_.predict_proba(names["X"]).shape == (len(names["X"]), 3)
