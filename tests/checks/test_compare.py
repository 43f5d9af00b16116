"""EM beside the posterior."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.checks.compare import matched, scores_on
from bayesmix.posterior.record import Record


def test_table_holds_both_and_where_em_falls(faithful_em, faithful_dt):
    table = bm.compare(faithful_em, faithful_dt).parameters
    row = table.loc["means[component_1, waiting]"]
    draws = faithful_dt["posterior"]["means"].isel(component=0, feature=1).to_numpy().ravel()
    assert row["em"] == pytest.approx(float(faithful_em.params["means"][0, 1]))
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["lower"] == pytest.approx(np.quantile(draws, 0.05))
    assert row["em_rank"] == pytest.approx((draws < row["em"]).mean())


def test_switched_em_labels_are_matched(faithful_em, faithful_dt):
    from dataclasses import replace

    def turned(ds):
        return ds.isel(component=[1, 0]).assign_coords(component=ds["component"].values)

    switched = replace(faithful_em, params=turned(faithful_em.params))
    a, b = bm.compare(faithful_em, faithful_dt), bm.compare(switched, faithful_dt)
    np.testing.assert_allclose(b.parameters, a.parameters)
    mean = bm.responsibility_summary(faithful_dt)["mean"].to_numpy()
    np.testing.assert_allclose(matched(switched, mean).params["means"], faithful_em.params["means"])


def test_rows(faithful_em, faithful_dt):
    table = bm.compare(faithful_em, faithful_dt)
    rows = table.responsibilities
    assert len(rows) == 272
    np.testing.assert_allclose(rows["em[component_1]"] + rows["em[component_2]"], 1)
    assert (rows["lower[component_1]"] <= rows["upper[component_1]"]).all()
    assert table.ambiguous(3)["entropy"].is_monotonic_decreasing
    assert set(table.flips.index) == set(rows.index[rows["em_component"] != rows["posterior_component"]])


def test_scores_with_truth(three_groups, gaussian_1d_dt):
    em = bm.fit_em(*three_groups, n_starts=5)
    table = bm.compare(em, gaussian_1d_dt)
    assert (table.scores["accuracy"] > 0.95).all()
    test = bm.Data([2.0, 5.0, 10.0], truth=[0, 1, 2])
    assert (scores_on(table.em, Record.of(gaussian_1d_dt), test)["accuracy"] == 1).all()
    assert "accuracy" in str(table)


def test_fits_of_different_models_are_refused(faithful, faithful_dt):
    spec, data = faithful
    with pytest.raises(ValueError, match="another mixture"):
        bm.compare(bm.fit_em(spec.replace(n_components=1), data, n_starts=1), faithful_dt)
    other = bm.fit_em(bm.resolve(spec, data), data.take(np.arange(100)), n_starts=2)
    with pytest.raises(ValueError, match="other data"):
        bm.compare(other, faithful_dt)


def test_counts(zip_counts, zip_dt):
    table = bm.compare(bm.fit_em(*zip_counts, n_starts=2), zip_dt).parameters
    row = table.loc["zero_prob"]
    assert row["em"] == pytest.approx(row["mean"], abs=3 * row["sd"])


def one_draw(fit):
    """A point estimate as a posterior of one draw: nothing is sampled."""
    tree = xr.DataTree.from_dict(
        {"posterior": fit.params.expand_dims(chain=[0], draw=[0]), "input": fit.data.to_dataset()}
    )
    tree.attrs["spec"] = json.dumps(fit.spec.to_dict())
    return tree


def refits(spec, first, others):
    """EM on the first data as a posterior, and EM with the very same priors on the others."""
    spec = bm.resolve(spec, first)
    return one_draw(bm.fit_em(spec, first, n_starts=1)), [bm.fit_em(spec, data, n_starts=1) for data in others]


def test_fits_with_other_labels_or_weights_are_refused():
    x, labels = [1.0, 2.0, 3.0, 11.0, 12.0, 13.0], ["a", None, None, "b", None, None]
    others = [
        bm.Data(x, ["a", "a", None, "b", None, None]),
        bm.Data(x),
        bm.Data(x, labels, row_weights=[1, 1, 1, 1, 1, 2]),
    ]
    dt, fits = refits(bm.Mixture("gaussian", n_components=2), bm.Data(x, labels), others)
    for fit, words in zip(fits, ("label evidence", "label evidence", "row weights"), strict=True):
        with pytest.raises(ValueError, match=f"em: was fitted to other data than dt: the {words} differ"):
            bm.compare(fit, dt)


def test_fits_with_other_covariates_are_refused(rng):
    frame = pd.DataFrame({"y": rng.poisson(3, 40) * (rng.random(40) < 0.7), "a": rng.normal(size=40)})
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + a")
    first, other = bm.Data(frame, response="y"), bm.Data(frame.assign(a=-frame["a"]), response="y")
    dt, (same, turned) = refits(spec, first, [first, other])
    with pytest.raises(ValueError, match=r"em: .* the covariates \(rate\) differ"):
        bm.compare(turned, dt)
    with pytest.raises(ValueError, match=r"map_fit: .* the covariates \(rate\) differ"):
        bm.compare(same, dt, map_fit=turned)


def test_the_error_of_the_most_probable_component_is_expected_beside_it(faithful_dt, faithful_em):
    """By hand: 1 - r of the component that the row is given to, over rows and draws."""
    table = bm.compare(faithful_em, faithful_dt)
    r = bm.responsibilities(faithful_dt)
    best = r.mean(("chain", "draw")).argmax("component")
    wrong = 1 - r.isel(component=best)
    error, by_draw = table.errors["posterior"], wrong.mean("obs")
    assert error.error == pytest.approx(float(wrong.mean()), abs=1e-12)
    assert error.upper == pytest.approx(float(by_draw.quantile(0.95)), abs=1e-12)
    assert float(table.responsibilities["error"].mean()) == pytest.approx(error.error, abs=1e-12)
    em = bm.responsibilities(faithful_em).to_numpy()
    assert table.errors["em"].error == pytest.approx(1 - em.max(axis=1).mean(), abs=1e-12)
    assert np.isnan(table.errors["em"].lower)
    np.testing.assert_allclose(error.confusion.sum(axis=1), 1)
    own = r.mean(("chain", "draw")).to_numpy()[best.to_numpy() == 1]
    np.testing.assert_allclose(error.confusion.iloc[1], own.mean(axis=0))
    assert f"posterior {error}" in str(table)
    summary = bm.responsibility_summary(faithful_dt)
    assert summary.attrs["expected_error"] == pytest.approx(error.error, abs=1e-12)
