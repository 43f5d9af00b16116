"""The verdict, on posteriors made to be good or bad in one way."""

from dataclasses import replace

import arviz as az
import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.mixture import scalars
from bayesmix.multimodality.bridge import LogIntegral
from bayesmix.multimodality.masses import Mass
from bayesmix.multimodality.maxima import PosteriorMode
from bayesmix.multimodality.table import Modes, modes_dataset
from bayesmix.multimodality.watched import chain_groups, invariants
from bayesmix.posterior.record import Record


def replaced(dt, group, **variables):
    new = dt.copy()
    new[group] = xr.DataTree(dt[group].to_dataset().assign(variables))
    return new


def names(check):
    return {p.name for p in check.problems}


def test_a_good_posterior_is_trusted(faithful_dt):
    check = bm.diagnose(faithful_dt)
    assert check.ok, str(check)
    assert "can be trusted" in check.verdict
    assert check.chain_groups == (1, 1, 1, 1)


def test_numbers_are_arviz_own(faithful_dt):
    check = bm.diagnose(faithful_dt)
    one = faithful_dt["posterior"]["means"].isel(component=0, feature=1).to_numpy()
    row = check.parameters.loc["means[component_1, waiting]"]
    assert row["r_hat"] == pytest.approx(float(az.rhat(one)))
    assert row["ess_bulk"] == pytest.approx(float(az.ess(one)))
    assert row["mean"] == pytest.approx(one.mean())


def test_only_free_scalars_are_asked(faithful_dt):
    labels = bm.diagnose(faithful_dt).parameters.index
    assert [label for label in labels if "correlations" in label] == [
        "correlations[component_1, waiting ~ eruptions]",
        "correlations[component_2, waiting ~ eruptions]",
    ]
    assert len(labels) == 12


def test_divergences(faithful_dt):
    diverging = faithful_dt["sample_stats"]["diverging"].copy()
    diverging[0, :3] = True
    check = bm.diagnose(replaced(faithful_dt, "sample_stats", diverging=diverging))
    assert names(check) == {"divergences"}
    assert "target_accept" in str(check)


def test_a_shifted_chain(faithful_dt):
    means = faithful_dt["posterior"]["means"].copy()
    means[2, :, 0, 1] += 1.5
    check = bm.diagnose(replaced(faithful_dt, "posterior", means=means))
    assert "r_hat" in names(check)


def test_label_switching_alone_raises_no_alarm_in_invariants(faithful_dt):
    likelihood = Record.of(faithful_dt).likelihood
    posterior = faithful_dt["posterior"].to_dataset()
    switched = posterior.copy(deep=True)
    for v in ("weights", "means", "covariances"):
        switched[v].loc[{"chain": 1}] = posterior[v].sel(chain=1).isel(component=[1, 0]).to_numpy()
    lp = faithful_dt["sample_stats"]["lp"]
    xr.testing.assert_allclose(invariants(likelihood, switched, lp), invariants(likelihood, posterior, lp))


def test_chain_groups_of_known_chains(rng):
    x = rng.normal(size=(4, 200, 2))
    x[2:, :, 1] += 6
    values = xr.DataArray(x, dims=("chain", "draw", "scalar"), coords={"scalar": ["a", "b"]})
    assert chain_groups(values) == (1, 1, 2, 2)


def test_few_draws_are_too_few(faithful_dt):
    short = faithful_dt.isel(draw=slice(60))
    assert {"ess_bulk", "ess_tail"} <= names(bm.diagnose(short))


def test_interruption_is_said(faithful_dt):
    cut = faithful_dt.copy()
    cut.attrs = faithful_dt.attrs | {"interrupted": 1}
    assert "interrupted" in names(bm.diagnose(cut))


def test_low_energy_information(faithful_dt, rng):
    energy = faithful_dt["sample_stats"]["energy"]
    slow = xr.zeros_like(energy) + np.cumsum(rng.normal(size=energy.shape), axis=1)
    assert "e_bfmi" in names(bm.diagnose(replaced(faithful_dt, "sample_stats", energy=slow)))


def test_a_small_mode_left_out_is_a_note_a_large_or_unknown_one_a_problem(faithful_dt):
    modes = faithful_dt["modes"].to_dataset()

    def with_rival(mass, established):
        rival = modes.isel(mode=[0]).assign_coords(mode=[2])
        rival = rival.assign(
            region=("mode", [2]),
            mass=("mode", [mass]),
            mass_error=("mode", [0.001]),
            established=("mode", np.int8([established])),
        )
        new = faithful_dt.copy()
        new["modes"] = xr.DataTree(xr.concat([modes, rival], dim="mode", data_vars="minimal"))
        return bm.diagnose(new)

    assert with_rival(0.005, 1).ok
    assert "mode 2" in " ".join(with_rival(0.005, 1).notes)
    assert names(with_rival(0.2, 1)) == {"modes_left_out"}
    assert names(with_rival(np.nan, 0)) == {"modes_unknown"}


def test_where_modes_were_not_looked_at_no_mass_is_known(faithful_dt):
    modes = faithful_dt["modes"].to_dataset()
    likelihood = Record.of(faithful_dt).likelihood
    params = {v: modes[v].isel(mode=0).to_numpy() for v in likelihood.parameter_names}
    one = PosteriorMode(np.zeros(1), params, 0.0, 0.0, np.eye(1), np.ones((1, 2)), np.ones(2), region=1)
    mass = {1: Mass(0.6, 0.01, LogIntegral(-1.0, 0.01, True)), 2: Mass(0.4, 0.01, LogIntegral(-1.4, 0.01, True))}
    found = [one, replace(one, region=2), replace(one, region=-1)]
    dataset = modes_dataset(found, likelihood, mass, np.zeros(4, int))
    table = Modes(dataset).table
    assert table["mass"].isna().all()
    assert not table["established"].any()
    assert "unknown share" in str(Modes(dataset))


def test_chains_that_stand_still_are_bad_not_an_error(faithful_dt):
    still = faithful_dt.copy()
    for group in ("posterior", "sample_stats"):
        whole = faithful_dt[group].to_dataset()
        still[group] = xr.DataTree(whole.map(lambda a: xr.zeros_like(a) + a.isel(chain=0, draw=0, drop=True)))
    still["sample_stats"]["energy"] = still["sample_stats"]["energy"].round()  # exact: a variance of 0 on any machine
    check = bm.diagnose(still)
    assert {"r_hat", "e_bfmi"} <= names(check)


def test_scalars_of_counts(zip_dt):
    likelihood = Record.of(zip_dt).likelihood
    labels = [label for *_, label in scalars.index_of(likelihood, derived=True)]
    assert labels == ["rate_coef[Intercept]", "zero_coef[Intercept]", "rate", "zero_prob"]
    values = scalars.of_posterior(likelihood, zip_dt["posterior"].to_dataset(), derived=True)
    np.testing.assert_allclose(values.sel(scalar="rate"), np.exp(values.sel(scalar="rate_coef[Intercept]")))
