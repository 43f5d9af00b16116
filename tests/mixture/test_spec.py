"""Mixtures as data: round trips, refusals, resolved priors."""

import json

import numpy as np
import pandas as pd
import pytest

from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.mixture.spec import Mixture, bind, exchange_groups, resolve

SPECS = [
    Mixture("gaussian", n_components=1),
    Mixture("gaussian", n_components=3, covariance="tied", order="means"),
    Mixture("gaussian", n_components=np.int64(2), covariance="diag", priors={"scales": Prior("HalfNormal", sigma=2)}),
    Mixture(
        "gaussian",
        n_components=2,
        covariance="spherical",
        priors={
            "weights": Prior("Dirichlet", a=[1, 1 / 3]),
            "means": Prior("Normal", mu=[[0.1], [3]], sigma=[[1], [2]]),
        },
    ),
    Mixture("gaussian", n_components=2, priors={"correlations": Prior("LKJ", eta=1.5)}),
    Mixture("gaussian", n_components=2, priors="fms-2021"),
    Mixture("gaussian", n_components=2, prior_set="richardson-green", priors={"means": Prior("Normal", mu=0, sigma=9)}),
    Mixture("zero_inflated_poisson"),
    Mixture(
        "zero_inflated_poisson", rate="1 + a + C(b)", zero="1 + a", priors={"zero_coef": Prior("Normal", mu=0, sigma=1)}
    ),
    Mixture("gaussian", n_components=2, covariance="spherical", fixed={"scales": 1, "weights": "equal"}),
    Mixture("gaussian", n_components=2, fixed={"means": {"component_1": [0, 1.5]}, "weights": np.array([0.3, 0.7])}),
]


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_round_trip(spec):
    assert Mixture.from_dict(spec.to_dict()) == spec
    assert Mixture.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert hash(Mixture.from_dict(spec.to_dict())) == hash(spec)
    assert spec.replace() == spec


def test_every_field_counts():
    """Two mixtures that differ in one argument differ, and so do their dicts."""
    base = {"n_components": 2, "covariance": "full", "order": None, "priors": {}, "fixed": {}}
    changes = {
        "n_components": 3,
        "covariance": "diag",
        "order": "means",
        "priors": {"weights": Prior("Dirichlet", a=[1, 1])},
        "fixed": {"scales": 1.0},
        "prior_set": "richardson-green",
    }
    spec = Mixture("gaussian", **base)
    for name, value in changes.items():
        other = spec.replace(**{name: value})
        assert other == Mixture("gaussian", **(base | {name: value}))
        assert other != spec
        assert other.to_dict() != spec.to_dict()


@pytest.fixture
def plane(rng):
    return Data(rng.normal([0, 5], [1, 3], (50, 2)))


@pytest.fixture
def counts(rng):
    frame = pd.DataFrame({"y": rng.poisson(2, 60), "a": rng.normal(5, 2, 60), "b": rng.choice(["u", "v", "w"], 60)})
    return Data(frame, response="y")


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_resolve_writes_numbers_once(plane, covariance):
    spec = resolve(Mixture("gaussian", n_components=3, covariance=covariance), plane)
    assert resolve(spec, plane) == spec
    wanted = {"weights", "means", "scales"} | ({"correlations"} if covariance in ("full", "tied") else set())
    assert set(spec.priors) == wanted
    assert resolve(Mixture.from_dict(json.loads(json.dumps(spec.to_dict()))), plane) == spec
    for prior in spec.priors.values():
        for value in prior.parameters.values():
            assert np.isfinite(value).all()


def test_resolved_priors_do_not_follow_other_data(plane):
    spec = resolve(Mixture("gaussian", n_components=2), plane)
    assert resolve(spec, Data(plane.x * 7 + 1)) == spec


def test_resolve_counts(counts):
    spec = resolve(Mixture("zero_inflated_poisson", rate="1 + a + b", zero="1 + a"), counts)
    assert resolve(spec, counts) == spec
    parameters = spec.priors["rate_coef"].parameters
    assert parameters["mu"].shape == (4,)
    assert parameters["chol"].shape == (4, 4)
    G = np.column_stack([np.ones(len(counts)), counts.covariates["a"]])
    covariance = 1.5**2 * np.linalg.inv(G.T @ G / len(G))  # 1.5 in every direction of the linear predictor
    chol = spec.priors["zero_coef"].parameters["chol"]
    np.testing.assert_allclose(chol @ chol.T, covariance, rtol=1e-10)


def test_defaults_scale_with_the_data(plane):
    spec = Mixture("gaussian", n_components=2)
    small, large = (resolve(spec, Data(factor * plane.x)).priors for factor in (1, 1000))
    for key, parameter in (("means", "mu"), ("means", "sigma"), ("scales", "beta")):
        np.testing.assert_allclose(
            large[key].parameters[parameter], 1000 * small[key].parameters[parameter], rtol=1e-12
        )
    assert large["weights"] == small["weights"]
    assert large["scales"].parameters["alpha"] == small["scales"].parameters["alpha"]


def test_defaults_are_those_of_the_docstring(plane):
    priors = resolve(Mixture("gaussian", n_components=3), plane).priors
    m, s = plane.x.mean(axis=0), plane.x.std(axis=0)
    np.testing.assert_allclose(priors["means"].parameters["mu"], m, rtol=1e-12)
    np.testing.assert_allclose(priors["means"].parameters["sigma"], 2.5 * s, rtol=1e-12)
    np.testing.assert_allclose(priors["scales"].parameters["beta"], s / np.sqrt(3), rtol=1e-12)
    np.testing.assert_array_equal(priors["weights"].parameters["a"], [2, 2, 2])
    assert priors["correlations"] == Prior("LKJ", eta=2)


def test_levels_of_a_factor_without_an_intercept_share_the_level(rng):
    """The dummies sum to 1: their weighted mean is the level, Normal(log mean positive, 1.5); the rest Normal(0, 1)."""
    group = np.repeat(["u", "v", "w"], [10, 20, 30])
    y = rng.poisson(1000, 60)
    data = Data(pd.DataFrame({"y": y, "group": group}), response="y")
    p = resolve(Mixture("zero_inflated_poisson", rate="0 + group"), data).priors["rate_coef"].parameters
    share = np.array([10, 20, 30]) / 60
    np.testing.assert_allclose(p["mu"], np.log(y.mean()), rtol=1e-12)
    covariance = np.diag(1 / share) + (1.5**2 - 1) * np.ones((3, 3))
    np.testing.assert_allclose(p["chol"] @ p["chol"].T, covariance, rtol=1e-10)


def test_without_a_constant_the_slope_can_reach_the_mean_count(rng):
    y, a = rng.poisson(1000, 60), rng.normal(5, 2, 60)
    data = Data(pd.DataFrame({"y": y, "a": a}), response="y")
    spec = resolve(Mixture("zero_inflated_poisson", rate="0 + a", zero="0 + a"), data)
    rate, zero = (spec.priors[key].parameters for key in ("rate_coef", "zero_coef"))
    square, reached = (a**2).mean(), a.mean() ** 2 / (a**2).mean()
    np.testing.assert_array_equal(rate["mu"], 0)
    expected = np.sqrt((1 + (np.log(y.mean()) + 1.5) ** 2 * reached) / square)
    np.testing.assert_allclose(rate["sigma"], expected, rtol=1e-12)
    np.testing.assert_allclose(zero["sigma"], np.sqrt(1.5**2 * (1 + reached) / square), rtol=1e-12)


def test_defaults_of_whole_weights_are_those_of_repeated_rows(plane, rng):
    v = rng.integers(1, 4, len(plane))
    weighted = resolve(Mixture("gaussian", n_components=2), Data(plane.x, row_weights=v))
    repeated = resolve(Mixture("gaussian", n_components=2), Data(np.repeat(plane.x, v, axis=0)))
    for key, prior in weighted.priors.items():
        for name, value in prior.parameters.items():
            np.testing.assert_allclose(
                value, repeated.priors[key].parameters[name], rtol=1e-12, err_msg=f"{key} {name}"
            )


def test_the_scale_prior_covers_what_the_docstring_says():
    from scipy import stats

    prior = stats.invgamma(2, scale=1)
    assert prior.cdf(6.7) - prior.cdf(0.15) == pytest.approx(0.98, abs=0.005)


def test_ties_are_named_for_a_scale_prior_positive_at_zero(rng):
    import pandas as pd

    x = pd.DataFrame({"length": rng.normal(size=40), "width": np.r_[np.full(9, 0.2), rng.normal(size=31)]})
    spec = Mixture("gaussian", n_components=2, priors={"scales": Prior("HalfNormal", sigma=2)})
    with pytest.warns(UserWarning, match=r"9 rows tie at width = 0\.2"):
        resolve(spec, Data(x))
    resolve(spec.replace(priors={"scales": Prior("LogNormal", mu=0, sigma=1)}), Data(x))


@pytest.mark.parametrize(
    ("key", "prior", "shape"),
    [
        ("weights", Prior("Dirichlet", a=[1, 1, 1]), "(3,)"),
        ("means", Prior("Normal", mu=[0, 0, 0], sigma=1), "(3,)"),
        ("scales", Prior("InverseGamma", alpha=2, beta=[[1], [2], [3]]), "(3, 1)"),
        ("correlations", Prior("LKJ", eta=[1, 2]), "(2,)"),
    ],
)
def test_shapes_must_fit(plane, key, prior, shape):
    with pytest.raises(ValueError, match=f"priors: '{key}'") as caught:
        resolve(Mixture("gaussian", n_components=2, priors={key: prior}), plane)
    assert shape in str(caught.value)


def test_order_needs_one_unlabelled_feature(plane):
    spec = Mixture("gaussian", n_components=2, order="means")
    with pytest.raises(ValueError, match="order: 'means' needs one feature; the data have 2"):
        resolve(spec, plane)
    with pytest.raises(ValueError, match="order: 'means' cannot be combined with labels"):
        resolve(spec, Data(plane.x[:, 0], labels=["a"] + [None] * 49))


def groups(spec, data):
    spec = resolve(spec, data)
    return exchange_groups(bind(spec, data)).tolist()


def split(number):
    """The partition that group numbers describe."""
    return sorted([i for i, g in enumerate(number) if g == h] for h in set(number))


@pytest.mark.parametrize(
    ("priors", "expected"),
    [
        ({}, [[0, 1, 2]]),
        ({"means": Prior("Normal", mu=[0, 1], sigma=1)}, [[0, 1, 2]]),
        ({"means": Prior("Normal", mu=[[0, 0], [0, 0], [0, 1]], sigma=1)}, [[0, 1], [2]]),
        ({"means": Prior("Normal", mu=[[0], [1], [0]], sigma=1)}, [[0, 2], [1]]),
        ({"weights": Prior("Dirichlet", a=[1, 2, 2])}, [[0], [1, 2]]),
        ({"scales": Prior("InverseGamma", alpha=[[2], [2], [3]], beta=1)}, [[0, 1], [2]]),
        (
            {
                "weights": Prior("Dirichlet", a=[1, 2, 2]),
                "scales": Prior("InverseGamma", alpha=[[2], [2], [3]], beta=1),
            },
            [[0], [1], [2]],
        ),
    ],
)
def test_priors_of_their_own_split_exchange_groups(plane, priors, expected):
    assert split(groups(Mixture("gaussian", n_components=3, priors=priors), plane)) == expected


def test_labelled_classes_are_pinned(plane):
    labels = ["a", "b"] + [None] * 48
    spec = Mixture("gaussian", n_components=4)
    assert split(groups(spec, Data(plane.x, labels))) == [[0], [1], [2, 3]]
    assert split(groups(spec, Data(plane.x, [{"a", "b"}] + [None] * 49))) == [[0, 1], [2, 3]]
    assert split(groups(spec, Data(plane.x, None, classes=["a", "b"]))) == [[0, 1, 2, 3]]


LONE = {"means": {"component_1": 0.0}}
REFUSED = [
    ({"sd": 1.0}, "'sd' is no parameter that can be known here; choose from weights, means, scales, correlations"),
    ({"scales": "equal"}, "'scales' cannot be 'equal': only weights can"),
    ({"scales": "one"}, "'scales' must be a number or an array of numbers; got 'one'"),
    ({"scales": -1.0}, "'scales' must be positive; got -1.0"),
    ({"scales": [1.0, 2.0, 3.0]}, r"'scales' must be a number or have the shape \(2, 2\); got \(3,\)"),
    ({"weights": [0.5, 0.6]}, "'weights' must be positive and sum to 1"),
    ({"weights": {"component_1": 0.5}}, "'weights' is known as a whole or not at all"),
    ({"means": {"component_3": 0.0}}, "names the component 'component_3'; there are component_1, component_2"),
    ({"means": [[np.nan, 0.0], [0.0, 0.0]]}, "must be finite.*name those"),
    ({"correlations": 1.0}, "'correlations' must make a positive definite matrix"),
    ({"means": 0.0, "scales": 1.0, "correlations": 0.0, "weights": "equal"}, "nothing is left to estimate"),
    (["scales"], "must be a mapping of parameters to their values"),
]


@pytest.mark.parametrize(("fixed", "words"), REFUSED)
def test_what_cannot_be_known(fixed, words):
    with pytest.raises(ValueError, match=words):
        bind(Mixture("gaussian", n_components=2, fixed=fixed), Data(np.arange(12.0).reshape(6, 2) ** 2))


def test_known_parameters_beside_priors_orders_and_other_families():
    x = Data([1.0, 2.0, 4.0, 7.0])
    with pytest.raises(ValueError, match="'scales' is known, so it can have no prior"):
        Mixture("gaussian", n_components=2, fixed={"scales": 1.0}, priors={"scales": Prior("HalfNormal", sigma=1)})
    for fixed in (LONE, {"means": 0.0}, {"weights": [0.4, 0.6]}):
        with pytest.raises(ValueError, match="order: 'means' cannot be combined with known parameters"):
            resolve(Mixture("gaussian", n_components=2, order="means", fixed=fixed), x)
    assert resolve(Mixture("gaussian", n_components=2, order="means", fixed={"scales": 1.0}), x).order == "means"
    with pytest.raises(ValueError, match="correlations: this mixture of these columns has none"):
        bind(Mixture("gaussian", n_components=2, fixed={"correlations": 0.0}), x)
    with pytest.raises(ValueError, match="'rate_coef' is known as a whole"):
        Mixture("zero_inflated_poisson", fixed={"rate_coef": {"1": 0.0}})


@pytest.mark.parametrize(
    ("fixed", "groups"),
    [
        ({"scales": 1.0, "weights": "equal"}, [0, 0, 0]),
        ({"weights": [0.5, 0.25, 0.25]}, [1, 0, 0]),
        (LONE, [0, 1, 1]),
        ({"means": {"component_1": 0.0, "component_3": 0.0}}, [0, 1, 0]),
        ({"means": [[0.0], [1.0], [2.0]]}, [0, 1, 2]),
    ],
)
def test_what_is_known_by_name_tells_components_apart(fixed, groups):
    likelihood = bind(Mixture("gaussian", n_components=3, fixed=fixed), Data([1.0, 2.0, 4.0, 7.0]))
    same = np.equal.outer(groups, groups)
    np.testing.assert_array_equal(np.equal.outer(likelihood.exchangeable, likelihood.exchangeable), same)
    np.testing.assert_array_equal(np.equal.outer(exchange_groups(likelihood), exchange_groups(likelihood)), same)


def test_only_what_is_free_has_a_prior():
    spec = resolve(Mixture("gaussian", n_components=2, fixed={"scales": 1.0} | LONE), Data([1.0, 2.0, 4.0, 7.0]))
    assert set(spec.priors) == {"weights", "means"}
    likelihood = bind(spec, Data([1.0, 2.0, 4.0, 7.0]))
    assert likelihood.free["means"].tolist() == [[False], [True]]
    assert "scales" not in likelihood.free
    assert likelihood.n_parameters == 2
