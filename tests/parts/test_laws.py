"""Weights times components in any composition: sums that add, scores by differences, steps that rise."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import approx_fprime
from scipy.special import log_softmax

import naive
from bayesmix.estep import reference
from bayesmix.estep.compiled_step import added
from bayesmix.formulas.linear import Linear
from bayesmix.inputs.data import Data
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.canonical import BERNOULLI, POISSON
from bayesmix.parts.columns import Columns
from bayesmix.parts.component import Product, Unlike, Zero
from bayesmix.parts.parameter import Parameter
from bayesmix.parts.regression import Regression
from bayesmix.parts.weights import Constant, MultinomialLogit


def parameter(name, dims=("component", "feature")):
    return Parameter(name, dims, "positive", "m", name, name)


class Block(Columns):
    """Some columns only."""

    def __init__(self, data, components, model, means, columns):
        super().__init__(part(data, columns), components, model, means)
        self.columns = columns

    def over(self, data):
        return type(self)(data, self.components, self.model, self.means, self.columns)

    def aligned(self, data):
        return data


def part(data, columns):
    frame = pd.DataFrame(data.x, columns=list(data.feature_names))[list(columns)]
    return Data(frame, row_weights=data.row_weights)


class Mixed(Family):
    """Poisson and Bernoulli columns side by side."""

    name = "mixed"

    def parameters(self, options):
        return ()

    def parts(self, options, components, data):
        counts = Block(data, components, POISSON, parameter("rates"), ("u",))
        flags = Block(data, components, BERNOULLI, parameter("probs"), ("p", "q"))
        return Constant(components), Product([counts, flags])


class Experts(Mixed):
    """The same with weights that depend on a covariate."""

    name = "experts"

    def parts(self, options, components, data):
        _, component = super().parts(options, components, data)
        return MultinomialLogit(Linear.of("weight", "1 + a", data), components), component


class ZeroAndTwo(Family):
    """A structural zero beside two Poisson regressions."""

    name = "zero_and_two"

    def component_names(self, data, n_components):
        return ("zero", "few", "many")

    def parameters(self, options):
        return ()

    def parts(self, options, components, data):
        kinds = [
            Regression(data, Linear.of(name, "1 + a", data), POISSON, parameter("m", ()), parameter(f"{name}_coef", ()))
            for name in ("few", "many")
        ]
        return Constant(components), Unlike([Zero(data), *kinds])


def rows(rng, n=80):
    a = rng.normal(size=n)
    counts = rng.poisson(3, n) * (rng.random(n) < 0.7)
    return pd.DataFrame({"u": counts, "p": rng.integers(2, size=n), "q": rng.integers(2, size=n), "a": a})


def mixed(rng, likelihood, **options):
    frame = rows(rng)
    return Likelihood(likelihood, {}, 2, with_covariate(frame, ["u", "p", "q"], **options))


def with_covariate(frame, columns, **options):
    """Several columns of observations beside a covariate."""
    data = Data(frame[columns], **options)
    new = object.__new__(Data)
    new.__dict__.update(data.__dict__)
    new.__dict__["covariates"] = frame[["a"]].set_index(data.covariates.index)
    return new


def naive_mixed(likelihood, params):
    x = likelihood.data.x
    counts = [stats.poisson.logpmf(x[:, 0], rate) for rate in params["rates"][:, 0]]
    flags = [stats.bernoulli.logpmf(x[:, 1:], p).sum(axis=1) for p in params["probs"]]
    if "weights" in params:
        log_w = np.log(params["weights"])
    else:
        X = np.column_stack([np.ones(len(x)), likelihood.data.covariates["a"]])
        log_w = log_softmax(X @ params["weight_coef"].T, axis=1)
    return log_w + np.stack(counts, axis=1) + np.stack(flags, axis=1) + likelihood.evidence


def naive_zero_and_two(likelihood, params):
    x, a = likelihood.data.x[:, 0], likelihood.data.covariates["a"].to_numpy()
    with np.errstate(divide="ignore"):
        columns = [np.log(x == 0)]
    rates = [np.exp(params[f"{name}_coef"] @ [np.ones_like(a), a]) for name in ("few", "many")]
    columns += [stats.poisson.logpmf(x, rate) for rate in rates]
    return np.log(params["weights"]) + np.stack(columns, axis=1) + likelihood.evidence


def case(name, rng):
    v = rng.uniform(0.2, 2, 80)
    if name == "zero and two":
        likelihood = Likelihood(ZeroAndTwo(), {}, 3, Data(rows(rng)[["u", "a"]], response="u", row_weights=v))
        params = {"few_coef": np.array([0.2, 0.3]), "many_coef": np.array([1.3, -0.2])}
        return likelihood, params | {"weights": rng.dirichlet([2, 2, 2])}, naive_zero_and_two
    likelihood = mixed(rng, Mixed() if name == "product" else Experts(), row_weights=v)
    params = {"rates": rng.gamma(3, 1, (2, 1)), "probs": rng.uniform(0.1, 0.9, (2, 2))}
    coef = rng.normal(size=2)
    params |= {"weights": rng.dirichlet([2, 2])} if name == "product" else {"weight_coef": np.stack([coef, -coef])}
    return likelihood, params, naive_mixed


CASES = ("product", "experts", "zero and two")


@pytest.mark.parametrize("name", CASES)
def test_the_composition_is_the_law_written_out(name, rng):
    likelihood, params, by_hand = case(name, rng)
    np.testing.assert_allclose(likelihood.log_joint(params), by_hand(likelihood, params), rtol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_sums_over_two_halves_add(name, rng):
    likelihood, params, _ = case(name, rng)
    r = reference.responsibilities(likelihood, params)
    first = np.arange(80)[:, None] < 37
    halves = [likelihood.sums(np.where(some, r, 0.0), params) for some in (first, ~first)]
    for key, value in likelihood.sums(r, params).items():
        np.testing.assert_allclose(added(*halves)[key], value, rtol=1e-10, atol=1e-10)
        assert np.size(value) < 80


@pytest.mark.parametrize("name", CASES)
def test_scores_are_difference_quotients(name, rng):
    likelihood, params, by_hand = case(name, rng)
    theta = likelihood.pack(params)

    def L(t):
        return naive.total(by_hand(likelihood, dict(likelihood.unpack(t))), likelihood.row_weights)

    for v, a in likelihood.unpack(theta).items():
        np.testing.assert_allclose(a, params[v], rtol=1e-10, atol=1e-12)
    score = likelihood.score(theta, reference.e_step(likelihood, params)[1])
    np.testing.assert_allclose(score, approx_fprime(theta, L, 1e-7), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_em_rises_to_a_point_without_score(name, rng):
    likelihood, params, _ = case(name, rng)
    before, sums = reference.e_step(likelihood, params)
    for _ in range(400):
        params = likelihood.m_step(sums, params)
        L, sums = reference.e_step(likelihood, params)
        assert L >= before - 1e-8 * abs(before)
        before = L
    assert np.abs(likelihood.score(likelihood.pack(params), sums)).max() < 1e-2


def test_multinomial_weights_keep_their_sum_of_zero_and_their_exchangeability(rng):
    likelihood, params, _ = case("experts", rng)
    stepped = likelihood.m_step(reference.e_step(likelihood, params)[1], params)
    np.testing.assert_allclose(stepped["weight_coef"].sum(axis=0), 0, atol=1e-12)
    swapped = {v: a[::-1] for v, a in params.items()}
    L = [reference.e_step(likelihood, p)[0] for p in (params, swapped)]
    assert L[0] == pytest.approx(L[1], rel=1e-13)


def test_a_composite_draws_each_row_from_its_own_kind(rng):
    likelihood, params, _ = case("zero and two", rng)
    x = likelihood.component.draw(np.repeat([0, 1, 2], [20, 30, 30]), params, rng)
    assert x.shape == (80, 1)
    assert not x[:20].any()
    assert x[50:].mean() > x[20:50].mean()


def test_blocks_need_as_many_components_and_names_of_their_own(rng):
    data = Data(rows(rng)[["u", "p"]])
    two, three = (Columns(data, tuple("abc"[:k]), POISSON, parameter(f"m{k}")) for k in (2, 3))
    with pytest.raises(ValueError, match="every block needs as many"):
        Product([two, three])
    with pytest.raises(ValueError, match="a parameter of one name"):
        Product([two, two])
