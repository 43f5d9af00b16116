"""The sampler's promises: starts over the modes, reproducible draws, labels sorted, modes weighed and named."""

import json

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.landscape import PosteriorMode, assign_chains, laplace, link, similarity
from bayesmix.runner import Runner, finished
from conftest import SHORT


def test_groups_and_attributes(faithful_dt):
    groups = {
        "posterior",
        "sample_stats",
        "observed_data",
        "constant_data",
        "relabelling",
        "log_likelihood",
        "modes",
        "input",
    }
    assert set(faithful_dt.children) == groups
    assert {"x_data", "label_evidence", "row_weights"} <= set(faithful_dt["constant_data"].data_vars)
    assert bm.Mixture.from_dict(json.loads(faithful_dt.attrs["spec"])).priors["weights"].parameters["a"].tolist() == [
        2,
        2,
    ]
    assert faithful_dt["posterior"]["covariances"].dims == ("chain", "draw", "component", "feature", "feature_bis")


def test_components_are_ascending_and_chains_agree(gaussian_1d_dt):
    means = gaussian_1d_dt["posterior"]["means"].mean("draw").to_numpy()[..., 0]
    np.testing.assert_allclose(means, np.broadcast_to([2.0, 5, 10], means.shape), atol=0.5)


def test_permutations_lead_back_to_the_sampler_s_labels(faithful_dt):
    order = faithful_dt["relabelling"]["permutation"].to_numpy()
    assert (np.sort(order, axis=-1) == np.arange(2)).all()
    assert len(np.unique(order.reshape(-1, 2), axis=0)) >= 1


def test_same_seed_same_draws_for_any_number_of_cores(faithful, faithful_target):
    settings = {"draws": 30, "tune": 50, "target": faithful_target, "progress": False, "n_starts": 3, "seed": 5}
    runs = [bm.sample(*faithful, cores=cores, **settings)["posterior"]["means"] for cores in (1, 2, 4)]
    for run in runs[1:]:
        xr.testing.assert_identical(run, runs[0])
    other = bm.sample(*faithful, **(settings | {"seed": 6}))["posterior"]["means"]
    assert not np.array_equal(other, runs[0])


def test_each_chain_begins_where_it_is_told(faithful_target):
    x = faithful_target.start({})
    seen = []

    def beginning(c):
        def begin(rng):
            seen.append(c)
            return x + 0.01 * c + 1e-3 * rng.standard_normal(len(x))

        return begin

    raw = Runner(faithful_target, 2, 1)([beginning(c) for c in range(4)], draws=4, tune=1)
    assert sorted(seen[4:]) == [0, 1, 2, 3]
    assert raw["posterior"].sizes["chain"] == 4


@pytest.fixture(scope="module")
def corners():
    """Four equal groups at the corners of a square: K = 2 splits it one way or the other, half the mass each."""
    noise = np.random.default_rng(4).normal(size=(25, 2)) * 0.25
    flips = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    x = np.vstack([np.array(s) * (3 + noise) for s in flips])
    x = np.vstack([x, x[:, ::-1]])
    return bm.Mixture("gaussian", n_components=2), bm.Data(x)


def test_two_modes_of_equal_mass_are_found_weighed_and_reported(corners):
    dt = bm.sample(*corners, **SHORT, n_starts=20, seed=2)
    check = bm.diagnose(dt)
    modes = dt["modes"].to_dataset()
    rival = modes.isel(mode=modes["group"].to_numpy() == 2)
    assert rival.sizes["mode"] >= 1
    share, error = float(rival["mass"][0]), float(rival["mass_error"][0])
    assert bool(rival["established"][0])
    assert abs(share - 0.5) < 4 * error
    assert not check.ok
    assert "modes_left_out" in {p.name for p in check.problems}
    assert "0.50 at" in str(check)


def test_chains_in_different_modes_raise_the_alarm(corners):
    dt = bm.sample(*corners, **SHORT, n_starts=20, seed=2)
    posterior = dt["posterior"].to_dataset()
    means, covariances = (posterior[v].to_numpy().copy() for v in ("means", "covariances"))
    means[3], covariances[3] = means[3, ..., ::-1], covariances[3, ..., ::-1, ::-1]
    turned = {"means": (posterior["means"].dims, means), "covariances": (posterior["covariances"].dims, covariances)}
    swapped = dt.copy()
    swapped["posterior"] = xr.DataTree(posterior.assign(turned))
    check = bm.diagnose(swapped)
    assert check.chain_groups == (1, 1, 1, 2)
    assert any(p.name == "modes" for p in check.problems)


def test_assignment_of_chains_to_linked_modes():
    mode = PosteriorMode(np.zeros(1), {}, 0.0, 0.0, np.eye(1), np.ones((1, 1)))
    from dataclasses import replace

    modes = [replace(mode, group=g) for g in (1, 2, 1, 1)]
    assert assign_chains(modes, 6).tolist() == [0, 2, 0, 3, 0, 2]
    assert assign_chains(modes[:2], 4).tolist() == [0, 0, 0, 0]


def test_modes_that_were_not_scouted_are_marked():
    modes = [PosteriorMode(np.zeros(1), {}, 0.0, mass, np.eye(1), np.ones((1, 1))) for mass in (0.0, -3.0, -4.0, -50.0)]
    assert [m.group for m in link(modes, [0, 1], [1, 2])] == [1, 2, -1, 0]


def test_laplace_is_exact_for_a_normal_and_bounded_at_a_saddle():
    precision = np.diag([4.0, 9.0])
    exact = np.log(2 * np.pi) - 0.5 * np.log(36)
    assert laplace(0.0, precision) == pytest.approx(exact)
    assert laplace(0.0, np.diag([4.0, -1e-9])) == pytest.approx(np.log(2 * np.pi) - 0.5 * np.log(4e-9 * 0.01))


def test_similarity_ignores_labels(rng):
    r = rng.dirichlet(np.ones(3), 50)
    assert similarity(r, r[:, [2, 0, 1]], np.zeros(3, int)) == pytest.approx(1)
    assert similarity(r, r[:, [2, 0, 1]], np.arange(3)) < 0.95


def test_interrupted_runs_keep_the_chains_that_finished(faithful_target):
    run = Runner(faithful_target, 1, 1)
    x = faithful_target.start({})
    raw = run([lambda rng: x + 0.01 * rng.standard_normal(len(x))] * 3, draws=20, tune=30)
    broken = {name: group.to_dataset() for name, group in raw.children.items()}
    lp = broken["sample_stats"]["logp"].to_numpy().copy()
    lp[1, 15:], lp[2] = np.nan, np.nan
    broken["sample_stats"] = broken["sample_stats"].assign(logp=(("chain", "draw"), lp))
    kept, chains = finished(xr.DataTree.from_dict(broken))
    assert chains.tolist() == [0, 1]
    assert dict(kept["posterior"].sizes)["draw"] == 15
    with pytest.raises(KeyboardInterrupt):
        finished(xr.DataTree.from_dict(broken).isel(draw=slice(3)))


@pytest.mark.parametrize(
    ("argument", "value"),
    [("draws", 0), ("draws", 2.5), ("chains", 0), ("tune", -1), ("target_accept", 1.0), ("log_likelihood", "x")],
)
def test_impossible_settings_are_refused_before_anything_compiles(faithful, argument, value):
    with pytest.raises(ValueError, match=argument):
        bm.sample(*faithful, **{argument: value})


def test_extended_model_keeps_its_own_variables(faithful):
    import pymc as pm

    model = bm.build(*faithful)
    with model:
        pm.Deterministic("gap", model["means"][1] - model["means"][0], dims="feature")
    dt = bm.sample(*faithful, model=model, **SHORT)
    assert "gap" in dt["posterior"]
    assert "extension" in str(bm.diagnose(dt))
