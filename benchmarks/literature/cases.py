"""What is compared: a published or exact number, its source, and the fit that is to give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

import bayesmix as bm
from bayesmix import estep
from bayesmix.mixture.estimates import to_dataset

HERE = Path(__file__).parent
PRECISE = 1e-15
SMOOTH = ("gaussian", "poisson")
"""Families whose estimates here are not on a boundary."""
NEWTON_STEPS, VANISHING_SCORE = 4, 1e-8
POLCA = "Linzer and Lewis (2011), doi:10.18637/jss.v042.i10"
EXACT = "exact observed-data likelihood"
CLOSED = "closed form, Tipping and Bishop (1999), doi:10.1111/1467-9868.00196"
RULE = "cell (i, j) missing where 37 i + 101 j is divisible by 10"


@dataclass(frozen=True)
class Case:
    """One number: of which data and model, from where, and ours. ``digits``: decimals that were published.

    ``at_least``: a larger likelihood is better, and is then the new number. ``stationary``: ours is where the score
    vanishes.
    """

    data: str
    model: str
    quantity: str
    published: float
    digits: int
    source: str
    ours: Callable[[], float]
    at_least: bool = False
    stationary: bool = False


@cache
def fit(family: str, table: str, **options: Any) -> bm.EMFit:
    """EM of a mixture over a table, to PRECISE."""
    settings = {name: options.pop(name) for name in ("n_starts", "init", "max_iter") if name in options}
    spec, data = bm.Mixture(family, **options), TABLES[table]()
    settings["init"] = INITS[settings["init"]](data) if "init" in settings else None
    em = bm.fit_em(spec, data, tolerance=PRECISE, seed=1, **settings)
    return polished(em) if family in SMOOTH else em


def polished(em: bm.EMFit) -> bm.EMFit:
    """The estimate after Newton's method, where the score vanishes: L alone tells parameters to half its digits."""
    likelihood, params = em.likelihood, em.likelihood.unpack(em.likelihood.pack(em.arrays))
    for _ in range(NEWTON_STEPS):
        sums = estep.e_step(likelihood, params)[1]
        slope = likelihood.units(params) * likelihood.score(likelihood.pack(params), sums)
        params = likelihood.moved(params, np.linalg.solve(likelihood.information(params), slope))
    if np.abs(slope).max() > VANISHING_SCORE:
        raise RuntimeError(f"the score does not vanish: {np.abs(slope).max():.1g}")
    return replace(em, params=to_dataset(likelihood, likelihood.named(params)))


def gappy(name: str) -> bm.Data:
    """The numbers of a gallery model, with gaps by RULE."""
    data = bm.load(name)[1]
    i, j = np.indices(data.x.shape)
    x = np.where((37 * i + 101 * j) % 10 == 0, np.nan, data.x)
    return bm.Data(pd.DataFrame(x, columns=list(data.feature_names)), truth=data.truth)


def of_file(name: str) -> bm.Data:
    """A table of this folder."""
    return bm.Data(pd.read_csv(HERE / "data" / f"{name}.csv"))


def whole(data: bm.Data) -> bm.Data:
    """The rows without a gap."""
    return data.without_gaps()


TABLES: dict[str, Callable[[], bm.Data]] = {
    "missvals": lambda: of_file("missvals"),
    "apple": lambda: of_file("apple"),
    "faithful with gaps": lambda: gappy("old_faithful"),
    "iris with gaps": lambda: gappy("iris"),
    "iris": lambda: bm.load("iris")[1],
    "times_deaths": lambda: bm.load("times_deaths")[1],
    "carcinoma": lambda: bm.load("carcinoma")[1],
    "cheating": lambda: bm.load("cheating")[1],
    "election, whole rows": lambda: whole(bm.load("election")[1]),
    "election": lambda: bm.load("election")[1],
}
INITS: dict[str, Callable[[bm.Data], Any]] = {"species": lambda data: np.unique(data.truth, return_inverse=True)[1]}


def _likelihood(data: str, model: str, published: float, digits: int, source: str, **given: Any) -> Case:
    family = given.pop("family")
    return Case(
        data,
        model,
        "log-likelihood",
        published,
        digits,
        source,
        lambda: fit(family, data, **given).log_likelihood,
        True,
    )


def _estimate(
    data: str, model: str, what: str, published: float, digits: int, source: str, of: Any, **given: Any
) -> Case:
    family = given.pop("family")
    ours = lambda: float(of(fit(family, data, **given)))  # noqa: E731
    return Case(data, model, what, published, digits, source, ours, stationary=family in SMOOTH)


def _means(em: bm.EMFit, j: int) -> float:
    return float(em.params["means"].to_numpy()[0, j])


def accuracy(em: bm.EMFit) -> float:
    """The share of rows in the right class, by the best naming of the components."""
    z = bm.responsibilities(em).to_numpy().argmax(axis=1)
    table = pd.crosstab(z, em.data.truth).to_numpy()
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / table.sum())


def cases() -> list[Case]:
    """Missing cells, counts, answers, factors."""
    return [*_gaps(), *_counts(), *_answers(), *_factors()]


def _gaps() -> list[Case]:
    one: dict[str, Any] = {"family": "gaussian", "n_components": 1}
    little = "Little and Rubin (1987), table 6.4"
    found = [_likelihood("missvals", "one normal", -132.925250, 6, EXACT, **one)]
    for j, mean in enumerate((6.655166, 49.965259, 11.769231, 27.047092, 95.423077)):
        found.append(
            _estimate(
                "missvals", "one normal", f"mean of x{j + 1}", mean, 6, little, lambda e, j=j: _means(e, j), **one
            )
        )
    found.append(_likelihood("apple", "one normal", -101.785632, 6, EXACT, **one))
    closed = "closed form of a monotone pattern, Anderson (1957), doi:10.1080/01621459.1957.10501379"
    found.append(_estimate("apple", "one normal", "mean of size", 14.722222, 6, closed, lambda e: _means(e, 0), **one))
    found.append(_estimate("apple", "one normal", "mean of worms", 49.333333, 6, closed, lambda e: _means(e, 1), **one))
    for what, (i, j), value in (
        ("variance of size", (0, 0), 89.533951),
        ("covariance", (0, 1), -90.696712),
        ("variance of worms", (1, 1), 114.694921),
    ):
        entry = lambda e, i=i, j=j: e.params["covariances"].to_numpy()[0, i, j]  # noqa: E731
        found.append(_estimate("apple", "one normal", what, value, 6, closed, entry, **one))
    for data, K, kind, value in (
        ("faithful with gaps", 1, "full", -1178.189128),
        ("faithful with gaps", 2, "full", -1033.969725),
        ("faithful with gaps", 2, "tied", -1042.635140),
        ("iris with gaps", 1, "full", -360.629193),
        ("iris with gaps", 2, "full", -200.208283),
        ("iris with gaps", 3, "full", -168.560813),
    ):
        given: dict[str, Any] = {"family": "gaussian", "n_components": K, "covariance": kind}
        found.append(_likelihood(data, f"{K} Gaussians, {kind}", value, 6, f"{EXACT}; {RULE}", **given))
    two: dict[str, Any] = {"family": "gaussian", "n_components": 2, "covariance": "full"}
    weight = lambda e: e.params["weights"].to_numpy().max()  # noqa: E731
    found.append(
        _estimate("faithful with gaps", "2 Gaussians, full", "larger weight", 0.64869, 5, EXACT, weight, **two)
    )
    three: dict[str, Any] = {"family": "gaussian", "n_components": 3, "covariance": "full"}
    found.append(_estimate("iris with gaps", "3 Gaussians, full", "accuracy", 0.960, 3, EXACT, accuracy, **three))
    return found


def _counts() -> list[Case]:
    source = "Hasselblad (1969), doi:10.1080/01621459.1969.10501071"
    K1: dict[str, Any] = {"family": "poisson", "n_components": 1}
    K2: dict[str, Any] = {"family": "poisson", "n_components": 2, "max_iter": 5000}
    rates = lambda e: np.sort(e.params["rates"].to_numpy().ravel())  # noqa: E731
    least = lambda e: e.params["weights"].to_numpy().min()  # noqa: E731
    return [
        _likelihood("times_deaths", "Poisson", -2001.397847, 6, source, **K1),
        _estimate("times_deaths", "Poisson", "rate", 2.156934, 6, source, lambda e: rates(e)[0], **K1),
        _likelihood("times_deaths", "2 Poisson components", -1989.945860, 6, source, **K2),
        _estimate(
            "times_deaths", "2 Poisson components", "smaller rate", 1.25617, 5, source, lambda e: rates(e)[0], **K2
        ),
        _estimate(
            "times_deaths", "2 Poisson components", "larger rate", 2.66345, 5, source, lambda e: rates(e)[1], **K2
        ),
        _estimate("times_deaths", "2 Poisson components", "smaller weight", 0.35993, 5, source, least, **K2),
    ]


def _answers() -> list[Case]:
    found = []
    for K, value, digits in ((1, -524.4648, 4), (2, -317.2568, 4), (3, -293.705, 3), (4, -289.2858, 4)):
        given: dict[str, Any] = {"family": "bernoulli", "n_components": K, "max_iter": 20_000}
        found.append(_likelihood("carcinoma", f"{K} latent classes", value, digits, POLCA, **given))
    three: dict[str, Any] = {"family": "bernoulli", "n_components": 3, "max_iter": 20_000}
    for i, share in enumerate((0.1817, 0.3736, 0.4447)):
        sorted_share = lambda e, i=i: np.sort(e.params["weights"].to_numpy())[i]  # noqa: E731
        found.append(
            _estimate("carcinoma", "3 latent classes", f"share {i + 1}", share, 4, POLCA, sorted_share, **three)
        )
    found.append(_estimate("carcinoma", "3 latent classes", "AIC", 633.41, 2, POLCA, lambda e: e.aic, **three))
    found.append(_estimate("carcinoma", "3 latent classes", "BIC", 697.1357, 4, POLCA, lambda e: e.bic, **three))
    two: dict[str, Any] = {"family": "categorical", "n_components": 2, "max_iter": 20_000}
    found.append(_likelihood("cheating", "2 latent classes", -440.0271, 4, POLCA, **two))
    for K, value in ((1, -18647.31), (2, -17344.92), (3, -16714.66)):
        given = {"family": "categorical", "n_components": K, "max_iter": 20_000}
        found.append(_likelihood("election, whole rows", f"{K} latent classes", value, 2, POLCA, **given))
    given = {"family": "categorical", "n_components": 3, "max_iter": 20_000}
    found.append(_likelihood("election", "3 latent classes, missing answers", -21311.5357, 4, EXACT, **given))
    return found


def _factors() -> list[Case]:
    found = []
    for q, value, noise in ((1, -470.669458, 0.11413908), (2, -404.962780, 0.05068215)):
        given: dict[str, Any] = {"family": "factor_analyzers", "n_components": 1, "n_factors": q, "noise": "isotropic"}
        variance = lambda e: e.params["noise_variances"].to_numpy().ravel()[0]  # noqa: E731
        found.append(_likelihood("iris", f"probabilistic PCA, q = {q}", value, 6, CLOSED, **given))
        found.append(
            _estimate("iris", f"probabilistic PCA, q = {q}", "noise variance", noise, 8, CLOSED, variance, **given)
        )
    mixtures = "EM from the species"
    base: dict[str, Any] = {"family": "factor_analyzers", "n_components": 3, "n_factors": 1, "init": "species"}
    base["max_iter"] = 20_000
    found.append(_likelihood("iris", "3 probabilistic PCA", -218.84764, 5, mixtures, **base, noise="isotropic"))
    found.append(_likelihood("iris", "3 factor analysers, one Psi", -228.51720, 5, mixtures, **base, shared_noise=True))
    found.append(_likelihood("iris", "3 factor analysers, own Psi", -195.60040, 5, mixtures, **base))
    psi = lambda e: e.params["noise_variances"].to_numpy().min()  # noqa: E731
    found.append(
        _estimate("iris", "3 factor analysers, own Psi", "smallest noise variance", 0.0099, 4, mixtures, psi, **base)
    )
    return found
