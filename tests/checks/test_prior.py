"""What the prior expects, and how much it matters: against SciPy's densities and ArviZ on trees made by hand."""

from types import SimpleNamespace

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy import stats

import bayesmix as bm
from bayesmix import plots
from bayesmix.checks.prior import DATA_SETS, REPLICATED_ROWS, SENSITIVE, prior_data_sets, sensitivity
from bayesmix.mixture.spec import bind, resolve
from bayesmix.posterior.record import Record
from bayesmix.report.priors import prior_numbers
from bayesmix.report.sections import prior as section


def by_hand(dt, x, quantities):
    """ArviZ' psense from pointwise SciPy densities of a 1-D mixture with the default kinds of prior: (values, 2)."""
    posterior, priors = dt["posterior"].to_dataset(), Record.of(dt).spec.priors
    w, means, sd = (posterior[v].to_numpy() for v in ("weights", "means", "scales"))
    means, sd = means[..., 0], sd[..., 0]
    log_w = np.log(w)
    pointwise = np.logaddexp.reduce(log_w[..., None] + stats.norm.logpdf(x, means[..., None], sd[..., None]), axis=2)
    m, s = priors["means"].parameters, priors["scales"].parameters
    prior = ((priors["weights"].parameters["a"] - 1) * log_w).sum(axis=-1)
    prior += stats.norm.logpdf(means, m["mu"], m["sigma"]).sum(axis=-1)
    prior += stats.invgamma.logpdf(sd, s["alpha"], scale=s["beta"]).sum(axis=-1)
    coords = {d: posterior[d].values for d in ("chain", "draw")}
    tree = xr.DataTree.from_dict(
        {
            "posterior": quantities.rename("q").to_dataset(),
            "log_prior": xr.Dataset({"p": (("chain", "draw"), prior)}, coords),
            "log_likelihood": xr.Dataset({"x": (("chain", "draw", "obs"), pointwise)}, coords),
        }
    )
    found = [az.psense(tree, group=group)["q"].to_numpy().ravel() for group in ("prior", "likelihood")]
    return np.stack(found, axis=-1)


def test_sensitivity_by_hand(gaussian_1d_dt, three_groups):
    """The sums of log-likelihoods serve as well as the terms."""
    table = sensitivity(gaussian_1d_dt)
    assert list(table.columns) == ["prior", "likelihood"]
    for variable in ("weights", "means"):
        wanted = by_hand(gaussian_1d_dt, three_groups[1].x[:, 0], gaussian_1d_dt["posterior"][variable])
        found = table[table.index.str.startswith(f"{variable}[")].to_numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)
    assert len(table) == 6
    assert (table["prior"] < SENSITIVE).all()
    assert (table["likelihood"] > SENSITIVE).all()


def test_a_prior_in_conflict_is_found(three_groups, three_groups_compiled):
    """Means expected near 30, far above the data, with confidence."""
    spec, data = three_groups
    spec = spec.replace(priors={"means": bm.Prior("Normal", mu=[30.0], sigma=[1.5])})
    compiled = three_groups_compiled.with_data(bm.build(spec, data))
    dt = bm.sample(spec, data, compiled=compiled, draws=400, tune=300, progress=False)
    means = sensitivity(dt).filter(like="means", axis=0)
    assert (means["prior"] > SENSITIVE).any()
    text = section.in_words({name: row.to_dict() for name, row in means.iterrows()})
    assert "the prior still matters for" in text


def test_responsibilities_by_their_log_odds(gaussian_1d_dt, three_groups):
    """The three rows in most doubt."""
    rows = bm.responsibility_summary(gaussian_1d_dt)["mean"].max("component").argsort().to_numpy()[:3]
    table = sensitivity(gaussian_1d_dt, rows)[-3:]
    r = bm.responsibilities(gaussian_1d_dt).isel(obs=rows)
    best = r.mean(("chain", "draw")).argmax("component")
    labels = zip(r["obs"].values, r["component"].values[best], strict=True)
    assert list(table.index) == [f"responsibilities[row {o}, {k}]" for o, k in labels]
    p = r.isel(component=best)
    log_odds = np.log(p) - np.log((r.sum("component") - p).clip(min=1e-300))
    wanted = by_hand(gaussian_1d_dt, three_groups[1].x[:, 0], log_odds.drop_vars("component"))
    np.testing.assert_allclose(table, wanted, rtol=1e-3)


def test_data_sets_have_the_rows_of_the_data(three_groups, zip_counts):
    for spec, data in (three_groups, zip_counts):
        spec = resolve(spec, data)
        found = prior_data_sets(bind(spec, data), seed=3)
        assert found.x.shape == (DATA_SETS, 300, 1)
        again = prior_data_sets(bind(spec, data), seed=3)
        np.testing.assert_array_equal(found.x, again.x)


def test_many_rows_are_thinned():
    spec, data = bm.Mixture("gaussian", n_components=2), bm.Data(np.linspace(0, 1, 5 * REPLICATED_ROWS + 1))
    spec = resolve(spec, data)
    found = prior_data_sets(bind(spec, data))
    assert found.x.shape[1] <= REPLICATED_ROWS
    assert found.likelihood.data.x[-1] > 0.99


def test_the_prior_predictive_is_the_prior(three_groups):
    """One component with known law: x ~ N(3, 2^2 + 1.5^2), rows of a data set share their mean."""
    data = bm.Data(np.linspace(0, 6, 50))
    priors = {"means": bm.Prior("Normal", mu=3, sigma=2), "scales": bm.Prior("LogNormal", mu=np.log(1.5), sigma=1e-6)}
    spec = resolve(bm.Mixture("gaussian", n_components=1, priors=priors), data)
    found = prior_data_sets(bind(spec, data), seed=5)
    assert stats.kstest(found.x[:, 0, 0], stats.norm(3, 2.5).cdf).pvalue > 0.001
    assert found.x.std(axis=1).mean() == pytest.approx(1.5, rel=0.05)


def test_weighted_rows_are_refused():
    spec, data = bm.Mixture("gaussian", n_components=2), bm.Data(np.arange(9.0), row_weights=np.arange(1, 10.0))
    spec = resolve(spec, data)
    with pytest.raises(ValueError, match="row_weights: prior predictive data are defined for weights of 1 only"):
        prior_data_sets(bind(spec, data))


def parts(fig, gid):
    return [a for ax in fig.axes for a in ax.get_children() if a.get_gid() == gid]


def test_picture_of_measurements(faithful):
    spec, data = resolve(*faithful), faithful[1]
    fig = plots.prior_predictive(prior_data_sets(bind(spec, data)))
    assert [ax.get_xlabel() for ax in fig.axes] == ["eruptions", "waiting"]
    assert len(parts(fig, "prior draw")) == 2 * 40
    assert len(parts(fig, "prior mean")) == 2
    for ax, x in zip(fig.axes, data.x.T, strict=True):
        low, high = ax.get_xlim()
        assert low < x.min() < x.max() < high


def test_picture_of_counts(zip_counts):
    spec, data = resolve(*zip_counts), zip_counts[1]
    found = prior_data_sets(bind(spec, data))
    fig = plots.prior_predictive(found)
    (line,) = parts(fig, "observed zeros")
    assert line.get_xdata()[0] == pytest.approx((data.x == 0).mean())
    (median,) = parts(fig, "median")
    shares = [np.median([(row == m).mean() for row in found.x[:, :, 0]]) for m in range(3)]
    np.testing.assert_allclose(median.get_ydata()[:3], shares)


@pytest.fixture(scope="module")
def faithful_parts(faithful, faithful_dt, faithful_em):
    """What prior_numbers reads of a report's fits."""
    comparison = bm.compare(faithful_em, faithful_dt)
    record = Record.of(faithful_dt)
    return SimpleNamespace(
        dt=faithful_dt, record=record, comparison=comparison, prior_data_sets=prior_data_sets(record.likelihood)
    )


def test_numbers_of_a_report(faithful_parts, faithful):
    found = prior_numbers(faithful_parts)
    assert found["problem"] == ""
    assert set(found["predictive"]) == {
        f"{name} of {feature}"
        for name in ("mean", "standard deviation", "smallest", "largest")
        for feature in ("eruptions", "waiting")
    }
    assert found["predictive"]["mean of waiting"]["observed"] == pytest.approx(faithful[1].x[:, 1].mean())
    named = [name for name in found["sensitivity"] if name.startswith("responsibilities[")]
    assert len(named) == 5
    entropy = faithful_parts.comparison.responsibilities["entropy"]
    assert f"row {entropy.idxmax()}," in named[0]
    assert "hardly matters" in section.in_words(found["sensitivity"])


def test_what_cannot_be_said_is_not(faithful_parts):
    tree = faithful_parts.dt.copy()
    tree.attrs["extended_model"] = 1
    mine = SimpleNamespace(dt=tree, comparison=faithful_parts.comparison, prior_data_sets="row_weights: no")
    found = prior_numbers(mine)
    assert found == {"predictive": {}, "rows": 0, "problem": "row_weights: no", "sensitivity": {}}
    written = section.prior(mine, {"prior": found})
    assert "There is no prior predictive check (row_weights: no)." in written.blocks[0].text
    assert "extends bayesmix's own" in written.blocks[1].text


def test_words():
    decided = {"prior": 0.2, "likelihood": 0.01}
    both = {"prior": 0.2, "likelihood": 0.3}
    free = {"prior": None, "likelihood": 0.3}
    assert "The data say little of a." in section.in_words({"a": decided, "c": free})
    assert "in conflict with them" in section.in_words({"b": both})
    assert "hardly matters" in section.in_words({"c": free})
