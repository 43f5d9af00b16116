"""Hard assignment against SciPy and, with the lecture's assumptions, against scikit-learn's k-means."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import bayesmix as bm


@pytest.fixture(scope="module")
def overlapping():
    """400 rows of two groups in one column, a distance of 2.4 sd apart."""
    rng = np.random.default_rng(21)
    return np.where(rng.random(400) < 0.5, 0.0, 2.4) + rng.normal(size=400)


def classification_likelihood(x, params):
    """sum_i max_k log w_k f_k(x_i), by SciPy; and the best components."""
    joint = np.stack(
        [
            np.log(w) + multivariate_normal(m, s).logpdf(x)
            for w, m, s in zip(params["weights"], params["means"], params["covariances"], strict=True)
        ]
    )
    return joint.max(axis=0).sum(), joint.argmax(axis=0)


def test_every_step_is_that_of_celeux_and_govaert(overlapping):
    """Each step's parameters are the moments of the classes that the step before makes; L_C by SciPy never falls."""
    x = np.column_stack([overlapping, np.random.default_rng(3).normal(size=400)])
    em = bm.fit_em(
        bm.Mixture("gaussian", n_components=2),
        bm.Data(x),
        assignment="hard",
        starts="random rows",
        n_starts=1,
        trace=True,
    )
    steps = [em.trace.isel(iteration=t) for t in range(em.trace.sizes["iteration"])]
    assert len(steps) > 3
    for step, after in zip(steps, [*steps[1:], steps[-1]], strict=True):
        arrays = {v: step[v].to_numpy() for v in ("weights", "means", "covariances")}
        L, z = classification_likelihood(x, arrays)
        assert float(step["log_likelihood"]) == pytest.approx(L, rel=1e-11)
        np.testing.assert_allclose(after["weights"], np.bincount(z) / 400)
        np.testing.assert_allclose(after["means"], [x[z == k].mean(axis=0) for k in (0, 1)], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(
            after["covariances"], [np.cov(x[z == k].T, bias=True) for k in (0, 1)], rtol=1e-9, atol=1e-12
        )
    assert (np.diff(em.history) >= 0).all()
    assert em.converged
    assert em.assignment == "hard"


def test_it_says_what_it_maximizes(overlapping):
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2), bm.Data(overlapping), assignment="hard", n_starts=5)
    soft = bm.fit_em(em.spec, em.data, n_starts=5)
    assert "hard assignment, classification log-likelihood" in str(em)
    assert "classification" not in str(soft)
    assert em.log_likelihood < soft.log_likelihood
    assert np.isnan([em.aic, em.bic]).all()
    assert all(np.isnan(a).all() for a in em.standard_errors.values())
    assert "no standard errors" in em.notes[0]
    assert float(em.params["means"].diff("component").item()) > float(soft.params["means"].diff("component").item())
    assert (em.params["scales"] < soft.params["scales"]).all()


def test_labelled_rows_stay_and_weights_count():
    """A row weight of 2 is the row twice; a labelled row is counted in its class wherever it lies."""
    x = np.array([0.0, 0.3, 0.5, 1.0, 1.1, 4.0, 4.4, 4.5, 5.0, 9.0])
    labels = ["a", "b"] + [None] * 6 + ["b", "a"]
    spec = bm.Mixture("gaussian", n_components=2, covariance="tied")
    init = {"weights": [0.5, 0.5], "means": [[1.0], [4.5]], "scales": [1.0]}
    em = bm.fit_em(spec, bm.Data(x, labels), assignment="hard", init=init)
    sd, w, means = (em.params[v].to_numpy().ravel() for v in ("scales", "weights", "means"))
    z = np.log(w) + norm(means, sd[0]).logpdf(x[:, None])
    z = z.argmax(axis=1)
    z[[0, 9]], z[[1, 8]] = 0, 1
    np.testing.assert_allclose(means, [x[z == 0].mean(), x[z == 1].mean()])
    np.testing.assert_allclose(w, np.bincount(z) / 10)
    v = np.array([2.0, 1, 1, 0, 1, 3, 1, 1, 1, 1])
    weighted = bm.fit_em(spec, bm.Data(x, labels, row_weights=v), assignment="hard", init=init)
    repeated = np.repeat(np.arange(10), v.astype(int))
    again = bm.fit_em(spec, bm.Data(x[repeated], [labels[i] for i in repeated]), assignment="hard", init=init)
    assert weighted.log_likelihood == pytest.approx(again.log_likelihood)
    np.testing.assert_allclose(weighted.params["means"], again.params["means"])


def test_a_component_without_rows_is_named():
    """Of two equal components the first takes every row that ties."""
    x = np.array([0.0, 1.0, 2.0, 3.0, 10.0])
    spec = bm.Mixture("gaussian", n_components=2, covariance="tied")
    init = {"weights": [0.5, 0.5], "means": [[1.0], [1.0]], "scales": [1.0]}
    em = bm.fit_em(spec, bm.Data(x), assignment="hard", init=init)
    assert em.degenerate
    assert "rows" in em.reasons[0]
    assert em.params["weights"].max() == 1


@pytest.mark.parametrize("family", ["poisson", "zero_inflated_poisson"])
def test_other_families(family):
    """The end is a fixed point: the moments of the classes that it makes."""
    rng = np.random.default_rng(8)
    x = np.where(
        rng.random(300) < 0.5, 0 if family == "zero_inflated_poisson" else rng.poisson(2, 300), rng.poisson(9, 300)
    )
    spec = bm.Mixture(family, n_components=2)
    em = bm.fit_em(spec, bm.Data(x), assignment="hard", n_starts=4)
    z = bm.responsibilities(em).to_numpy().argmax(axis=1)
    assert em.converged
    if family == "poisson":
        np.testing.assert_allclose(
            em.params["rates"].to_numpy().ravel(), [x[z == 0].mean(), x[z == 1].mean()], rtol=1e-9
        )
    else:
        assert float(em.params["rate"]) == pytest.approx(x[z == 1].mean(), rel=1e-6)
        assert float(em.params["zero_prob"]) == pytest.approx((z == 0).mean(), rel=1e-6)


def test_many_rows_and_what_is_impossible():
    rng = np.random.default_rng(2)
    x = np.where(rng.random(8000) < 0.4, 3.0, 0.0) + rng.normal(size=8000)
    spec = bm.Mixture("gaussian", n_components=2)
    em = bm.fit_em(spec, bm.Data(x), assignment="hard", n_starts=3)
    arrays = {v: em.params[v].to_numpy() for v in ("weights", "means", "covariances")}
    assert em.log_likelihood == pytest.approx(classification_likelihood(x, arrays)[0], rel=1e-11)
    with pytest.raises(ValueError, match="assignment: must be 'soft' or 'hard'; got 'firm'"):
        bm.fit_em(spec, bm.Data(x), assignment="firm")
    with pytest.raises(ValueError, match="assignment: is of EM"):
        bm.fit_em(spec, bm.Data(x), assignment="hard", method="map")
