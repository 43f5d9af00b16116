"""The columns that tell components apart: against loops over draws, in every family."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.checks.distinguishing import _ranked
from bayesmix.drawing.profile import draw_profile
from bayesmix.drawing.view import View
from bayesmix.mixture.spec import bind
from families.examples import EXAMPLES, NAMES

CENTRES = {"gaussian": "means", "poisson": "rates", "bernoulli": "probs", "categorical": "probs"}


def by_hand(values, weights, blocks, unit):
    """Effects (draws, K, columns) and contrasts with the mean of the others, one number after the other."""
    S, K, A = values.shape
    contrast, effect = np.empty((S, K, A)), np.empty((S, K, len(blocks)))
    first = np.cumsum([0, *blocks])
    for s in range(S):
        for k in range(K):
            rest = [l for l in range(K) if l != k]
            w = weights[s, rest] / weights[s, rest].sum()
            for a in range(A):
                contrast[s, k, a] = (values[s, k, a] - sum(w * values[s, rest, a])) / unit[a]
            for j, (i, end) in enumerate(pairwise(first)):
                apart = [np.abs(values[s, k, i:end] - values[s, l, i:end]).sum() / unit[i] for l in rest]
                half = 1 if len(blocks) == A else 2
                effect[s, k, j] = np.sqrt(sum(v * (d / half) ** 2 for v, d in zip(w, apart, strict=True)))
    return effect, contrast


@pytest.mark.parametrize("name", ["gaussian", "poisson", "bernoulli", "categorical"])
def test_ranks_are_those_of_loops_over_draws(name, rng):
    example = EXAMPLES[name]
    likelihood = bind(example.spec, example.data(rng, 60))
    draws = [example.params(rng) for _ in range(40)]
    params = {v: np.stack([p[v] for p in draws]) for v in draws[0]}
    blocks = (
        [len(levels) for levels in likelihood.data.levels]
        if name == "categorical"
        else [1] * likelihood.data.n_features
    )
    unit = np.ones(sum(blocks)) if CENTRES[name] == "probs" else likelihood.data.x.std(axis=0)
    effects, contrast = by_hand(params[CENTRES[name]], params["weights"], blocks, unit)
    table = _ranked(likelihood, params, 0.8)
    names = list(likelihood.data.feature_names)
    for k, component in enumerate(likelihood.components):
        own = table[table["component"] == component].set_index("feature")
        assert own["rank"].tolist() == list(range(1, len(names) + 1))
        strength = np.abs(effects[:, k])
        order = np.argsort(-strength.mean(axis=0), kind="stable")
        assert own.index.tolist() == [names[j] for j in order]
        own = own.loc[names]
        np.testing.assert_allclose(own["effect"], effects[:, k].mean(axis=0), rtol=1e-10)
        np.testing.assert_allclose(own["lower"], np.quantile(effects[:, k], 0.1, axis=0), rtol=1e-10)
        np.testing.assert_allclose(own["upper"], np.quantile(effects[:, k], 0.9, axis=0), rtol=1e-10)
        firsts = np.bincount(strength.argmax(axis=1), minlength=len(names)) / len(draws)
        np.testing.assert_allclose(own["first"], firsts)
        if name == "categorical":
            spread = contrast[:, k].mean(axis=0)
            for answer, difference in zip(own["answer"], own["difference"], strict=True):
                assert any(np.isclose(difference, v) for v in spread), answer


def test_the_answer_that_differs_is_named():
    frame = pd.DataFrame({"a": ["u", "v", "w"] * 4, "b": ["x", "y"] * 6})
    likelihood = bind(bm.Mixture("categorical", n_components=2), bm.Data(frame))
    probs = np.array([[0.7, 0.2, 0.1, 0.5, 0.5], [0.1, 0.3, 0.6, 0.4, 0.6]])
    table = _ranked(likelihood, {"weights": np.array([[0.5, 0.5]]), "probs": probs[None]}, 0.9)
    first = table.iloc[0]
    assert (first["component"], first["feature"], first["answer"]) == ("component_1", "a", "u")
    assert first["difference"] == pytest.approx(0.6)
    assert first["effect"] == pytest.approx((0.6 + 0.1 + 0.5) / 2)
    assert table.attrs["unit"] == "share that would have to answer differently"
    assert table["answer"].tolist() == ["u", "x", "u", "y"]


def test_a_component_in_the_middle_is_told_from_both_others():
    """Versicolor lies between setosa and virginica in petals, and is like their mean there."""
    data = bm.load("iris")[1]
    em = bm.fit_em(bm.Mixture("gaussian", n_components=3), data, n_starts=20)
    table = bm.distinguishing(em)
    best = table[table["rank"] == 1]
    assert set(best["feature"]) <= {"petal_length", "petal_width"}


def test_of_posteriors_and_of_estimates(faithful_dt, faithful_em):
    table = bm.distinguishing(faithful_dt)
    assert table["feature"].isin(["eruptions", "waiting"]).all()
    assert ((table["lower"] < table["effect"]) & (table["effect"] < table["upper"])).all()
    assert table.groupby("component")["first"].sum().tolist() == pytest.approx([1, 1])
    point = bm.distinguishing(faithful_em)
    assert point[["lower", "upper", "first"]].isna().all(axis=None)
    assert np.abs(point.sort_values(["component", "feature"])["effect"]).tolist() == pytest.approx(
        np.abs(table.sort_values(["component", "feature"])["effect"]).tolist(), rel=0.05
    )


def test_what_cannot_be_compared_is_refused(faithful_dt, zip_dt):
    with pytest.raises(ValueError, match="prob: must be between 0 and 1; got 1.5"):
        bm.distinguishing(faithful_dt, prob=1.5)
    with pytest.raises(ValueError, match="needs two or more components"):
        bm.distinguishing(bm.fit_em(bm.Mixture("gaussian", n_components=1), bm.Data([[1.0, 2], [2, 4], [3, 1]])))
    with pytest.raises(ValueError, match="a zero_inflated_poisson mixture of 2 has none"):
        bm.distinguishing(zip_dt)


@pytest.mark.parametrize("name", NAMES)
def test_profiles_are_drawn(name, rng):
    example = EXAMPLES[name]
    likelihood = bind(example.spec, example.data(rng, 60))
    draws = [example.params(rng) for _ in range(5)]
    figure = draw_profile(View(likelihood, {v: np.stack([p[v] for p in draws]) for v in draws[0]}, draws[0]))
    if likelihood.component.profile is None:
        assert figure is None
        return
    figure.canvas.draw()
    marks = [line for ax in figure.axes for line in ax.lines if line.get_gid() == "component 0"]
    centre = np.mean([p[CENTRES[example.spec.family]][0] for p in draws], axis=0)
    shown = np.concatenate([line.get_xdata() for line in marks])
    if example.spec.family == "gaussian":
        centre = (centre - np.nanmean(likelihood.data.x, axis=0)) / np.nanstd(likelihood.data.x, axis=0)
    np.testing.assert_allclose(shown, centre)
