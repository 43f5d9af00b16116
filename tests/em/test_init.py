"""EM to look at: where it begins, every step of it, where every start ended."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

import bayesmix as bm
from bayesmix.mixture.spec import resolved

SPEC = bm.Mixture("gaussian", n_components=2)


@pytest.fixture(scope="module")
def rows():
    """Two overlapping clouds in the plane, and which is whose."""
    rng = np.random.default_rng(11)
    z = rng.random(120) < 0.4
    return np.where(z[:, None], [2.5, 1.0], [0.0, 0.0]) + rng.normal(size=(120, 2)), z.astype(int)


def m_step(x, r):
    """The textbook's: weights, means, covariances."""
    mass = r.sum(axis=0)
    means = r.T @ x / mass[:, None]
    residuals = x[:, None] - means
    return mass / len(x), means, np.einsum("nk,nki,nkj->kij", r, residuals, residuals) / mass[:, None, None]


def e_step(x, weights, means, covariances):
    """L and responsibilities, by SciPy."""
    joint = np.stack(
        [w * multivariate_normal(m, s).pdf(x) for w, m, s in zip(weights, means, covariances, strict=True)]
    )
    return np.log(joint.sum(axis=0)).sum(), (joint / joint.sum(axis=0)).T


def test_the_trace_is_the_textbook_loop_from_given_parameters(rows):
    x, _ = rows
    weights, means, covariances = np.array([0.5, 0.5]), np.array([[-1.0, 0.0], [1.0, 0.0]]), np.stack([np.eye(2)] * 2)
    init = {"weights": weights, "means": means, "covariances": covariances}
    em = bm.fit_em(SPEC, bm.Data(x), init=init, trace=True)
    for t in range(4):
        L, r = e_step(x, weights, means, covariances)
        step = em.trace.isel(iteration=t)
        np.testing.assert_allclose(step["weights"], weights, rtol=1e-12)
        np.testing.assert_allclose(step["means"], means, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(step["covariances"], covariances, rtol=1e-11, atol=1e-12)
        assert float(step["log_likelihood"]) == pytest.approx(L, rel=1e-12)
        weights, means, covariances = m_step(x, r)
    assert em.trace.sizes["iteration"] == len(em.history)
    assert em.trace.isel(iteration=-1).drop_vars(["iteration", "log_likelihood"]).identical(em.params)
    assert set(em.trace.data_vars) == set(em.params.data_vars)
    assert list(em.starts["kind"]) == ["given"]


def test_labels_and_responsibilities_are_begun_at_their_m_step(rows):
    x, z = rows
    weights, means, covariances = m_step(x, np.eye(2)[z])
    names = np.array(["component_1", "component_2"])[z]
    table = pd.DataFrame(np.eye(2)[z][:, ::-1], columns=["component_2", "component_1"])
    for init in (z, list(names), np.eye(2)[z], table):
        first = bm.fit_em(SPEC, bm.Data(x), init=init, trace=True).trace.isel(iteration=0)
        np.testing.assert_allclose(first["weights"], weights, rtol=1e-12)
        np.testing.assert_allclose(first["means"], means, rtol=1e-11)
        np.testing.assert_allclose(first["covariances"], covariances, rtol=1e-10, atol=1e-12)


def test_an_estimate_begins_where_it_ended(rows):
    x, _ = rows
    data = bm.Data(pd.DataFrame(x, columns=["a", "b"]))
    em = bm.fit_em(SPEC, data, n_starts=4)
    turned = em.params[["weights", "means", "scales", "correlations"]].isel(feature=[1, 0])
    again = bm.fit_em(SPEC, data, init=turned)
    assert again.log_likelihood == pytest.approx(em.log_likelihood, rel=1e-9)
    assert len(again.history) <= 8
    np.testing.assert_array_equal(bm.fit_em(SPEC, data, init=em).history, bm.fit_em(SPEC, data, init=em.params).history)
    backwards = bm.fit_em(SPEC, data, init=em.params.isel(component=[1, 0]), trace=True)
    assert np.ptp(backwards.trace["means"].sel(component="component_1", feature="a").to_numpy()) < 1e-3


def test_given_counts_and_coefficients():
    data = bm.Data([0, 0, 0, 2, 3, 5, 0, 1])
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson"), data, init={"rate_coef": [0.5], "zero_coef": [0.0]}, trace=True)
    assert bm.fit_em(em.spec, data, init=pd.Series(["structural_zero", "poisson"] * 4)).converged
    assert float(em.trace["rate"][0]) == pytest.approx(np.exp(0.5))
    assert em.log_likelihood == pytest.approx(bm.fit_em(em.spec, data).log_likelihood, rel=1e-9)


WRONG = [
    ({"means": [[0, 0], [1, 1]]}, "'weights' is missing; got means"),
    ({"mean": [[0, 0], [1, 1]]}, "unknown parameter 'mean'; choose from weights, means"),
    ({"weights": [0.5, 0.6], "means": np.zeros((2, 2)), "scales": np.ones((2, 2))}, "'weights' must.*sum to 1"),
    ({"means": [0, 1]}, r"'means' must have the shape \(2, 2\)"),
    ({"scales": [[1, 1], [1, -1]]}, "'scales' must be positive"),
    ([0] * 119 + [2], "row 120 must be one of component_1, component_2, or a number from 0 to 1; got 2"),
    ([0, 1], "one entry per row, 120; got 2"),
    (np.full((120, 2), 0.6), r"sum to 1; row 1 is \[0.6, 0.6\]"),
    (np.full((120, 3), 1 / 3), "one column per component, 2; got 3"),
    ("ward", "init: must be a sequence"),
    (
        [[0.5, 0.5]] * 119 + [[1]],
        "init: rows of probabilities must all have one entry per class.*got rows of 1 entries",
    ),
    ([["x", "y"]] * 120, "init: responsibilities must be numbers"),
]


@pytest.mark.parametrize(("init", "words"), WRONG)
def test_impossible_beginnings(rows, init, words):
    with pytest.raises(ValueError, match=words):
        bm.fit_em(SPEC, bm.Data(rows[0]), init=init)


def test_what_contradicts_is_refused(rows):
    x, _ = rows
    both = {"weights": [0.5, 0.5], "means": np.zeros((2, 2)), "covariances": np.stack([np.eye(2)] * 2)}
    with pytest.raises(ValueError, match="'scales'.*contradicts"):
        bm.fit_em(SPEC, bm.Data(x), init=both | {"scales": np.full((2, 2), 2.0)})
    with pytest.raises(ValueError, match="not possible in this mixture"):
        bm.fit_em(SPEC.replace(covariance="spherical"), bm.Data(x), init=both | {"covariances": [np.diag([1, 2])] * 2})
    with pytest.raises(ValueError, match="row 1 is begun in 'b', which its label excludes"):
        bm.fit_em(SPEC, bm.Data(x, labels=["a"] + [None] * 119, classes=["a", "b"]), init=[1] * 120)
    with pytest.raises(ValueError, match="trace: is of EM"):
        bm.fit_em(SPEC, bm.Data(x), method="map", trace=True)


def test_a_single_start_is_random(rows):
    """With one start the seed decides; several begin with Ward's, as ever; the kinds can be chosen."""
    data = bm.Data(rows[0])
    spec = SPEC.replace(n_components=4)
    single = [bm.fit_em(spec, data, n_starts=1, seed=s) for s in range(6)]
    assert len({round(em.history[0], 6) for em in single}) == 6
    assert single[0].starts["kind"].tolist() == ["k-means++"]
    assert bm.fit_em(spec, data, n_starts=2).starts["kind"].tolist() == ["ward", "k-means++"]
    for kinds in ("random rows", ["random rows", "ward"]):
        starts = bm.fit_em(spec, data, starts=kinds, n_starts=3).starts
        assert starts["kind"].tolist() == (["random rows"] * 3 if kinds == "random rows" else [*kinds, "random rows"])
    first = bm.fit_em(spec, data, starts="random rows", n_starts=1, seed=3, trace=True).trace.isel(iteration=0)
    assert first["means"].notnull().all()
    with pytest.raises(ValueError, match="starts: must be a kind or a sequence of kinds; got 3"):
        bm.fit_em(spec, data, starts=3)
    with pytest.raises(ValueError, match="unknown kind 'rows'; choose from ward"):
        bm.fit_em(spec, data, starts="rows")
    with pytest.raises(ValueError, match="cannot be combined with init"):
        bm.fit_em(spec, data, starts="ward", init=[0] * 120)


def test_every_start_has_its_parameters(rows):
    """L by SciPy at the parameters of every start."""
    x, _ = rows
    em = bm.fit_em(SPEC, bm.Data(x), n_starts=6)
    for _, start in em.starts.iterrows():
        w = start[["weights[component_1]", "weights[component_2]"]].to_numpy(float)
        m = [[start[f"means[component_{k}, x{j}]"] for j in (1, 2)] for k in (1, 2)]
        assert m[0][0] <= m[1][0]
        s = np.array([[start[f"scales[component_{k}, x{j}]"] for j in (1, 2)] for k in (1, 2)])
        rho = [start[f"correlations[component_{k}, x2 ~ x1]"] for k in (1, 2)]
        covariances = [np.outer(s[k], s[k]) * [[1, rho[k]], [rho[k], 1]] for k in (0, 1)]
        assert e_step(x, w, m, covariances)[0] == pytest.approx(start["log_likelihood"], rel=1e-9)


def test_printing_shows_the_estimates_and_errors_once_they_are_there(rows):
    em = bm.fit_em(SPEC, bm.Data(rows[0]), n_starts=3)
    text = str(em)
    assert "estimate" in text
    assert "means[component_2, x1]" in text
    assert " se" not in text
    assert em.standard_errors is not None
    assert " se" in str(em)


@pytest.mark.parametrize("n_starts", [1, 3])
def test_a_trace_over_many_rows_is_of_all_of_them(n_starts):
    rng = np.random.default_rng(2)
    x = np.where(rng.random(8000) < 0.4, 3.0, 0.0) + rng.normal(size=8000)
    em = bm.fit_em(SPEC, bm.Data(x), n_starts=n_starts, trace=True)
    likelihood = resolved(SPEC, em.data)
    for step in (0, -1):
        at = em.trace.isel(iteration=step)
        params = likelihood.given({v: at[v].to_numpy() for v in ("weights", "means", "covariances")})
        joint = params["weights"] * np.exp(
            -0.5 * (x[:, None] - params["means"][:, 0]) ** 2 / params["covariances"][:, 0, 0]
        )
        L = np.log((joint / np.sqrt(2 * np.pi * params["covariances"][:, 0, 0])).sum(axis=1)).sum()
        assert float(at["log_likelihood"]) == pytest.approx(L, rel=1e-11)
