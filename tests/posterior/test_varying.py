"""What ArviZ sees of a posterior varies; what does not is whole in ``derived``; files of before are read."""

import json

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
import exact
from bayesmix.mixture.spec import bind
from bayesmix.posterior.record import Record
from bayesmix.posterior.varying import by_variation

KINDS = ("full", "tied", "diag", "spherical")
CHAINS, DRAWS = 2, 60


def params(rng, K, d, kind):
    """Random weights, means and covariances of a kind, by draw."""
    S, pooled = CHAINS * DRAWS, kind == "tied"
    A = rng.normal(size=(S, 1 if pooled else K, d, d)) + 2 * np.eye(d)
    full = np.broadcast_to(A @ np.swapaxes(A, -1, -2), (S, K, d, d))
    variances = np.einsum("skjj->skj", full)
    variances = variances if kind == "diag" else np.broadcast_to(variances[..., :1], variances.shape)
    covariances = full if kind in ("full", "tied") else variances[..., None] * np.eye(d)
    return {
        "weights": rng.dirichlet(np.ones(K), S),
        "means": rng.normal(size=(S, K, d)),
        "covariances": np.array(covariances),
    }


def drawn(rng, K, d, kind, **more):
    """All of the model's variables as the sampler would return them, without sampling, and the mixture's likelihood."""
    labels = more.pop("labels", None)
    frame = pd.DataFrame(rng.normal(size=(20, d)), columns=[f"x{j}" for j in range(d)])
    data = bm.Data(frame, labels)
    spec = bm.resolve(bm.Mixture("gaussian", n_components=K, covariance=kind, **more), data)
    likelihood = bind(spec, data)
    truth = params(rng, K, d, kind)
    if spec.order == "means":
        truth["means"] = np.sort(truth["means"], axis=1)
    named = likelihood.named(truth)
    variables = {
        v: (("chain", "draw", *dims), named[v].reshape(CHAINS, DRAWS, *named[v].shape[1:]))
        for v, dims in likelihood.dims.items()
    }
    draws = {"chain": np.arange(CHAINS), "draw": np.arange(DRAWS)}
    posterior = xr.Dataset(variables, coords=likelihood.coords | draws)
    statistics = {v: (("chain", "draw"), rng.normal(size=(CHAINS, DRAWS))) for v in ("lp", "log_likelihood")}
    dt = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset(statistics, coords=draws)})
    dt["input"] = xr.DataTree(data.to_dataset())
    dt.attrs["spec"] = json.dumps(spec.to_dict())
    return dt, likelihood, truth


def arviz_reads(dt, *, plots=True):
    """ArviZ's calls without arguments; no number of the summary is missing."""
    if plots:
        with az.rc_context({"plot.max_subplots": None}):  # ArviZ draws 40 panels unless told otherwise
            az.plot_dist(dt)
            az.plot_trace_dist(dt)
            plt.close("all")
    table = az.summary(dt)
    assert np.isfinite(table.astype(float).to_numpy()).all()
    return table


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("K", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_arviz_reads_a_posterior_as_it_is(kind, K, d, rng):
    whole, likelihood, truth = drawn(rng, K, d, kind)
    dt = by_variation(whole, likelihood)
    arviz_reads(dt, plots=(K + d) % 2 == 0)  # half of the cases, as drawing takes seconds
    zeros = d > 1 and kind in ("diag", "spherical")
    assert set(likelihood.unvarying) == {*(["weights"] if K == 1 else []), *(["covariances"] if zeros else [])}
    assert set(dt["posterior"].data_vars) == set(likelihood.dims) - set(likelihood.unvarying)
    for name in likelihood.unvarying:
        xr.testing.assert_allclose(dt["derived"][name], whole["posterior"][name])
    for name, values in Record.of(dt).params.items():
        np.testing.assert_allclose(values, truth[name], rtol=1e-12, atol=1e-12)


def test_order_and_labels_leave_no_constants(rng):
    for dt, likelihood, _ in (
        drawn(rng, 2, 1, "full", order="means"),
        drawn(rng, 3, 2, "full", labels=["a", "b"] * 10),
    ):
        assert len(arviz_reads(by_variation(dt, likelihood)))


def test_sampled_posteriors_are_read_as_they_are(zip_dt, faithful_dt):
    for dt in (zip_dt, faithful_dt):
        assert "derived" not in dt.children
        arviz_reads(dt)
    assert "correlations[component_1, waiting ~ eruptions]" in az.summary(faithful_dt).index


@pytest.mark.parametrize("kind", ["diag", "spherical"])
def test_derived_variables_go_with_the_labels(kind, rng):
    whole, likelihood, truth = drawn(rng, 3, 2, kind)
    dt = bm.relabel(by_variation(whole, likelihood))
    order = dt["relabelling"]["permutation"].to_numpy().reshape(-1, 3)
    assert (order != np.arange(3)).any()
    moved = np.stack([S[o] for S, o in zip(truth["covariances"], order, strict=True)])
    held = dt["derived"]["covariances"].to_numpy()
    np.testing.assert_allclose(held, moved.reshape(held.shape), rtol=1e-12)
    assert "covariances" not in dt["posterior"]


def test_chains_as_they_were_made_have_no_constants_either(rng):
    whole, likelihood, _ = drawn(rng, 2, 2, "diag")
    whole["raw_posterior"] = whole["posterior"]
    dt = by_variation(whole, likelihood)
    assert set(dt["raw_posterior"].data_vars) == {"weights", "means", "scales"}
    assert "feature_bis" not in dt["posterior"].coords


@pytest.mark.parametrize("kind", KINDS)
def test_a_posterior_comes_back_from_its_file(kind, rng, tmp_path):
    whole, likelihood, _ = drawn(rng, 1, 2, kind)
    dt = by_variation(whole, likelihood)
    back = bm.load_fit(bm.save(dt, tmp_path / "fit.nc"))
    xr.testing.assert_identical(back, dt)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_before_is_read_in_the_layout_of_today(kind, rng, tmp_path):
    """It held whole correlation matrices, in the posterior and in the table of modes, and every constant."""
    whole, likelihood, truth = drawn(rng, 2, 3, kind)
    today, old = by_variation(whole, likelihood), whole.copy()
    if "correlations" in likelihood.dims:
        sd = np.sqrt(np.einsum("skjj->skj", truth["covariances"]))
        R = truth["covariances"] / (sd[..., :, None] * sd[..., None, :])
        R = R[:, 0] if kind == "tied" else R
        dims = (*likelihood.dims["correlations"][:-1], "feature", "feature_bis")
        matrices = (("chain", "draw", *dims), R.reshape(CHAINS, DRAWS, *R.shape[1:]))
        posterior = whole["posterior"].to_dataset().drop_dims("pair")
        old["posterior"] = xr.DataTree(posterior.assign(correlations=matrices))
        coords = {d: likelihood.coords[d] for d in dims}
        old["modes"] = xr.DataTree(xr.Dataset({"correlations": (("mode", *dims), R[:1])}, coords=coords))
    back = bm.load_fit(bm.save(old, tmp_path / "fit.nc"))
    assert set(back["posterior"].data_vars) == set(today["posterior"].data_vars)
    xr.testing.assert_allclose(back["posterior"].to_dataset(), today["posterior"].to_dataset())
    assert ("derived" in back.children) == bool(likelihood.unvarying)
    if "correlations" in likelihood.dims:
        first = today["posterior"]["correlations"][0, 0].to_numpy()
        np.testing.assert_allclose(back["modes"]["correlations"][0], first, rtol=1e-12)


@pytest.mark.slow
def test_one_diagonal_component_is_sampled_and_read(rng):
    """Its weight is 1 and its covariance matrix has zeros: only means and scales vary."""
    data = bm.Data(rng.normal([0.0, 5.0], [1.0, 3.0], (30, 2)))
    priors = {"means": bm.Prior("Normal", mu=1.0, sigma=4.0), "scales": bm.Prior("LogNormal", mu=0.5, sigma=0.7)}
    spec = bm.Mixture("gaussian", n_components=1, covariance="diag", priors=priors)
    dt = bm.sample(spec, data, draws=500, chains=2, progress=False)
    assert list(arviz_reads(dt).index) == [f"{v}[component_1, {x}]" for v in ("means", "scales") for x in ("x1", "x2")]
    scales = dt["posterior"]["scales"].to_numpy()
    np.testing.assert_allclose(dt["derived"]["covariances"].to_numpy(), scales[..., None] ** 2 * np.eye(2))
    assert (dt["derived"]["weights"] == 1).all()
    r = bm.responsibilities(dt)
    assert r.dims == ("chain", "draw", "obs", "component")
    assert (r == 1).all()
    assert list(bm.compare(bm.fit_em(spec, data), dt).parameters.index) == list(bm.diagnose(dt).parameters.index)
    found, known = bm.log_evidence(dt), bm.resolve(spec, data)
    columns = [exact.log_evidence_of_one_normal(column, known) for column in data.x.T]
    assert abs(found.value - sum(columns)) < 3 * found.standard_error < 0.1
