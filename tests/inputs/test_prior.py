"""Priors: round trips and refusals."""

import json

import numpy as np
import pytest

from bayesmix.inputs.prior import SHAPES, Prior, choices

VALUES = {"mu": -1.5, "alpha": 2.0}


def example(name, value=0.3):
    if name == "MvNormal":
        return Prior(name, mu=[0.1, value if np.ndim(value) == 0 else 1 / 3], chol=[[1e-300, 0], [-4, 2.0]])
    value = float(np.ravel(value)[0]) if name == "DynamicDirichlet" else value  # for all components
    return Prior(name, **{p: VALUES.get(p, value) for p in SHAPES[name].parameters})


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("value", [0.1, [0.1, 1 / 3], [[1e-300, 2.0], [3, 4]]])
def test_round_trip_is_exact_through_json(name, value):
    prior = example(name, value)
    again = Prior.from_dict(json.loads(json.dumps(prior.to_dict())))
    assert again == prior
    assert hash(again) == hash(prior)
    for key, array in prior.parameters.items():
        np.testing.assert_array_equal(again.parameters[key], array)


def test_arrays_and_lists_are_the_same_prior():
    assert Prior("Normal", mu=np.zeros(2), sigma=1) == Prior("Normal", mu=[0, 0], sigma=1.0)
    assert Prior("Normal", mu=0, sigma=1) != Prior("Normal", mu=[0], sigma=1)


def test_locations_may_be_negative():
    assert Prior("Cauchy", alpha=-3, beta=1).parameters["alpha"] == -3
    assert Prior("LogNormal", mu=-3, sigma=1).support == "positive"


def test_only_densities_that_vanish_fast_are_said_to():
    """At x -> 0 the log-density over log x goes to -inf where, and only where, the flag says so."""
    from naive import SCIPY

    for name in choices("positive"):
        if name in SCIPY:
            prior = example(name, 1.0)
            lp = SCIPY[name](**prior.parameters).logpdf([1e-40, 1e-80])
            power = (lp[1] - lp[0]) / np.log(1e-40)
            assert (power > 10) == prior.vanishes_at_zero, name


def test_frozen():
    with pytest.raises(AttributeError):
        example("Normal").distribution = "Cauchy"
