"""What all draws say of each row: quantiles against NumPy's, leave-one-out against ArviZ' own, in bounded memory."""

import tracemalloc

import numpy as np
import pytest
from arviz_stats.base import array_stats

import bayesmix as bm
from bayesmix import estep
from bayesmix.posterior import record

SHAPES = {
    "one draw": (1, 3),
    "two draws": (2, 9),
    "few": (30, 8),
    "many": (4000, 40),
}
KINDS = {
    "uniform": lambda rng, size: rng.random(size),
    "saturated": lambda rng, size: np.minimum(rng.random(size) * 1.5, 1.0),
    "near zero": lambda rng, size: rng.beta(0.01, 1.0, size),
    "equal": lambda rng, size: np.ones(size),
    "two values": lambda rng, size: (rng.random(size) < 0.05).astype(float),
    "drifting": lambda rng, size: np.arange(size[0])[:, None] + rng.random(size),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_summaries_are_numpys(rng, make, shape):
    x, shares = make(rng, shape), (0.0, 0.005, 0.05, 0.5, 0.95, 1.0)
    wanted = [x.mean(axis=0), x.std(axis=0), *np.quantile(x, shares, axis=0)]
    np.testing.assert_allclose(estep.summaries(x, shares), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("n_draws", "r_eff"), [(4000, 1.0), (4000, 0.3), (1000, 1.5), (200, 0.9)])
@pytest.mark.parametrize("df", [1, 2, 5, 50])
def test_leave_one_out_is_arviz(rng, n_draws, r_eff, df):
    """Log-densities with tails of every weight; the fifth row has many ties."""
    l = -0.7 * np.abs(rng.standard_t(df, (n_draws, 10))) - 3.0
    l[:, 4] = l[:, 4].round(1)
    tail = int(array_stats._get_ps_tails(n_draws, r_eff, "right"))
    with np.errstate(all="ignore"):
        elpd, k, p = np.array([array_stats._loo(column, r_eff) for column in l.T]).T
    found, there = estep.leave_one_out(l, tail), np.isfinite(elpd)
    assert there.sum() > (5 if df == 1 else 9)
    assert not (found[1, ~there] < 1).any()
    np.testing.assert_allclose(found[:, there], np.array([elpd, k, elpd + p])[:, there], rtol=1e-10)


def test_rows_that_cannot_be_left_out_say_so(rng):
    l = rng.normal(size=(100, 3))
    l[5, 0], l[:, 1] = -np.inf, -1.0
    elpd, k, known = estep.leave_one_out(l, 20)
    assert (elpd[0], k[0]) == (-np.inf, np.inf)
    assert (elpd[1], k[1], known[1]) == pytest.approx((-1.0, 0.0, -1.0))
    assert estep.leave_one_out(l[:10], 2)[1, 2] == np.inf


def test_ranges_of_rows_are_those_of_the_whole(zip_dt, faithful_dt):
    for dt in (zip_dt, faithful_dt):
        read = record.Record.of(dt)
        draws = estep.Draws(read.likelihood, read.params)
        l, r = draws.both()
        for rows in (slice(0, 7), slice(100, 272), slice(200, None)):
            np.testing.assert_array_equal(draws.pointwise(rows), l[:, rows])
            np.testing.assert_array_equal(draws.responsibilities(rows), r[:, rows])


def test_summary_and_loo_hold_a_block_at_a_time(faithful_dt, faithful, monkeypatch):
    monkeypatch.setattr(record, "BLOCK_BYTES", 4e6)
    many = bm.Data(np.tile(faithful[1].x, (20, 1)))
    whole = 8 * faithful_dt["posterior"]["weights"].size * len(many)
    bm.responsibility_summary(faithful_dt, data=many)
    tracemalloc.start()
    bm.responsibility_summary(faithful_dt, data=many)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < whole / 10
