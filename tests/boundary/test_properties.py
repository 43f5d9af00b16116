"""What holds for whatever is put in, tried by a machine: data, round trips, labels, EM's steps."""

import datetime
import json
import tomllib
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import bayesmix as bm
from bayesmix.estep import e_step
from bayesmix.inputs.arguments import MOST_COMPONENTS
from bayesmix.inputs.prior import SHAPES
from bayesmix.mixture import permutations as switching
from bayesmix.mixture.spec import bind

SLOW = [HealthCheck.too_slow]
often = settings(deadline=None, derandomize=True, database=None, max_examples=150, suppress_health_check=SLOW)
seldom = settings(often, max_examples=25)
"""The same examples every time: what is found is put into a test of its own."""

CELLS = st.one_of(
    st.floats(),
    st.integers(),
    st.booleans(),
    st.none(),
    st.text(max_size=5),
    st.sampled_from(["NA", "1,5", "1.234", "2020-01-01", "nan", " 3", "1e5", -1, 10**400, 1j, pd.NA, pd.NaT]),
    st.just(datetime.date(2020, 1, 1)),
    st.lists(st.integers(), max_size=2),
)
FAMILIES = ("gaussian", "poisson", "bernoulli", "categorical")


def outcome(call, *arguments, **options):
    """What it returns and None, or None and the ValueError."""
    try:
        return call(*arguments, **options), None
    except ValueError as error:
        return None, error


def is_ours(error, *arguments):
    """A plain ValueError in one line that begins with the argument."""
    text = str(error)
    return type(error) is ValueError and text.split(":")[0] in arguments and len(text.splitlines()) == 1


def resolved(cells, family):
    """Data of one column that suit the family."""
    data = bm.Data(pd.DataFrame({"a": pd.Series(cells, dtype=object)}))
    bm.resolve(bm.Mixture(family, n_components=1), data)
    return data


@often
@given(st.lists(CELLS, min_size=1, max_size=6), st.sampled_from(FAMILIES))
def test_any_cells_are_numbers_or_refused(cells, family):
    """Nothing but a ValueError of ours in one line; what is taken is what Python makes of the cells."""
    data, error = outcome(resolved, cells, family)
    if error is not None:
        assert is_ours(error, "X", "n_components")
        return
    if data.levels == ((),):
        there = [not (cell is None or cell is pd.NA or cell is pd.NaT or cell != cell) for cell in cells]
        np.testing.assert_array_equal(~np.isnan(data.x[:, 0]), there)
        wanted = [float(cell) for cell, own in zip(cells, there, strict=True) if own]
        np.testing.assert_array_equal(data.x[there, 0], wanted)


@often
@given(st.lists(CELLS, min_size=4, max_size=4), st.sampled_from(["labels", "row_weights", "truth", "classes"]))
def test_any_labels_and_weights_are_taken_or_refused(values, argument):
    data, error = outcome(bm.Data, [1.0, 2.0, 4.0, 7.0], **{argument: values})
    if error is not None:
        assert is_ours(error, argument)
        return
    assert np.isfinite(data.row_weights).all()
    assert len(data.labelled) == 4


@often
@given(
    arrays.arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 3)), elements=st.floats(width=64)),
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=5, max_size=5),
    st.lists(st.floats(0.1, 10), min_size=5, max_size=5),
)
def test_data_come_back_from_a_dataset(x, labels, weights):
    n = len(x)
    try:
        data = bm.Data(x, labels[:n], row_weights=weights[:n])
    except ValueError:
        assert np.isinf(x).any()
        return
    back = bm.Data.from_dataset(data.to_dataset())
    np.testing.assert_array_equal(back.x, data.x)
    np.testing.assert_array_equal(back.x, x)
    np.testing.assert_array_equal(back.class_evidence, data.class_evidence)
    np.testing.assert_array_equal(back.labelled, [label is not None for label in labels[:n]])
    np.testing.assert_array_equal(back.row_weights, weights[:n])
    assert (back.feature_names, back.obs_names, back.classes) == (data.feature_names, data.obs_names, data.classes)


POSITIVE = st.floats(1e-300, 1e300)
NESTED = st.one_of(POSITIVE, st.lists(POSITIVE, min_size=1, max_size=3))
WITHOUT = {"MvNormal"}


@st.composite
def priors(draw):
    """Any prior of numbers or of lists of them."""
    name = draw(st.sampled_from(sorted(set(SHAPES) - WITHOUT)))
    value = POSITIVE if SHAPES[name].support == "dynamic" else NESTED
    return bm.Prior(name, **{parameter: draw(value) for parameter in SHAPES[name].parameters})


@st.composite
def mixtures(draw):
    """A Gaussian mixture with some of its options, priors and known values."""
    known = draw(st.sampled_from([{}, {"weights": [0.5, 0.5]}, {"weights": "equal"}, {"means": {"component_1": 0.25}}]))
    means = draw(st.none() | st.builds(lambda s: bm.Prior("Normal", mu=0, sigma=s), NESTED))
    return bm.Mixture(
        "gaussian",
        n_components=draw(st.integers(1, MOST_COMPONENTS)),
        covariance=draw(st.sampled_from(["full", "tied", "diag", "VEV", "EII"])),
        order=draw(st.sampled_from([None, "means"])),
        fixed=known,
        priors={} if means is None else {"means": means},
    )


def as_toml(table, path=()):
    """A table of plain values as TOML, written independently of the package."""
    plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
    lines = [f"[{'.'.join(path)}]"] if path else []
    lines += [f"{k} = {json.dumps(v)}" for k, v in plain.items()]
    for k, v in table.items():
        lines += [as_toml(v, (*path, k))] if isinstance(v, dict) else []
    return "\n".join(lines)


@often
@given(priors())
def test_priors_come_back_from_json_and_toml(prior):
    assert bm.Prior.from_dict(json.loads(json.dumps(prior.to_dict()))) == prior
    assert bm.Prior.from_dict(tomllib.loads(as_toml(prior.to_dict()))) == prior


@often
@given(mixtures())
def test_mixtures_come_back_from_json_and_toml(spec):
    entry = spec.to_dict()
    for again in (json.loads(json.dumps(entry)), tomllib.loads(as_toml(entry))):
        assert bm.Mixture.from_dict(again) == spec
        assert hash(bm.Mixture.from_dict(again)) == hash(spec)


@often
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.data())
def test_however_labels_are_shuffled_the_draws_come_back_alike(seed, K, data):
    """Responsibilities of every draw in any order of components: after relabelling they are what they were."""
    rng = np.random.default_rng(seed)
    r, pivot = rng.dirichlet(np.full(K, 0.3), (4, 12)), rng.dirichlet(np.full(K, 0.3), 12)
    shuffled = np.array(data.draw(st.lists(st.permutations(range(K)), min_size=4, max_size=4)))
    other = np.take_along_axis(r, shuffled[:, None, :], axis=-1)

    def relabelled(draws):
        order = switching.best_permutations(np.einsum("snk,nj->skj", draws, pivot), np.zeros(K, int))
        return np.take_along_axis(draws, order[:, None, :], axis=-1)

    np.testing.assert_allclose(relabelled(other), relabelled(r))


@seldom
@given(st.integers(0, 2**32 - 1), st.permutations(range(3)))
def test_the_likelihood_does_not_know_labels(seed, order):
    rng = np.random.default_rng(seed)
    order = list(order)
    likelihood = bind(bm.Mixture("gaussian", n_components=3), bm.Data(rng.normal(size=(30, 2))))
    params = {
        "weights": rng.dirichlet(np.ones(3)),
        "means": rng.normal(size=(3, 2)),
        "covariances": np.stack([np.eye(2) * s for s in rng.uniform(0.2, 2, 3)]),
    }
    L, sums = e_step(likelihood, params)
    other, permuted = e_step(likelihood, {name: a[order] for name, a in params.items()})
    assert other == pytest.approx(L, rel=1e-13)
    for name, total in sums.items():
        np.testing.assert_allclose(permuted[name], total[order], rtol=1e-9, atol=1e-9)


ROWS = {
    "gaussian": lambda draw, n: draw(arrays.arrays(float, (n, 2), elements=st.floats(-100, 100, width=16))),
    "poisson": lambda draw, n: draw(arrays.arrays(float, (n, 2), elements=st.integers(0, 30).map(float))),
    "bernoulli": lambda draw, n: draw(arrays.arrays(float, (n, 3), elements=st.sampled_from([0.0, 1.0]))),
}


@seldom
@given(st.data(), st.sampled_from(sorted(ROWS)), st.integers(1, 3))
def test_em_never_falls(data, family, K):
    """The log-likelihood of every step is that of the one before at least, up to the rounding of the sum."""
    x = ROWS[family](data.draw, data.draw(st.integers(4, 15)))
    em, error = outcome(bm.fit_em, bm.Mixture(family, n_components=K), bm.Data(x), n_starts=2, max_iter=60)
    if error is not None:
        assert is_ours(error, "X")
        return
    finite = em.history[np.isfinite(em.history)]
    assert all(after >= before - 1e-12 * (1 + abs(before)) for before, after in pairwise(finite))
    assert em.log_likelihood == em.history[-1]
