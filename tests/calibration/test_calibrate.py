"""Calibration: exact laws against enumeration, quantities against SciPy, ranks of posteriors known by other means."""

import json
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import stats

import bayesmix as bm
from bayesmix import cli
from bayesmix.calibration import simulation, uniformity
from bayesmix.calibration.quantities import quantities
from bayesmix.calibration.ranks import rank
from bayesmix.calibration.simulation import Simulator
from bayesmix.mixture import scalars
from bayesmix.mixture.simulate import parameters_from_prior
from bayesmix.mixture.spec import bind
from bayesmix.plots import coverage, rank_ecdf
from naive import gaussian_log_joint, posterior_probabilities, total

COUNTS = {"rate_coef": bm.Prior("Normal", mu=1.0, sigma=0.7), "zero_coef": bm.Prior("Normal", mu=-0.5, sigma=1.0)}
PRIORS = {
    "weights": bm.Prior("Dirichlet", a=[2.0, 2.0]),
    "means": bm.Prior("Normal", mu=0.0, sigma=3.0),
    "scales": bm.Prior("LogNormal", mu=0.0, sigma=0.4),
    "correlations": bm.Prior("LKJ", eta=2.0),
}
PLANE = np.random.default_rng(1).normal(size=(12, 2))


@pytest.fixture
def counts():
    return bm.Mixture("zero_inflated_poisson", priors=COUNTS), bm.Data([0, 0, 3, 2, 0, 1])


@pytest.fixture
def plane():
    return bm.Mixture("gaussian", n_components=2, priors=PRIORS), bm.Data(PLANE)


# uniform ranks


@pytest.mark.parametrize(("n", "L"), [(1, 3), (3, 2), (4, 3)])
def test_the_law_of_the_statistic_is_exact(n, L):
    found = [uniformity.statistic(np.array(ranks), L) for ranks in product(range(L + 1), repeat=n)]
    for gamma in {float(f"{value:.9g}") * (1 + 1e-8) for value in found}:
        assert uniformity.p_value(n, L, gamma) == pytest.approx(np.mean(np.array(found) <= gamma), abs=1e-12)


def test_p_values_of_many_ranks_are_uniform_or_larger(rng):
    p = [uniformity.p_value(200, 255, uniformity.statistic(rng.integers(0, 256, 200), 255)) for _ in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_bands_hold_all_ranks_with_their_probability(rng):
    low, high = uniformity.band(100, 255, 0.2)
    counts = [np.bincount(rng.integers(0, 256, 100), minlength=256).cumsum()[:-1] for _ in range(2000)]
    inside = sum(bool(((c >= low) & (c <= high)).all()) for c in counts)
    assert stats.binomtest(inside, 2000, 0.8).pvalue > 1e-3


def test_ranks_count_the_draws_below_and_break_ties_at_random(rng):
    draws = np.column_stack([np.arange(255.0), np.repeat(1.0, 255)])
    ranks = np.array([rank(draws, np.array([99.5, 1.0]), rng) for _ in range(2000)])
    assert (ranks[:, 0] == 100).all()
    assert stats.kstest((ranks[:, 1] + rng.random(2000)) / 256, "uniform").pvalue > 1e-3


# quantities


def drawn(spec, data, n=7):
    likelihood = bind(spec, data)
    params = parameters_from_prior(likelihood, n, np.random.default_rng(5))
    centres = {label: 0.5 for *_, label in scalars.index_of(likelihood)}
    return likelihood, params, quantities(likelihood, params, centres)


def test_quantities_are_what_they_are_called(plane):
    _, params, found = drawn(*plane)
    labels = np.argsort(params["means"][:, :, 0], axis=1)
    for s in range(7):
        one = [params[v][s][labels[s]] for v in ("weights", "means", "covariances")]
        joint = gaussian_log_joint(PLANE, *one, np.zeros((12, 2)))
        assert found["weights[component_1]"][s] == one[0][0]
        assert found["means[component_2, x2]"][s] == one[1][1, 1]
        assert found["log_likelihood"][s] == pytest.approx(total(joint))
        assert found["weight_entropy"][s] == pytest.approx(stats.entropy(one[0]))
        row = np.argsort(PLANE[:, 0])[3]
        assert found["responsibility"][s] == pytest.approx(posterior_probabilities(joint)[row, 0])
        sd = np.sqrt(one[2][0, 0, 0])
        assert found["scales[component_1, x1]"][s] == pytest.approx(sd)
        product_ = (one[0][0] - 0.5) * (sd - 0.5)
        assert found["weights[component_1] x scales[component_1, x1]"][s] == pytest.approx(product_)


def test_log_prior_is_the_sum_of_the_densities(plane):
    _, params, found = drawn(*plane)
    sd = np.sqrt(np.einsum("skjj->skj", params["covariances"]))
    r = params["covariances"][..., 1, 0] / sd.prod(axis=-1)
    parts = [
        stats.dirichlet([2, 2]).logpdf(params["weights"].T),
        stats.norm(0, 3).logpdf(params["means"]).sum(axis=(1, 2)),
        stats.lognorm(0.4).logpdf(sd).sum(axis=(1, 2)),
        stats.beta(2, 2, -1, 2).logpdf(r).sum(axis=1),  # LKJ(2) of one pair
    ]
    np.testing.assert_allclose(np.diff(found["log_prior"]), np.diff(np.sum(parts, axis=0)), rtol=1e-9, atol=1e-9)


def test_labels_of_components_do_not_matter_unless_the_data_pin_them(plane):
    spec, data = plane
    likelihood, params, found = drawn(spec, data)
    swapped = {v: a[:, ::-1] for v, a in params.items()}
    centres = {label: 0.5 for *_, label in scalars.index_of(likelihood)}
    again = quantities(likelihood, swapped, centres)
    np.testing.assert_allclose([again[q] for q in found], [found[q] for q in found], rtol=1e-10)
    pinned = bind(spec, bm.Data(PLANE, labels=["a", "b"] + [None] * 10))
    centres = {label: 0.5 for *_, label in scalars.index_of(pinned)}
    values = quantities(pinned, params, centres)
    assert (values["means[a, x1]"] == params["means"][:, 0, 0]).all()


# what is refused


def test_open_priors_are_refused(plane):
    _, data = plane
    priors = {key: prior for key, prior in PRIORS.items() if key != "scales"}
    spec = bm.Mixture("gaussian", n_components=2, priors=priors)
    with pytest.raises(ValueError, match=r"the prior of 'scales' is not written out.*calibrate\(bm.resolve"):
        bm.calibrate(spec, data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"row_weights": np.full(12, 2.0)}, "row weights must be 1"),
        ({"labels": [{"a", "b"}] + [None] * 11}, "row 1 allows several"),
        ({"labels": [[0.5, 0.5]] + [[np.nan, np.nan]] * 11}, "row 1 allows several"),
        ({"labels": ["a"] + [None] * 11}, "component 'component_1' is no class"),
    ],
)
def test_designs_that_cannot_be_simulated_are_refused(plane, data, message):
    with pytest.raises(ValueError, match=message):
        bm.calibrate(plane[0], bm.Data(PLANE, **data))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_sims": 0}, "n_sims: must be a whole number >= 1; got 0"),
        ({"draws": 1.5}, "draws: must be a whole number"),
        ({"target_accept": 1}, "target_accept: not a setting of a fit; choose from draws, tune, chains, n_starts"),
        ({"cores": 0}, "cores: must be"),
    ],
)
def test_impossible_settings_are_refused(counts, settings, message):
    with pytest.raises(ValueError, match=message):
        bm.calibrate(*counts, **settings)


# ranks of posteriors that are known by other means


def resampled(simulator, data, *, informed=True):
    """Posterior draws without any Markov chain: 5,000 prior draws, resampled by their likelihood."""
    likelihood, rng = bind(simulator.spec, data), np.random.default_rng(int(data.x.sum()) + 1)
    params = parameters_from_prior(likelihood, 5000, rng)
    rate, zero = np.exp(params["rate_coef"]), 1 / (1 + np.exp(-params["zero_coef"]))
    x = data.x[:, 0]
    log_l = np.log(zero * (x == 0) + (1 - zero) * stats.poisson.pmf(x, rate)).sum(axis=1)
    weight = np.exp(log_l - log_l.max()) if informed else np.ones(5000)
    picked = rng.choice(5000, 255, p=weight / weight.sum())
    found = quantities(likelihood, {v: a[picked] for v, a in params.items()}, simulator.centres)
    return None, np.stack([found[name] for name in simulator.names], axis=-1), 255.0


@pytest.fixture
def no_chain(monkeypatch):
    """Fits are resampled prior draws; ``no_chain(informed=False)`` forgets the data."""

    def use(**options):
        monkeypatch.setattr(Simulator, "_fit", lambda self, data, likelihood, seed: resampled(self, data, **options))

    monkeypatch.setattr(simulation, "diagnose", lambda record, *, model: SimpleNamespace(problems=[], limits=[]))
    use()
    return use


QUIET = {"cores": 1, "progress": False}


def test_a_right_posterior_is_called_calibrated(counts, no_chain):
    result = bm.calibrate(*counts, n_sims=100, **QUIET)
    assert result.ok, str(result)
    assert result.verdict.startswith("Calibrated as far as 100 simulations can tell: the ranks of all 7 quantities")
    assert "Expected coverage: 50%: 0.500" in str(result)


def test_a_posterior_that_forgets_the_data_is_found_by_the_log_likelihood(counts, no_chain):
    no_chain(informed=False)
    result = bm.calibrate(*counts, n_sims=100, **QUIET)
    assert not result.ok
    assert result.problems[0].name == "log_likelihood"
    assert result.table.loc["rate_coef[Intercept]", "adjusted"] > 0.01  # the prior is calibrated


def test_a_stopped_run_is_carried_on(counts, no_chain, tmp_path):
    whole = bm.calibrate(*counts, n_sims=8, **QUIET)
    bm.calibrate(*counts, n_sims=3, folder=tmp_path, **QUIET)
    (file,) = tmp_path.glob("*.jsonl")
    with file.open("a") as torn:
        torn.write('{"simulation": 3, "ran')
    before = file.read_text().splitlines()[:4]
    result = bm.calibrate(*counts, n_sims=8, folder=tmp_path, **QUIET)
    assert file.read_text().splitlines()[:4] == before
    pd.testing.assert_frame_equal(result.ranks, whole.ranks)
    pd.testing.assert_frame_equal(bm.Calibration.load(file).ranks, whole.ranks)
    other = bm.calibrate(*counts, n_sims=8, seed=2, folder=tmp_path, **QUIET)
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    assert (other.ranks != whole.ranks).any().any()


def test_fits_that_do_not_finish_are_told_and_tried_again(counts, no_chain, tmp_path, monkeypatch):
    right = Simulator._fit

    def breaks(self, data, likelihood, seed):
        if data.x.sum() > 4:
            raise RuntimeError("no mode")
        return right(self, data, likelihood, seed)

    monkeypatch.setattr(Simulator, "_fit", breaks)
    result = bm.calibrate(*counts, n_sims=12, folder=tmp_path, **QUIET)
    failed = sum("error" in record for record in result.records)
    assert 0 < failed < 12
    assert len(result.ranks) == 12 - failed
    assert result.problems[-1].name == "unfinished"
    assert f"{failed} of 12 fits did not finish, the first with RuntimeError: no mode" in result.verdict
    monkeypatch.setattr(Simulator, "_fit", right)
    assert len(bm.calibrate(*counts, n_sims=12, folder=tmp_path, **QUIET).ranks) == 12


def test_nothing_finished(counts, no_chain, monkeypatch):
    monkeypatch.setattr(Simulator, "_fit", lambda *_: 1 / 0)
    result = bm.calibrate(*counts, n_sims=2, **QUIET)
    assert [problem.name for problem in result.problems] == ["unfinished"]
    assert "2 of 2 fits did not finish" in str(result)


# the result


def made(ranks, names=("a", "b")):
    """A result with these ranks (n, quantities)."""
    header = {"quantities": list(names), "seed": 1, "settings": {}, "versions": {}, "began": "today", "spec": {}}
    record = {"ess": 500.0, "draws": 1000, "problems": ["r_hat"], "seconds": 0.1}
    return bm.Calibration(header, [{"simulation": i, "ranks": list(map(int, r))} | record for i, r in enumerate(ranks)])


def test_coverage_counts_the_ranks_inside():
    ranks = np.column_stack([np.arange(256), np.full(256, 63)])
    table = made(ranks).coverage
    assert table[0.5]["observed"].tolist() == [0.5, 0.0]
    assert table[0.8]["observed"].tolist() == [204 / 256, 1.0]
    assert table[0.8]["expected"].tolist() == [204 / 256] * 2
    assert table[0.95]["error"].iloc[0] == pytest.approx(np.sqrt(244 / 256 * 12 / 256 / 256))


def test_one_wrong_quantity_is_named(rng):
    result = made(np.column_stack([rng.integers(0, 256, 300), rng.integers(0, 220, 300)]))
    assert [problem.name for problem in result.problems] == ["b"]
    assert "Not calibrated. The ranks of b are not uniform" in result.verdict
    assert "flagged 300 of 300 fits (r_hat 300)" in str(result)
    assert result.first(20).ranks.shape == (20, 2)


def test_save_and_load(tmp_path, rng):
    result = made(rng.integers(0, 256, (5, 2)))
    again = bm.Calibration.load(result.save(tmp_path / "c.jsonl"))
    assert (again.records, again.header) == (result.records, result.header)
    (tmp_path / "d.jsonl").write_text(json.dumps({"a": 1}))
    with pytest.raises(ValueError, match=r"d.jsonl is no file of calibration records"):
        bm.Calibration.load(tmp_path / "d.jsonl")


def test_pictures_show_the_ranks(rng):
    ranks = np.column_stack([rng.integers(0, 256, 300), rng.integers(0, 200, 300)])
    result = made(ranks)
    axes = rank_ecdf(result).axes
    lines = [next(line for line in ax.lines if line.get_gid() == "difference") for ax in axes[:2]]
    places = np.arange(1, 256) / 256
    for j, line in enumerate(lines):
        ecdf = stats.ecdf(ranks[:, j] + 1).cdf.evaluate(256 * places)
        np.testing.assert_allclose(line.get_ydata(), ecdf - places, atol=1e-12)
    assert lines[0].get_color() != lines[1].get_color() == "#D55E00"
    shown = [line for ax in coverage(result).axes for line in ax.lines if line.get_gid() == "coverage 0.5"]
    assert shown[0].get_xdata().tolist() == result.coverage[0.5]["observed"].tolist()


# the command


@pytest.mark.parametrize(("upper", "code"), [(256, 0), (128, 1)])
def test_command(upper, code, tmp_path, monkeypatch, rng):
    result = made(rng.integers(0, upper, (200, 2)))
    asked = {}

    def calibrate(spec, data, **options):
        asked.update(options, spec=spec)
        options["folder"].mkdir()
        return result

    monkeypatch.setattr("bayesmix.calibration.calibrate.calibrate", calibrate)
    out = tmp_path / "out"
    answer = CliRunner().invoke(
        cli.main, ["calibrate", "old_faithful", "--sims", "7", "--seed", "3", "--out", str(out)]
    )
    assert answer.exit_code == code, answer.output
    assert result.verdict in answer.output
    assert (asked["n_sims"], asked["seed"], asked["folder"]) == (7, 3, out)
    assert set(asked["spec"].priors) == {"weights", "means", "scales", "correlations"}
    assert {path.name for path in out.iterdir()} == {"calibration.txt", "ranks.png", "coverage.png"}


def test_command_refuses_a_file_as_folder(tmp_path):
    (tmp_path / "out").write_text("")
    answer = CliRunner().invoke(cli.main, ["calibrate", "old_faithful", "--out", str(tmp_path / "out")])
    assert answer.exit_code == 2
    assert "is a file; give a folder" in answer.output


# with NUTS


def test_real_fits(counts):
    result = bm.calibrate(*counts, n_sims=4, draws=300, **QUIET)
    assert result.ranks.shape == (4, 7)
    assert all(record["ess"] >= 400 or record["draws"] > 1200 for record in result.records)
    exact = np.stack([Simulator(*counts, 1).draw(i)[1].x[:, 0] for i in range(4)])
    assert len({tuple(x) for x in exact}) > 1


@pytest.mark.slow
def test_processes_draw_what_one_process_draws(counts):
    few = {"n_sims": 6, "draws": 300, "progress": False}
    alone, together = (bm.calibrate(*counts, cores=cores, **few) for cores in (1, 2))
    pd.testing.assert_frame_equal(alone.ranks, together.ranks)


@pytest.mark.parametrize("n", [1, 2, 10])
def test_a_handful_of_simulations_says_so_and_has_its_band(n):
    low, high = uniformity.band(n, 255, 0.01 / 7)
    assert (low == 0).mean() > 0.5
    assert (high == n).mean() > 0.5
    assert (low <= high).all()
