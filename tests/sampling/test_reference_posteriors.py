"""The reference posterior: its committed numbers agree, and a run of today agrees with them."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy.stats import norm

import bayesmix as bm
from benchmarks.reference_posteriors.page import page, pairs
from benchmarks.reference_posteriors.runs import NAME, run_ours, textbook
from benchmarks.reference_posteriors.summary import LIMIT, STATISTICS, distances, farthest, summarise

FOLDER = Path(__file__).parents[2] / "benchmarks" / "reference_posteriors"
DONE = json.loads((FOLDER / "results.json").read_text())
INTERPRETED = Mode(linker="py", optimizer=None)


def test_all_runs_are_there():
    ours = {f"{kind} {seed}" for kind in ("ordered", "relabelled") for seed in range(1, 6)}
    assert set(DONE) == {"textbook", "posteriordb"} | ours
    for name in ours:
        assert DONE[name]["environment"]["seed"] == int(name[-1])
    assert {s for run in DONE.values() for one in run["summary"].values() for s in one} == set(STATISTICS)


@pytest.mark.parametrize(("a", "b"), list(pairs(DONE)))
def test_committed_runs_agree(a, b):
    value, where = farthest(DONE[a]["summary"], DONE[b]["summary"])
    assert value < LIMIT, where


def test_the_page_says_what_the_numbers_say():
    assert (FOLDER / "RESULTS.md").read_text() == page(DONE)


def test_posteriordb_is_as_its_own_summary_says():
    """Means and Monte Carlo errors as in posteriordb's summary_statistics/mean_value."""
    published = {
        "means[component_1, x]": (-2.73351447451795, 0.0004164428422851),
        "means[component_2, x]": (2.86983188566572, 0.000559642756180628),
        "scales[component_1, x]": (1.02807388317639, 0.000315855160487549),
        "scales[component_2, x]": (1.0238215386158, 0.000414631666695789),
        "weights[component_1]": (0.621549344358064, 0.000154376331059873),
    }
    for name, (mean, error) in published.items():
        ours = DONE["posteriordb"]["summary"][name]["mean"]
        assert ours[0] == pytest.approx(mean, rel=1e-12)
        assert ours[1] == pytest.approx(error, rel=0.02)


def test_errors_of_independent_normal_draws(rng):
    """sd / sqrt(n), sd / sqrt(2 n), sqrt(p (1 - p) / n) / density: the formulas for independent draws."""
    n = 40_000
    draws = xr.DataArray(rng.normal(3, 2, (4, n // 4, 1)), dims=("chain", "draw", "scalar"), coords={"scalar": ["a"]})
    found = summarise(draws)["a"]
    tail = norm.ppf(0.05)
    expected = {
        "mean": (3.0, 2 / np.sqrt(n)),
        "sd": (2.0, 2 / np.sqrt(2 * n)),
        "5%": (3 + 2 * tail, 2 * np.sqrt(0.05 * 0.95 / n) / norm.pdf(tail)),
        "95%": (3 - 2 * tail, 2 * np.sqrt(0.05 * 0.95 / n) / norm.pdf(tail)),
    }
    for statistic, (value, error) in expected.items():
        assert found[statistic][0] == pytest.approx(value, abs=4 * error)
        assert found[statistic][1] == pytest.approx(error, rel=0.25)


def test_distances_are_in_combined_errors():
    one = {"a": dict.fromkeys(STATISTICS, (1.0, 0.3))}
    other = {"a": dict.fromkeys(STATISTICS, (2.0, 0.4)) | {"sd": (4.0, 0.4)}}
    assert distances(one, other)["a", "mean"] == pytest.approx(-2.0)
    assert farthest(one, other) == (pytest.approx(6.0), "sd of a")
    with pytest.raises(ValueError, match="parameters"):
        distances(one, {"b": {}})


def log_density(model, **values):
    """At a point of the constrained variables, without compiling."""
    point = {}
    for name, value in values.items():
        rv = model[name]
        transform = model.rvs_to_transforms[rv]
        moved = value if transform is None else transform.forward(value, *rv.owner.inputs).eval()
        point[model.rvs_to_values[rv].name] = np.asarray(moved)
    density = model.compile_fn(model.logp(jacobian=False), inputs=model.value_vars, mode=INTERPRETED)
    return float(density(point))


def test_the_textbook_model_has_the_gallerys_density(rng):
    """Up to a constant, at three points."""
    spec, data = bm.load(NAME)
    models = textbook(data.x[:, 0]), bm.build(spec, data)
    gaps = []
    for _ in range(3):
        w, mu, sd = rng.dirichlet([5, 5]), np.sort(rng.normal(0, 2, 2)), rng.uniform(0.5, 2, 2)
        a = log_density(models[0], weights=w, means=mu, scales=sd)
        b = log_density(models[1], weights=w, means=mu[:, None], scales=sd[:, None])
        gaps.append(a - b)
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-12, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("order", ["means", None])
def test_a_run_agrees_with_the_reference(order):
    found = run_ours(1, order=order, draws=1000)
    for reference in ("textbook", "posteriordb"):
        value, where = farthest(found, DONE[reference]["summary"])
        assert value < LIMIT, f"{reference}: {where}"
