"""Draws of ``pm.sample`` as a posterior: what is made of them, and what is refused."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr

import bayesmix as bm


@pytest.fixture(scope="module")
def made_elsewhere(faithful_dt):
    """Draws as ``pm.sample(nuts_sampler="nutpie")`` returns them: free variables, nutpie's names, labels by chance."""
    rng = np.random.default_rng(5)
    posterior = faithful_dt["posterior"].to_dataset()
    free = posterior[["weights", "means", "scales", "partial_correlations_01"]].copy(deep=True)
    for c, s in zip(*np.nonzero(rng.random((4, posterior.sizes["draw"])) < 0.5), strict=True):
        for v in free.data_vars.values():
            v[c, s] = v[c, s].to_numpy()[::-1]
    statistics = faithful_dt["sample_stats"].to_dataset()
    names = {"tree_depth": "depth", "reached_max_treedepth": "maxdepth_reached", "lp": "logp", "acceptance_rate": "a"}
    statistics = statistics.drop_vars(["region", "log_likelihood"]).rename(names)
    statistics.attrs["inference_library"] = "nutpie"
    groups = {"posterior": free, "sample_stats": statistics}
    return xr.DataTree.from_dict(groups | {g: faithful_dt[g].to_dataset() for g in ("observed_data", "constant_data")})


@pytest.fixture(scope="module")
def adopted(made_elsewhere, faithful):
    return bm.adopt(made_elsewhere, *faithful)


def test_the_posterior_is_that_of_our_own_sampler(adopted, faithful_dt):
    for name, draws in faithful_dt["posterior"].data_vars.items():
        np.testing.assert_allclose(adopted["posterior"][name], draws, rtol=1e-6, err_msg=str(name))
        assert adopted["posterior"][name].dims == draws.dims
    for name in ("lp", "log_likelihood", "energy", "n_steps"):
        np.testing.assert_allclose(adopted["sample_stats"][name], faithful_dt["sample_stats"][name], rtol=1e-9)
    assert set(adopted.children) == set(faithful_dt.children)


def test_everything_that_reads_a_posterior_reads_it(adopted, faithful_em, tmp_path):
    check = bm.diagnose(adopted)
    assert check.ok, check.problems
    assert "made elsewhere" in str(check)
    assert bm.relabel(adopted, "stephens")["relabelling"].attrs["method"] == "stephens"
    assert bm.responsibilities(adopted).sizes["component"] == 2
    assert bm.compare(faithful_em, adopted).parameters["em_rank"].between(0.01, 0.99).all()
    assert np.isfinite(bm.loo(adopted)["elpd"]).all()
    read = bm.load_fit(bm.save(adopted, tmp_path / "fit.nc"))
    assert read.attrs["adopted"] == 1
    assert float(read["modes"]["log_posterior"].max()) >= float(adopted["sample_stats"]["lp"].max())


def test_draws_of_pm_sample_itself(zip_counts):
    spec, data = zip_counts
    with bm.build(spec, data):
        idata = pm.sample(
            draws=300, tune=300, chains=2, cores=1, nuts_sampler="nutpie", random_seed=1, progressbar=False
        )
    dt = bm.adopt(idata, spec, data)
    rate = np.exp(idata["posterior"]["rate_coef"].to_numpy()[..., 0])
    np.testing.assert_allclose(dt["posterior"]["rate"], rate, rtol=1e-9)
    assert bm.diagnose(dt).parameters["r_hat"].max() < 1.05


def replaced(tree, group, **arrays):
    new = tree.copy()
    new[group] = tree[group].to_dataset().assign(arrays)
    return new


def test_what_is_not_of_this_model_is_refused(made_elsewhere, faithful):
    spec, data = faithful
    posterior, statistics = made_elsewhere["posterior"], made_elsewhere["sample_stats"]
    with pytest.raises(ValueError, match="idata: must be what pm.sample returns, a DataTree; got a dict"):
        bm.adopt({}, spec, data)
    with pytest.raises(ValueError, match="idata: has no group sample_stats"):
        bm.adopt(xr.DataTree.from_dict({"posterior": posterior.to_dataset()}), spec, data)
    lacking = made_elsewhere.copy()
    lacking["posterior"] = posterior.to_dataset().drop_vars(["scales", "weights"])
    with pytest.raises(ValueError, match="its posterior lacks weights, scales; the free variables of this model are"):
        bm.adopt(lacking, spec, data)
    lacking = made_elsewhere.copy()
    lacking["sample_stats"] = statistics.to_dataset().drop_vars("energy")
    with pytest.raises(ValueError, match="sample_stats lack energy; draws of NUTS are needed"):
        bm.adopt(lacking, spec, data)
    with pytest.raises(ValueError, match=r"was drawn with another x \(observed_data\)"):
        bm.adopt(made_elsewhere, spec, bm.Data(pd.DataFrame(data.x + 1.0, columns=list(data.feature_names))))
    with pytest.raises(ValueError, match="its features are eruptions, waiting; those of spec and data x1, x2"):
        bm.adopt(made_elsewhere, spec, bm.Data(data.x))
    with pytest.raises(ValueError, match=r"was drawn with another means_mu \(constant_data\)"):
        bm.adopt(made_elsewhere, spec.replace(priors={"means": bm.Prior("Normal", mu=[3, 70], sigma=9)}), data)
    with pytest.raises(ValueError, match=r"weights has shape \(2,\) in every draw; must be \('component',\) = \(3,\)"):
        bm.adopt(made_elsewhere, spec.replace(n_components=3), data)


def test_another_log_posterior_is_refused(made_elsewhere, faithful):
    off = made_elsewhere["sample_stats"]["logp"] + 1.0
    with pytest.raises(ValueError, match="its log-posterior is not that of the model"):
        bm.adopt(replaced(made_elsewhere, "sample_stats", logp=off), *faithful)
