"""Forward draws against the laws of the prior, of the components and of the labels."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.mixture.simulate import one, parameters_from_prior, prior_draws, prior_predictive, simulate
from bayesmix.mixture.spec import bind, resolved

ROWS = np.random.default_rng(3).normal(size=(40, 2))


def gaussian(K=2, covariance="full", **changes):
    priors = {
        "weights": bm.Prior("Dirichlet", a=[2.0] * K),
        "means": bm.Prior("Normal", mu=1.0, sigma=2.0),
        "scales": bm.Prior("LogNormal", mu=0.0, sigma=0.3),
        "correlations": bm.Prior("LKJ", eta=2.0),
    }
    if covariance in ("diag", "spherical"):
        del priors["correlations"]
    return bm.Mixture(
        "gaussian", n_components=K, covariance=covariance, priors=priors | changes.pop("priors", {}), **changes
    )


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_every_estimate_has_its_shape_and_law(covariance):
    spec, data = gaussian(3, covariance), bm.Data(ROWS)
    draws = prior_draws(spec, data, 2000, seed=4)
    likelihood = bind(spec, data)
    shapes = {v: tuple(len(likelihood.coords[d]) for d in dims) for v, dims in likelihood.dims.items()}
    assert {v: a.shape[1:] for v, a in draws.items()} == shapes
    assert stats.kstest(draws["weights"][:, 0], stats.beta(2, 4).cdf).pvalue > 1e-3
    assert stats.kstest(draws["means"][:, 1, 1], stats.norm(1, 2).cdf).pvalue > 1e-3
    first = draws["scales"].reshape(2000, -1)[:, 0]
    assert stats.kstest(np.log(first), stats.norm(0, 0.3).cdf).pvalue > 1e-3
    np.testing.assert_allclose(draws["covariances"][:, 0, 0, 0], first**2)
    if "correlations" in draws:
        assert stats.kstest((draws["correlations"][..., 0].ravel() + 1) / 2, stats.beta(2, 2).cdf).pvalue > 1e-3


def test_ordered_means_are_the_order_statistics_of_the_prior():
    spec, data = gaussian(3, "spherical", order="means"), bm.Data(ROWS[:, 0])
    means = prior_draws(spec, data, 3000)["means"][..., 0]
    assert (np.diff(means, axis=1) >= 0).all()
    u = stats.norm(1, 2).cdf(means)
    assert all(stats.kstest(u[:, k], stats.beta(k + 1, 3 - k).cdf).pvalue > 1e-3 for k in range(3))


def test_order_is_refused_where_the_means_have_different_priors():
    priors = {"means": bm.Prior("Normal", mu=[[0.0], [1.0]], sigma=1.0)}
    spec = gaussian(2, "spherical", order="means", priors=priors)
    with pytest.raises(ValueError, match=r"order: 'means' .* mu of priors 'means' is \[\[0.0\], \[1.0\]\]"):
        prior_draws(spec, bm.Data(ROWS[:, 0]), 3)


def test_counts_follow_their_covariates():
    frame = pd.DataFrame({"y": [0, 1, 4], "t": [0.0, 1.0, 2.0]})
    priors = {
        "rate_coef": bm.Prior("Normal", mu=[1.0, 0.5], sigma=1e-9),
        "zero_coef": bm.Prior("Normal", mu=-1.0, sigma=1e-9),
    }
    spec, data = bm.Mixture("zero_inflated_poisson", rate="1 + t", priors=priors), bm.Data(frame, response="y")
    x = prior_predictive(spec, data, 20_000)
    assert x.shape == (20_000, 3, 1)
    rate, poisson = np.exp(1.0 + 0.5 * frame["t"]), 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(x[..., 0].mean(axis=0), poisson * rate, rtol=0.03)
    np.testing.assert_allclose((x == 0)[..., 0].mean(axis=0), 1 - poisson + poisson * np.exp(-rate), rtol=0.03)
    assert prior_draws(spec, data, 4)["zero_prob"].round(3).tolist() == [0.269] * 4


def test_labels_are_simulated_with_the_rows_that_carry_them():
    labels = ["a", None, "b"] * 500
    data = bm.Data(np.random.default_rng(1).normal(size=1500), labels=labels)
    likelihood = bind(gaussian(2, "spherical"), data)
    params = {"weights": np.array([0.2, 0.8]), "means": np.array([[0.0], [50.0]]), "covariances": np.ones((2, 1, 1))}
    new = simulate(likelihood, params, np.random.default_rng(2))
    assert (new.labelled == data.labelled).all()
    assert new.classes == ("a", "b")
    high = new.x[:, 0] > 25
    assert (np.isfinite(new.class_evidence[:, 1]) == high)[new.labelled].all()
    for rows in (new.labelled, ~new.labelled):
        assert stats.binomtest(int(high[rows].sum()), int(rows.sum()), 0.8).pvalue > 1e-3


def test_labelled_counts_agree_with_their_labels():
    data = bm.Data([0, 0, 3, 0], labels=["structural_zero", None, "poisson", "poisson"])
    spec = bm.Mixture("zero_inflated_poisson")
    likelihood, rng = resolved(spec, data), np.random.default_rng(1)
    for s in range(20):
        new = simulate(likelihood, one(parameters_from_prior(likelihood, 1, rng), 0), rng)
        bind(spec, new)  # refuses a structural zero that is not 0
        assert new.obs_names == data.obs_names, s


def test_simulated_data_have_the_layout_of_the_design():
    frame = pd.DataFrame({"y": [0, 2], "sex": pd.Categorical(["f", "m"])}, index=["ann", "bob"])
    data = bm.Data(frame, response="y")
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + sex")
    likelihood = bind(spec, data)
    new = simulate(
        likelihood, {"rate_coef": np.array([1.0, 0.0]), "zero_coef": np.array([-9.0])}, np.random.default_rng(1)
    )
    assert new.obs_names == ("ann", "bob")
    pd.testing.assert_frame_equal(new.covariates, data.covariates)


def test_same_seed_same_draws():
    spec, data = gaussian(), bm.Data(ROWS)
    a, b, c = (prior_predictive(spec, data, 2, seed=s) for s in (1, 1, 2))
    assert (a == b).all()
    assert (a != c).any()


def test_row_weights_are_refused():
    with pytest.raises(ValueError, match="row_weights"):
        prior_predictive(gaussian(), bm.Data(ROWS, row_weights=np.full(40, 2.0)), 3)
