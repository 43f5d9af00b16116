"""What a fit says of rows, against SciPy, for every family: densities, predictions, classes, outliers, new rows."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logsumexp

import bayesmix as bm
from bayesmix.mixture.simulate import laid_out, prior_draws
from bayesmix.mixture.spec import bind
from bayesmix.posterior import record
from families.examples import EXAMPLES, NAMES
from families.test_contract import labels_of
from rows.fits import estimate, posterior

DRAWS = 6


@pytest.fixture(params=NAMES)
def example(request):
    return EXAMPLES[request.param]


def fit_of(example, rng, *, n=40, labelled=False):
    """A posterior of six draws, the draws, and its rows."""
    seed = int(rng.integers(1000))
    data = example.data(np.random.default_rng(seed), n)
    if labelled:
        data = example.data(np.random.default_rng(seed), n, labels=labels_of(example, data))
    draws = [example.params(rng) for _ in range(DRAWS)]
    return posterior(example.spec, data, draws), draws, data


def joints(example, data, draws, evidence=0.0):
    """log w_k + a_ik + log f by SciPy, (draws, n, K)."""
    K = len(example.log_joint(data, draws[0], np.zeros((len(data), 9)))[0]) if evidence is None else None
    K = example.spec.n_components if K is None else K
    if example.spec.family == "categorical":
        data = bind(example.spec, data).data  # answers by the codes of their levels
    zeros = np.zeros((len(data), K))
    return np.array([example.log_joint(data, p, zeros + evidence) for p in draws])


def components(dt, example):
    return tuple(record.Record.of(dt).likelihood.components)


def in_words(data):
    """The cells as they were given: numbers, or the words that codes stand for."""
    frame = pd.DataFrame(data.x, columns=list(data.feature_names))
    for name, levels in zip(data.feature_names, data.levels, strict=True):
        if levels:
            frame[name] = frame[name].map(dict(enumerate(levels)), na_action="ignore")
    return frame


def new_frame(example, data):
    """The rows of data as a table with a column too many and in another order."""
    frame = pd.concat([in_words(data), data.covariates.reset_index(drop=True)], axis=1)
    frame["a note"] = "text"
    return frame[list(frame.columns[::-1])].set_axis([f"r{i}" for i in range(len(frame))], axis=0)


def test_log_density_is_scipy_s(example, rng, monkeypatch):
    monkeypatch.setattr(record, "BLOCK_BYTES", 3e3)
    dt, draws, data = fit_of(example, rng, labelled=True)
    bare, evidence = joints(example, data, draws), data.evidence(components(dt, example))
    found = bm.log_density(dt)
    assert found.dims == ("chain", "draw", "obs")
    np.testing.assert_allclose(found.to_numpy().reshape(DRAWS, -1), logsumexp(bare, axis=2), rtol=1e-9, atol=1e-12)
    with_labels = bm.log_density(dt, labels=True).to_numpy().reshape(DRAWS, -1)
    np.testing.assert_allclose(with_labels, logsumexp(bare + evidence, axis=2), rtol=1e-9, atol=1e-12)
    expected = np.log(np.exp(logsumexp(bare, axis=2)).mean(axis=0))
    np.testing.assert_allclose(bm.log_predictive_density(dt, new_frame(example, data)), expected, rtol=1e-9, atol=1e-12)
    em = estimate(example.spec, data, draws[0])
    np.testing.assert_allclose(bm.log_density(em), logsumexp(bare[0], axis=1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(bm.log_predictive_density(em), bm.log_density(em), rtol=1e-12)


def test_predictions_are_those_of_all_draws(example, rng, monkeypatch):
    monkeypatch.setattr(record, "BLOCK_BYTES", 3e3)
    dt, draws, _ = fit_of(example, rng, labelled=True)
    data = example.data(rng, 25)
    joint = joints(example, data, draws)
    r = np.exp(joint - logsumexp(joint, axis=2, keepdims=True))
    found = bm.predict(dt, new_frame(example, data), interval=0.8)
    names = components(dt, example)
    assert list(found.index) == [f"r{i}" for i in range(25)]
    assert found["group"].tolist() == [names[k] for k in r.mean(axis=0).argmax(axis=1)]
    for k, name in enumerate(names):
        np.testing.assert_allclose(found[f"probability[{name}]"], r[..., k].mean(axis=0), atol=1e-10)
        np.testing.assert_allclose(found[f"lower[{name}]"], np.quantile(r[..., k], 0.1, axis=0), atol=1e-10)
        np.testing.assert_allclose(found[f"upper[{name}]"], np.quantile(r[..., k], 0.9, axis=0), atol=1e-10)
    l = logsumexp(joint, axis=2)
    np.testing.assert_allclose(found["log_density"], np.log(np.exp(l).mean(axis=0)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["lower"], np.quantile(l, 0.1, axis=0), rtol=1e-9, atol=1e-12)
    wrong = 1 - np.take_along_axis(r, r.mean(axis=0).argmax(axis=1)[None, :, None], axis=2)[..., 0]
    error = found.attrs["expected_error"]
    assert error["error"] == pytest.approx(wrong.mean(), abs=1e-10)
    assert error["lower"] == pytest.approx(np.quantile(wrong.mean(axis=1), 0.1), abs=1e-10)
    for name, group in error["by_group"].items():
        mine = (found["group"] == name).to_numpy()
        assert group["rows"] == mine.sum()
        if mine.any():
            assert group["error"] == pytest.approx(wrong[:, mine].mean(), abs=1e-10)
            assert group["upper"] == pytest.approx(np.quantile(wrong[:, mine].mean(axis=1), 0.9), abs=1e-10)


def exact_tail(example, data, draws):
    """P(density of a new row <= that of the row) by enumeration, mean over draws; of countable rows alone."""
    d = data.n_features
    values = np.arange(2 if example.spec.family == "bernoulli" else 60)
    grid = np.stack(np.meshgrid(*[values] * d, indexing="ij"), axis=-1).reshape(-1, d).astype(float)
    at = logsumexp(joints(example, data, draws), axis=2)
    tails = np.zeros_like(at)
    if len(data.covariates.columns):
        for i in range(len(data)):
            row = data.take(np.full(len(grid), i))
            cells = logsumexp(joints(example, laid_out(row, grid), draws), axis=2)
            tails[:, i] = [(np.exp(c) * (c <= l + 1e-8)).sum() for c, l in zip(cells, at[:, i], strict=True)]
        return tails.mean(axis=0)
    cells = logsumexp(joints(example, bm.Data(grid), draws), axis=2)
    for s in range(len(draws)):
        tails[s] = [(np.exp(cells[s]) * (cells[s] <= l + 1e-8)).sum() for l in at[s]]
    return tails.mean(axis=0)


@pytest.mark.parametrize("name", ["poisson", "bernoulli", "zero_inflated_poisson"])
def test_tail_probabilities_are_those_of_enumeration(name, rng):
    example = EXAMPLES[name]
    dt, draws, _ = fit_of(example, rng)
    data = example.data(rng, 12)
    expected = exact_tail(example, data, draws)
    found = bm.predict(dt, data, seed=3)["tail_probability"].to_numpy()
    simulated = DRAWS * (5000 if name != "zero_inflated_poisson" else 5000 // 12)
    assert (np.abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / simulated) + 2 / simulated).all()


def test_tail_probability_of_a_normal_is_that_of_its_distance():
    em = bm.fit_em(bm.Mixture("gaussian", n_components=1), bm.Data(stats.norm.ppf((np.arange(400) + 0.5) / 400)))
    sd = float(em.params["scales"].squeeze())
    found = bm.predict(em, [0.5, -2.0, 3.5])
    expected = 2 * stats.norm.sf(np.array([0.5, 2.0, 3.5]) / sd)
    assert found["tail_probability"].to_numpy() == pytest.approx(expected, rel=0.02, abs=2e-4)
    assert found["outlier"].tolist() == [False, False, True]
    assert "lower" not in found
    assert bm.predict(em, [3.5], outlier=1e-4)["outlier"].tolist() == [False]


def test_outliers_are_ranked_in_every_draw(example, rng, monkeypatch):
    dt, draws, data = fit_of(example, rng, labelled=True)
    monkeypatch.setattr("bayesmix.rows.outliers.BLOCK_BYTES", 1e3)
    l = logsumexp(joints(example, data, draws), axis=2).round(9)
    predictive = np.log(np.exp(l).mean(axis=0))
    found = bm.outliers(dt, 5, interval=0.8)
    rows = np.array([data.obs_names.index(name) for name in found.index])
    np.testing.assert_allclose(found["log_density"], predictive[rows], rtol=1e-7)
    if data.gaps:  # ranked by tail probability: below
        assert (np.diff(found["tail_probability"]) >= 0).all()
    else:
        np.testing.assert_allclose(predictive[rows], np.sort(predictive)[:5], rtol=1e-8)
    ranks = stats.rankdata(l, method="min", axis=1)[:, rows]
    if example.spec.family == "gaussian" and not data.gaps:  # without ties
        np.testing.assert_array_equal(found["rank_lower"], np.quantile(ranks, 0.1, axis=0, method="inverted_cdf"))
        np.testing.assert_array_equal(found["rank_upper"], np.quantile(ranks, 0.9, axis=0, method="inverted_cdf"))
        np.testing.assert_allclose(found["among"], (ranks <= 5).mean(axis=0))
    np.testing.assert_allclose(found["upper"], np.quantile(l[:, rows], 0.9, axis=0), rtol=1e-7)
    np.testing.assert_allclose(found["expected"], 40 * found["tail_probability"])
    assert len(bm.outliers(dt, share=0.1)) == 4


def test_the_row_furthest_out_leads_however_few_rows_are_simulated_like_it(rng):
    """Patterns of gaps that are rare have fewer simulated rows, and so a larger least tail probability."""
    x = rng.normal(size=(300, 4))
    x[rng.random(x.shape) < 0.1] = np.nan
    x[0], x[1] = [60.0, np.nan, 0.0, np.nan], [7.0, 0.0, 0.0, 0.0]
    params = {"weights": np.ones(1), "means": np.zeros((1, 4)), "covariances": np.eye(4)[None]}
    dt = posterior(bm.Mixture("gaussian", n_components=1), bm.Data(x), [params] * 4)
    table = bm.outliers(dt, 5)
    assert table.index[:2].tolist() == ["1", "2"]
    assert table["rank"].is_monotonic_increasing
    assert table["tail_probability"].is_monotonic_increasing


def test_rows_with_gaps_are_held_against_rows_with_the_same_gaps(rng):
    """One normal: the tail probability of a row is that of its distance, chi-squared with as many degrees as cells."""
    x = rng.multivariate_normal(np.zeros(3), np.eye(3) + 0.4, 60)
    x[rng.random(x.shape) < 0.4] = np.nan
    x[0], x[1] = np.nan, [np.nan, 5.0, np.nan]
    scales = np.array([0.8, 1.0, 1.3, 1.1, 0.9, 1.2])
    draws = [
        {"weights": np.ones(1), "means": np.full((1, 3), 0.1 * s), "covariances": c**2 * (np.eye(3) + 0.4)[None]}
        for s, c in enumerate(scales)
    ]
    dt = posterior(bm.Mixture("gaussian", n_components=1), bm.Data(x), draws)
    exact = np.ones((6, 60))
    for s, p in enumerate(draws):
        for i in range(1, 60):
            there = ~np.isnan(x[i])
            if there.any():
                away = x[i, there] - p["means"][0, there]
                distance = away @ np.linalg.solve(p["covariances"][0][np.ix_(there, there)], away)
                exact[s, i] = stats.chi2(there.sum()).sf(distance)
    tail, found = exact.mean(axis=0), bm.outliers(dt, 60)
    rows = found.index.astype(int).to_numpy() - 1
    error = 4 * np.sqrt(tail * (1 - tail) / (200 * 25_000 / 8))[rows] + 1e-5
    assert (np.abs(found["tail_probability"] - tail[rows]) < error).all()
    assert (np.diff(tail[rows]) > -2 * error[1:]).all()
    assert rows[-1] == 0 or tail[rows[-1]] == 1
    np.testing.assert_array_equal(found["rank"], stats.rankdata(found["tail_probability"], method="min"))
    ranks = stats.rankdata(exact, axis=1, method="min")[:, rows]
    assert (np.abs(found["rank_lower"] - ranks.min(axis=0)) <= 2).all()
    assert (np.abs(found["rank_upper"] - ranks.max(axis=0)) <= 2).all()
    assert found.loc["2", "rank"] == 1 + (tail < tail[1]).sum()
    new = bm.predict(dt, x)["tail_probability"].to_numpy()
    assert (np.abs(new - tail)[rows] < error).all()
    em = bm.outliers(estimate(bm.Mixture("gaussian", n_components=1), bm.Data(x), draws[1]), 60)
    assert em["tail_probability"].to_numpy() == pytest.approx(exact[1, em.index.astype(int) - 1], abs=5e-3)


def test_expected_number_is_that_of_new_rows():
    """Of 2,000 rows of the law itself about 20 have a tail probability below 1%."""
    x = np.random.default_rng(4).standard_normal((2000, 2))
    params = {"weights": np.ones(1), "means": np.zeros((1, 2)), "covariances": np.eye(2)[None]}
    em = estimate(bm.Mixture("gaussian", n_components=1), bm.Data(x), params)
    found = bm.outliers(em, 200)
    np.testing.assert_allclose(
        found["tail_probability"], np.exp(-np.sort(-(x**2).sum(axis=1))[:200] * -0.5), rtol=0.2, atol=2e-5
    )
    assert stats.binomtest(int((found["tail_probability"] < 0.01).sum()), 2000, 0.01).pvalue > 1e-3


def test_simulated_rows_follow_the_estimate(example, rng):
    _, draws, data = fit_of(example, rng, n=200)
    em = estimate(example.spec, data, draws[0])
    rows = bm.simulate(em, 4000, seed=5)
    assert list(rows)[: data.n_features] == list(data.feature_names)
    options = {} if example.response is None else {"response": example.response}
    made = bm.Data(rows.drop(columns="component"), **options)
    joint = joints(example, made, draws[:1])[0]
    r = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    names = em.likelihood.components
    z = rows["component"].to_numpy()[:, None] == np.array(names)
    for k in range(len(names)):  # the components that made rows are as frequent as their responsibilities say
        sd = np.sqrt((r[:, k] * (1 - r[:, k])).sum()) + 1e-9
        assert abs(z[:, k].sum() - r[:, k].sum()) < 4.5 * sd
    if not len(data.covariates.columns):
        assert stats.chisquare(z.sum(axis=0), 4000 * draws[0]["weights"]).pvalue > 1e-4
    pd.testing.assert_frame_equal(rows, bm.simulate(em, 4000, seed=5))


def test_simulated_rows_of_a_posterior_are_predictive(rng):
    example = EXAMPLES["gaussian, one feature"]
    dt, draws, data = fit_of(example, rng)
    assert len(bm.simulate(dt)) == len(data)
    x = bm.simulate(dt, 6000, seed=2)["c0"]

    def cdf(v):
        each = [
            sum(
                w * stats.norm(m, np.sqrt(S)).cdf(v)
                for w, m, S in zip(p["weights"], *(p[q].ravel() for q in ("means", "covariances")), strict=True)
            )
            for p in draws
        ]
        return np.mean(each, axis=0)

    assert stats.kstest(x, cdf).pvalue > 1e-3
    alone = bm.simulate(dt, 6000, seed=2, one_draw=True)["c0"]
    assert stats.kstest(alone, cdf).pvalue < 1e-6


def test_a_mixture_makes_rows_from_its_prior(example, rng):
    data = example.data(rng, 50)
    spec = bm.resolve(example.spec, data)
    drawn = prior_draws(spec, data, 1, seed=7)
    rows = bm.simulate(spec, data=data, seed=7)
    assert len(rows) == 50
    params = {v: a[0] for v, a in drawn.items()}
    if "weights" in params:
        many = bm.simulate(spec, 3000, data=data, seed=7)["component"]
        expected = dict(zip(rows_components(spec, data), params["weights"], strict=True))
        for name, w in expected.items():
            assert abs((many == name).mean() - w) < 4.5 * np.sqrt(w * (1 - w) / 3000) + 1e-9
    by_name = any(isinstance(value, dict) for value in spec.fixed.values())  # classes are those of data
    if not (len(data.covariates.columns) or by_name or spec.family == "categorical"):
        alone = bm.simulate(spec, 30, seed=7)
        says = any(
            a.ndim for prior in spec.priors.values() for a in prior.parameters.values() if prior.support != "simplex"
        )
        assert alone.shape == (30, (data.n_features if says else 1) + 1)


def test_simulated_answers_are_words():
    frame = pd.DataFrame(
        {"a": pd.Categorical(["low", "mid", "high"] * 12, ["low", "mid", "high"]), "b": [True, False] * 18}
    )
    em = bm.fit_em(bm.Mixture("categorical", n_components=2), bm.Data(frame), n_starts=2)
    for rows in (bm.simulate(em, 300), bm.simulate(em.spec, 300, data=bm.Data(frame))):
        assert set(rows["a"]) == {"low", "mid", "high"}
        assert set(rows["b"].astype(str)) == {"True", "False"}
        again = bm.fit_em(bm.Mixture("categorical", n_components=2), bm.Data(rows[["a", "b"]]), n_starts=1)
        assert again.params["answer"].values.tolist() == em.params["answer"].values.tolist()
        assert len(bm.predict(em, rows)) == 300
    with pytest.raises(ValueError, match="data: a categorical mixture has no answers without data"):
        bm.simulate(em.spec, 5)


def rows_components(spec, data):
    from bayesmix.mixture.spec import bind

    return bind(spec, data).components


def test_classes_have_the_probabilities_of_the_rows(example, rng, monkeypatch):
    monkeypatch.setattr(record, "BLOCK_BYTES", 3e5)
    dt, draws, data = fit_of(example, rng, labelled=True)
    names = components(dt, example)
    joint = joints(example, data, draws) + data.evidence(names)
    r = np.exp(joint - logsumexp(joint, axis=2, keepdims=True))
    z = bm.classes(dt, 3000, seed=2)
    assert z.dims == ("draw", "obs")
    assert set(np.unique(z["drawn_from"])) == set(range(DRAWS))
    for k, name in enumerate(names):
        p = r[z["drawn_from"].to_numpy(), :, k]
        sd = np.sqrt((p * (1 - p)).sum(axis=0))
        assert (np.abs((z == name).sum("draw") - p.sum(axis=0)) < 5 * sd + 1e-9).all()


def test_classes_are_drawn_together():
    """Two draws of the parameters that call the same two heaps by opposite names: within a draw rows agree."""
    x = np.r_[np.zeros(5), np.full(5, 10.0)] + np.linspace(0, 1, 10)
    one = {"weights": np.full(2, 0.5), "means": np.array([[0.5], [10.5]]), "covariances": np.ones((2, 1, 1))}
    dt = posterior(
        bm.Mixture("gaussian", n_components=2), bm.Data(x), [one, one | {"means": one["means"][::-1]}], chains=1
    )
    z = bm.classes(dt, 100).to_numpy() == "component_1"
    assert (z[:, :5] == z[:, :1]).all()
    assert (z[:, 5:] == ~z[:, :1]).all()
    assert 20 < z[:, 0].sum() < 80


def test_a_response_that_is_not_there_is_predicted(rng):
    example = EXAMPLES["zero_inflated_poisson"]
    dt, draws, data = fit_of(example, rng)
    new = data.covariates.iloc[:8].set_axis(list("abcdefgh"), axis=0)
    found = bm.predict(dt, new, interval=0.8)
    a, t = new["a"].to_numpy(), new["t"].to_numpy()
    pi = np.array([expit(p["zero_coef"][0] + p["zero_coef"][1] * a) for p in draws])
    rate = np.array([t * np.exp(p["rate_coef"][0] + p["rate_coef"][1] * a) for p in draws])
    np.testing.assert_allclose(found["probability[structural_zero]"], pi.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(found["upper[structural_zero]"], np.quantile(pi, 0.9, axis=0), rtol=1e-10)
    mean, counts = ((1 - pi) * rate).mean(axis=0), np.arange(200)
    second = ((1 - pi) * (rate + rate**2)).mean(axis=0)
    assert (np.abs(found["response"] - mean) < 5 * np.sqrt((second - mean**2) / 1000)).all()
    pmf = (1 - pi)[..., None] * stats.poisson.pmf(counts, rate[..., None])
    pmf[..., 0] += pi
    cdf = pmf.mean(axis=0).cumsum(axis=1)
    for i, (lower, upper) in enumerate(zip(found["response_lower"], found["response_upper"], strict=True)):
        assert cdf[i, int(lower)] > 0.1 - 0.05
        assert cdf[i, int(upper)] > 0.9 - 0.05
        assert int(upper) == 0 or cdf[i, int(upper) - 1] < 0.9 + 0.05
    assert "log_density" not in found
    assert list(found.index) == list("abcdefgh")
    pd.testing.assert_frame_equal(bm.predict(dt, new.assign(y=np.nan), interval=0.8), found)
    constant = bm.Mixture("zero_inflated_poisson")
    em = bm.fit_em(constant, bm.Data([0, 0, 0, 1, 3, 2, 4, 0, 2]))
    assert len(bm.predict(em, pd.DataFrame(index=[4, 5]))) == 2


def test_labels_of_new_rows_settle_their_group(rng):
    example = EXAMPLES["gaussian, one feature"]
    dt, _, _ = fit_of(example, rng, labelled=True)
    x = np.linspace(-3, 3, 6)
    found = bm.predict(dt, bm.Data(x, labels=["a", None, "b", None, None, "a"]))
    assert found["group"].to_numpy()[[0, 2, 5]].tolist() == ["a", "b", "a"]
    np.testing.assert_allclose(found["log_density"], bm.log_predictive_density(dt, x), rtol=1e-12)
    open_rows = [1, 3, 4]
    wrong = 1 - found["probability"].to_numpy()[open_rows]
    assert found.attrs["expected_error"]["error"] == pytest.approx(wrong.mean())


def test_misuse_is_told(rng):
    example = EXAMPLES["gaussian, tied"]
    dt, _, data = fit_of(example, rng)
    refused = [
        (lambda: bm.log_density(data), "fit: must be an EMFit"),
        (lambda: bm.log_density(dt, pd.DataFrame({"c0": [1.0], "other": 2.0})), "no column 'c1'"),
        (lambda: bm.predict(dt, data, interval=90), "interval: must be between 0 and 1; got 90"),
        (lambda: bm.predict(dt, data, outlier=0), "outlier: must be between 0 and 1; got 0"),
        (lambda: bm.outliers(dt, 5, share=0.1), "give n or share"),
        (lambda: bm.outliers(dt, share=2), "share: must be above 0 and at most 1; got 2"),
        (lambda: bm.outliers(dt, 0), "n: must be a whole number >= 1; got 0"),
        (lambda: bm.outliers(dt, interval=0), "interval: must be between 0 and 1"),
        (lambda: bm.simulate(example.spec, 5), "the prior of 'weights' is left open"),
        (lambda: bm.simulate(example.spec), "n: how many rows"),
        (lambda: bm.simulate(example.spec, 5, data=data.x), "data: must be a bm.Data"),
        (lambda: bm.simulate(dt, seed=-1), "seed: must be a whole number"),
        (lambda: bm.classes(dt, 0), "draws: must be a whole number >= 4"),
        (lambda: bm.predict(dt, pd.DataFrame({"c0": [1.0], "c1": ["a"]})), "column 'c1'"),
    ]
    for call, message in refused:
        with pytest.raises(ValueError, match=message):
            call()
    frame = pd.DataFrame({"component": [1.0, 2.0, 4.0]})
    em = bm.fit_em(bm.Mixture("gaussian", n_components=1), bm.Data(frame), n_starts=1)
    with pytest.raises(ValueError, match="a column is called 'component'"):
        bm.simulate(em)
