"""Data at the edge of what a mixture can say: a finite answer that names what is wrong, or an error that does."""

import signal
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmix as bm
import naive

SECONDS = 60
"""No case may take longer, on a machine that does other work besides; alone each takes less than one second."""
KINDS = ("full", "tied", "diag", "spherical")
SOUND = ""
"""What is said of an estimate with which nothing is wrong."""

rng = np.random.default_rng(4)
TWO = np.vstack([rng.normal(0, 1, (30, 2)), rng.normal(6, 1, (30, 2))])
FLAT, VANISHES, FEW = "columns follow from others", "a variance vanishes", "rests on"
GALAXIES = bm.load("galaxies")[1].x
MEASURED = {
    "all rows equal": (2, np.ones((20, 2)), dict.fromkeys(KINDS, "column 'x1' is constant (1)")),
    "a constant column": (2, np.column_stack([TWO, np.ones(60)]), dict.fromkeys(KINDS, "column 'x3' is constant (1)")),
    "a duplicated column": (
        2,
        np.column_stack([TWO, TWO[:, 0]]),
        {"full": "x3 = x1", "tied": "x3 = x1", "diag": SOUND, "spherical": SOUND},
    ),
    "n = K": (4, TWO[[0, 1, 40, 41]], dict.fromkeys(KINDS, VANISHES)),
    "p > n": (2, rng.normal(size=(10, 40)), {"full": VANISHES, "tied": VANISHES, "diag": FEW, "spherical": FEW}),
    "one row at 1e6": (2, np.vstack([TWO, [[1e6, 1e6]]]), dict.fromkeys(KINDS, VANISHES)),
    "one row at 1e90": (2, np.r_[TWO[:, 0], 1e90], {"full": VANISHES, "tied": "saddle: "}),
    "two point masses": (
        2,
        np.repeat([[0.0, 0], [5, 3]], 10, axis=0),
        {"full": FLAT, "tied": FLAT, "diag": FEW, "spherical": FEW},
    ),
    "two point masses on a line": (2, np.repeat([0.0, 5], 10), {"full": FEW, "tied": "saddle: "}),
    "every row twice": (2, np.repeat(TWO, 2, axis=0), dict.fromkeys(KINDS, SOUND)),
    "half of the rows tied": (
        2,
        np.vstack([np.tile([1.0, 2], (30, 1)), rng.normal(6, 1, (30, 2))]),
        {"full": VANISHES, "tied": SOUND, "diag": FEW, "spherical": FEW},
    ),
    "perfectly separated": (2, TWO + 1e4 * (TWO > 3), dict.fromkeys(KINDS, SOUND)),
    "separated by a million widths": (
        2,
        np.vstack([rng.normal(0, 1e-3, (30, 2)), rng.normal(1e3, 1e-3, (30, 2))]),
        {"full": FLAT, "tied": FLAT, "diag": VANISHES, "spherical": VANISHES},
    ),
    "fully overlapping": (2, rng.normal(size=(80, 2)), dict.fromkeys(KINDS, SOUND)),
    "far too many components": (10, GALAXIES, {"full": FEW, "tied": SOUND}),
    "rank one": (
        2,
        np.outer(rng.normal(size=40), [1.0, 2, 3]),
        {"full": "x2 = 2 x1; x3 = 3 x1", "tied": "x2 = 2 x1; x3 = 3 x1", "diag": SOUND, "spherical": SOUND},
    ),
    "an integer grid": (
        2,
        np.array([(i, j) for i in range(6) for j in range(6)], float),
        {"full": SOUND, "tied": SOUND, "diag": SOUND, "spherical": FEW},
    ),
    "two rows": (2, np.array([[0.0, 1], [2, 5]]), dict.fromkeys(KINDS, VANISHES)),
    "one row": (1, np.array([[0.0, 1]]), dict.fromkeys(KINDS, "column 'x1' is constant (0)")),
}
"""K, the rows, and what is said of them by kind of covariances."""

Y, STEPS = rng.poisson(3, 60).astype(float), np.arange(60.0)
NO_EXCESS, ALIKE, RUN_OFF = "P(structural zero) runs to 0", "are alike", "no finite maximum"
COUNTED = {
    "without zeros": (Y + 1, NO_EXCESS, ALIKE),
    "zeros alone": (np.zeros(60), "all counts are 0", ALIKE),
    "one of 149": (np.r_[Y, 149], SOUND, SOUND),
    "all equal": (np.full(60, 4.0), NO_EXCESS, ALIKE),
    "a single one": (np.r_[np.zeros(59), 1], NO_EXCESS, ALIKE),
    "one row": (np.array([3.0]), NO_EXCESS, "n_components: must be at most the number of rows, 1"),
    "two rows": (np.array([3.0, 50]), NO_EXCESS, "3 free parameters for 2 observed values"),
    "as large as they may be": (np.full(60, 2.0**31 - 1) - np.arange(60), NO_EXCESS, ALIKE),
}
"""The counts, and what is said of a zero-inflated Poisson and of two Poissons."""
EXPLAINED = {
    "separation in the zero part": ({"zero": "1 + a"}, {"y": np.where(STEPS < 30, 0, Y + 1), "a": STEPS}, RUN_OFF),
    "separation in both": (
        {"rate": "1 + g", "zero": "1 + g"},
        {"y": np.where(STEPS < 20, 0, Y + 1), "g": np.where(STEPS < 20, "u", "v")},
        RUN_OFF,
    ),
    "zeros alone": ({"rate": "1 + a"}, {"y": np.zeros(60), "a": STEPS}, "all counts are 0"),
    "a coefficient for every two rows": (
        {"rate": "1 + g"},
        {"y": Y, "g": np.repeat([f"l{i}" for i in range(30)], 2)},
        NO_EXCESS,
    ),
    "a covariate far from 0": ({"rate": "1 + a"}, {"y": Y, "a": STEPS + 1e9}, SOUND),
    "a covariate in tiny units": ({"rate": "1 + a"}, {"y": Y, "a": 1e-12 * STEPS}, SOUND),
    "a covariate twice": ({"rate": "1 + a + b"}, {"y": Y, "a": STEPS, "b": STEPS}, "a, b are linearly dependent"),
    "one row rules a covariate": (
        {"rate": "1 + exp(a)"},
        {"y": Y, "a": 10 * STEPS},
        "Intercept, exp(a) are linearly dependent",
    ),
}
BITS = rng.integers(2, size=(60, 4)).astype(float)
EDGE, ALONE, OPEN = "on a boundary", "alone, which says nothing", "not identified"
ANSWERED = {
    "all rows equal": (2, np.ones((20, 3)), ALIKE, ALONE),
    "a constant column": (2, np.column_stack([BITS, np.ones(60)]), EDGE, ALONE),
    "a duplicated column": (2, np.column_stack([BITS, BITS]), EDGE, EDGE),
    "two point masses": (2, np.repeat([[0.0, 0, 0], [1, 1, 1]], 20, axis=0), EDGE, EDGE),
    "far too many components": (6, BITS, OPEN, OPEN),
    "one row": (1, BITS[:1], EDGE, ALONE),
}
"""K, the answers, and what is said of latent classes in two levels and in any number."""


@contextmanager
def within(seconds):
    """A test that takes longer fails, wherever it hangs."""

    def hang(*_):
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judged(spec, make):
    """The fit, None where it is refused, and all that is said of it."""
    with within(SECONDS):
        try:
            em = bm.fit_em(spec, make(), n_starts=4)
        except ValueError as error:
            return None, str(error)
        errors = em.standard_errors
    assert np.isfinite(em.log_likelihood)
    assert all(np.isfinite(estimate).all() for estimate in em.params.values())
    told = "; ".join((*em.reasons, *em.notes))
    assert em.degenerate == bool(em.reasons)
    assert all(reason in str(em) for reason in em.reasons)
    assert em.converged or em.degenerate
    assert told or all(np.isfinite(error).all() for error in errors.values()), "standard errors are missing in silence"
    return em, told


def is_told(em, told, expected):
    """What is expected is said; of a sound estimate nothing."""
    assert expected in told
    assert expected != SOUND or (told == SOUND and em.converged)
    return True


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, (*_, told) in MEASURED.items() for kind in told])
def test_measurements(name, kind):
    K, x, expected = MEASURED[name]
    em, told = judged(bm.Mixture("gaussian", n_components=K, covariance=kind), lambda: bm.Data(x))
    assert is_told(em, told, expected[kind])
    if expected[kind] == SOUND:
        rows = np.atleast_2d(x.T).T
        params = {v: em.params[v].to_numpy() for v in ("weights", "means", "covariances")}
        joint = naive.gaussian_log_joint(rows, **params, evidence=np.zeros((len(rows), K)))
        assert em.log_likelihood == pytest.approx(naive.total(joint), rel=1e-9)
        assert em.log_likelihood > one_normal(rows, kind) - 1e-6


def one_normal(x, kind):
    """The likelihood of a single component of that kind, which K reach at least."""
    covariance = np.atleast_2d(np.cov(x.T, bias=True))
    if kind == "diag":
        covariance = np.diag(np.diag(covariance))
    if kind == "spherical":
        covariance = np.eye(len(covariance)) * np.diag(covariance).mean()
    return stats.multivariate_normal(x.mean(axis=0), covariance, allow_singular=True).logpdf(x).sum()


@pytest.mark.parametrize("name", COUNTED)
def test_counts(name):
    y, of_zip, of_two = COUNTED[name]
    assert is_told(*judged(bm.Mixture("zero_inflated_poisson"), lambda: bm.Data(y)), of_zip)
    assert is_told(*judged(bm.Mixture("poisson", n_components=2), lambda: bm.Data(y)), of_two)


@pytest.mark.parametrize("name", EXPLAINED)
def test_counts_with_covariates(name):
    formulas, columns, expected = EXPLAINED[name]
    frame = pd.DataFrame(columns)
    spec = bm.Mixture("zero_inflated_poisson", **formulas)
    assert is_told(*judged(spec, lambda: bm.Data(frame, response="y")), expected)


@pytest.mark.parametrize("name", ANSWERED)
def test_answers(name):
    K, x, of_two, of_any = ANSWERED[name]
    assert is_told(*judged(bm.Mixture("bernoulli", n_components=K), lambda: bm.Data(x)), of_two)
    assert is_told(*judged(bm.Mixture("categorical", n_components=K), lambda: bm.Data(x)), of_any)


@pytest.mark.parametrize("name", ["n = K", "one row at 1e6", "two point masses", "an integer grid", "p > n"])
@pytest.mark.parametrize("covariance", ["VEV", "EII", "EVE"])
def test_structures_say_something_too(name, covariance):
    K, x, _ = MEASURED[name]
    x = x[:, :8] if len(x) > 8 else x[:, :4]
    rows = x[:6] if name == "p > n" else x
    em, told = judged(bm.Mixture("gaussian", n_components=K, covariance=covariance), lambda: bm.Data(rows))
    assert em is None or told or em.converged


def test_no_start_that_was_given_up_is_the_answer():
    """It was given up for another's sake, that later ran into a Heywood case."""
    rng = np.random.default_rng(11)
    z = np.repeat([0, 1, 2], [40, 50, 30])
    mixed = rng.normal(size=(120, 3)) @ np.array([[1.0, 0.4, 0], [0, 1, -0.3], [0, 0, 1]])
    x = mixed + 6 * z[:, None] * [1, -1, 0.5]
    em = bm.fit_em(bm.Mixture("factor_analyzers", n_components=3), bm.Data(x), n_starts=4)
    assert em.starts["reasons"].str.contains("Heywood").any()
    assert not em.starts.loc[em.starts["chosen"], "left"].item()
    assert em.degenerate or em.converged


FEW_DRAWS = {"draws": 60, "tune": 60, "chains": 2, "n_starts": 3, "progress": False, "cores": 1}
SAMPLED = {
    "zeros alone": (bm.Mixture("zero_inflated_poisson"), np.zeros(40)),
    "counts without zeros": (bm.Mixture("zero_inflated_poisson"), Y + 1),
    "one of 149": (bm.Mixture("zero_inflated_poisson"), np.r_[Y, 149]),
    "two point masses": (bm.Mixture("gaussian", n_components=2, covariance="diag"), MEASURED["two point masses"][1]),
    "separated by a million widths": (
        bm.Mixture("gaussian", n_components=2, covariance="diag"),
        MEASURED["separated by a million widths"][1],
    ),
    "one row at 1e6": (bm.Mixture("gaussian", n_components=2), MEASURED["one row at 1e6"][1]),
    "half of the rows tied": (bm.Mixture("gaussian", n_components=2), MEASURED["half of the rows tied"][1]),
}
"""Mixtures and rows; at the end those of which no mode is found."""
NO_MODE = ("one row at 1e6", "half of the rows tied")
QUICK = ("zeros alone", "one of 149")
"""Always run; the others, among them those of which no mode is found, are thorough."""
LONGEST_SAMPLED = 600
"""Seconds, compiling included, on a machine that does other work besides."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.thorough) for n in SAMPLED])
def test_posteriors(name):
    """Finite draws with a verdict, or an error that says what to do; so few draws are trusted by nobody."""
    spec, x = SAMPLED[name]
    with within(LONGEST_SAMPLED):
        if name in NO_MODE:
            with pytest.raises(bm.FitError, match="no posterior mode was found.*use fewer components, look for tied"):
                bm.sample(spec, bm.Data(x), **FEW_DRAWS)
            return
        dt = bm.sample(spec, bm.Data(x), **FEW_DRAWS)
        check = bm.diagnose(dt)
    assert all(np.isfinite(draws).all() for draws in dt["posterior"].values())
    assert not check.ok
    assert all(problem.message and problem.advice for problem in check.problems)
