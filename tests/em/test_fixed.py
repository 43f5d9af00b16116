"""Known parameters in EM: hand-written loops, SciPy's optimum, k-means of scikit-learn."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import softmax
from scipy.stats import multivariate_normal, poisson
from sklearn.cluster import KMeans

import bayesmix as bm
from bayesmix.mixture.spec import bind, resolved

LECTURE = {"scales": 1.0, "weights": "equal"}


@pytest.fixture(scope="module", params=[1, 2])
def lecture(request):
    """Two groups with unit variances in so many columns, and centres to begin at."""
    rng, d = np.random.default_rng(4), request.param
    x = np.where(rng.random((150, 1)) < 0.5, 0.0, 2.2) + rng.normal(size=(150, d))
    return x, x[[3, 7, 11]]


def test_the_lectures_first_example(lecture):
    """Means alone: E-step by distances, M-step by weighted averages, until they stand still."""
    x, centres = lecture
    centres = centres[:2]
    spec = bm.Mixture("gaussian", n_components=2, covariance="spherical", fixed=LECTURE)
    em = bm.fit_em(spec, bm.Data(x), init={"means": centres}, trace=True, tolerance=1e-15)
    means, path = centres, []
    for _ in range(400):
        path.append(means)
        r = softmax(-0.5 * ((x[:, None] - means) ** 2).sum(axis=2), axis=1)
        means = r.T @ x / r.sum(axis=0)[:, None]
    by_first = np.argsort(means[:, 0])
    for t in range(4):
        np.testing.assert_allclose(em.trace["means"][t], path[t][by_first], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(em.params["means"], means[by_first], atol=1e-5)
    joint = np.stack([multivariate_normal(m, np.eye(x.shape[1])).pdf(x) for m in means])
    assert em.log_likelihood == pytest.approx(np.log(joint.mean(axis=0)).sum(), rel=1e-9)
    assert em.n_parameters == means.size
    assert (em.params["weights"] == 0.5).all()
    assert (em.params["scales"] == 1.0).all()


def test_standard_errors_of_what_is_free(lecture):
    """The information by differences of L in the means; what is known has a standard error of 0."""
    x, _ = lecture
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2, covariance="spherical", fixed=LECTURE), bm.Data(x))

    def L(m):
        at = m.reshape(2, -1)
        return np.log(np.exp(-0.5 * ((x[:, None] - at) ** 2).sum(axis=2)).mean(axis=1)).sum()

    best, h = em.params["means"].to_numpy().ravel(), 1e-3
    E = np.eye(len(best)) * h
    H = np.array([[L(best + a + b) - L(best + a - b) - L(best - a + b) + L(best - a - b) for a in E] for b in E])
    se = np.sqrt(np.diag(np.linalg.inv(-H / (4 * h * h))))
    np.testing.assert_allclose(em.standard_errors["means"].to_numpy().ravel(), se, rtol=1e-4)
    assert not em.standard_errors["scales"].any()
    assert not em.standard_errors["weights"].any()
    assert em.notes == ()


def test_hard_assignment_with_equal_spheres_is_k_means_step_for_step(lecture):
    """The centres after every iteration are those of scikit-learn's Lloyd from the same start."""
    x, centres = lecture
    spec = bm.Mixture("gaussian", n_components=3, covariance="spherical", fixed=LECTURE)
    em = bm.fit_em(spec, bm.Data(x), init={"means": centres}, assignment="hard", trace=True)
    steps = em.trace["means"].to_numpy()
    order = np.array([np.abs(steps[0] - c).sum(axis=1).argmin() for c in centres])
    assert len(steps) > 4
    for t in range(1, len(steps)):
        lloyd = KMeans(3, algorithm="lloyd", n_init=1, init=centres, max_iter=t, tol=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it did not converge: it was not meant to
            lloyd.fit(x)
        np.testing.assert_allclose(steps[t][order], lloyd.cluster_centers_, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(order[lloyd.labels_], bm.responsibilities(em).to_numpy().argmax(axis=1))
    d, n = x.shape[1], len(x)
    inertia = -2 * (em.log_likelihood + n * np.log(3) + n * d / 2 * np.log(2 * np.pi))
    assert inertia == pytest.approx(lloyd.inertia_, rel=1e-9)


def test_an_empty_cluster_keeps_its_centre_and_is_named():
    x = np.array([0.0, 0.2, 1.0, 1.1])
    spec = bm.Mixture("gaussian", n_components=3, covariance="spherical", fixed=LECTURE)
    em = bm.fit_em(spec, bm.Data(x), init={"means": [[0.0], [1.0], [50.0]]}, assignment="hard")
    np.testing.assert_allclose(em.params["means"].to_numpy().ravel(), [0.1, 1.05, 50.0])
    assert em.reasons == ("component_3: no rows are left to it",)


def plane(n=200):
    rng = np.random.default_rng(9)
    first = rng.random(n) < 0.4
    x = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], n)
    x[first] = rng.multivariate_normal([2.5, 1], [[1, -0.4], [-0.4, 1]], int(first.sum()))
    return x


def total(x, weights, means, covariances):
    of = zip(weights, means, covariances, strict=True)
    return np.log(sum(w * multivariate_normal(m, s).pdf(x) for w, m, s in of)).sum()


def matrices(sd, rho):
    return [
        np.array([[s[0] ** 2, p * s[0] * s[1]], [p * s[0] * s[1], s[1] ** 2]]) for s, p in zip(sd, rho, strict=True)
    ]


def unconstrained_optimum(value, start):
    """BFGS from the fit, started a little off it."""
    found = minimize(lambda u: -value(u), start + 0.02, method="BFGS", options={"gtol": 1e-7, "maxiter": 500})
    return -found.fun


CASES = {
    "scales": ("full", {"scales": 1.0}),
    "correlations": ("full", {"correlations": 0.2}),
    "tied scales": ("tied", {"scales": [1.1, 0.9]}),
    "tied correlations": ("tied", {"correlations": -0.1}),
    "means": ("full", {"means": [[0.0, 0.0], [2.5, 1.0]]}),
    "a component": (
        "full",
        {
            "means": {"component_1": [0.0, 0.0]},
            "scales": {"component_1": 1.0},
            "correlations": {"component_1": 0.6},
        },
    ),
    "its mean": ("full", {"means": {"component_1": 0.0}}),
    "weights": ("diag", {"weights": [0.6, 0.4]}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_end_is_scipys_constrained_optimum(case):
    """Of all that is free: BFGS on SciPy's density, from beside EM's end, finds nothing above it."""
    covariance, known = CASES[case]
    x = plane()
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2, covariance=covariance, fixed=known), bm.Data(x), n_starts=6)
    assert em.converged
    assert not em.degenerate
    assert (np.diff(em.history) >= -1e-9).all()
    p = {v: a.to_numpy() for v, a in em.params.items()}
    sd = np.broadcast_to(p["scales"], (2, 2))
    rho = np.broadcast_to(p["correlations"].ravel() if "correlations" in p else 0.0, 2)
    free = {v: np.broadcast_to(em.likelihood.free.get(v, np.zeros(a.shape, bool)), a.shape) for v, a in p.items()}
    full = {"means": p["means"], "scales": sd, "rho": rho, "weights": p["weights"]}
    tied = covariance == "tied"
    masks = {
        "means": free["means"],
        "scales": np.broadcast_to(free["scales"], (2, 2)),
        "rho": np.broadcast_to(free["correlations"].ravel() if "correlations" in free else False, 2),
    }
    weights_free = free["weights"].all()

    def value(u):
        at, i = {}, 0
        for v, to in (("means", lambda z: z), ("scales", np.exp), ("rho", np.tanh)):
            mask = masks[v].copy()
            if tied and v != "means":
                mask[1] = False
            a, n = np.array(full[v], float), int(mask.sum())
            a[mask] = to(u[i : i + n])
            if tied and v != "means" and n:
                a[1] = a[0]
            at[v], i = a, i + n
        w = 1 / (1 + np.exp(-u[i])) if weights_free else full["weights"][0]
        return total(x, [w, 1 - w], at["means"], matrices(at["scales"], at["rho"]))

    start = []
    for v, back in (("means", lambda z: z), ("scales", np.log), ("rho", np.arctanh)):
        mask = masks[v].copy()
        if tied and v != "means":
            mask[1] = False
        start.append(back(np.array(full[v], float)[mask]))
    start = np.concatenate([*start, [np.log(p["weights"][0] / p["weights"][1])] if weights_free else []])
    assert value(start) == pytest.approx(em.log_likelihood, rel=1e-10)
    assert em.n_parameters == len(start)
    assert unconstrained_optimum(value, start) <= em.log_likelihood + 1e-5


def test_one_m_step_is_the_constrained_maximum():
    """Known scales and free correlations: expected log-likelihood at the M-step against BFGS on SciPy's."""
    x = plane()
    for known in ({"scales": [[1.2, 0.8], [0.9, 1.0]]}, {"correlations": [[0.3], [-0.5]]}):
        likelihood = bind(bm.Mixture("gaussian", n_components=2, fixed=known), bm.Data(x))
        r = softmax(np.random.default_rng(0).normal(size=(len(x), 2)), axis=1)
        params = likelihood.allocated(r)
        new = likelihood.m_step(likelihood.sums(r, params), params)

        def expected(means, covariances, r=r):
            of = zip(r.T, means, covariances, strict=True)
            return sum((w * multivariate_normal(m, s).logpdf(x)).sum() for w, m, s in of)

        top = expected(new["means"], new["covariances"])
        named = likelihood.named(new)
        for k in (0, 1):
            np.testing.assert_allclose(new["means"][k], r[:, k] @ x / r[:, k].sum(), rtol=1e-10)
        if "scales" in known:

            def value(u, m=new["means"]):
                return expected(m, matrices(np.array([[1.2, 0.8], [0.9, 1.0]]), np.tanh(u)))

            start = np.arctanh(named["correlations"].ravel())
        else:

            def value(u, m=new["means"]):
                return expected(m, matrices(np.exp(u.reshape(2, 2)), [0.3, -0.5]))

            start = np.log(named["scales"]).ravel()
        assert value(start) == pytest.approx(top, rel=1e-12)
        assert unconstrained_optimum(value, start) <= top + 1e-7


def test_a_known_rate_and_a_known_coefficient():
    rng = np.random.default_rng(6)
    x = np.where(rng.random(300) < 0.5, rng.poisson(2.0, 300), rng.poisson(8.0, 300))
    em = bm.fit_em(bm.Mixture("poisson", n_components=2, fixed={"rates": {"component_2": 2.0}}), bm.Data(x))
    assert em.params["rates"].sel(component="component_2").item() == 2.0
    w, rate = em.params["weights"].to_numpy()[0], em.params["rates"].sel(component="component_1").item()

    def value(u):
        p = 1 / (1 + np.exp(-u[0]))
        return np.log(p * poisson(np.exp(u[1])).pmf(x) + (1 - p) * poisson(2.0).pmf(x)).sum()

    start = np.array([np.log(w / (1 - w)), np.log(rate)])
    assert value(start) == pytest.approx(em.log_likelihood, rel=1e-9)
    assert unconstrained_optimum(value, start) <= em.log_likelihood + 1e-6
    zeros = bm.Data(np.where(rng.random(300) < 0.3, 0, rng.poisson(2.0, 300)))
    known = bm.fit_em(bm.Mixture("zero_inflated_poisson", fixed={"zero_coef": [0.0]}), zeros)
    assert float(known.params["zero_prob"]) == 0.5
    assert known.n_parameters == 1


def test_a_known_component_keeps_its_label_and_finds_its_cluster():
    """Wherever the clusters of a start lie, the known component takes those that are like it."""
    rng = np.random.default_rng(12)
    x = np.concatenate([rng.normal(5, 0.5, 50), rng.normal(0, 0.5, 50), rng.normal(-5, 0.5, 50)])
    known = {"means": {"component_2": 5.0}, "scales": {"component_2": 0.5}}
    spec = bm.Mixture("gaussian", n_components=3, fixed=known)
    likelihood = resolved(spec, bm.Data(x))
    assert likelihood.exchangeable[0] == likelihood.exchangeable[2] != likelihood.exchangeable[1]
    for kind in likelihood.start_kinds[:4]:
        assert likelihood.initial(kind, np.random.default_rng(3))["means"][1, 0] == 5.0
    em = bm.fit_em(spec, bm.Data(x), n_starts=1, starts="ward")
    np.testing.assert_allclose(em.params["means"].to_numpy().ravel(), [-5, 5, 0], atol=0.3)
    assert em.starts["weights[component_2]"].iloc[0] == pytest.approx(1 / 3, abs=0.05)


def test_a_known_narrow_component_is_no_spike():
    """Its variance is what the user says, so that the likelihood is bounded, and no rule about few rows applies."""
    x = np.concatenate([np.random.default_rng(0).normal(size=60), [7.0]])
    known = {"means": {"component_1": 7.0}, "scales": {"component_1": 1e-6}}
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2, fixed=known), bm.Data(x), n_starts=5)
    assert not em.degenerate
    assert float(em.params["weights"].sel(component="component_1")) == pytest.approx(1 / 61, rel=1e-6)


def test_rows_and_labels_beside_known_parameters():
    x = plane(60)
    labels = pd.Series(["a", "b"] * 10 + [None] * 40)
    spec = bm.Mixture("gaussian", n_components=2, covariance="diag", fixed={"means": {"b": [2.5, 1.0]}})
    em = bm.fit_em(spec, bm.Data(x, labels), n_starts=4)
    assert em.params["means"].sel(component="b").to_numpy().tolist() == [2.5, 1.0]
    assert em.n_parameters == 1 + 2 + 4
