"""Pictures show the right numbers: artists' data against SciPy, on posteriors made by hand around known parameters."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.special import expit, softmax
from scipy.stats import chi2, multivariate_normal, norm, poisson, rankdata

import bayesmix as bm
from bayesmix import plots
from bayesmix.drawing.style import STYLE, plain
from bayesmix.mixture.spec import bind, resolve
from bayesmix.plots.agreement import reliability, standardized_difference
from bayesmix.plots.draws import most_correlated
from bayesmix.plots.forest import panels
from bayesmix.plots.rows import responsibility_table

CHAINS, DRAWS = 2, 25
AWKWARD = [
    "cost in $",
    "a_b^{c} <i>%</i>",
    "very long column name that never seems to come to an end",
    "$x$",
    "e",
    "f",
    "g",
]


def shows_data(fig):
    """It can be drawn, and something is in it."""
    FigureCanvasAgg(fig).draw()
    assert any(ax.has_data() for ax in fig.axes)


def posterior(spec, data, params, *, chains=CHAINS, noise=0.02, diverging=0):
    """A DataTree as bm.sample gives it, drawn by hand around ``params``."""
    spec = resolve(spec, data)
    likelihood = bind(spec, data)
    rng = np.random.default_rng(0)
    S = chains * DRAWS
    theta = likelihood.pack(params) + noise * rng.standard_normal((S, likelihood.n_parameters))
    drawn = [likelihood.named(likelihood.unpack(t)) for t in theta]
    variables = {}
    for v, dims in likelihood.dims.items():
        stacked = np.stack([d[v] for d in drawn])
        variables[v] = (("chain", "draw", *dims), stacked.reshape(chains, DRAWS, *stacked.shape[1:]))
    used = {d for dims in likelihood.dims.values() for d in dims} | {"component"}
    coords = {d: c for d, c in likelihood.coords.items() if d in used}
    statistics = {v: rng.standard_normal((chains, DRAWS)) for v in ("lp", "energy", "log_likelihood", "n_steps")}
    flags = np.zeros(S, dtype=bool)
    flags[:diverging] = True
    statistics |= {"diverging": flags.reshape(chains, DRAWS), "reached_max_treedepth": np.zeros((chains, DRAWS), bool)}
    groups = {
        "posterior": xr.Dataset(variables, coords | {"chain": range(chains), "draw": range(DRAWS)}),
        "sample_stats": xr.Dataset({v: (("chain", "draw"), a) for v, a in statistics.items()}),
        "input": data.to_dataset(),
        "modes": modes_of(likelihood, params),
    }
    dt = xr.DataTree.from_dict(groups)
    dt.attrs["spec"] = json.dumps(spec.to_dict())
    return dt


def modes_of(likelihood, params):
    """Four modes: two that chains cross between, one of its own, one negligible."""
    named = likelihood.named(params)
    table = {v: (("mode", *likelihood.dims[v]), np.stack([named[v]] * 4)) for v in named}
    scalars = {
        "laplace": [0.0, -3.0, -4.0, -30.0],
        "reached": [12, 4, 3, 1],
        "region": [1, 1, 2, 0],
        "mass": [0.98, 0.98, 0.02, np.nan],
        "mass_error": [0.004, 0.004, 0.004, np.nan],
        "established": [1, 1, 0, 0],
    }
    table |= {v: ("mode", np.array(values)) for v, values in scalars.items()}
    return xr.Dataset(table, coords={"mode": [1, 2, 3, 4]})


def gaussian_case(d, K, n=60, *, names=None, labels=None, classes=None, truth=False, weights=None, **options):
    """A Gaussian mixture in d features whose components stand on a line, with its parameters."""
    rng = np.random.default_rng(d * 10 + K)
    z = np.arange(n) % K
    x = rng.standard_normal((n, d)) * 0.7 + 4 * z[:, None] + np.arange(d)
    frame = pd.DataFrame(x, columns=names or [f"x{j}" for j in range(d)])
    data = bm.Data(
        frame, labels=labels, classes=classes, truth=[f"t{k}" for k in z] if truth else None, row_weights=weights
    )
    params = {
        "weights": np.full(K, 1 / K),
        "means": 4.0 * np.arange(K)[:, None] + np.arange(d),
        "covariances": np.stack([0.5 * (np.eye(d) + 0.2 * np.ones((d, d)))] * K),
    }
    return bm.Mixture("gaussian", n_components=K, **options), data, params


def zip_case(n=200, *, formula=False, labels=None, largest=None):
    rng = np.random.default_rng(3)
    x = np.where(rng.random(n) < 0.3, 0, rng.poisson(3.0, n))
    x[-1] = x[-1] if largest is None else largest
    frame = pd.DataFrame({"bites_$": x, "group": np.where(rng.random(n) < 0.5, "u", "v")})
    data = bm.Data(frame, labels=labels, response="bites_$")
    formulas = {"rate": "group", "zero": "group"} if formula else {}
    extra = [0.2] if formula else []
    params = {"rate_coef": np.array([np.log(3.0), *extra]), "zero_coef": np.array([-0.8, *extra])}
    return bm.Mixture("zero_inflated_poisson", **formulas), data, params


SOME_LABELS = ["a", "b", {"a", "b"}, *[None] * 57]
CASES = {
    "one feature": lambda: gaussian_case(1, 3),
    "one feature, weighted": lambda: gaussian_case(1, 2, weights=np.linspace(0.5, 2, 60)),
    "one component": lambda: gaussian_case(2, 1),
    "four rows": lambda: gaussian_case(1, 2, 4, order="means"),
    "four rows, two features": lambda: gaussian_case(2, 2, 4, covariance="spherical"),
    "labels": lambda: gaussian_case(1, 2, labels=SOME_LABELS, classes=["a", "b"], truth=True),
    "labels, two features": lambda: gaussian_case(2, 3, labels=SOME_LABELS, classes=["a", "b"], truth=True),
    "all labelled": lambda: gaussian_case(2, 2, labels=["_a", "$b"] * 30, covariance="tied", truth=True),
    "two features": lambda: gaussian_case(2, 2, names=AWKWARD[:2]),
    "four features, labels": lambda: gaussian_case(4, 2, names=AWKWARD[:4], labels=SOME_LABELS, covariance="diag"),
    "seven features": lambda: gaussian_case(7, 2, names=AWKWARD),
    "counts": zip_case,
    "counts, covariates": lambda: zip_case(formula=True),
    "counts, labels": lambda: zip_case(labels=["poisson", *[None] * 199]),
    "counts, large": lambda: zip_case(largest=100),
}


class Fit:
    """A posterior made by hand, EM of the same model, and their comparison."""

    def __init__(self, spec, data, params, **options):
        self.data, self.params = data, params
        self.dt = posterior(spec, data, params, **options)
        self.em = bm.fit_em(spec, data, n_starts=3)
        self.cmp = bm.compare(self.em, self.dt, map_fit=self.em)
        self.likelihood = bind(self.em.spec, data)

    def figures(self):
        """Every picture that shows the model's own shape."""
        yield plots.data_plot(self.data, self.likelihood)
        yield plots.components(self.dt, em=self.cmp.em)
        yield plots.forest(self.dt, self.cmp)
        yield plots.traces(self.dt)
        yield plots.pairs(self.dt)
        yield plots.responsibilities(self.dt, self.cmp)
        yield plots.em_against_posterior(self.cmp)
        if not self.data.weighted:
            yield plots.predictive(self.dt)
        yield plots.modes(self.dt)
        yield plots.thumbnail(self.dt)
        if self.data.truth is not None:
            yield plots.calibration(self.cmp, self.data)


@pytest.fixture(scope="module")
def one():
    return Fit(*CASES["one feature"]())


@pytest.fixture(scope="module")
def two():
    return Fit(*CASES["two features"](), diverging=3)


@pytest.fixture(scope="module")
def three():
    return Fit(*gaussian_case(3, 2, truth=True))


@pytest.fixture(scope="module")
def counts():
    return Fit(*CASES["counts, covariates"]())


def artists(fig, gid):
    """All artists of that name."""
    return fig.findobj(lambda artist: artist.get_gid() == gid)


def the(fig, gid):
    """The one artist of that name."""
    (artist,) = artists(fig, gid)
    return artist


def flat(dt, name):
    a = dt["posterior"][name].to_numpy()
    return a.reshape(-1, *a.shape[2:])


def texts(fig):
    return [t.get_text() for t in fig.findobj(Text)]


@pytest.mark.parametrize("case", CASES)
def test_every_picture_of_every_kind_of_model_is_drawn(case):
    before = dict(rcParams)
    for fig in Fit(*CASES[case]()).figures():
        assert isinstance(fig, Figure)
        FigureCanvasAgg(fig).draw()
    assert dict(rcParams) == before


@pytest.mark.parametrize("case", ["four rows", "one component", "two features", "counts, covariates"])
def test_em_is_drawn(case):
    em = bm.fit_em(*CASES[case]()[:2], n_starts=3)
    for fig in (plots.em_history(em), plots.em_starts(em)):
        shows_data(fig)


def test_one_chain_is_enough():
    for fig in Fit(*gaussian_case(2, 2), chains=1).figures():
        shows_data(fig)


def test_names_are_printed_as_they_are(two):
    fig = plots.components(two.dt)
    FigureCanvasAgg(fig).draw()
    assert {r"cost in \$", "a_b^{c} <i>%</i>"} <= set(texts(fig))
    assert plain("two\nlines") == "two lines"
    assert len(plain("x" * 200)) <= 34


def test_the_style_does_not_depend_on_the_readers(one):
    with_own = rcParams["font.size"]
    rcParams["font.size"] = 30
    try:
        fig = plots.components(one.dt)
    finally:
        rcParams["font.size"] = with_own
    assert fig.axes[0].xaxis.label.get_size() == STYLE["axes.labelsize"]


def test_density_is_the_posterior_mean_mixture_with_its_band(one):
    fig = plots.components(one.dt, em=one.cmp.em)
    drawn = the(fig, "mixture")
    x = drawn.get_xdata()
    w, mu, sd = flat(one.dt, "weights"), flat(one.dt, "means")[:, :, 0], flat(one.dt, "scales")[:, :, 0]
    each = np.array([[w[s, k] * norm(mu[s, k], sd[s, k]).pdf(x) for k in range(3)] for s in range(len(w))])
    np.testing.assert_allclose(drawn.get_ydata(), each.sum(axis=1).mean(axis=0), rtol=1e-10)
    for k in range(3):
        np.testing.assert_allclose(the(fig, f"component {k}").get_ydata(), each[:, k].mean(axis=0), rtol=1e-10)
    corners = the(fig, "band").get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx(np.quantile(each.sum(axis=1), 0.95, axis=0).max())
    em = one.cmp.em.params
    by_em = sum(
        float(em["weights"][k]) * norm(float(em["means"][k, 0]), float(em["scales"][k, 0])).pdf(x) for k in range(3)
    )
    np.testing.assert_allclose(the(fig, "em").get_ydata(), by_em, rtol=1e-8)


def test_histogram_holds_the_weighted_rows():
    fit = Fit(*CASES["one feature, weighted"]())
    heights = [p.get_height() for p in plots.data_plot(fit.data, fit.likelihood).axes[0].patches]
    assert sum(heights) == pytest.approx(fit.data.row_weights.sum())


def test_labelled_rows_are_marked_at_their_place():
    fit = Fit(*CASES["labels"]())
    fig = plots.data_plot(fit.data, fit.likelihood)
    np.testing.assert_array_equal(the(fig, "labels 1").get_xdata(), fit.data.x[[1], 0])
    assert "b (1 labelled)" in texts(fig)
    in_plane = Fit(*CASES["labels, two features"]())
    np.testing.assert_array_equal(
        the(plots.data_plot(in_plane.data, in_plane.likelihood), "labelled").get_offsets(), in_plane.data.x[:3]
    )


def test_ellipses_hold_ninety_percent_of_their_component(two):
    fig = plots.components(two.dt, em=two.cmp.em)
    for k in range(2):
        outlines = the(fig, f"component {k}").get_segments()
        assert len(outlines) == 30
        mean, cov = flat(two.dt, "means")[0, k], flat(two.dt, "covariances")[0, k]
        out = outlines[0] - mean
        np.testing.assert_allclose(np.einsum("ti,ij,tj->t", out, np.linalg.inv(cov), out), chi2.ppf(0.9, 2), rtol=1e-8)
    assert len(the(fig, "em").get_segments()) == 2
    np.testing.assert_allclose(the(fig, "em means").get_xydata(), two.cmp.em.params["means"].to_numpy())


def test_rows_take_the_colours_of_their_components(two):
    shown = the(plots.components(two.dt), "rows")
    r = softmax(
        [
            np.log(w) + multivariate_normal(m, c).logpdf(two.data.x)
            for w, m, c in zip(two.params["weights"], two.params["means"], two.params["covariances"], strict=True)
        ],
        axis=0,
    ).T
    blue, orange = np.array([0, 114, 178]) / 255, np.array([230, 159, 0]) / 255
    np.testing.assert_allclose(shown.get_facecolors()[:, :3], r @ np.array([blue, orange]), atol=0.05)
    np.testing.assert_array_equal(shown.get_offsets(), two.data.x)


def test_pair_grid_has_a_panel_per_pair_with_shared_limits(three):
    fig = plots.components(three.dt, em=three.cmp.em)
    assert len(fig.axes) == 3 + len(list(combinations(range(3), 2)))
    assert [len(c.get_segments()) for c in artists(fig, "component 0") if hasattr(c, "get_segments")] == [15] * 3
    panel = {(a.get_xlabel(), a.get_ylabel()): a for a in fig.axes}
    corner, right = panel["x0", "x2"], panel["x1", ""]
    assert corner.get_ylim() == right.get_ylim()
    assert "x2" in texts(fig)


def test_only_six_features_are_drawn_and_it_says_so():
    fit = Fit(*CASES["seven features"]())
    fig = plots.components(fit.dt)
    assert len(fig.axes) == 6 + 15
    assert "first 6 of 7 features" in texts(fig)


def test_expected_counts_are_those_of_the_zero_inflated_poisson(counts):
    fig = plots.components(counts.dt, em=counts.cmp.em)
    rate_coef, zero_coef = (counts.cmp.em.params[v].to_numpy() for v in ("rate_coef", "zero_coef"))
    design = np.column_stack([np.ones(len(counts.data)), counts.data.covariates["group"] == "v"])
    rate, zero = np.exp(design @ rate_coef), expit(design @ zero_coef)
    m = np.arange(int(counts.data.x.max()) + 1)
    by_hand = [(zero * (c == 0) + (1 - zero) * poisson(rate).pmf(c)).sum() for c in m]
    np.testing.assert_allclose(the(fig, "em").get_ydata(), by_hand, rtol=1e-9)
    seen = [bar.get_height() for bar in artists(fig, "observed")]
    np.testing.assert_array_equal(seen, np.bincount(counts.data.x[:, 0].astype(int)))
    stack = sum(bar.get_height() for bar in [the(fig, "structural zeros"), artists(fig, "poisson")[0]])
    rates, zeros = np.exp(flat(counts.dt, "rate_coef") @ design.T), expit(flat(counts.dt, "zero_coef") @ design.T)
    assert stack == pytest.approx((zeros + (1 - zeros) * np.exp(-rates)).sum(axis=1).mean())


def test_a_labelled_row_counts_for_its_component_alone():
    spec, data, params = zip_case(4, labels=["poisson"] * 4)
    fig = plots.components(posterior(spec, data, params, noise=0.0))
    assert the(fig, "structural zeros").get_height() == 0
    assert artists(fig, "poisson")[0].get_height() == pytest.approx(4 * np.exp(-3.0))


def test_rootogram_bars_hang_from_the_expected_root(counts):
    fig = plots.predictive(counts.dt)
    top = the(fig, "expected").get_ydata()
    bars = artists(fig, "observed")
    seen = np.bincount(counts.data.x[:, 0].astype(int))
    np.testing.assert_allclose([bar.get_height() for bar in bars], np.sqrt(seen))
    np.testing.assert_allclose([bar.get_y() + bar.get_height() for bar in bars], top)
    replicates = bm.replicate(counts.dt, 200)[:, :, 0]
    np.testing.assert_allclose(top[2], np.sqrt((replicates == 2).sum(axis=1).mean()))
    assert set(the(fig, "observed zeros").get_xdata()) == {seen[0]}


def test_counts_beyond_the_axis_are_reported():
    fit = Fit(*CASES["counts, large"]())
    assert "(not shown, above 60: 1 of 200 rows)" in plots.data_plot(fit.data, fit.likelihood).axes[0].get_xlabel()


def test_replicates_are_drawn_as_densities_of_all_rows(one):
    fig = plots.predictive(one.dt)
    heights, edges, _ = the(fig, "observed").get_data()
    assert (heights * np.diff(edges)).sum() == pytest.approx(1)
    x, new = one.data.x[:, 0], bm.replicate(one.dt, 200)[:, :, 0]
    shares = np.array([np.histogram(row, edges)[0] for row in new]) / len(x) / np.diff(edges)
    for share in (0.5, 0.9):
        upper, _, lower = the(fig, f"band {share}").get_data()
        np.testing.assert_allclose([lower, upper], np.quantile(shares, [(1 - share) / 2, (1 + share) / 2], axis=0))
    by_hand = [np.median((new <= at).mean(axis=1)) - (x <= at).mean() for at in np.sort(x)]
    np.testing.assert_allclose(the(fig, "median").get_ydata(), by_hand, atol=1e-12)


def test_forest_shows_means_intervals_and_both_estimates(two):
    fig = plots.forest(two.dt, two.cmp)
    drawn = {tuple(np.round(c.get_offsets()[:, 0], 10)) for c in artists(fig, "mean")}
    table = two.cmp.parameters
    weights = ["weights[component_1]", "weights[component_2]"]
    assert tuple(table.loc[weights, "mean"].round(10)) in drawn
    outer = next(c for c in artists(fig, "90%") if len(c.get_segments()) == 2)
    np.testing.assert_allclose([s[:, 0] for s in outer.get_segments()], table.loc[weights, ["lower", "upper"]])
    assert tuple(table.loc[weights, "em"]) in {tuple(mark.get_xdata()) for mark in artists(fig, "em")}
    assert tuple(table.loc[weights, "map"]) in {tuple(mark.get_xdata()) for mark in artists(fig, "map")}
    assert sum(len(c.get_offsets()) for c in artists(fig, "mean")) == len(table)


@pytest.mark.parametrize(("covariance", "n_panels"), [("full", 7), ("tied", 6), ("diag", 5), ("spherical", 4)])
def test_forest_has_a_panel_per_unit(covariance, n_panels):
    """weights, two means, scales by feature (one where spherical), correlations by component (one where tied)."""
    spec, data, _ = gaussian_case(2, 2, covariance=covariance)
    found = panels(bind(spec, data))
    assert len(found) == n_panels
    assert sum(len(panel.rows) for panel in found) == len(set().union(*({r.scalar for r in p.rows} for p in found)))


def test_traces_put_the_worst_first_and_rank_over_all_chains(three):
    dt = three.dt.copy(deep=True)
    dt["posterior"]["means"][1, :, 0, 0] += 5.0
    fig = plots.traces(dt)
    assert fig.axes[0].get_title(loc="left") == "means[component_1, x0]"
    assert len(fig.axes) == 2 * 8
    values = dt["posterior"]["means"][:, :, 0, 0].to_numpy()
    trace = the(fig.axes[0], "chain 1")
    np.testing.assert_array_equal(trace.get_ydata(), values[1])
    ranks = rankdata(values).reshape(values.shape)[0]
    steps = the(fig.axes[1], "chain 0").get_data()
    np.testing.assert_allclose(steps.values, np.histogram(ranks, steps.edges)[0] / (DRAWS / 20))


def test_pairs_choose_the_most_correlated_and_mark_divergences(two):
    rng = np.random.default_rng(0)
    a, b, c, d = rng.standard_normal((4, 500))
    assert most_correlated(np.column_stack([a, b, c, -a + 0.1 * d]), most=2) == [0, 3]
    fig = plots.pairs(two.dt)
    marks = artists(fig, "divergences")
    assert len(marks) == 10
    assert {len(m.get_xdata()) for m in marks} == {3}
    assert "divergent (3)" in texts(fig)
    assert not any("weights[component_2]" in t.replace("\n", "") for t in texts(fig))


def test_responsibilities_are_sorted_and_leave_certain_rows_out(counts, two):
    table = responsibility_table(counts.likelihood, counts.cmp)
    assert len(table) == (counts.data.x[:, 0] == 0).sum()
    fig = plots.responsibilities(two.dt, two.cmp)
    mean = the(fig, "mean").get_offsets()[:, 1]
    rows = two.cmp.responsibilities
    np.testing.assert_allclose(mean, np.sort(rows["mean[component_1]"]))
    np.testing.assert_allclose(np.sort(the(fig, "em").get_ydata()), np.sort(rows["em[component_1]"]), atol=1e-12)
    assert len(the(fig, "ambiguous").get_offsets()) >= 5


def test_many_rows_are_thinned(monkeypatch):
    fit = Fit(*gaussian_case(2, 3, 6000))
    fig = plots.responsibilities(fit.dt, fit.cmp)
    assert len(the(fig, "mean").get_offsets()) == 400
    assert "one in 15 shown" in fig.axes[0].get_xlabel()
    assert len(the(plots.components(fit.dt), "rows").get_offsets()) == 5000


def test_differences_are_in_posterior_standard_deviations(two):
    table = two.cmp.parameters
    np.testing.assert_allclose(standardized_difference(table), (table["em"] - table["mean"]) / table["sd"])
    assert standardized_difference(table.assign(sd=0.0)).eq(0).all()
    shown = the(plots.em_against_posterior(two.cmp), "difference").get_offsets()[:, 0]
    np.testing.assert_allclose(shown, (table["em"] - table["mean"]) / table["sd"])


def test_flips_are_ringed():
    spec, data, params = gaussian_case(1, 2)
    fit = Fit(spec, data, params | {"means": np.array([[0.0], [12.0]])})
    fig = plots.em_against_posterior(fit.cmp)
    assert len(fit.cmp.flips) > 0
    assert len(the(fig, "flips").get_offsets()) == len(fit.cmp.flips)


def test_reliability_by_hand():
    table = reliability(np.array([0.55, 0.58, 0.95, 1.0]), np.array([True, False, True, True]))
    assert table["share"].tolist() == [0.5, 1.0]
    assert table["confidence"].tolist() == pytest.approx([0.565, 0.975])
    assert table["rows"].tolist() == [2, 2]
    assert ((table["lower"] <= table["share"]) & (table["share"] <= table["upper"])).all()


def test_calibration_needs_the_truth(two):
    with pytest.raises(ValueError, match=r"data: calibration needs the true classes"):
        plots.calibration(two.cmp, two.data)


def test_em_history_is_the_history(one):
    fig = plots.em_history(one.em)
    left, right = (ax.lines[0] for ax in fig.axes)
    np.testing.assert_array_equal(left.get_ydata(), one.em.history)
    assert (right.get_ydata() > 0).all()


def test_em_starts_count_every_start(one):
    fig = plots.em_starts(one.em)
    inside = [t.get_text() for t in fig.axes[1].texts]
    assert sum(map(int, inside)) == len(one.em.starts)
    assert the(fig, "kept").get_ydata()[0] == one.em.log_likelihood


def test_degenerate_starts_are_marked(one):
    starts = one.em.starts.assign(degenerate=[True, False, False], solution=[1, 2, 2], log_likelihood=[np.inf, -3, -3])
    em = replace(one.em)
    vars(em)["starts"] = starts
    fig = plots.em_starts(em)
    assert [m.get_marker() for m in artists(fig, "cell")].count("s") == 1
    FigureCanvasAgg(fig).draw()


def test_starts_that_came_to_no_end_are_hollow(one):
    starts = one.em.starts.assign(converged=[True, True, False], solution=[1, 1, 2], log_likelihood=[-3, -3, -9.0])
    em = replace(one.em)
    vars(em)["starts"] = starts
    fig = plots.em_starts(em)
    assert [m.get_markerfacecolor() for m in artists(fig, "cell")].count("white") == 1
    assert "not carried to an end" in [t.get_text() for t in fig.legends[0].get_texts()]


def test_pareto_k_names_the_rows_above_the_line():
    k = np.linspace(-0.1, 0.5, 50)
    k[[7, 8]] = 0.9, 1.3
    loo = xr.Dataset({"pareto_k": ("obs", k), "elpd": ("obs", k)}, coords={"obs": [f"row {i}" for i in range(50)]})
    fig = plots.pareto_k(loo)
    np.testing.assert_array_equal(the(fig, "bad").get_offsets()[:, 1], [0.9, 1.3])
    assert [t.get_text() for t in fig.axes[0].texts] == ["row 8", "row 7"]
    quiet = plots.pareto_k(loo.assign(pareto_k=("obs", np.zeros(50))))
    assert not quiet.axes[0].texts


def test_modes_show_both_masses(two):
    fig = plots.modes(two.dt)
    np.testing.assert_allclose(
        the(fig, "laplace").get_offsets()[:, 0], [1, np.exp(-3), np.exp(-4), 1e-12 + np.exp(-30)], rtol=0.2
    )
    assert [the(fig, f"region {g}").get_width() for g in (1, 2)] == [0.98, 0.02]
    assert "about 2.0%, not established" in texts(fig)


def test_thumbnail_has_the_size_of_the_index(two, counts, three):
    for fit in (two, counts, three):
        fig = plots.thumbnail(fit.dt)
        assert tuple(fig.get_size_inches() * fig.dpi) == (320, 200)


def test_pictures_of_real_posteriors(faithful_dt, gaussian_1d_dt, zip_dt):
    for dt in (faithful_dt, gaussian_1d_dt, zip_dt):
        for draw in (plots.components, plots.traces, plots.pairs, plots.predictive, plots.modes, plots.thumbnail):
            shows_data(draw(dt))
