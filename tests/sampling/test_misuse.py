"""What people do by mistake: one clear error, before anything compiles."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.inputs.errors import explained
from bayesmix.sampling.rescue import keep

SPEC = bm.Mixture("gaussian", n_components=2)
FRAME = pd.DataFrame({"a": [1.0, 2.0, 8.0, 9.0], "b": [1.0, 3.0, 7.0, 9.5]})


@pytest.mark.parametrize("call", [bm.fit_em, bm.build, bm.resolve, bm.sample])
def test_a_frame_in_place_of_data_and_swapped_arguments(call):
    with pytest.raises(ValueError, match=r"data: must be a bm\.Data"):
        call(SPEC, FRAME)
    with pytest.raises(ValueError, match=r"spec: must be a bm\.Mixture"):
        call(bm.Data(FRAME), SPEC)


def test_a_point_estimate_in_place_of_a_posterior(faithful_em, faithful_dt, tmp_path):
    for call in (bm.diagnose, bm.loo, lambda fit: bm.compare(fit, fit), lambda fit: bm.save(fit, tmp_path / "x.nc")):
        with pytest.raises(ValueError, match="a DataTree; got a EMFit"):
            call(faithful_em)
    with pytest.raises(ValueError, match=r"must be a bm\.Data"):
        bm.responsibilities(faithful_em, data=FRAME)


def test_a_model_of_other_rows_is_refused(faithful, faithful_model):
    spec, data = faithful
    with pytest.raises(ValueError, match="model: its x_data is not that of spec and data"):
        bm.sample(spec, data.take(np.arange(100)), model=faithful_model)


def test_saving_where_nothing_can_be_saved(faithful_dt, tmp_path):
    for path in (tmp_path, tmp_path / "no" / "fit.nc"):
        with pytest.raises(ValueError, match="a folder that exists"):
            bm.save(faithful_dt, path)
    with pytest.raises(ValueError, match="is a folder"):
        bm.load_fit(tmp_path)


def test_probability_columns_are_matched_to_classes_by_name():
    table = pd.DataFrame({"u": [0.9] * 4, "v": [0.1] * 4})
    evidence = bm.Data(FRAME, labels=table, classes=["v", "u"]).evidence(("v", "u"))
    np.testing.assert_allclose(np.exp(evidence[0]), [0.1, 0.9])
    with pytest.raises(ValueError, match="classes are u, w"):
        bm.Data(FRAME, labels=table, classes=["u", "w"])


def test_other_things_that_are_no_labels_or_numbers():
    assert bm.Data(FRAME, labels=[pd.NaT, "a", None, "a"]).classes == ("a",)
    with pytest.raises(ValueError, match="labels: must be a sequence"):
        bm.Data(FRAME, labels=1)
    with pytest.raises(ValueError, match="got times"):
        bm.Data(pd.Series(pd.date_range("2020", periods=3)))


def test_counts_that_are_all_zero_are_called_degenerate():
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson"), bm.Data(np.zeros(40)), n_starts=2)
    assert "all counts are 0" in em.reasons[0]


def test_levels_that_never_occur_are_dropped():
    rng = np.random.default_rng(0)
    kind = pd.Categorical(["u", "v"] * 20, categories=["u", "v", "never"])
    frame = pd.DataFrame({"y": rng.poisson(2, 40), "kind": kind})
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson", rate="1 + kind"), bm.Data(frame, response="y"), n_starts=2)
    assert em.params["rate_term"].to_numpy().tolist() == ["Intercept", "kind[T.v]"]


@pytest.mark.parametrize("offset", [0.0, 1e5, 1e7])
def test_a_covariate_far_from_zero_gives_the_same_fit(offset):
    rng = np.random.default_rng(3)
    c = rng.normal(size=300)
    y = np.where(rng.random(300) < 0.3, 0, rng.poisson(np.exp(1 + 0.5 * c)))
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + c")
    em = bm.fit_em(spec, bm.Data(pd.DataFrame({"y": y, "c": c + offset}), response="y"), n_starts=2)
    reference = bm.fit_em(spec, bm.Data(pd.DataFrame({"y": y, "c": c}), response="y"), n_starts=2)
    assert em.converged
    assert em.log_likelihood == pytest.approx(reference.log_likelihood, abs=1e-4)
    slope, expected = (float(fit.params["rate_coef"].sel(rate_term="c")) for fit in (em, reference))
    assert slope == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("error", [np.linalg.LinAlgError("Singular matrix"), RuntimeError("no"), OverflowError("big")])
def test_failures_below_say_what_to_do(error):
    words = f"climbing failed .{type(error).__name__}.*collinear columns"
    with pytest.raises(bm.FitError, match=words), explained("climbing"):
        raise error
    with pytest.raises(ValueError, match="^bad input$"), explained("climbing"):
        raise ValueError("bad input")


def test_draws_outlive_a_failure_after_them(faithful, faithful_compiled, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise KeyError("planted")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bayesmix.sampling.by_chains.pool", fail)
    few = {"draws": 20, "tune": 20, "chains": 2, "n_starts": 2, "progress": False}
    with pytest.raises(bm.FitError, match="a step after them failed .KeyError: 'planted'.; they are in") as caught:
        bm.sample(*faithful, compiled=faithful_compiled, **few)
    (file,) = tmp_path.iterdir()
    assert str(file) in str(caught.value)
    kept = xr.open_datatree(file)
    assert dict(kept["posterior"]["means"].sizes) == {"chain": 2, "draw": 20, "component": 2, "feature": 2}


def test_draws_are_kept_under_names_that_no_file_format_knows(monkeypatch, tmp_path):
    """And where the working folder cannot be written, among the temporary files."""
    draws = xr.DataTree.from_dict({"posterior": xr.Dataset({"km": ("draw", [1.0, 2.0], {"unit": object()})})})
    monkeypatch.chdir(tmp_path)
    assert np.load(keep(draws))["posterior.km"].tolist() == [1.0, 2.0]
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("bayesmix.sampling.rescue.Path.cwd", lambda: tmp_path / "gone")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    assert keep(draws).parent == tmp_path / "temporary"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "gone"))
    with pytest.raises(bm.FitError, match="could not be kept"):
        keep(draws)


def test_a_climb_that_finds_no_mode_says_what_to_do(faithful, faithful_compiled, monkeypatch):
    monkeypatch.setattr(
        "bayesmix.multimodality.maxima.Climber.climb_unless_known", lambda self, x, starts, known: known
    )
    with pytest.raises(bm.FitError, match="no posterior mode was found.*use fewer components"):
        bm.sample(*faithful, compiled=faithful_compiled, n_starts=1, progress=False)
