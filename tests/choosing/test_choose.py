"""The table of a choice: columns against other computations, sentences, what is refused, and going on after a stop."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

import bayesmix as bm
from bayesmix.choosing import store
from bayesmix.choosing.candidates import candidates, standardized
from bayesmix.choosing.choice import Choice
from bayesmix.choosing.nobile import chained, log_step, symmetric_weight
from bayesmix.choosing.prior_of_k import log_prior_of_k
from bayesmix.choosing.words import reasons, routes_in_words
from bayesmix.grouping.occupied import mcse
from bayesmix.inputs.storage import sealed, unsealed
from choosing.test_enumeration import ELPD, LOG_Z, OCCUPIED

NORMAL = bm.Mixture("gaussian", n_components=1)


@pytest.fixture(scope="module")
def by_em(iris):
    settings = {"n_components": (1, 2), "covariance": ("full", "tied"), "mode": "em", "folds": 3, "progress": False}
    return bm.choose(*iris, **settings)


def record(K, **more):
    """A candidate's numbers, as exact as can be, of the rows of the enumeration."""
    numbers = {"log_likelihood": -30.0, "reached": 1.0, "df": 3 * K - 1, "bic": 60.0 + 5 * K, "icl": 60.0 + 5 * K}
    drawn = {"log_evidence": LOG_Z[K - 1], "log_evidence_error": 0.01, "established": True, "pareto_k": 0.3}
    drawn |= {"elpd": [ELPD[K - 1] / 12] * 12, "occupied": OCCUPIED[K - 1], "occupied_error": [0.0] * K}
    found = {"aic": 60.0 + 2 * K, "held_out": -30.0 - K, "converged": True, "reasons": [], "ok": True}
    return {"n_components": K, **numbers, **drawn, **found, "model_ok": True, **more}


def choice_of(records, prior="uniform"):
    data = bm.Data([1.0, 2, 2, 3, 3, 4, 8, 9, 9, 10, 10, 11])
    asked = candidates(NORMAL, data, [r["n_components"] for r in records], None, "k-free")
    return Choice(asked, records, prior)


def test_criteria_against_mclust(by_em):
    """BIC and ICL of VVV with 2 components on iris as mclust 6 prints them, with the other sign; AIC from both."""
    full = by_em.table.loc["2 full"]
    assert full["log_likelihood"] == pytest.approx(-214.3547, abs=1e-4)
    assert full["df"] == 29
    assert full["bic"] == pytest.approx(574.0178, abs=1e-3)
    assert full["icl"] == pytest.approx(574.0191, abs=1e-3)
    assert full["aic"] == pytest.approx(2 * 214.3547 + 2 * 29, abs=1e-3)
    assert by_em.table.loc["2 tied", "log_likelihood"] == pytest.approx(-296.4476, abs=1e-3)


def test_held_out_density_against_scipy(iris, by_em):
    """One normal: the density of every fold under mean and covariance of the others."""
    x = iris[1].x
    shuffled = np.random.default_rng(1).permutation(len(x))
    total = 0.0
    for inside in np.array_split(shuffled, 3):
        rest = np.delete(x, inside, axis=0)
        total += stats.multivariate_normal(rest.mean(axis=0), np.cov(rest.T, bias=True)).logpdf(x[inside]).sum()
    assert by_em.table.loc["1 full", "held_out"] == pytest.approx(total, abs=1e-6)
    assert by_em.table.loc["1 tied", "held_out"] == pytest.approx(total, abs=1e-6)


def test_the_best_of_em_alone(by_em):
    assert not by_em.sampled
    assert by_em.best_name == "2 full"
    assert by_em.best.spec.options["covariance"] == "full"
    assert by_em.ok
    assert by_em.posterior.empty
    assert "smaller is better" in str(by_em)


def test_priors_do_not_depend_on_k(iris):
    spec, data = iris
    free = candidates(spec, data, (1, 3, 5), None, "k-free")
    scales = [c.spec.priors["scales"] for c in free]
    assert scales[0] == scales[1] == scales[2] == bm.resolve(spec, data).priors["scales"]
    assert [c.spec.priors["weights"].parameters["a"].size for c in free] == [1, 3, 5]
    own = candidates(spec, data, (1, 5), None, "default")
    assert own[0].spec.priors["scales"] != own[1].spec.priors["scales"]
    mine = spec.replace(priors={"scales": bm.Prior("LogNormal", mu=0.0, sigma=1.0)})
    assert candidates(mine, data, 2, None, "k-free")[0].spec.priors["scales"].distribution == "LogNormal"


def test_what_is_known_of_every_component():
    """Means of two components are asked about with two alone: the defaults are theirs."""
    data = bm.Data([1.0, 2, 2, 3, 3, 4, 8, 9, 9, 10, 10, 11])
    known = NORMAL.replace(fixed={"means": [[2.5], [9.5]]})
    (made,) = candidates(known, data, np.int64(2), None, "k-free")
    assert made.spec.priors["scales"] == bm.resolve(NORMAL.replace(n_components=2), data).priors["scales"]
    fourth = NORMAL.replace(fixed={"means": {"component_4": 9.5}})
    assert [c.n_components for c in candidates(fourth, data, (4, 5), None, "k-free")] == [4, 5]
    free = candidates(NORMAL, data, 2, None, "k-free")[0].spec.priors["scales"]
    assert free == bm.resolve(NORMAL.replace(n_components=3), data).priors["scales"]


@pytest.mark.parametrize("priors", ["k-free", "default"])
def test_what_is_said_of_the_priors(priors, monkeypatch):
    """A set that the mixture names is what is said, whatever would be done about defaults."""
    monkeypatch.setattr("bayesmix.choosing.by_draws.by_draws", lambda *_, **__: {"error": "not here"})
    settings = {"n_components": 2, "folds": 0, "n_starts": 1, "priors": priors, "progress": False}
    data = bm.Data([1.0, 2, 2, 3, 8, 9, 9, 10])
    plain, named = (bm.choose(s, data, **settings).notes[1] for s in (NORMAL, NORMAL.replace(priors="fms-2021")))
    assert named == "Priors are those of fms-2021; the components' do not depend on K."
    assert plain.startswith("Priors of components do not" if priors == "k-free" else "Default priors depend on K")


def test_published_priors():
    """Richardson and Green's: one compiled density of all scales together, that of the formula and its Jacobian."""
    x = [1.0, 2, 3, 11, 12, 26]
    made = candidates(NORMAL, bm.Data(x), (1, 3), None, "richardson-green")
    assert [c.spec.priors["scales"].parameters["level_rate"] for c in made] == pytest.approx([10 / 625] * 2)
    assert made[1].spec.priors["means"] == bm.Prior("Normal", mu=13.5, sigma=25.0)
    model = bm.build(made[1].spec, bm.Data(x))
    scales = np.array([[0.5], [1.5], [2.0]])
    point = {"weights_simplex__": np.zeros(2), "means": np.zeros((3, 1)), "scales_log__": np.log(scales)}
    v = (scales**2).ravel()
    published = gammaln(6.2) - gammaln(0.2) + 0.2 * np.log(10 / 625) - 3 * np.log(v).sum()
    published -= 6.2 * np.log((1 / v).sum() + 10 / 625)
    jacobian = np.log(2 * scales).sum() + np.log(scales).sum()
    assert model.compile_logp(vars=[model["scales"]])(point) == pytest.approx(published + jacobian)
    assert symmetric_weight(made[1].likelihood) == 1.0


def test_prior_of_k_against_published_numbers():
    """K - 1 ~ BNB(1, 4, 3), cut at 6: p(K | y) follows from log evidences that are known exactly."""
    log_p = log_prior_of_k("bnb", range(1, 7)) + LOG_Z
    p = np.exp(log_p - np.logaddexp.reduce(log_p))
    assert p == pytest.approx([0.062687, 0.462317, 0.246616, 0.125072, 0.066254, 0.037053], abs=1e-6)
    assert np.exp(log_prior_of_k({1: 1, 2: 3}, [1, 2])) == pytest.approx([0.25, 0.75])


def test_probabilities_and_their_errors_against_many_draws(rng):
    records = [record(K, log_evidence_error=0.05 * K) for K in (1, 2, 3, 4)]
    choice = choice_of(records)
    noisy = np.array(LOG_Z[:4]) + rng.normal(0, [0.05, 0.1, 0.15, 0.2], (20_000, 4))
    p = np.exp(noisy - np.logaddexp.reduce(noisy, axis=1, keepdims=True))
    assert choice.table["probability_error"].to_numpy() == pytest.approx(p.std(axis=0), rel=0.1)
    shares = np.array([np.pad(share, (0, 4 - len(share))) for share in OCCUPIED])
    assert choice.posterior["occupied_error"].to_numpy() == pytest.approx((p @ shares).std(axis=0), rel=0.15)
    exact = np.exp(LOG_Z[:4] - np.logaddexp.reduce(LOG_Z[:4]))
    assert choice.posterior["probability"].to_numpy() == pytest.approx(exact)
    assert choice.posterior["occupied"].to_numpy() == pytest.approx(exact @ shares)


def test_leave_one_out_differences(rng):
    a, b = rng.normal(-2, 1, 12), rng.normal(-2, 1, 12) + 5
    table = choice_of([record(1, elpd=a.tolist()), record(2, elpd=b.tolist())]).table
    assert table.loc["1", "elpd_diff"] == pytest.approx((a - b).sum())
    assert table.loc["1", "elpd_diff_se"] == pytest.approx(np.sqrt(12 * (a - b).var(ddof=1)))
    assert table.loc["2", ["elpd_diff", "elpd_diff_se"]].tolist() == [0, 0]


def test_nobiles_identity_against_exact_numbers():
    """p0 = .119025 at K = 3 leads from the exact evidence of two components to that of three."""
    assert LOG_Z[1] + log_step(12, 3, 1.0) - np.log(0.119025) == pytest.approx(LOG_Z[2], abs=1e-5)
    assert log_step(12, 3, 0.5) == pytest.approx(gammaln(1.5) - gammaln(1.0) + gammaln(13.0) - gammaln(13.5))
    step = {"step": LOG_Z[2] - LOG_Z[1], "step_error": 0.03, "step_established": True}
    lost = {"step": 0.0, "step_error": 0.5, "step_established": False}
    (first, _), (second, error), (third, _) = chained([record(2), record(3, **step), record(4, **lost)])
    assert np.isnan(first)
    assert (second, error) == pytest.approx((LOG_Z[2], np.hypot(0.01, 0.03)))
    assert np.isnan(third)


def test_no_step_between_components_with_other_priors():
    """Scales that shrink with K: an empty component of three is none fewer of the two that have others."""
    step = {"step": 0.2, "step_error": 0.03, "step_established": True}
    records = [record(2), record(3, **step)]
    data = bm.Data([1.0, 2, 2, 3, 3, 4, 8, 9, 9, 10, 10, 11])
    free, own = (Choice(candidates(NORMAL, data, (2, 3), None, p), records, "uniform") for p in ("k-free", "default"))
    assert free.table.loc["3", "nobile"] == pytest.approx(LOG_Z[1] + 0.2)
    assert own.table["nobile"].isna().all()


def test_where_the_identity_does_not_hold():
    data = bm.Data([1.0, 2.0, 3.0, 8.0, 9.0], labels=["a", None, None, None, None])
    told, plain = (candidates(NORMAL, d, 2, None, "k-free")[0].likelihood for d in (data, bm.Data([1.0, 2, 8, 9])))
    assert symmetric_weight(told) is None
    assert symmetric_weight(plain) == 2.0
    uneven = NORMAL.replace(n_components=2, priors={"weights": bm.Prior("Dirichlet", a=[1.0, 2.0])})
    assert symmetric_weight(candidates(uneven, bm.Data([1.0, 2, 8, 9]), 2, None, "k-free")[0].likelihood) is None


def test_the_sentence_where_routes_disagree():
    """Leave-one-out says 2, the evidence is flat from there on: both are said, and why."""
    choice = choice_of([record(K) for K in (1, 2, 3, 4)])
    assert choice.routes["elpd_loo"] == "2"
    assert choice.routes["probability"] == "4"
    assert "leave-one-out: K = 2" in routes_in_words(choice)
    said = " ".join(reasons(choice))
    assert "Leave-one-out hardly tells K = 3 and 4 from K = 2." in said
    assert "The evidence is flat: that of K = 2 and 3 is within a factor of 3 of that of K = 4." in said
    assert "most probably 2" in str(choice)


def test_cautions():
    doubtful = {"ok": False, "established": False, "model_ok": False, "pareto_k": 0.9, "reasons": ["a spike"]}
    step = {"step": 4.0, "step_error": 0.02, "step_established": True}
    choice = choice_of([record(1), record(2, **doubtful, **step), record(3, reached=0.05)])
    said = str(choice)
    for words in (
        "nothing but spikes for K = 2",
        "Hardly a start found EM's best for K = 3",
        "not established for K = 2",
    ):
        assert words in said
    assert "The choice by BIC" not in said
    assert "is at an end of the range that was asked about" in said
    for words in ("cannot be trusted yet for K = 2", "Pareto k > 0.7", "refute the model with K = 2", "contradict"):
        assert words in said
    assert not choice.ok
    assert choice.routes["bic"] == "1"


def test_a_candidate_that_could_not_be_sampled():
    """No p(K | y) without its evidence; what there is of the others stays."""
    lost = {k: v for k, v in record(2).items() if k in ("n_components", "reached", "df", "bic", "icl", "aic")}
    choice = choice_of([record(1), {**lost, "reasons": [], "converged": True, "error": "no chain can begin"}])
    assert "probability" not in choice.routes
    assert choice.routes["elpd_loo"] == "1"
    assert choice.posterior["probability"].isna().all()
    assert "K = 2 could not be sampled: no chain can begin" in str(choice)
    assert not choice.ok


def test_all_agree():
    records = [record(1), record(2, icl=50, bic=50, aic=50, held_out=-20, elpd=[-1.0] * 12, log_evidence=-20.0)]
    assert routes_in_words(choice_of(records)).startswith("All routes choose K = 2")
    assert reasons(choice_of(records)) == []


def test_a_run_goes_on_where_it_stopped(iris, tmp_path, monkeypatch):
    settings = {"n_components": (1, 2), "mode": "em", "folds": 0, "n_starts": 2, "out": tmp_path, "progress": False}
    first = bm.choose(*iris, **settings)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    numbers = unsealed(files[0].read_text())
    files[0].write_text(sealed(numbers | {"bic": -1.0}))
    again = bm.choose(*iris, **settings)
    assert again.table.loc["1", "bic"] == -1.0
    assert again.table.loc["2", "bic"] == first.table.loc["2", "bic"]
    bm.choose(*iris, **(settings | {"seed": 2}))
    assert len(list(tmp_path.iterdir())) == 4


def test_standardized_columns(faithful):
    """What is equivariant differs by the Jacobian alone; what is not says so."""
    spec, data = faithful
    settings = {"covariance": ("full", "EVE"), "mode": "em", "folds": 0, "n_starts": 2, "progress": False}
    raw, own = (bm.choose(spec, data, n_components=2, standardize=s, **settings) for s in (False, True))
    jacobian = len(data) * np.log(data.x.std(axis=0)).sum()
    gap = own.table["log_likelihood"] - raw.table["log_likelihood"]
    assert gap.loc["2 full"] == pytest.approx(jacobian, abs=1e-5)
    assert abs(gap.loc["2 EVE"] - jacobian) > 0.01
    assert any(note.startswith("EVE: another unit of a column is another mixture") for note in raw.notes)
    assert any("in units of their standard deviations" in note for note in own.notes)
    with pytest.raises(ValueError, match="standardize: is of measured columns; a poisson mixture has none"):
        bm.choose(bm.Mixture("poisson", n_components=1), bm.Data([1, 2, 3]), standardize=True)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"priors": {"means": bm.Prior("Normal", mu=50.0, sigma=9.0)}}, "priors has 'means' in the columns' own units"),
        ({"fixed": {"means": {"component_1": 50.0}}}, "fixed has 'means' in the columns' own units"),
    ],
)
def test_what_is_said_in_other_units_is_not_standardized(said, words):
    data = bm.Data([50.0, 52.0, 61.0, 63.0, 64.0])
    with pytest.raises(ValueError, match=f"standardize: {words}; divide the columns first"):
        bm.choose(NORMAL.replace(**said), data, n_components=2, mode="em", standardize=True)
    plain = NORMAL.replace(priors={"weights": bm.Prior("Dirichlet", a=1.0)})
    assert standardized(plain, data).x.ravel() == pytest.approx(data.x.ravel() / np.std([50.0, 52, 61, 63, 64]))


def test_units_are_those_of_the_rows_that_have_weight():
    x, v = np.array([[1.0], [2.0], [4.0], [9e5]]), np.array([1.0, 2.0, 1.0, 0.0])
    found = standardized(NORMAL, bm.Data(x, row_weights=v)).x
    assert found == pytest.approx(x / np.std([1.0, 2.0, 2.0, 4.0]))
    with pytest.raises(ValueError, match="X: column 'x' is constant"):
        standardized(NORMAL, bm.Data([3.0, 3.0, 3.0]))
    with pytest.raises(ValueError, match="X: column 'x2' has no value at all"):
        standardized(NORMAL, bm.Data([[3.0, np.nan], [4.0, np.nan]]))


def test_the_digest_sees_every_change(iris):
    data = iris[1]
    other = data.with_row_weights(np.r_[2.0, np.ones(149)])
    assert store.digest(data) == store.digest(data.take(np.arange(150)))
    assert len({store.digest(d) for d in (data, other, data.take(np.arange(149)))}) == 3


def test_monte_carlo_error_of_independent_draws(rng):
    values = rng.random((4, 2000))
    assert mcse(values) == pytest.approx(values.std() / np.sqrt(8000), rel=0.15)
    assert mcse(np.zeros((4, 100))) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mode": "fast"}, "mode: must be 'full' or 'em'; got 'fast'"),
        ({"folds": 1}, "folds: must be 0 or at least 2"),
        ({"n_components": ()}, "n_components: needs a number"),
        ({"n_components": (0, 1)}, "n_components: must be a whole number >= 1; got 0"),
        ({"covariance": ("full", "round")}, "covariance: unknown kind 'round'"),
        ({"priors": "flat"}, "priors: must be one of 'k-free', 'default', 'richardson-green', 'fms-2021'; got 'flat'"),
        ({"priors": "richardson-green"}, "priors: 'richardson-green' are of one column; the data have 4"),
        ({"p_components": "poisson"}, "p_components: must be one of 'uniform', 'bnb'"),
        (
            {"p_components": {1: 1.0}},
            "p_components: needs a probability >= 0 for every number.*; 2 has none",
        ),
        ({"step": 3}, "step: not an argument of choose"),
        ({"mode": "em", "draws": 10}, "draws: is of sampling"),
    ],
)
def test_impossible_arguments(iris, arguments, words):
    with pytest.raises(ValueError, match=words):
        bm.choose(*iris, **arguments, progress=False)


def test_a_failure_of_one_candidate_does_not_lose_the_others(iris, monkeypatch):
    def by_draws(candidate, **_):
        if candidate.n_components == 2:
            raise bm.FitError("no chain can begin")
        return {k: v for k, v in record(1).items() if k != "n_components"} | {"elpd": [-1.0] * 150}

    monkeypatch.setattr("bayesmix.choosing.by_draws.by_draws", by_draws)
    said = []
    monkeypatch.setattr("bayesmix.choosing.choose.errors.say", lambda text, **_: said.append(text))
    choice = bm.choose(*iris, n_components=(1, 2), folds=0, n_starts=2, cores=1)
    assert choice.records[1]["error"] == "no chain can begin"
    assert choice.table["log_evidence"].isna().tolist() == [False, True]
    assert said[1].startswith("Sampling 2 candidates takes about")
    assert said[-1].startswith("K = 1: done, 2 of 2 after")  # the hardest first
