"""Replica exchange against exact sums, an allocation sampler, and posteriors whose modes are known."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy import stats
from scipy.special import logsumexp

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.inputs.errors import FitError
from bayesmix.mixture.spec import resolved
from bayesmix.model.build import build
from bayesmix.tempering.budget import Budget
from bayesmix.tempering.evidence import log_evidence, log_ratio
from bayesmix.tempering.exchange import exchange
from bayesmix.tempering.guesses import guess
from bayesmix.tempering.ladder import Ladder, Seen, factor
from bayesmix.tempering.powers import Tempered

TIED = np.array([1, 2, 2, 3, 3, 4, 8, 9, 9, 10, 10, 11.0])
EXACT = {1: -35.50085821, 2: -32.52193986, 3: -32.33942724, 4: -32.32522576, 5: -32.35447940, 6: -32.39662602}
"""log p(TIED | K), summed over all partitions of the rows."""
DENSITY = {2: (-2.072625, -3.517981, -2.072625), 3: (-2.131302, -3.320776, -2.131302)}
"""log predictive densities at 2, 6 and 10."""
OCCUPIED = {2: (0.007823, 0.992177), 3: (0.001397, 0.354281, 0.644322)}
"""p(number of occupied components)."""


def tied(K):
    priors = {
        "weights": bm.Prior("Dirichlet", a=[1.0] * K),
        "means": bm.Prior("Normal", mu=6.0, sigma=4.0),
        "scales": bm.Prior("LogNormal", mu=np.log(2), sigma=0.6),
    }
    return bm.Mixture("gaussian", n_components=K, priors=priors)


@pytest.fixture(scope="session")
def tied_compiled():
    return {2: CompiledModel(build(tied(2), bm.Data(TIED)))}


@pytest.fixture(scope="session")
def tied_draws(tied_compiled):
    spec, data = tied(2), bm.Data(TIED)
    return bm.sample(spec, data, compiled=tied_compiled[2], sampler="exchange", draws=5000, seed=1, progress=False)


def log_predictive(draws, at):
    w, m, s = (draws["posterior"][v].to_numpy().reshape(-1, 2) for v in ("weights", "means", "scales"))
    rows = np.log(w) + stats.norm.logpdf(at, m, s)
    each = logsumexp(rows, axis=1).reshape(draws["posterior"].sizes["chain"], -1)
    blocks = np.exp(each).reshape(len(each) * 10, -1).mean(axis=1)
    return np.log(blocks.mean()), blocks.std(ddof=1) / np.sqrt(len(blocks)) / blocks.mean()


def test_evidence_is_the_sum_over_all_partitions(tied_draws):
    found = bm.log_evidence(tied_draws)
    assert found.established
    assert found.standard_error < 0.03
    assert abs(found.value - EXACT[2]) < 4 * found.standard_error
    held = tied_draws["tempering"].attrs
    assert abs(held["bridge"] - EXACT[2]) < 4 * held["bridge_error"] + 0.02


@pytest.mark.parametrize(("at", "exact"), list(zip((2, 6, 10), DENSITY[2], strict=True)))
def test_predictive_density_is_the_exact_one(tied_draws, at, exact):
    value, error = log_predictive(tied_draws, at)
    assert abs(value - exact) < 4 * error


def test_verdict_of_an_exchange(tied_draws):
    check = bm.diagnose(tied_draws)
    assert check.ok, check.verdict
    assert check.sampler["round_trips"] >= 10
    assert "replicas came from the prior" in str(check)


def test_same_seed_same_draws_on_any_number_of_cores(tied_compiled):
    spec, data = tied(2), bm.Data(TIED)
    likelihood, compiled = resolved(spec, data), tied_compiled[2]
    settings = {"chains": 2, "draws": 50, "seed": 3, "budget": Budget.of(1.0, 0.04, whole=False)}
    one, two = (exchange(compiled, likelihood, np.zeros((1, 5)), cores=cores, **settings) for cores in (1, 2))
    np.testing.assert_array_equal(one.states, two.states)
    np.testing.assert_array_equal(one.round_trips, two.round_trips)


def test_no_time_is_said_beforehand(tied_compiled):
    with pytest.raises(FitError, match="raise minutes"):
        bm.sample(tied(2), bm.Data(TIED), compiled=tied_compiled[2], sampler="exchange", minutes=1e-6, progress=False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sampler": "gibbs"}, "sampler: must be one of 'auto', 'nuts', 'exchange'"),
        ({"until": "good"}, "until: must be None or 'trusted'"),
        ({"minutes": 0}, "minutes: must be positive"),
        ({"evidence_error": -1.0}, "evidence_error: must be positive"),
        ({"evidence_error": True}, "evidence_error: must be positive; got True"),
    ],
)
def test_bad_requests_are_named(given, message):
    with pytest.raises(ValueError, match=message):
        bm.sample(tied(2), bm.Data(TIED), **given)


def test_prior_draws_follow_the_prior(tied_compiled):
    rows = Tempered(tied_compiled[2], resolved(tied(2), bm.Data(TIED))).prior(4000, 1)
    means = rows[:, 1:3]
    assert stats.kstest(means.ravel(), stats.norm(6, 4).cdf).pvalue > 1e-3
    assert stats.kstest(rows[:, 3:].ravel(), stats.norm(np.log(2), 0.6).cdf).pvalue > 1e-3


def test_coordinates_of_components_are_found(tied_compiled):
    members = Tempered(tied_compiled[2], resolved(tied(2), bm.Data(TIED))).members
    np.testing.assert_array_equal(members, [[1, 3], [2, 4]])


def test_guesses_are_a_density_and_its_draws(rng):
    """Of components at (0, 1) and (5, 0): the mixture of normals integrates to 1 and lies where they are."""
    centres = np.array([[0.0, 1.0], [5.0, 0.0]])
    states = np.concatenate([[0.0], centres.ravel()]) + 0.3 * rng.normal(size=(300, 2, 5))
    cumulative, means, factors, inverses, constants = guess(states, np.array([[1, 2], [3, 4]]), seed=1)
    weights = np.diff(cumulative[0], prepend=0.0)
    for g, w in enumerate(weights):
        normal = stats.multivariate_normal(means[0, g], factors[0, g] @ factors[0, g].T)
        assert constants[0, g] == pytest.approx(np.log(w) + normal.logpdf(means[0, g]))
        np.testing.assert_allclose(inverses[0, g] @ factors[0, g], np.eye(2), atol=1e-9)
    near = np.abs(means[0][:, None] - centres).max(axis=2) < 1.0
    assert weights[near.any(axis=1)].sum() == pytest.approx(1.0)
    assert (weights @ near) == pytest.approx([0.5, 0.5], abs=0.02)


def test_ratio_of_two_normals_by_acceptance(rng):
    """L = -x^2 / 2 on a prior N(0, 1): powers b give N(0, 1 / (1 + b)) with the integral 1 / sqrt(1 + b)."""
    b, c = 0.2, 1.0
    low, high = (-(rng.normal(size=200_000) ** 2) / (1 + p) / 2 for p in (b, c))
    assert log_ratio(low, high, c - b) == pytest.approx(0.5 * np.log((1 + b) / (1 + c)), abs=5e-3)


def test_evidence_and_its_error(rng):
    """The same over a ladder: log Z = -log(2) / 2, and the error is that of repeated runs."""
    powers = np.linspace(0, 1, 6)

    def run():
        L = -(rng.normal(size=(4, 500, 6)) ** 2) / (1 + powers) / 2
        return log_evidence(powers, L)

    values, errors = np.array([run() for _ in range(100)]).T
    assert values.mean() == pytest.approx(-0.5 * np.log(2), abs=4 * values.std() / 10)
    assert 0.6 < np.median(errors) / values.std() < 2.0


def test_rungs_are_spaced_by_the_barrier():
    ladder = Ladder(np.array([0.0, 0.1, 1.0]), np.tile(np.eye(2), (3, 1, 1)), np.ones(3))
    ones = np.ones(3)
    spaced = ladder.spaced(np.array([0.6, 0.2]), 5)
    assert spaced.powers[0] == 0
    assert spaced.powers[-1] == 1
    assert spaced.powers[3] == pytest.approx(0.1, abs=1e-2)
    assert Seen(ones, ones, np.array([0.6, 0.2]), np.zeros((3, 2, 2)), ones, ones).barrier == pytest.approx(0.8)


def test_factor_is_that_of_the_average_curvature(rng):
    """Slopes of N(0, S) have the covariance S^-1."""
    S = np.array([[4.0, 0.2], [0.2, 0.25]])
    x = rng.multivariate_normal([0, 0], S, size=100_000)
    slopes = -x @ np.linalg.inv(S)
    A = factor(np.tril(slopes.T @ slopes / len(x)))
    np.testing.assert_allclose(A @ A.T, S, atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("K", [4, *(pytest.param(K, marks=pytest.mark.thorough) for K in (1, 3, 5, 6))])
def test_evidence_for_every_number_of_components(K):
    dt = bm.sample(tied(K), bm.Data(TIED), sampler="exchange", draws=5000, seed=1, progress=False)
    found = bm.log_evidence(dt)
    assert found.standard_error < 0.03
    assert abs(found.value - EXACT[K]) < 4 * found.standard_error


def answers(rng):
    """Forty rows of three answers in two classes, every eighth cell missing."""
    z = rng.random(40) < 0.5
    yes = rng.random((40, 3)) < np.where(z, 0.85, 0.2)[:, None]
    frame = pd.DataFrame(np.where(yes, "yes", "no"), columns=["a", "b", "c"]).astype(object)
    return frame.mask(rng.random((40, 3)) < 1 / 8)


def gaps(rng):
    """Sixty rows of two measurements in two groups, every eighth cell missing."""
    X = rng.normal(size=(60, 2)) + 3.0 * (np.arange(60) % 2)[:, None]
    return pd.DataFrame(X, columns=["a", "b"]).mask(rng.random((60, 2)) < 1 / 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "make"),
    [
        pytest.param("categorical", answers, marks=pytest.mark.thorough),
        pytest.param("gaussian", gaps, marks=pytest.mark.thorough),
        ("poisson", lambda rng: pd.DataFrame({"count": rng.poisson(np.where(np.arange(80) % 2, 1.0, 6.0))})),
    ],
)
def test_every_family_is_exchanged_and_agrees_with_chains(rng, family, make):
    """Means of what labels do not change, against NUTS, whose chains cross here."""
    spec, data = bm.Mixture(family, n_components=2), bm.Data(make(rng))
    ours, chains = (bm.sample(spec, data, sampler=s, seed=1, progress=False) for s in ("exchange", "nuts"))
    ours, chains = (bm.diagnose(dt).invariants for dt in (ours, chains))
    both = ours.index.intersection(chains.index)
    assert len(both) > 5
    error = np.hypot(ours["mcse_mean"], chains["mcse_mean"])[both]
    assert (np.abs(ours["mean"] - chains["mean"])[both] < 4.5 * error).all()


@pytest.mark.slow
def test_a_term_of_the_users_own_stays_on_every_rung():
    """A potential that orders the means, and one beside the data; no evidence is claimed for such a model."""
    spec, data = tied(2), bm.Data(TIED)
    with bm.build(spec, data) as model:
        pm.Potential("near", -0.5 * ((model["means"].min() - 2.0) / 0.1) ** 2)
    dt, chains = (bm.sample(spec, data, model=model, sampler=s, seed=1, progress=False) for s in ("exchange", "nuts"))
    assert np.isnan(dt["tempering"].attrs["log_evidence"])
    lowest = [draws["posterior"]["means"].min(("component", "feature")) for draws in (dt, chains)]
    a, b = lowest
    assert abs(float(a.mean() - b.mean())) < 0.02
    assert float(a.std()) == pytest.approx(float(b.std()), rel=0.15)
