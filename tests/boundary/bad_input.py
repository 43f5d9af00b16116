"""Bad input as a table: what is asked for, and words of the error, the first of which begin it: argument and place.

A case gives a mixture and data, or fails on the way there. Whatever fits them is to fail with the error, before
anything compiles. Model folders (model.toml, data.csv) are cases too, for the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

import bayesmix as bm
from folders import COUNTS_TOML, TOML

INF, NAN, HUGE = float("inf"), float("nan"), 10**400
"""No float can hold the last."""

type Asked = Callable[[], tuple[bm.Mixture, bm.Data]]
type Case = tuple[Asked, str] | tuple[Asked, str, str] | tuple[Asked, str, str, str]

CALM = np.array([[1.0, 3], [2, 1], [4, 1], [3, 5], [8, 9], [9, 7], [7, 8], [9, 9]])
LINE = [1.0, 2, 4, 3, 8, 9, 7, 9.5]
Y = [0, 0, 3, 1, 0, 2, 5, 0, 1, 4, 0, 2]
A = [1.0, 2, 4, 3, 7, 5, 6, 9, 8, 2.5, 1.5, 5.5]
"""Rows with which nothing is wrong: two columns, one, counts, a covariate."""


def gaussian(X: Any, K: Any = 2, **options: Any) -> Asked:
    """A Gaussian mixture of these rows."""
    return lambda: (bm.Mixture("gaussian", n_components=K, **options), bm.Data(X))


def data(X: Any = LINE, labels: Any = None, K: int = 2, **options: Any) -> Asked:
    """A Gaussian mixture of rows with labels, weights and so on."""
    return lambda: (bm.Mixture("gaussian", n_components=K), bm.Data(X, labels, **options))


def columns(family: str, X: Any, **options: Any) -> Asked:
    """A mixture of any family in all columns."""
    return lambda: (bm.Mixture(family, **{"n_components": 2} | options), bm.Data(X))


def counts(y: Any, **columns: Any) -> Asked:
    """A zero-inflated Poisson of counts that no formula explains."""
    return lambda: (bm.Mixture("zero_inflated_poisson"), bm.Data(pd.DataFrame({"y": y, **columns}), response="y"))


def formula(rate: Any, *, exposure: Any = None, part: str = "rate", **columns: Any) -> Asked:
    """A formula for the rate of counts, over these covariates."""
    options = {part: rate} | ({} if exposure is None else {"exposure": exposure})
    frame = {"y": Y, **columns}
    return lambda: (bm.Mixture("zero_inflated_poisson", **options), bm.Data(pd.DataFrame(frame), response="y"))


def prior(key: str, name: Any, **parameters: Any) -> Asked:
    """A Gaussian mixture with a prior of this kind."""
    return lambda: gaussian(CALM, priors={key: bm.Prior(name, **parameters)})()


def mixture(*arguments: Any, **options: Any) -> Asked:
    """A mixture that is impossible whatever the rows."""
    return lambda: (bm.Mixture(*arguments, **options), bm.Data(CALM))


COUNTS: dict[str, Case] = {
    "negative": (counts([0, -1, 2]), "X: column 'y', row 2: a count must not be negative; got -1"),
    "fractional": (counts([0, 1, 1.5]), "X: column 'y', row 3: a count must be a whole number; got 1.5"),
    "missing": (counts([0, NAN, 2]), "X: column 'y', row 2 is missing", "missing='drop'"),
    "infinite": (counts([0, 2, INF]), "X: column 'y', row 3 is not a finite number: inf"),
    "2^31": (counts([2**31, 1, 1]), "X: column 'y', row 1: a count must be at most 2147483647; got 2147483648"),
    "2^40": (columns("poisson", [0, 2**40]), "X: column 'x', row 2: a count must be at most 2147483647; got 10995"),
    "beyond floats": (columns("poisson", [0, HUGE]), "X: column 'x', row 2 is not a finite number: 1000"),
    "text": (counts(["0", "many"]), "X: column 'y', row 2 is not a finite number: 'many'"),
    "thousands": (counts(["0", "1,234"]), "X: column 'y', row 2", "'1,234'; it may be 1.234 or 1234"),
    "a gap in words": (counts(["0", "NA"]), "X: column 'y', row 2", "'NA'; a missing cell must be NaN or None"),
    "truth values": (counts([True, False]), "X: column 'y', row 1 is a truth value, not a count (and 1 more rows)"),
    "truth and gaps": (columns("poisson", pd.array([None, True], "boolean")), "X: column 'x', row 2 is a truth value"),
    "complex": (counts([1j, 0]), "X: column 'y' must hold real numbers; got complex ones"),
    "complex objects": (columns("poisson", np.array([1j, 2], object)), "X: column 'x' must hold real numbers"),
    "times": (counts(pd.date_range("2020", periods=3)), "X: column 'y' must hold numbers; got times, from 2020-01-01"),
    "none": (counts([]), "X: needs at least one row and one column; got shape (0, 1)"),
    "two columns": (columns("zero_inflated_poisson", CALM), "X: a zero_inflated_poisson takes one column", "response="),
    "no such column": (data(pd.DataFrame({"a": A}), response="z"), "response: no column 'z'; the columns are a"),
    "three components": (mixture("zero_inflated_poisson", n_components=3), "n_components: ", "got 3"),
    "not 0 or 1": (columns("bernoulli", [[0, 1], [2, 1]]), "X: column 'x1', row 2: must be 0 or 1; got 2"),
    "words for 0 and 1": (columns("bernoulli", [["u"], ["v"]]), "X: column 'x', row 1 is not a finite number: 'u'"),
    "one answer": (columns("categorical", [["u"], ["u"]]), "X: column 'x' has the answer 'u' alone"),
    "an answer each": (columns("categorical", list("abcdefghi")), "X: column 'x' has 9 levels in 9 rows"),
}
COVARIATES: dict[str, Case] = {
    "twice": (formula("1 + a + b", a=A, b=A), "rate: the columns Intercept, a, b are linearly dependent"),
    "constant": (formula("1 + a", a=1.0), "rate: the columns Intercept, a are linearly dependent"),
    "missing": (formula("1 + a", a=[NAN, *A[1:]]), "rate: column 'a', row 1 is missing"),
    "infinite": (formula("1 + a", a=[INF, *A[1:]]), "rate: 'a', row 1 is not finite: inf"),
    "log of 0": (formula("1 + log(a)", part="zero", a=[1.0, 0, *A[2:]]), "zero: 'log(a)', row 2 is not finite: -inf"),
    "a date": (formula("1 + a", a=pd.date_range("2020", periods=12)), "rate: column 'a', row 1 holds dates", "C(a)"),
    "a decimal comma": (formula("1 + a", a=["1,5", "2,5"] * 6), "rate: column 'a', row 1 is the text '1,5'"),
    "an id": (formula("1 + a", a=[f"p{i}" for i in range(12)]), "rate: column 'a' has 12 levels in 12 rows"),
    "complex": (formula("1 + a", a=[1j] * 12), "rate: column 'a' must hold real numbers; got complex ones"),
    "unknown": (formula("1 + b", a=A), "rate: no column 'b' for the formula; the covariates are a"),
    "the response": (formula("1 + y", a=A), "rate: no column 'y' for the formula; the covariates are a"),
    "called Intercept": (formula("1 + Intercept", Intercept=A), "rate: 'Intercept': is the name of the constant term"),
    "unknown function": (formula("1 + spline(a)", a=A), "rate: 'spline(a)': spline is no function for formulas"),
    "code": (formula("1 + a.to_csv('x')", a=A), "rate: \"a.to_csv('x')\": a.to_csv is no function for formulas"),
    "code in braces": (formula("1 + {open('x','w')}", a=A), "rate: ", "open is no function for formulas"),
    "dunder": (formula("1 + {a.__class__}", a=A), "rate: 'a.__class__'"),
    "a number": (formula(3, part="zero"), "zero: must be the right-hand side of a formula, such as '1 + age'; got 3"),
    "no formula": (formula(None), "rate: must be the right-hand side of a formula, such as '1 + age'; got None"),
    "a response in it": (formula("y ~ a", a=A), "rate: ", "right-hand side"),
    "broken": (formula("1 +* a", a=A), "rate: not a formula: '1 +* a'"),
    "empty": (formula("0", a=A), "rate: the formula has no terms; use '1' for a constant"),
    "too deep": (formula("(" * 300 + "a" + ")" * 300, a=A), "rate: ", "goes deeper than 50"),
    "too long": (formula("1" + "+a" * 20_000, a=A), "rate: ", "is longer than 10000 characters"),
    "exposure of 0": (formula("1", exposure="a", a=[1.0, 0, *A[2:]]), "exposure: column 'a', row 2 must be positive"),
    "exposure missing": (formula("1", exposure="a", a=[NAN, *A[1:]]), "exposure: column 'a', row 1 is missing"),
    "exposure unknown": (formula("1", exposure="b", a=A), "exposure: no column 'b'; the covariates are a"),
    "offset unknown": (formula("1 + offset(log(b))", a=A), "rate: no column 'b' for the formula"),
}
MEASUREMENTS: dict[str, Case] = {
    "infinite": (gaussian([1.0, 2, -INF]), "X: column 'x', row 3 is not a finite number: -inf"),
    "1e200": (gaussian([1.0, 1e200, 2]), "X: column 'x', row 2: squares of measurements beyond 1e+100", "got 1e+200"),
    "1e-200": (gaussian([1e-200, 3e-200, 2e-200]), "X: column 'x' lies between 1e-200 and 3e-200", "take other units"),
    "long floats": (gaussian(np.array([1, 2], np.longdouble) * 1e308 * 100), "X: column 'x', row 1 is not a finite"),
    "words": (gaussian(["a", "b", "c"]), "X: column 'x', row 1 is not a finite number: 'a' (and 2 more rows)"),
    "a named row": (
        gaussian(pd.Series([1, INF], ["mon", "tue"])),
        "X: column 'x', row tue is not a finite number: inf",
    ),
    "a word made text": (columns("categorical", np.array(["u", NAN])), "X: column 'x', row 2 is the text 'nan'"),
    "lists": (gaussian(pd.DataFrame({"a": [[1], [2]]})), "X: column 'a', row 1 is not a finite number: '[1]'"),
    "periods": (gaussian(pd.Series(pd.period_range("2020", periods=3))), "X: column 'x' must hold numbers; got times"),
    "durations": (gaussian(np.array([1, 2], "m8[D]")), "X: column 'x' must hold numbers; got times"),
    "masked words": (
        gaussian(np.ma.array(["a", "b"], mask=[0, 1])),
        "X: column 'x', row 1 is not a finite number: 'a'",
    ),
    "all masked": (gaussian(np.ma.masked_all((4, 2))), "X: column 'x1' has no value at all"),
    "an empty column": (gaussian(pd.DataFrame({"a": LINE, "b": NAN})), "X: column 'b' has no value at all"),
    "sparse": (gaussian(sparse.csr_array(np.eye(3))), "X: a sparse matrix is another kind of table; use X.toarray()"),
    "three dimensions": (
        gaussian(np.ones((2, 2, 2))),
        "X: must have shape (n,) or (n, n_features); got shape (2, 2, 2)",
    ),
    "a number": (gaussian(3.0), "X: must be a table, or an array", "got 3.0"),
    "nothing": (gaussian(None), "X: must be a table, or an array", "got None"),
    "a text": (gaussian("data.csv"), "X: must be a table, or an array", "got 'data.csv'"),
    "a dict": (gaussian({"a": [1, 2]}), "X: must be a table, or an array", "got a dict; use pandas.DataFrame(X)"),
    "ragged": (gaussian([[1, 2], [3]]), "X: every row must have as many entries; got rows of 1, 2"),
    "no rows": (gaussian(np.ones((0, 2))), "X: needs at least one row and one column; got shape (0, 2)"),
    "no columns": (gaussian(np.ones((3, 0))), "X: needs at least one row and one column; got shape (3, 0)"),
    "one name twice": (gaussian(pd.DataFrame(CALM, columns=["a", "a"])), "X: column names must differ; got a, a"),
    "1 and '1'": (gaussian(pd.DataFrame(CALM, columns=[1, "1"])), "X: column names must differ; got 1, 1"),
    "constant": (gaussian(pd.DataFrame({"a": LINE, "b": 0.1})), "X: column 'b' is constant (0.1)"),
    "centimetres and inches": (
        gaussian(pd.DataFrame({"cm": LINE, "inch": np.array(LINE) / 2.54, "age": CALM[:, 1]})),
        "X: columns follow from others, inch = 0.393701 cm: covariance='full'",
    ),
    "a sum": (
        gaussian(pd.DataFrame({"a": CALM[:, 0], "b": CALM[:, 1], "both": CALM.sum(axis=1)}), covariance="tied"),
        "X: columns follow from others, both = a + b: covariance='tied'",
    ),
    "fewer rows than K": (gaussian(CALM, 9), "n_components: must be at most the number of rows, 8; got 9"),
    "K of 0": (gaussian(CALM, 0), "n_components: must be a whole number >= 1; got 0"),
    "K of -1": (gaussian(CALM, -1), "n_components: must be a whole number >= 1; got -1"),
    "K of 1.5": (gaussian(CALM, 1.5), "n_components: must be a whole number >= 1; got 1.5"),
    "K of 2.0": (gaussian(CALM, 2.0), "n_components: must be a whole number >= 1; got 2.0"),
    "K of True": (gaussian(CALM, True), "n_components: must be a whole number >= 1; got True"),
    "K a text": (gaussian(CALM, "2"), "n_components: must be a whole number >= 1; got '2'"),
    "K beyond machines": (gaussian(CALM, HUGE), "n_components: must be a whole number >= 1; got 1000"),
    "no K": (mixture("gaussian"), "n_components: a gaussian mixture needs it, a whole number >= 1"),
    "family": (
        mixture("gausian", n_components=2),
        "family: unknown family 'gausian'; choose from gaussian, ",
        "mean 'g",
    ),
    "family a list": (mixture(["gaussian"], n_components=2), "family: unknown family ['gaussian']; choose from"),
    "covariance": (gaussian(CALM, covariance="fulll"), "covariance: unknown kind 'fulll'; choose from full, tied"),
    "covariance a list": (gaussian(CALM, covariance=["full"]), "covariance: unknown kind ['full']"),
    "option": (gaussian(CALM, covarianse="full"), "covarianse: not an option of a gaussian mixture", "'covariance'?"),
    "option of others": (gaussian(CALM, rate="1"), "rate: not an option of a gaussian mixture; choose from covariance"),
    "factors": (columns("factor_analyzers", CALM, n_factors=2), "n_factors: 2 columns have 3 variances", "got 2"),
    "noise": (columns("factor_analyzers", CALM, noise="loud"), "noise: unknown kind 'loud'; choose from diagonal"),
    "order": (gaussian(CALM, order="weights"), "order: must be None or 'means' here", "got 'weights'"),
    "order of counts": (mixture("zero_inflated_poisson", order="means"), "order: must be None here", "got 'means'"),
    "order and labels": (
        lambda: (bm.Mixture("gaussian", n_components=2, order="means"), bm.Data(LINE, ["a"] + [None] * 7)),
        "order: 'means' cannot be combined with labels",
    ),
    "no family": (
        lambda: (bm.Mixture.from_dict({"n_components": 2}), bm.Data(CALM)),
        "mixture: needs a family",
    ),
    "order of two": (gaussian(CALM, order="means"), "order: 'means' needs one feature; the data have 2"),
}
PRIORS: dict[str, Case] = {
    "alpha of 0": (prior("weights", "Dirichlet", a=[1, 0]), "Prior Dirichlet: a must be positive; got [1, 0]"),
    "alpha of -1": (
        prior("scales", "InverseGamma", alpha=-1, beta=1),
        "Prior InverseGamma: alpha must be positive; go",
    ),
    "eta of 0": (prior("correlations", "LKJ", eta=0), "Prior LKJ: eta must be positive; got 0"),
    "eta of -2": (prior("correlations", "LKJ", eta=-2), "Prior LKJ: eta must be positive; got -2"),
    "sigma of 0": (prior("means", "Normal", mu=0, sigma=0), "Prior Normal: sigma must be positive; got 0"),
    "mu of nan": (prior("means", "Normal", mu=NAN, sigma=1), "Prior Normal: mu must be finite; got nan"),
    "nothing": (prior("means", "Normal", mu=[], sigma=1), "Prior Normal: mu must be finite; got []"),
    "a text": (prior("means", "Normal", mu="0", sigma=1), "Prior Normal: mu must be a number or an array of numbers"),
    "a truth value": (prior("means", "Normal", mu=True, sigma=1), "Prior Normal: mu must be a number", "got True"),
    "ragged": (prior("means", "Normal", mu=[[1], [1, 2]], sigma=1), "Prior Normal: mu must be a number or an array"),
    "beyond floats": (prior("means", "Normal", mu=HUGE, sigma=1), "Prior Normal: mu must be a number", "got 1000"),
    "unknown": (prior("means", "Gauss", mu=0), "Prior: unknown distribution 'Gauss'; choose from Normal"),
    "misspelt": (prior("means", "Normale", mu=0), "Prior: unknown distribution 'Normale'", "did you mean 'Normal'?"),
    "a number": (prior("means", 3, mu=0), "Prior: unknown distribution 3; choose from Normal"),
    "half of it": (prior("means", "Normal", mu=0), "Prior Normal: takes the parameters mu, sigma; got mu"),
    "another's": (prior("means", "Normal", mu=0, sd=1), "Prior Normal: takes the parameters mu, sigma; got mu, sd"),
    "none of it": (prior("means", "Normal"), "Prior Normal: takes the parameters mu, sigma; got none"),
    "upper triangle": (prior("means", "MvNormal", mu=[0, 0], chol=[[1, 0.5], [0, 1]]), "Prior MvNormal: chol must be"),
    "negative diagonal": (
        prior("means", "MvNormal", mu=[0, 0], chol=[[1, 0], [0, -1]]),
        "Prior MvNormal: chol",
        "diag",
    ),
    "no square": (prior("means", "MvNormal", mu=[0, 0], chol=[1, 1]), "Prior MvNormal: chol must be a square"),
    "weights too long": (prior("weights", "Dirichlet", a=[1, 1, 1]), "priors: 'weights', a has shape (3,)", "= (2,)"),
    "means too long": (prior("means", "Normal", mu=[0, 0, 0], sigma=1), "priors: 'means', mu has shape (3,)"),
    "of no parameter": (prior("mean", "Normal", mu=0, sigma=1), "priors: unknown key 'mean'", "did you mean 'means'?"),
    "of another kind": (
        lambda: gaussian(CALM, covariance="diag", priors={"correlations": bm.Prior("LKJ", eta=1)})(),
        "priors: unknown key 'correlations'",
        "choose from weights, means, scales",
    ),
    "on the wrong scale": (prior("scales", "Normal", mu=0, sigma=1), "priors: 'scales' needs a prior on the positive"),
    "a bare number": (gaussian(CALM, priors={"means": 3}), "priors: 'means' must be a Prior; got 3"),
    "a list": (gaussian(CALM, priors=[3]), "priors: must be a mapping of parameters to their priors; got [3]"),
    "no table of them": (
        lambda: (bm.Mixture.from_dict({"family": "gaussian", "n_components": 2, "priors": 3}), bm.Data(CALM)),
        "priors: must be a table of priors, or the name of a set; got 3",
    ),
    "no table": (lambda: (bm.Prior.from_dict("Normal"), bm.Data(CALM)), "Prior: needs a table with the key 'distribut"),
    "no name": (lambda: (bm.Prior.from_dict({"mu": 0}), bm.Data(CALM)), "Prior: needs a table with the key 'distribut"),
    "known and prior": (
        lambda: gaussian(CALM, fixed={"scales": 1}, priors={"scales": bm.Prior("HalfNormal", sigma=1)})(),
        "fixed: 'scales' is known, so it can have no prior",
    ),
    "known below 0": (gaussian(CALM, fixed={"scales": -1}), "fixed: 'scales' must be positive; got -1"),
    "known as text": (gaussian(CALM, fixed={"scales": "1"}), "fixed: 'scales' must be a number or an array", "got '1'"),
    "known as truth": (gaussian(CALM, fixed={"scales": True}), "fixed: 'scales' must be a number", "got True"),
    "known, beyond floats": (gaussian(CALM, fixed={"scales": HUGE}), "fixed: 'scales' must be a number", "got 1000"),
    "known in a list": (gaussian(CALM, fixed=["scales"]), "fixed: must be a mapping of parameters to their values"),
}
SHUFFLED = pd.Series([1.0] * 8, index=range(5, 13))
LABELS: dict[str, Case] = {
    "unknown class": (data(labels=["q"] + [None] * 7, classes=["a", "b"]), "labels: row 1 has the class 'q'; classes"),
    "more classes than K": (data(labels=list("abcabcab")), "n_components: must be at least the number of classes, 3"),
    "too few": (data(labels=["a"]), "labels: must have one entry per row, 8; got 1"),
    "a dict": (data(labels={0: "a"}), "labels: must be a sequence with one entry per row", "got a dict"),
    "a text": (data(labels="abababab"), "labels: must be a sequence with one entry per row", "got 'abababab'"),
    "a number": (data(labels=1), "labels: must be a sequence with one entry per row", "got 1"),
    "nan made text": (data(labels=np.array(["a", NAN] * 4)), "labels: row 2 is the text 'nan'", "use None"),
    "another index": (data(pd.Series(LINE), labels=SHUFFLED), "labels: their index differs from that of X"),
    "ragged": (
        data(labels=[[0.9, 0.1]] * 7 + [[1.0]]),
        "labels: rows of probabilities",
        "got rows of 1 entries, 2 entri",
    ),
    "ragged with nothing": (
        data(labels=[[0.9, 0.1]] * 7 + [None]),
        "labels: rows of prob",
        "2 entries, single entries",
    ),
    "classes in lists": (data(labels=[["a", "b"]] * 8), "labels: rows must hold probabilities", "written as a set"),
    "a list in a column": (data(labels=pd.Series([["a"]] * 8)), "labels: row 1 must be a class, a set of classes or"),
    "no class allowed": (data(labels=["a", set()] * 4), "labels: row 2 allows no class at all"),
    "no sum to 1": (data(labels=[[0.5, 0.5]] * 7 + [[0.5, 0.4]]), "labels: probabilities must", "row 8 is [0.5, 0.4]"),
    "negative": (data(labels=[[1.5, -0.5]] * 8), "labels: probabilities must be >= 0", "row 1 is [1.5, -0.5]"),
    "too wide": (data(labels=[[0.5, 0.5]] * 8, classes=["a"]), "labels: 2 probability columns for 1 classes (a)"),
    "an unnamed component": (data(labels=["component_1"] + [None] * 7), "labels: the class name 'component_1' is that"),
    "of counts": (
        lambda: (bm.Mixture("zero_inflated_poisson"), bm.Data([0, 3, 1], labels=[None, "structural_zero", None])),
        "labels: row 2 is labelled structural_zero, but its count is 3",
    ),
    "of no component": (
        lambda: (bm.Mixture("zero_inflated_poisson"), bm.Data([0, 3, 1], labels=["zero", None, None])),
        "labels: the class 'zero' is none of the components structural_zero, poisson",
    ),
    "classes twice": (data(classes=["a", "a"]), "classes: names must differ; got a, a"),
    "classes in a text": (data(classes="ab"), "classes: must be a sequence of class names; got 'ab'"),
    "classes a number": (data(classes=3), "classes: must be a sequence of class names; got 3"),
    "negative weight": (data(row_weights=[1] * 7 + [-1]), "row_weights: must be finite and not negative; row 8 is -1"),
    "missing weight": (data(row_weights=[NAN] + [1] * 7), "row_weights: must be finite and not negative; row 1 is nan"),
    "infinite weight": (data(row_weights=[INF] + [1] * 7), "row_weights: must be finite and not neg", "row 1 is inf"),
    "complex weights": (data(row_weights=[1j] * 8), "row_weights: must be real numbers; got complex ones"),
    "weights in words": (data(row_weights=["a"] * 8), "row_weights: must be finite and not negative; row 1 is a"),
    "weights beyond floats": (
        data(row_weights=[1e308] * 8),
        "row_weights: their sum must be finite; got weights up to",
    ),
    "no weight": (data(row_weights=[0] * 8), "row_weights: at least one must be positive; all are zero"),
    "one weight": (data(row_weights=[1]), "row_weights: must have one entry per row, 8; got 1"),
    "weights elsewhere": (
        data(pd.Series(LINE), row_weights=SHUFFLED),
        "row_weights: their index differs from that of X",
    ),
    "weight on one row": (data(row_weights=[1] + [0] * 7), "X: column 'x' is constant (1)"),
    "two columns of weights": (data(row_weights=CALM), "row_weights: must be one column", "got shape (8, 2)"),
    "weights of several sizes": (data(row_weights=[1.0, []] * 4), "row_weights: must be one column", "several sizes"),
    "truth too short": (data(truth=["a"]), "truth: must have one entry per row, 8; got 1"),
    "truth missing": (data(truth=["a", None] * 4), "truth: row 2 is missing; every row needs its true class"),
    "gaps": (data(missing="impute"), "missing: must be 'model' or 'drop'; got 'impute'"),
    "nothing is left": (
        data([[1, NAN], [NAN, 2]], missing="drop"),
        "missing: 'drop' leaves nothing: every one of the 2",
    ),
}
TABLE: dict[str, Case] = {
    f"{kind}, {name}": case
    for kind, cases in {
        "counts": COUNTS,
        "covariates": COVARIATES,
        "measurements": MEASUREMENTS,
        "priors": PRIORS,
        "labels": LABELS,
    }.items()
    for name, case in cases.items()
}

SETTINGS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a kind of starts": ("fit_em", {"starts": "wards"}, "starts: unknown kind 'wards'; choose from ward"),
    "starts a number": ("fit_em", {"starts": 3}, "starts: must be a kind or a sequence of kinds; got 3"),
    "no starts": ("fit_em", {"n_starts": 0}, "n_starts: must be a whole number >= 1; got 0"),
    "half a start": ("fit_em", {"n_starts": 2.5}, "n_starts: must be a whole number >= 1; got 2.5"),
    "seed of -1": ("fit_em", {"seed": -1}, "seed: must be a whole number >= 0; got -1"),
    "seed a text": ("fit_em", {"seed": "a"}, "seed: must be a whole number >= 0; got 'a'"),
    "no steps": ("fit_em", {"max_iter": 0}, "max_iter: must be a whole number >= 1; got 0"),
    "tolerance of nan": ("fit_em", {"tolerance": NAN}, "tolerance: must be positive; got nan"),
    "tolerance a text": ("fit_em", {"tolerance": "small"}, "tolerance: must be positive; got 'small'"),
    "method": ("fit_em", {"method": "mle"}, "method: must be 'ml' or 'map'; got 'mle'"),
    "assignment": ("fit_em", {"assignment": ["hard"]}, "assignment: must be 'soft' or 'hard'; got ['hard']"),
    "init too short": ("fit_em", {"init": [0, 1]}, "init: must have one entry per row, 8; got 2"),
    "init elsewhere": ("fit_em", {"init": [7] * 8}, "init: row 1 must be one of component_1, component_2"),
    "init of others": ("fit_em", {"init": {"mean": 0}}, "init: unknown parameter 'mean'; choose from weights, means"),
    "init of nan": (
        "fit_em",
        {"init": np.full((8, 2), NAN)},
        "init: responsibilities must be >= 0 and sum to 1; row 1",
    ),
    "no draws": ("sample", {"draws": 0}, "draws: must be a whole number >= 4; got 0"),
    "no warm-up": ("sample", {"tune": 0}, "tune: must be a whole number >= 1; got 0"),
    "no chains": ("sample", {"chains": 0}, "chains: must be a whole number >= 1; got 0"),
    "no cores": ("sample", {"cores": 0}, "cores: must be a whole number >= 1; got 0"),
    "surely accepted": ("sample", {"target_accept": 1}, "target_accept: must lie between 0 and 1; got 1"),
    "sampler": ("sample", {"sampler": "hmc"}, "sampler: must be one of 'auto', 'nuts', 'exchange'; got 'hmc'"),
    "until": ("sample", {"until": "good"}, "until: must be None or 'trusted'; got 'good'"),
    "no time": ("sample", {"minutes": 0}, "minutes: must be positive; got 0"),
    "log-likelihood": ("sample", {"log_likelihood": "yes"}, "log_likelihood: must be 'auto', True or False; got 'yes'"),
    "a model in words": ("sample", {"model": "mine"}, "model: must be a pymc.Model, as bm.build makes one; got a str"),
}
"""The function, what it is given besides a sound mixture and data, and how the error begins."""

CSV = "a,b\n1.0,u\n1.2,u\n1.4,u\n5.0,v\n5.5,v\n6.0,v\n"
COUNT_CSV = "y,a,b\n0,1,u\n3,2,v\n1,4,u\n0,7,v\n5,5,u\n"


def with_data(line: str) -> str:
    """The folder with a line more in its table of data."""
    return TOML.replace('["a"]', f'["a"]\n{line}')


def with_prior(**parameters: str) -> str:
    """The folder with a normal prior of the means."""
    lines = "".join(f"{name} = {value}\n" for name, value in parameters.items())
    return f'{TOML}[mixture.priors.means]\ndistribution = "Normal"\n{lines}'


FOLDERS: dict[str, tuple[str, str, str]] = {
    "unknown key": (TOML.replace("title", "tittle"), CSV, "unknown key 'tittle'; choose from title, description"),
    "did you mean": (TOML.replace("title", "tittle"), CSV, "expect; did you mean 'title'?"),
    "unknown data key": (with_data('lable = "b"'), CSV, "[data] unknown key 'lable'; choose from file"),
    "unknown setting": (TOML + "[sampler]\ndrws = 5\n", CSV, "[sampler] unknown key 'drws'; choose from draws"),
    "K a float": (TOML.replace("= 2", "= 2.0"), CSV, "[mixture] n_components: must be a text, a whole number, true"),
    "K true": (TOML.replace("= 2", "= true"), CSV, "[mixture] n_components: must be a whole number >= 1; got True"),
    "K a text": (TOML.replace("= 2", '= "2"'), CSV, "[mixture] n_components: must be a whole number >= 1; got '2'"),
    "K of many digits": (TOML.replace("= 2", f"= 1{'0' * 5000}"), CSV, "not valid TOML: Exceeds the limit"),
    "K in hexadecimal": (TOML.replace("= 2", f"= 0x1{'0' * 5000}"), CSV, "got a int too long to be shown"),
    "title a number": (TOML.replace('"t"', "3"), CSV, "model.toml: title: must be a text; got 3"),
    "data a list": ('title = "t"\ndata = [1]\n[mixture]\nfamily = "gaussian"\n', CSV, "data: must be a table; got [1]"),
    "no columns": (TOML.replace('["a"]', "[]"), CSV, "[data] columns: must be a list of texts; got []"),
    "a kind of thousands of digits": (
        TOML.replace('family = "gaussian"', 'family = "gaussian"\ncovariance = ' + "1" * 3000),
        CSV,
        "covariance: ",
    ),
    "a column twice": (TOML.replace('["a"]', '["a", "a"]'), CSV, "column names must differ; got a, a"),
    "missing file": (TOML.replace("data.csv", "dta.csv"), CSV, "dta.csv: the file does not exist"),
    "a file of the reader's": (TOML.replace("data.csv", "/etc/passwd"), CSV, "must be a file in the model's folder"),
    "a file above": (
        TOML.replace("data.csv", "../data.csv"),
        CSV,
        "[data] file: must be a file in the model's folder",
    ),
    "a name that is none": (TOML.replace("data.csv", "a\\u0000b"), CSV, "[data] file: must be a file in the model's"),
    "label the response": (COUNTS_TOML.replace('"y"', '"y"\nlabel = "y"'), COUNT_CSV, "[data] label: is the response"),
    "scale of infinity": (with_data("scale = inf"), CSV, "[data] scale: must be a positive number; got inf"),
    "scale beyond floats": (with_data(f"scale = 1{'0' * 400}"), CSV, "[data] scale: must be a positive number; got 10"),
    "other units": (with_data("scale = 1e300"), CSV, "column 'a', row 1: squares of measurements beyond 1e+100"),
    "prior in words": (
        with_prior(mu='"0"', sigma="1"),
        CSV,
        "[mixture] Prior Normal: mu must be a number",
    ),
    "prior of true": (with_prior(mu="true", sigma="1"), CSV, "[mixture] Prior Normal: mu must be a number"),
    "prior a date": (with_prior(mu="2020-01-01", sigma="1"), CSV, "[mixture] Prior Normal: mu must be a number"),
    "prior of sigma 0": (with_prior(mu="0", sigma="0"), CSV, "[mixture] Prior Normal: sigma must be positive; got 0"),
    "prior beyond floats": (with_prior(mu=f"1{'0' * 400}", sigma="1"), CSV, "[mixture] Prior Normal: mu must be a num"),
    "known of a stranger": (TOML + "[mixture.fixed]\nscales = {q = 1}\n", CSV, "names the component 'q'; there are"),
    "known a date": (TOML + "[mixture.fixed]\nscales = 2020-01-01\n", CSV, "fixed: 'scales' must be a number"),
    "no draws": (
        TOML + "[sampler]\ndraws = 0\n",
        CSV,
        "[sampler] draws: must be a whole number >= 4 and <= 1000000; got 0",
    ),
    "no starts": (
        TOML + "[em]\nn_starts = 0\n",
        CSV,
        "[em] n_starts: must be a whole number >= 1 and <= 1000000; got 0",
    ),
    "no end": (TOML + "[sampler]\nminutes = inf\n", CSV, "[sampler] minutes: must be a positive number; got inf"),
    "a claim of nan": (
        TOML + '[[expect]]\nquantity = "a"\nat_least = nan\nbecause = "b"\n',
        CSV,
        "[[expect]] number 1: at_least: must be a number; got nan",
    ),
    "too deep": (f"{TOML}x = {'[' * 2000}{']' * 2000}\n", CSV, "mine/model.toml: "),
    "no such day": (f"{TOML}x = 2020-02-30\n", CSV, "model.toml: "),
    "a key twice": (TOML + "n_components = 3\n", CSV, "model.toml: not valid TOML"),
    "nothing": ("", CSV, "model.toml: the key 'title' is missing"),
    "code": (
        COUNTS_TOML + "rate = \"1 + {a.to_pickle('x')}\"\n",
        COUNT_CSV,
        "a.to_pickle is no function for formulas",
    ),
    "an id": (
        COUNTS_TOML + 'rate = "1 + b"\n',
        "y,b\n" + "".join(f"{i},p{i}\n" for i in range(9)),
        "has 9 levels in 9",
    ),
    "rank": (
        COUNTS_TOML + 'rate = "1 + a + I(2 * a)"\n',
        COUNT_CSV,
        "rate: the columns Intercept, a, I(2 * a) are lin",
    ),
    "ragged": (TOML, CSV + "7.0\n", "data.csv: row 7 (line 8) has 1 fields, the header has 2; the row is '7.0'"),
    "a header twice": (TOML, "a,a\n1,2\n3,4\n", "data.csv: the column 'a' occurs twice in the header"),
    "digits without end": (TOML, f"a\n1\n{'9' * 400}\n2\n", "data.csv: column 'a', row 2 is not a finite number: 99"),
    "collinear": (
        TOML.replace('["a"]', '["a", "b"]'),
        "a,b\n" + "".join(f"{a},{2.54 * a}\n" for a in LINE),
        "columns follow from others, b = 2.54 a",
    ),
}
"""model.toml, data.csv, and words of the one line that the command line says."""
