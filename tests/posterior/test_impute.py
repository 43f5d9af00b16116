"""Draws of missing cells against conditional distributions written out."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmix as bm
import naive
from bayesmix import plots
from bayesmix.em.fit_em import EMFit
from bayesmix.mixture.estimates import to_dataset
from bayesmix.mixture.spec import bind


def estimate(likelihood, params):
    """A point estimate at these parameters."""
    return EMFit(
        params=to_dataset(likelihood, likelihood.named(params)),
        log_likelihood=0.0,
        log_posterior=np.nan,
        converged=True,
        n_iter=1,
        history=np.zeros(1),
        reasons=(),
        ends=(),
        method="ml",
        likelihood=likelihood,
    )


def test_a_normal_cell_has_its_conditional_mixture(rng):
    """x_2 | x_1, x_3 is a mixture of the components' regressions, by their densities of (x_1, x_3)."""
    params, x = naive.random_gaussian(rng, 2, 3, "full"), rng.normal(size=(8, 3))
    x[5, 1] = np.nan
    likelihood = bind(bm.Mixture("gaussian", n_components=2), bm.Data(x))
    cells = bm.impute(estimate(likelihood, params), draws=20_000).to_numpy()[:, 0]
    there, weights, mean, sd = [0, 2], [], [], []
    for w, m, S in zip(params["weights"], params["means"], params["covariances"], strict=True):
        B = S[1, there] @ np.linalg.inv(S[np.ix_(there, there)])
        weights.append(w * stats.multivariate_normal(m[there], S[np.ix_(there, there)]).pdf(x[5, there]))
        mean.append(m[1] + B @ (x[5, there] - m[there]))
        sd.append(np.sqrt(S[1, 1] - B @ S[there, 1]))
    weights = np.array(weights) / np.sum(weights)

    def cdf(value):
        return sum(w * stats.norm.cdf(value, m, s) for w, m, s in zip(weights, mean, sd, strict=True))

    assert stats.kstest(cells, cdf).pvalue > 1e-3


def test_answers_follow_the_classes(rng):
    x = np.array([[1.0, 1, np.nan], [0, 0, 1], [np.nan, 0, 0], [1, 1, 1]])
    params = {"weights": np.array([0.4, 0.6]), "probs": np.array([[0.9, 0.8, 0.7], [0.2, 0.3, 0.1]])}
    likelihood = bind(bm.Mixture("bernoulli", n_components=2), bm.Data(x))
    cells = bm.impute(estimate(likelihood, params), draws=20_000)
    assert list(zip(cells["obs"].values, cells["feature"].values, strict=True)) == [("1", "x3"), ("3", "x1")]
    joint = np.array([0.4 * 0.9 * 0.8, 0.6 * 0.2 * 0.3])
    assert float(cells[:, 0].mean()) == pytest.approx(joint @ [0.7, 0.1] / joint.sum(), abs=0.02)
    joint = np.array([0.4 * 0.2 * 0.3, 0.6 * 0.7 * 0.9])
    assert float(cells[:, 1].mean()) == pytest.approx(joint @ [0.9, 0.2] / joint.sum(), abs=0.02)


def test_answers_come_in_words_and_are_drawn_as_shares(rng):
    frame = pd.DataFrame({"a": ["low", "mid", "high", None] * 9, "b": ["no", "yes", "yes", None, "no", "no"] * 6})
    em = bm.fit_em(bm.Mixture("categorical", n_components=1), bm.Data(frame), n_starts=1)
    cells = bm.impute(em, draws=4000)
    of_a = cells.values[:, cells["feature"].values == "a"]
    assert set(np.unique(of_a.astype(str))) == {"low", "mid", "high"}
    assert (of_a == "mid").mean() == pytest.approx(1 / 3, abs=0.01)
    of_b = cells.values[:, cells["feature"].values == "b"]
    assert (of_b == "yes").mean() == pytest.approx(2 / 5, abs=0.01)
    left, right = plots.imputed(em).axes
    assert [text.get_text() for text in left.get_xticklabels()] == ["high", "low", "mid"]
    observed, drawn = (next(l for l in right.lines if l.get_gid() == gid).get_ydata() for gid in ("observed", "shares"))
    np.testing.assert_allclose(observed, [0.6, 0.4])
    np.testing.assert_allclose(drawn, [0.6, 0.4], atol=0.06)


def test_new_rows_seeds_and_what_is_refused():
    rows = bm.Data(pd.DataFrame({"a": [1.0, 2, 3, 7, 8, 9], "b": [1.0, 3, 2, 8, 7, np.nan]}))
    em = bm.fit_em(bm.Mixture("gaussian", n_components=1), rows, n_starts=1)
    new = bm.Data(pd.DataFrame({"b": [5.0, np.nan], "a": [np.nan, np.nan]}))
    cells = bm.impute(em, draws=7, data=new)
    assert cells.shape == (7, 3)
    np.testing.assert_array_equal(cells, bm.impute(em, draws=7, data=new))
    assert not np.array_equal(cells, bm.impute(em, draws=7, data=new, seed=2))
    with pytest.raises(ValueError, match="no cell is missing"):
        bm.impute(em, data=bm.Data(pd.DataFrame({"a": [1.0], "b": [2.0]})))
    with pytest.raises(ValueError, match="draws: must be a whole number >= 1; got 0"):
        bm.impute(em, draws=0)
    figure = plots.imputed(em, data=new)
    figure.canvas.draw()
    assert len(figure.axes) == 2
