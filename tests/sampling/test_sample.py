"""The sampler's promises: starts over the modes, reproducible draws, labels sorted, modes weighed and named."""

import json
import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.em.fit_starts import fit_starts
from bayesmix.mixture.spec import bind
from bayesmix.model.build import graph, model_of
from bayesmix.multimodality.maxima import Climber, PosteriorMode, find_modes, laplace, similarity
from bayesmix.posterior.relabel import apply
from bayesmix.sampling.nutpie import Runner, finished
from bayesmix.sampling.scouts import _in_one_labelling
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
    eruptions = faithful_dt["posterior"]["means"].to_numpy()[..., 0]
    own = np.take_along_axis(eruptions, np.argsort(order, axis=-1), axis=-1)
    shorter = own[..., 0] < own[..., 1]
    assert (shorter == shorter[:, :1]).all()  # the groups are far apart: no chain switches its labels


def test_same_seed_same_draws_for_any_number_of_cores(faithful, faithful_compiled):
    settings = {"draws": 30, "tune": 50, "compiled": faithful_compiled, "progress": False, "n_starts": 3, "seed": 5}
    runs = [bm.sample(*faithful, cores=cores, **settings)["posterior"]["means"] for cores in (1, 2, 4)]
    for run in runs[1:]:
        xr.testing.assert_identical(run, runs[0])
    other = bm.sample(*faithful, **(settings | {"seed": 6}))["posterior"]["means"]
    assert not np.array_equal(other, runs[0])


def test_each_chain_begins_where_it_is_told(faithful_compiled):
    x = faithful_compiled.start({})
    seen, threads = [], set()

    def beginning(c):
        def begin(rng):
            seen.append(c)
            threads.add(threading.current_thread())
            return x + 0.01 * c + 1e-3 * rng.standard_normal(len(x))

        return begin

    raw = Runner(faithful_compiled, 2, 1)([beginning(c) for c in range(4)], draws=4, tune=1)
    assert sorted(seen[1:]) == [0, 1, 2, 3]
    assert threads == {threading.main_thread()}
    assert raw["posterior"].sizes["chain"] == 4


def test_a_chain_begins_where_the_density_is_finite(faithful_compiled):
    """Another point is tried; where there is none, the error says what to look at."""
    x, tries = faithful_compiled.start({}), []

    def begin(rng):
        tries.append(1)
        return x + 0.01 * rng.normal(size=len(x)) if len(tries) % 2 == 0 else np.full_like(x, 1e6)

    assert Runner(faithful_compiled, 1, 1)([begin, begin], draws=4, tune=1)["posterior"].sizes["chain"] == 2
    with pytest.raises(bm.FitError, match="no point to begin at.*look for a prior"):
        Runner(faithful_compiled, 1, 1)([lambda rng: np.full_like(x, 1e6)], draws=4, tune=1)


def test_where_nutpie_gives_up_the_error_is_ours(faithful_compiled, monkeypatch):
    def give_up(*_, **__):
        raise RuntimeError("All initialization points failed")

    monkeypatch.setattr("nutpie.sample", give_up)
    with pytest.raises(bm.FitError, match="the sampler gave up .RuntimeError: All init.*look at the priors"):
        Runner(faithful_compiled, 1, 1)([lambda rng: faithful_compiled.start({})], draws=4, tune=1)


@pytest.fixture(scope="module")
def corners():
    """Four equal groups at the corners of a square: K = 2 splits it one way or the other, half the mass each."""
    noise = np.random.default_rng(4).normal(size=(25, 2)) * 0.25
    flips = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    x = np.vstack([np.array(s) * (3 + noise) for s in flips])
    x = np.vstack([x, x[:, ::-1]])
    return bm.Mixture("gaussian", n_components=2), bm.Data(x)


@pytest.fixture(scope="module")
def corners_dt(corners):
    return bm.sample(*corners, draws=1000, tune=400, progress=False, n_starts=20, seed=2)


def test_two_modes_of_equal_mass_are_found_weighed_and_both_sampled(corners_dt):
    modes = corners_dt["modes"].to_dataset()
    top = modes.isel(mode=modes["region"].to_numpy() > 0)
    assert set(top["region"].to_numpy().tolist()) == {1, 2}
    assert top["established"].all()
    error = float(top["mass_error"][0])
    assert abs(float(top["mass"][0]) - 0.5) < 4 * error
    assert error < 0.03
    region = corners_dt["sample_stats"]["region"].to_numpy()
    assert (region == 1).mean() == pytest.approx(
        float(top["mass"].to_numpy()[top["region"].to_numpy() == 1][0]), abs=0.01
    )
    assert corners_dt["posterior"].sizes["chain"] == 4
    together = bm.responsibilities(corners_dt).to_numpy()
    same_column = (together[..., 0, :] * together[..., 25, :]).sum(axis=-1)
    np.testing.assert_allclose((same_column > 0.5).mean(), (region == region[same_column > 0.5][0]).mean(), atol=0.01)


def test_chains_are_judged_within_their_modes(corners_dt):
    check = bm.diagnose(corners_dt)
    assert check.ok, check.problems
    assert sorted(check.chain_groups) == [1, 1, 2, 2]
    assert "2 separate modes" in str(check)
    raw = corners_dt["raw_sample_stats"]["region"].to_numpy()
    assert (raw == raw[:, :1]).all()


def test_chains_in_different_modes_raise_the_alarm(faithful_dt):
    posterior = faithful_dt["posterior"].to_dataset()
    moved = posterior["means"].to_numpy().copy()
    moved[3] *= 1.5
    swapped = faithful_dt.copy()
    swapped["posterior"] = xr.DataTree(posterior.assign(means=(posterior["means"].dims, moved)))
    check = bm.diagnose(swapped)
    assert check.chain_groups == (1, 1, 1, 2)
    assert any(p.name == "modes" for p in check.problems)


def settled(share, where):
    from bayesmix.multimodality.bridge import LogIntegral
    from bayesmix.multimodality.masses import Mass
    from bayesmix.sampling.pool import Settled

    mass = {g + 1: Mass(p, 0.01, LogIntegral(0.0, 0.01, True)) for g, p in enumerate(share)}
    return Settled({1: 1, 2: 2}, mass, where)


def test_draws_are_resampled_by_mass_without_repeats_where_there_are_enough(rng):
    from bayesmix.sampling.pool import resampled

    where = np.repeat([[1], [1], [1], [2], [2]], 100, axis=1)
    index = resampled(settled([0.75, 0.25], where), 400, rng)
    assert len(index) == 400
    assert (where.ravel()[index] == 1).sum() == 300
    assert len(set(index.tolist())) == 400


def test_chains_speak_for_the_region_they_stay_in():
    from bayesmix.sampling.pool import chains_in

    where = np.array([[1] * 10, [1] * 10, [1] * 7 + [2] * 3, [2] * 10, [3] + [1] * 9])
    assert chains_in(where, 1).tolist() == [0, 1, 4]
    assert chains_in(where, 2).tolist() == [2, 3]
    assert chains_in(where[:, 1:], 3).tolist() == []


def test_labels_are_settled_within_every_mode(corners_dt):
    raw, region = corners_dt["raw_posterior"], corners_dt["raw_sample_stats"]["region"].to_numpy()
    for g in (1, 2):
        means = raw["means"].to_numpy()[region == g]
        widest = int(np.abs(means[:, 0] - means[:, 1]).mean(axis=0).argmax())
        assert means[:, 0, widest].std() < 1.0
        assert np.sign(means[:, 0, widest]).std() == 0


def test_a_comparison_says_that_its_means_are_over_separate_modes(corners, corners_dt, faithful_em, faithful_dt):
    found = bm.compare(bm.fit_em(*corners), corners_dt)
    assert found.separate_modes
    assert "separate modes" in str(found)
    assert "separate modes" not in str(bm.compare(faithful_em, faithful_dt))


def test_relabelling_moves_the_draws_as_they_were_made_too(corners_dt):
    shuffled = corners_dt.copy()
    shuffled["raw_posterior"] = xr.DataTree(flipped(corners_dt["raw_posterior"].to_dataset()))
    shuffled["posterior"] = xr.DataTree(flipped(corners_dt["posterior"].to_dataset()))
    again = bm.relabel(shuffled)
    for name in ("posterior", "raw_posterior"):
        xr.testing.assert_allclose(again[name]["means"], corners_dt[name]["means"])
    picked = again["sample_stats"]["raw_draw"].to_numpy()
    flat = again["raw_posterior"]["means"].to_numpy().reshape(-1, 2, 2)
    np.testing.assert_array_equal(flat[picked], again["posterior"]["means"].to_numpy())


def flipped(draws):
    """Every draw with its two components exchanged."""
    return draws.assign(
        {
            v: a.isel(component=[1, 0]).assign_coords(component=a["component"])
            for v, a in draws.items()
            if "component" in a.dims
        }
    )


def test_unknown_masses_lose_no_draws(rng):
    from bayesmix.multimodality.bridge import UNKNOWN
    from bayesmix.multimodality.masses import masses
    from bayesmix.sampling.pool import Settled, resampled

    where = np.repeat([[1], [2]], 100, axis=1)
    index = resampled(Settled({1: 1, 2: 2}, masses({1: UNKNOWN, 2: UNKNOWN}), where), 100, rng)
    assert (where.ravel()[index] == 1).sum() == 50


def test_pieces_in_passing_link_nothing(faithful_dt):
    from bayesmix.multimodality.regions import pieces_apart
    from bayesmix.posterior.record import Record

    posterior, lp = faithful_dt["posterior"].to_dataset(), faithful_dt["sample_stats"].to_dataset()["lp"]
    likelihood = Record.of(faithful_dt).likelihood
    assert pieces_apart(likelihood, posterior, lp) == (1, 1, 1, 1)
    moved = posterior["means"].to_numpy().copy()
    moved[2] *= 1.5  # elsewhere
    moved[3, 200:] *= 1.5  # there and back, half and half
    apart = posterior.assign(means=(posterior["means"].dims, moved))
    assert pieces_apart(likelihood, apart, lp) == (1, 1, 2, 0)


def test_draws_within_a_region_keep_their_order():
    from bayesmix.checks.convergence import within

    draws = xr.Dataset({"a": (("chain", "draw"), np.arange(10.0).reshape(2, 5))})
    where = np.array([[1, 2, 1, 1, 2], [1, 1, 2, 2, 2]])
    assert within(draws, where, np.array([0, 1]), 1)["a"].to_numpy().tolist() == [[0.0, 2.0], [5.0, 6.0]]


def scouts(groups, shares):
    from bayesmix.multimodality.bridge import LogIntegral
    from bayesmix.multimodality.masses import Mass
    from bayesmix.sampling.scouts import Scouts

    mode = PosteriorMode(np.zeros(1), {}, 0.0, 0.0, np.eye(1), np.ones((1, 1)), np.ones(1))
    modes = [replace(mode, region=g) for g in groups]
    mass = {g + 1: Mass(p, 0.0 * p, LogIntegral(0.0, 0.01, True)) for g, p in enumerate(shares)}
    return Scouts(modes, {}, None, mass, {})


@pytest.mark.parametrize(
    ("shares", "expected"),
    [([], [1] * 4), ([0.9995, 0.0005], [1] * 4), ([0.9, 0.1], [1] * 4 + [2] * 2), ([0.5, 0.5], [1, 1, 2, 2])],
)
def test_every_region_that_matters_has_two_chains(shares, expected):
    assert scouts([1, 2], shares).allocate(4).tolist() == expected


def test_a_region_of_unknown_mass_is_sampled():
    assert scouts([1, 2], [1.0, float("nan")]).allocate(4).tolist() == [1, 1, 1, 1, 2, 2]


def test_chains_begin_at_the_modes_of_their_region():
    assert scouts([1, 2, 1, 1], []).starts(np.array([1] * 6)).tolist() == [0, 2, 0, 3, 0, 2]
    assert scouts([1, 2, 1], []).starts(np.array([1, 1, 2, 2])).tolist() == [0, 2, 1, 1]


@dataclass(frozen=True)
class Fake:
    """A runner whose chains draw their own number, and stop early in a region that is asked for."""

    seed: int = 1
    whitening: object = None
    stops: object = None

    def __call__(self, begin, *, draws):
        done = draws // 2 if self.whitening == self.stops else draws
        shape = (len(begin), done)
        values = {"a": (("chain", "draw"), np.full(shape, float(self.seed)))}
        logp = {"logp": (("chain", "draw"), np.zeros(shape))}
        return xr.DataTree.from_dict({"posterior": xr.Dataset(values), "sample_stats": xr.Dataset(logp)})


def test_chains_of_several_regions_are_put_side_by_side():
    both = replace(scouts([1, 2], [0.5, 0.5]), whitening={1: "first", 2: "second"}, ends={})
    group = np.array([1, 1, 2, 2])
    raw = both.sample(Fake(), group, both.starts(group), draws=6)
    assert raw["posterior"]["a"].to_numpy()[:, 0].tolist() == [1.0, 1.0, 2.0, 2.0]
    assert raw["posterior"]["chain"].to_numpy().tolist() == [0, 1, 2, 3]
    stopped = both.sample(Fake(stops="first"), group, both.starts(group), draws=6)
    assert dict(stopped["posterior"].sizes) == {"chain": 2, "draw": 3}


def test_masses_and_their_errors():
    from bayesmix.multimodality.bridge import LogIntegral
    from bayesmix.multimodality.masses import masses

    found = masses({1: LogIntegral(np.log(3.0), 0.03, True), 2: LogIntegral(0.0, 0.04, True)})
    assert found[1].share == pytest.approx(0.75)
    assert found[1].error == pytest.approx(0.75 * 0.25 * 0.05)
    assert found[2].error == pytest.approx(found[1].error)
    unknown = masses({1: LogIntegral(0.0, 0.03, True), 2: LogIntegral(0.0, 0.5, False)})
    assert not unknown[1].established
    assert unknown[2].matters
    tiny = masses({1: LogIntegral(0.0, 0.03, True), 2: LogIntegral(-20.0, 0.5, False)})
    assert tiny[1].established


def test_laplace_is_exact_for_a_normal_and_bounded_at_a_saddle():
    precision = np.diag([4.0, 9.0])
    exact = np.log(2 * np.pi) - 0.5 * np.log(36)
    assert laplace(0.0, precision) == pytest.approx(exact)
    assert laplace(0.0, np.diag([4.0, -1e-9])) == pytest.approx(np.log(2 * np.pi) - 0.5 * np.log(4e-9 * 0.01))


def test_similarity_ignores_labels(rng):
    r = rng.dirichlet(np.ones(3), 50)
    assert similarity(r, r[:, [2, 0, 1]], np.zeros(3, int)) == pytest.approx(1)
    assert similarity(r, r[:, [2, 0, 1]], np.arange(3)) < 0.95


def test_interrupted_runs_keep_the_chains_that_finished(faithful_compiled):
    run = Runner(faithful_compiled, 1, 1)
    x = faithful_compiled.start({})
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
    [
        ("draws", 0),
        ("draws", 2.5),
        ("chains", 0),
        ("tune", 0),
        ("target_accept", 1.0),
        ("target_accept", "x"),
        ("log_likelihood", "x"),
    ],
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


def test_an_extension_is_known_by_its_model_and_its_variables_are_watched(zip_counts):
    import pymc as pm

    model = bm.build(*zip_counts)
    with model:
        pm.Normal("extra", 0.0, 1.0, shape=2)
    compiled = CompiledModel(model)
    with pytest.raises(ValueError, match="compiled: is another model"):
        bm.sample(*zip_counts, model=bm.build(*zip_counts), compiled=compiled)
    dt = bm.sample(*zip_counts, compiled=compiled, **SHORT)
    assert "extra[1]" in bm.diagnose(dt).parameters.index
    with pytest.raises(ValueError, match="extension"):
        bm.log_evidence(dt)
    apart = dt["posterior"]["extra"].copy()
    apart[0] += 100
    dt["posterior"]["extra"] = apart
    assert "r_hat" in {problem.name for problem in bm.diagnose(dt).problems}


def test_rows_that_stand_for_many_are_many(corners):
    spec, data = corners
    by_weight = bm.Data(data.x[::2], row_weights=np.full(len(data.x[::2]), 2.0))
    parts = graph(bind(bm.resolve(spec, data), by_weight))
    climber = Climber(CompiledModel(model_of(parts)), parts)
    mode = find_modes(climber, fit_starts(parts.likelihood, n_starts=2, seed=1))[0]
    assert mode.rows.sum() == pytest.approx(len(data))


def test_a_climb_from_a_spike_looks_for_no_known_end(faithful, faithful_compiled):
    """Covariances of rank 1: there are no responsibilities to compare."""
    spec, data = bm.resolve(*faithful), faithful[1]
    climber = Climber(faithful_compiled, graph(bind(spec, data)))
    mode = find_modes(climber, fit_starts(climber.parts.likelihood, n_starts=2, seed=1))[0]
    spike = mode.x.copy()
    spike[faithful_compiled.coordinates("partial_correlations_01")] = 40.0
    assert climber.climb_unless_known(spike, 1, [mode])[0].x is mode.x


def test_scouts_give_one_labelling(three_groups, three_groups_compiled, gaussian_1d_dt, rng):
    spec, data = bm.resolve(*three_groups), three_groups[1]
    climber = Climber(three_groups_compiled, graph(bind(spec, data)))
    draws = gaussian_1d_dt["posterior"].sizes
    order = np.array([rng.permutation(3) for _ in range(draws["chain"])])[:, None].repeat(draws["draw"], axis=1)
    shuffled = apply(gaussian_1d_dt, order)["posterior"].to_dataset()
    found = _in_one_labelling(climber, shuffled, gaussian_1d_dt["sample_stats"]["lp"])
    spread = found["means"].std(("chain", "draw")).to_numpy()
    assert (spread < 2 * gaussian_1d_dt["posterior"]["means"].std(("chain", "draw")).to_numpy()).all()
    assert found["means"].isel(draw=0).to_numpy() == pytest.approx(
        np.sort(shuffled["means"].isel(draw=-1).to_numpy(), axis=1)
    )


def test_draws_of_an_older_file_are_not_relabelled_wrongly(corners_dt):
    older = corners_dt.copy()
    older["sample_stats"] = xr.DataTree(corners_dt["sample_stats"].to_dataset().drop_vars("raw_draw"))
    assert len(set(bm.diagnose(older).chain_groups)) == 2
    with pytest.raises(ValueError, match="sample again"):
        bm.relabel(older, "stephens")


def test_divergent_draws_of_visitors_count(corners_dt):
    moved = corners_dt.copy()
    statistics = corners_dt["raw_sample_stats"].to_dataset().copy(deep=True)
    here = int(statistics["region"][0, 0])
    statistics["region"][0, -20:] = 3 - here
    statistics["diverging"][0, -20:] = True
    moved["raw_sample_stats"] = xr.DataTree(statistics)
    assert bm.diagnose(moved).sampler["divergences"] == 20
