"""Responsibilities, densities, replicates and LOO, against SciPy and ArviZ."""

import json

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp

import bayesmix as bm
from bayesmix.posterior import record, responsibilities
from bayesmix.posterior.record import Record
from bayesmix.posterior.responsibilities import open_rows
from naive import gaussian_log_joint, posterior_probabilities, total


def joint_at(dt, chain, draw):
    p = dt["posterior"].isel(chain=chain, draw=draw)
    data = Record.of(dt).data
    evidence = data.evidence(tuple(p["component"].to_numpy()))
    return gaussian_log_joint(data.x, p["weights"].values, p["means"].values, p["covariances"].values, evidence)


def test_responsibilities_of_single_draws(faithful_dt):
    r = bm.responsibilities(faithful_dt)
    assert r.dims == ("chain", "draw", "obs", "component")
    for chain, draw in ((0, 0), (3, 399)):
        np.testing.assert_allclose(
            r.isel(chain=chain, draw=draw), posterior_probabilities(joint_at(faithful_dt, chain, draw)), atol=1e-12
        )


def test_summary_is_that_of_all_draws_whatever_the_blocks(faithful_dt, monkeypatch):
    r = bm.responsibilities(faithful_dt)
    monkeypatch.setattr(record, "BLOCK_BYTES", 2e6)
    summary = bm.responsibility_summary(faithful_dt, prob=0.8)
    np.testing.assert_allclose(summary["mean"], r.mean(("chain", "draw")), atol=1e-12)
    np.testing.assert_allclose(summary["lower"], r.quantile(0.1, ("chain", "draw")), atol=1e-12)


def test_stored_log_likelihood_is_the_density_and_sums_up(faithful_dt):
    stored = faithful_dt["log_likelihood"]["x"]
    joint = joint_at(faithful_dt, 1, 7)
    np.testing.assert_allclose(stored.isel(chain=1, draw=7), logsumexp(joint, axis=1), rtol=1e-10)
    statistic = faithful_dt["sample_stats"]["log_likelihood"].isel(chain=1, draw=7)
    np.testing.assert_allclose(statistic, total(joint), rtol=1e-12)


def test_log_likelihood_is_the_same_when_it_was_not_stored(faithful_dt):
    without = faithful_dt.copy()
    del without["log_likelihood"]
    np.testing.assert_allclose(responsibilities.log_likelihood(without), faithful_dt["log_likelihood"]["x"], rtol=1e-12)


def test_loo_in_blocks_equals_arviz(faithful_dt, monkeypatch):
    monkeypatch.setattr(record, "BLOCK_BYTES", 5e6)
    found = bm.loo(faithful_dt)
    reference = az.loo(faithful_dt, pointwise=True, var_name="x")
    np.testing.assert_allclose(found["elpd"].sum(), reference.elpd, rtol=1e-8)
    np.testing.assert_allclose(found["pareto_k"], reference.pareto_k, atol=1e-6)


def test_loo_refuses_row_weights(faithful_dt):
    weighted = faithful_dt.copy()
    given = weighted["input"].to_dataset()
    weighted["input"] = given.assign(row_weights=given["row_weights"] * 2)
    with pytest.raises(ValueError, match="row weights of 1"):
        bm.loo(weighted)


def test_new_rows(faithful_dt, faithful_em):
    new = bm.Data([[2.0, 50.0], [4.5, 80.0]])
    r = bm.responsibilities(faithful_dt, data=new)
    assert r.sizes["obs"] == 2
    assert r.mean(("chain", "draw"))[0, 0] > 0.99
    assert bm.responsibilities(faithful_em, data=new)[1, 1] > 0.99
    with pytest.raises(ValueError, match="2 columns"):
        bm.responsibilities(faithful_dt, data=bm.Data([1.0, 2.0]))


def test_replicates_have_the_posterior_predictive_moments(faithful_dt):
    x = bm.replicate(faithful_dt, 200, seed=3)
    p = faithful_dt["posterior"]
    mean = (p["weights"] * p["means"]).sum("component").mean(("chain", "draw"))
    spread = x.mean(axis=(0, 1)) - mean.to_numpy()
    assert (np.abs(spread) < 4 * x.mean(axis=1).std(axis=0) / np.sqrt(200)).all()


def test_zero_inflated_posterior_probability_of_a_structural_zero(zip_dt):
    r = bm.responsibilities(zip_dt).isel(chain=0, draw=0)
    p = zip_dt["posterior"].isel(chain=0, draw=0)
    rate, zero_prob = float(p["rate"]), float(p["zero_prob"])
    x = Record.of(zip_dt).data.x[:, 0]
    expected = np.where(x == 0, zero_prob / (zero_prob + (1 - zero_prob) * np.exp(-rate)), 0.0)
    np.testing.assert_allclose(r.sel(component="structural_zero"), expected, atol=1e-12)


def test_a_foreign_tree_is_refused(faithful_dt):
    foreign = faithful_dt.copy()
    foreign.attrs = {}
    with pytest.raises(ValueError, match="not a posterior"):
        Record.of(foreign)


def posterior_of(fit):
    """A point estimate as a posterior of one draw: nothing is sampled."""
    tree = xr.DataTree.from_dict(
        {"posterior": fit.params.expand_dims(chain=[0], draw=[0]), "input": fit.data.to_dataset()}
    )
    tree.attrs["spec"] = json.dumps(fit.spec.to_dict())
    return tree


def test_replicate_refuses_row_weights():
    x = [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]
    spec = bm.Mixture("gaussian", n_components=2)
    assert bm.replicate(posterior_of(bm.fit_em(spec, bm.Data(x), n_starts=1)), 3).shape == (3, 6, 1)
    weighted = bm.fit_em(spec, bm.Data(x, row_weights=[1, 1, 1, 1, 1, 2]), n_starts=1)
    with pytest.raises(ValueError, match="replicate: is defined for row weights of 1 only"):
        bm.replicate(posterior_of(weighted), 3)


def test_an_interval_needs_a_probability():
    fit = bm.fit_em(bm.Mixture("gaussian", n_components=1), bm.Data([1.0, 2.0, 4.0]), n_starts=1)
    with pytest.raises(ValueError, match="prob: must be between 0 and 1; got 90"):
        bm.responsibility_summary(posterior_of(fit), prob=90)


def test_open_rows_are_those_that_neither_label_nor_value_settles():
    counts = bm.Data([0, 0, 3, 0, 2, 1], labels=["poisson", None, None, None, None, None])
    fit = bm.fit_em(bm.Mixture("zero_inflated_poisson"), counts)
    assert open_rows(fit.likelihood, fit.arrays).tolist() == [False, True, False, True, False, False]
