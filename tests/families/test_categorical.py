"""Latent classes of answers: published fits, cells of every kind, gaps, levels that were never seen."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logsumexp, softmax

import bayesmix as bm
import naive
from bayesmix.checks.misfit import _p_values, discrepancies_of
from bayesmix.families.categorical.answers import UNANSWERED
from bayesmix.inputs.data import Data
from bayesmix.mixture.simulate import prior_draws
from bayesmix.mixture.spec import bind
from conftest import table
from families.examples import EXAMPLES

EXAMPLE = EXAMPLES["categorical"]
POLCA = {1: -18647.31, 2: -17344.92, 3: -16714.66}
"""Of the 1,311 complete rows, as poLCA finds them."""


def classes(K, **options):
    return bm.Mixture("categorical", n_components=K, **options)


@pytest.fixture(scope="module")
def election():
    return table("election")


@pytest.mark.parametrize("K", POLCA)
def test_the_election_as_polca_fits_it(election, K):
    em = bm.fit_em(classes(K), bm.Data(election.dropna()), n_starts=8)
    assert len(em.data) == 1311
    assert em.log_likelihood == pytest.approx(POLCA[K], abs=0.005)
    assert em.n_parameters == K * 36 + K - 1
    assert em.converged


def test_the_election_with_missing_answers(election):
    em = bm.fit_em(classes(3), bm.Data(election), n_starts=12)
    assert len(em.data) == 1785
    assert em.log_likelihood == pytest.approx(-21311.5357, abs=0.0005)


def test_cheating_and_carcinoma():
    assert bm.fit_em(classes(2), bm.Data(table("cheating"))).log_likelihood == pytest.approx(-440.0271, abs=1e-4)
    slides = table("carcinoma")
    em = bm.fit_em(classes(3), bm.Data(slides))
    assert em.log_likelihood == pytest.approx(-293.705, abs=1e-3)
    assert em.bic == pytest.approx(697.1357, abs=0.01)
    assert any("on a boundary" in note for note in em.notes)
    errors = em.standard_errors["probs"].to_numpy()
    gone = em.params["probs"].to_numpy() < 1e-8
    assert np.isnan(errors[gone]).all()
    ones = bm.fit_em(bm.Mixture("bernoulli", n_components=3), bm.Data(slides))
    yes = em.params["probs"].sel(answer=[f"{c}: 1" for c in "ABCDEFG"]).to_numpy()
    found = np.sort(ones.params["probs"].to_numpy(), axis=0)
    np.testing.assert_allclose(np.sort(yes, axis=0), found, atol=1e-4)


def test_an_answer_that_a_class_never_gives_leaves_the_others_their_errors():
    """Also where it is the most frequent one of all rows, relative to which coordinates are."""
    rng = np.random.default_rng(1)
    z = np.repeat([0, 1], [70, 50])
    rare = np.array([[1, 0, 0], [0, 0.3, 0.7]])
    frame = pd.DataFrame({"a": [rng.choice(3, p=rare[k]) for k in z]})
    for name in "bcd":
        frame[name] = np.where(rng.random(120) < 0.9, z, 1 - z)
    labels = np.where(z == 0, "first", "second")
    em = bm.fit_em(classes(2), bm.Data(frame, labels=labels))
    errors, p = em.standard_errors["probs"].to_numpy(), em.params["probs"].to_numpy()
    np.testing.assert_allclose(
        p[1, :3], frame["a"][z == 1].value_counts(normalize=True).reindex([0, 1, 2], fill_value=0)
    )
    np.testing.assert_allclose(errors[1, 1:3], np.sqrt(p[1, 1] * p[1, 2] / 50), rtol=1e-6)
    assert np.isnan(errors[0, :3]).all()
    assert np.isnan(errors[1, 0])


def test_standard_errors_are_those_of_the_naive_curvature(rng):
    """Against the Hessian of a log-likelihood in SciPy, by differences, in other coordinates."""
    data = EXAMPLE.data(rng, 300)
    truth = {"weights": np.array([0.4, 0.6]), "probs": EXAMPLE.params(rng)["probs"]}
    likelihood = bind(EXAMPLE.spec, data)
    data = data.coded(np.where(np.isnan(data.x), np.nan, likelihood.simulate(truth, rng)), data.levels)
    labels = [None if i % 2 else ("a", "b")[int(rng.random() < 0.5)] for i in range(300)]
    data = bm.Data(pd.DataFrame({n: pd.Series(x) for n, x in zip("pqr", data.x.T, strict=True)}), labels=labels)
    em = bm.fit_em(EXAMPLE.spec, data)
    likelihood = em.likelihood
    cuts = np.cumsum([len(levels) for levels in data.levels if levels] or likelihood.component.sizes)[:-1]

    def params(theta):
        blocks = np.split(theta[1:].reshape(2, -1), cuts, axis=1)
        probs = np.hstack([softmax(block, axis=1) for block in blocks])
        return {"weights": softmax([theta[0], 0.0]), "probs": probs}

    def L(theta):
        return float(logsumexp(likelihood.log_joint(params(theta)), axis=1).sum())

    p = em.params["probs"].to_numpy()
    theta = np.concatenate([[np.log(em.params["weights"][0] / em.params["weights"][1])], np.log(p).ravel()])
    H = -naive.hessian(L, theta, np.full(len(theta), 1e-2))
    covariance = np.linalg.pinv(H, rcond=1e-6, hermitian=True)  # a constant for each column makes no difference
    J = np.array(
        [(params(theta + h)["probs"] - params(theta - h)["probs"]).ravel() / 2e-4 for h in 1e-4 * np.eye(len(theta))]
    )
    expected = np.sqrt(((J.T @ covariance) * J.T).sum(axis=1)).reshape(p.shape)
    np.testing.assert_allclose(em.standard_errors["probs"], expected, rtol=2e-3)


def test_cells_may_be_words_truth_values_numbers_and_categories():
    frame = pd.DataFrame(
        {
            "word": ["yes", "no", None, "yes"],
            "truth": [True, False, False, None],
            "number": [3, 1, 3, 10],
            "category": pd.Categorical(["low", "high", "high", "low"], ["low", "unused", "high"], ordered=True),
        }
    )
    likelihood = bind(classes(2), bm.Data(frame))
    assert likelihood.data.levels == (("no", "yes"), ("False", "True"), ("1", "3", "10"), ("low", "high"))
    assert likelihood.component.codes.tolist() == [
        [1, 1, 1, 0],
        [0, 0, 0, 1],
        [UNANSWERED, 0, 1, 1],
        [1, UNANSWERED, 2, 0],
    ]
    assert likelihood.coords["answer"][:3] == ["word: no", "word: yes", "truth: False"]
    array = bm.Data(np.array([["u", "v"], ["w", "v"], ["w", "x"]]))
    assert array.levels == (("u", "w"), ("v", "x"))


def test_a_saved_table_keeps_its_levels(tmp_path):
    data = bind(classes(2), EXAMPLE.data(np.random.default_rng(1), 40)).data
    data.to_dataset().to_netcdf(tmp_path / "rows.nc")
    import xarray as xr

    back = Data.from_dataset(xr.load_dataset(tmp_path / "rows.nc"))
    assert back.levels == data.levels
    np.testing.assert_array_equal(back.x, data.x)
    other = data.take([3, 1]).with_features(["visits", "smokes", "rating"])
    assert other.levels == (data.levels[2], data.levels[0], data.levels[1])


def test_new_rows_have_the_answers_of_the_fit(rng):
    em = bm.fit_em(EXAMPLE.spec, EXAMPLE.data(rng), n_starts=3)
    new = pd.DataFrame({"visits": [5, None, 0], "smokes": ["yes", "yes", None], "rating": ["best", None, "poor"]})
    r = bm.responsibilities(em, data=bm.Data(new)).to_numpy()
    w, p = em.params["weights"].to_numpy(), em.params["probs"].to_numpy()
    by_hand = [w * p[:, 1] * p[:, 5] * p[:, 8], w * p[:, 1], w * p[:, 2] * p[:, 6]]
    np.testing.assert_allclose(r, [a / a.sum() for a in by_hand], rtol=1e-10)
    words = "column 'rating', row 2 has the answer 'awful'; the fit knew poor, fair, good, best"
    with pytest.raises(ValueError, match=words):
        bm.responsibilities(em, data=bm.Data(new.assign(rating=["best", "awful", "poor"])))
    with pytest.raises(ValueError, match="column 'visits', row 1 has the answer '7'; the fit knew 0, 1, 5"):
        bm.responsibilities(em, data=bm.Data(new.assign(visits=[7, 1, 0])))


REFUSED = {
    "one level": ({"a": ["u", "u"], "b": ["v", "w"]}, "column 'a' has the answer 'u' alone"),
    "no answer": ({"a": [None, None], "b": ["v", "w"]}, "column 'a' has no answer"),
    "a name": ({"a": list("abcdefgh"), "b": list("vwvwvwvw")}, "column 'a' has 8 levels in 8 rows"),
    "alike": ({"a: b": list("cdcd"), "a": ["b: c", "e", "b: c", "e"]}, "two answers would be called 'a: b: c'"),
}


@pytest.mark.parametrize(("columns", "words"), REFUSED.values(), ids=REFUSED)
def test_columns_that_say_nothing_are_refused(columns, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        bind(classes(1), bm.Data(pd.DataFrame(columns)))


def test_families_of_numbers_refuse_words_by_row_and_take_categories_that_are_numbers():
    words = bm.Data(pd.DataFrame({"a": [1.0, 2.0, 0.5], "b": ["3", "four", "5"]}))
    with pytest.raises(ValueError, match="column 'b', row 2 is not a finite number: 'four'$"):
        bind(bm.Mixture("gaussian", n_components=1), words)
    numbers = pd.DataFrame({"a": pd.Categorical([2, 0, 1]), "b": [1, 0, 1]})
    likelihood = bind(bm.Mixture("poisson", n_components=1), bm.Data(numbers))
    assert likelihood.data.x.tolist() == [[2, 1], [0, 0], [1, 1]]
    assert likelihood.data.levels == ((), ())


def test_a_missing_answer_is_left_out():
    """A row without any answer says nothing but its label; a column of few answers has those counted."""
    frame = pd.DataFrame({"a": ["u", "v", "u", None], "b": ["x", None, "y", None]})
    likelihood = bind(classes(2), bm.Data(frame))
    params = {"weights": np.array([0.3, 0.7]), "probs": np.array([[0.2, 0.8, 0.5, 0.5], [0.6, 0.4, 0.1, 0.9]])}
    expected = np.log([[0.3 * 0.1, 0.7 * 0.06], [0.3 * 0.8, 0.7 * 0.4], [0.3 * 0.1, 0.7 * 0.54], [0.3, 0.7]])
    np.testing.assert_allclose(likelihood.log_joint(params), expected, rtol=1e-12)
    np.testing.assert_allclose(bm.fit_em(classes(1), bm.Data(frame)).params["probs"][0], [2 / 3, 1 / 3, 0.5, 0.5])


def test_prior_draws_are_dirichlet_in_every_column():
    a = [1.0, 2.0, 0.5, 0.5, 0.5, 4.0, 3.0, 2.0, 1.0]
    spec = classes(2, priors={"probs": bm.Prior("Dirichlet", a=a)})
    draws = prior_draws(spec, EXAMPLE.data(np.random.default_rng(1), 30), 4000)["probs"]
    for first, last in ((0, 2), (2, 6), (6, 9)):
        np.testing.assert_allclose(draws[..., first:last].sum(axis=-1), 1, rtol=1e-12)
        for j in range(first, last):
            law = stats.beta(a[j], sum(a[first:last]) - a[j])
            assert stats.kstest(draws[:, 1, j], law.cdf).pvalue > 1e-4


def test_priors_are_checked():
    data = EXAMPLE.data(np.random.default_rng(1), 30)
    with pytest.raises(ValueError, match=r"'probs', a has shape \(4,\); must fit \('component', 'answer'\) = \(2, 9\)"):
        bm.resolve(classes(2, priors={"probs": bm.Prior("Dirichlet", a=[1.0] * 4)}), data)
    with pytest.raises(ValueError, match="'probs' needs a prior on the simplexes scale"):
        classes(2, priors={"probs": bm.Prior("Beta", alpha=1, beta=1)})
    from bayesmix.mixture.spec import exchange_groups, resolved

    apart = np.ones((2, 9))
    apart[1, 0] = 5.0
    assert len(set(exchange_groups(resolved(classes(2, priors={"probs": bm.Prior("Dirichlet", a=apart)}), data)))) == 2
    assert len(set(exchange_groups(resolved(classes(2), data)))) == 1


@pytest.mark.parametrize("twin", [False, True], ids=["as the model says", "a question asked twice"])
def test_answers_that_go_together_refute_the_model(twin):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({name: rng.choice(["u", "v", "w"], 300) for name in "abcd"})
    frame["e"] = frame["a"] if twin else rng.choice(["u", "v", "w"], 300)
    em = bm.fit_em(classes(1), bm.Data(frame.mask(rng.random(frame.shape) < 0.1)))
    draws = {v: np.repeat(a[None], 200, axis=0) for v, a in em.arrays.items()}
    p = _p_values(discrepancies_of(em.likelihood), em.likelihood, draws)
    assert (p[0] < 0.002) == twin
    assert p[1] > 0.01


def test_more_classes_than_the_table_has_cells_are_named():
    em = bm.fit_em(classes(3), bm.Data(table("cheating")[["FRAUD", "COPYEXAM"]]), n_starts=3)
    assert "not identified: 8 parameters for the 3 free cells" in em.notes[0]
