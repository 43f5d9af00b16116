"""Forecasts beside what was measured on two cores: 65 s for the galaxies with 1 to 5 components, 288 s with 1 to 9
(beside other work); six candidates of twelve rows, whose chains settled, took 27 and 33 s, one after the other."""

import pytest

from bayesmix.choosing.cost import forecast, in_words, seconds_of

PASS = 5e-5


def records(*numbers):
    return [{"n_components": K, "e_step_seconds": PASS} for K in numbers]


@pytest.mark.parametrize(("numbers", "measured"), [(range(1, 6), 65), (range(1, 10), 288)])
def test_where_chains_do_not_settle(numbers, measured):
    _, unsettled, most = seconds_of(records(*numbers), {"cores": 2})
    assert unsettled == pytest.approx(measured, rel=0.25)
    assert most > unsettled


def test_where_chains_settle():
    settled, unsettled, _ = seconds_of(records(*range(1, 7)), {"cores": 2})
    assert 27 < settled < 3 * 33
    assert settled < unsettled


def test_an_exchange_takes_no_longer_than_it_may():
    _, short, _ = seconds_of(records(8), {"cores": 2, "minutes": 0.1})
    _, long, _ = seconds_of(records(8), {"cores": 2, "minutes": 50})
    assert long - short == pytest.approx(40 - 6)


def test_in_words():
    assert [in_words(s) for s in (0.2, 40, 420, 9000)] == ["1 s", "40 s", "7 min", "2.5 h"]
    said = forecast(records(1, 2), {"cores": 2})
    assert said.startswith("Sampling 2 candidates takes about 16 s where chains settle, and at most ")
    assert "about 16 s where chains settle, about" not in said
    assert "where those of 3 components and more do not" in forecast(records(3), {"cores": 2})


def test_no_shorter_than_the_longest_candidate_takes():
    alone, beside = (seconds_of(records(*numbers), {"cores": 8}) for numbers in ((8,), (1, 8)))
    assert beside[1] >= alone[1]
