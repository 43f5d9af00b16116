"""Measurements that follow from others: refused by name before anything runs, where covariances are full or tied."""

import re

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm

rng = np.random.default_rng(3)
CM = rng.normal(170, 9, 100)
A, B, C = rng.normal(size=(3, 100)) * [[1], [20], [300]] + [[5], [0], [1e4]]
SHARES = rng.dirichlet([1, 2, 3, 4], 100)
CASES = {
    "another unit": ({"cm": CM, "inch": CM / 2.54}, ["inch = 0.393701 cm"]),
    "the same twice": ({"cm": CM, "again": CM}, ["again = cm"]),
    "Fahrenheit": ({"C": A, "F": 32 + 1.8 * A}, ["F = 32 + 1.8 C"]),
    "its negative": ({"a": A, "minus": -A}, ["minus = -a"]),
    "a sum": ({"a": A, "b": B, "total": A + B}, ["total = a + b"]),
    "a sum first": ({"total": A + B, "a": A, "b": B}, ["b = total - a"]),
    "a difference": ({"a": A, "b": B, "c": C, "change": C - A}, ["change = -a + c"]),
    "shares": (dict(zip("pqrs", SHARES.T, strict=True)), ["s = 1 - p - q - r"]),
    "a mean": ({"a": A, "b": B, "c": C, "mean": (A + B + C) / 3}, ["mean = 0.333333 a + 0.333333 b + 0.333333 c"]),
    "two of them": ({"a": A, "a2": 2 * A, "b": B, "ab": A + B}, ["a2 = 2 a", "ab = a + b"]),
    "rounded": ({"cm": CM, "inch": np.round(CM / 2.54, 8)}, ["inch = 0.393701 cm"]),
    "nearly": ({"cm": CM, "b": CM * (1 + 1e-10 * A)}, ["b = cm"]),
    "far from zero": ({"seconds": 1.7e9 + A, "minutes": (1.7e9 + A) / 60}, ["minutes = 0.0166667 seconds"]),
    "few rows": ({"a": A[:3], "b": B[:3], "c": C[:3], "d": 2 * A[:3]}, ["d = 2 a"]),
}


@pytest.mark.parametrize("covariance", ["full", "tied"])
@pytest.mark.parametrize("case", CASES)
def test_columns_that_follow_from_others_are_named_with_the_relation(case, covariance):
    columns, told = CASES[case]
    data = bm.Data(pd.DataFrame(columns))
    spec = bm.Mixture("gaussian", n_components=2, covariance=covariance)
    for call in (bm.resolve, bm.build, bm.fit_em, bm.sample):
        with pytest.raises(ValueError, match="^X: columns follow from others, ") as caught:
            call(spec, data)
        assert re.search(r"others, (.*): covariance=", str(caught.value))[1] == "; ".join(told)
    for free in ("diag", "spherical"):
        assert bm.resolve(spec.replace(covariance=free), data).priors


def test_rows_without_weight_do_not_hide_a_relation():
    frame = pd.DataFrame({"cm": CM, "inch": CM / 2.54})
    frame.iloc[0] = [1.0, 2.0]
    spec = bm.Mixture("gaussian", n_components=2)
    assert bm.resolve(spec, bm.Data(frame)).priors
    with pytest.raises(ValueError, match=r"inch = 0\.393701 cm"):
        bm.resolve(spec, bm.Data(frame, row_weights=np.r_[0, np.ones(99)]))


@pytest.mark.parametrize(
    "columns",
    [
        {"cm": CM, "inch": np.round(CM / 2.54)},
        {"cm": CM, "inch": np.round(CM / 2.54, 2)},
        {"a": A, "b": A + 1e-4 * B},
        {"a": A, "square": A**2},
        {"year": 2020 + A, "people": 1e9 + 1e6 * B},
        {"a": A[:4], "b": B[:4], "c": C[:4], "d": rng.normal(size=4), "e": rng.normal(size=4)},  # rows, not columns
        {"a": A[:2], "b": B[:2]},
    ],
    ids=["rounded to an inch", "to a hundredth", "close", "square", "units", "few rows", "two rows"],
)
def test_columns_that_do_not_follow_are_fitted(columns):
    assert bm.resolve(bm.Mixture("gaussian", n_components=2), bm.Data(pd.DataFrame(columns))).priors
