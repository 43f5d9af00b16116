"""Highest-density regions against the normal distribution, whose regions are intervals and discs."""

import numpy as np
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.rows.fitted import Fitted
from bayesmix.rows.regions import CONTENTS, regions_at
from bayesmix.rows.tails import Tails
from rows.fits import estimate, posterior


def normal(d, sd):
    return {"weights": np.ones(1), "means": np.zeros((1, d)), "covariances": sd**2 * np.eye(d)[None]}


def rows(d, n=50):
    return bm.Data(np.random.default_rng(1).standard_normal((n, d)))


def test_regions_of_a_normal_are_intervals_and_discs():
    spec = bm.Mixture("gaussian", n_components=1)
    line = regions_at(Fitted.of(estimate(spec, rows(1), normal(1, 2.0))), np.linspace(-6, 6, 1201)[:, None])
    for content, level, inside in zip(CONTENTS, line.levels, line.inclusion, strict=True):
        half = stats.norm(0, 2).ppf((1 + content) / 2)
        assert level == pytest.approx(stats.norm(0, 2).pdf(half), rel=0.05)
        assert (inside == 1).sum() * 0.01 == pytest.approx(2 * half, rel=0.01)
    np.testing.assert_allclose(line.density, stats.norm(0, 2).pdf(np.linspace(-6, 6, 1201)), rtol=1e-10)
    radius = np.linspace(0, 4, 801)
    disc = regions_at(Fitted.of(estimate(spec, rows(2), normal(2, 1.0))), np.column_stack([radius, 0 * radius]))
    found = [radius[inside == 1].max() for inside in disc.inclusion]
    np.testing.assert_allclose(found, np.sqrt(stats.chi2(2).ppf(CONTENTS)), rtol=0.01)


def test_inclusion_is_the_share_of_draws_whose_region_holds_the_point():
    sds = np.array([1.0, 1.5, 2.0, 3.0])
    dt = posterior(bm.Mixture("gaussian", n_components=1), rows(1), [normal(1, sd) for sd in sds])
    x = np.linspace(0.05, 8, 60)
    found = regions_at(Fitted.of(dt), x[:, None])
    for content, inside in zip(CONTENTS, found.inclusion, strict=True):
        half = sds * stats.norm.ppf((1 + content) / 2)
        clear = (np.abs(x[:, None] - half) > 0.04 * half).all(axis=1)
        np.testing.assert_allclose(inside[clear], (x[:, None] < half).mean(axis=1)[clear])
    densities = stats.norm(0, sds).pdf(x[:, None])
    np.testing.assert_allclose(found.density, densities.mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(found.upper, np.quantile(densities, 0.95, axis=1), rtol=1e-10)


def test_fewer_rows_are_outside_a_region_where_counts_tie():
    spec = bm.Mixture("poisson", n_components=1)
    data = bm.Data(np.random.default_rng(1).poisson(1.0, 100))
    fitted = Fitted.of(estimate(spec, data, {"weights": np.ones(1), "rates": np.ones((1, 1))}))
    tails = Tails(fitted)
    pmf = stats.poisson(1.0).pmf(np.arange(30))
    t = np.array([pmf[pmf <= p + 1e-12].sum() for p in pmf])
    shares = (0.5, 0.1, 0.05)
    for share, (here, new) in zip(shares, tails.outside(fitted.over(None), shares), strict=True):
        assert new == pytest.approx(100 * pmf[t < share].sum(), abs=0.2)
        assert here == (t[data.x[:, 0].astype(int)] < share).sum()
