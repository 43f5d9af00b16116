"""Sampling that goes on: each bad verdict asks for something, every step is kept, the budget holds."""

import json
from types import SimpleNamespace

import pytest
import xarray as xr

from bayesmix.sampling.until import EFFORT, until_trusted
from bayesmix.tempering.budget import Budget

SETTINGS = {"draws": 1000, "tune": 500, "chains": 4, "target_accept": 0.9, "sampler": "auto"}


@pytest.fixture
def steps(monkeypatch):
    """The steps that a series of verdicts leads to; every run takes no time."""

    def go(*verdicts, minutes=5.0):
        told, asked = iter(verdicts), []

        def diagnose(record, *, model):
            return SimpleNamespace(problems=[SimpleNamespace(name=n, value=v) for n, v in next(told).items()])

        def sample(**settings):
            asked.append(settings)
            return xr.DataTree()

        monkeypatch.setattr("bayesmix.checks.diagnose.diagnose", diagnose)
        monkeypatch.setattr("bayesmix.posterior.record.Record.of", lambda dt: dt)
        dt = until_trusted(sample, SETTINGS, Budget.of(minutes, 0.04, whole=True))
        kept = json.loads(dt.attrs[EFFORT])
        assert [step["with"]["draws"] for step in kept] == [one["draws"] for one in asked]
        return [step["with"] for step in kept]

    return go


def test_a_good_verdict_ends_it(steps):
    assert len(steps({})) == 1


def test_few_effective_draws_ask_for_more(steps):
    first, second = steps({"ess_bulk": 100.0, "ess_tail": 200.0}, {})
    assert second == first | {"draws": 6000}


def test_a_mild_r_hat_asks_for_more_draws_a_large_one_for_chains_that_cross(steps):
    assert steps({"r_hat": 1.02}, {})[1] == {**steps({})[0], "draws": 2000}
    assert steps({"r_hat": 1.3}, {})[1]["sampler"] == "exchange"
    assert steps({"modes_unknown": 4.0}, {})[1]["sampler"] == "exchange"


def test_divergences_ask_for_care_then_for_chains_that_cross(steps):
    cares = steps(*[{"divergences": 2.0}] * 3, {})
    assert [one["target_accept"] for one in cares] == [0.9, 0.95, 0.99, 0.99]
    assert cares[-1]["sampler"] == "exchange"


def test_what_effort_does_not_mend_ends_it(steps):
    assert len(steps({"interrupted": 10.0})) == 1
    assert len(steps({"modes": 2.0}, {"round_trips": 3.0})) == 2


def test_without_time_it_stops(steps):
    assert len(steps({"ess_bulk": 10.0}, minutes=1e-12)) == 1
