"""The enumeration that judges `choose`: against numbers found by brute force and quadrature elsewhere."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import beta

import bayesmix as bm
from choosing.enumeration import Exact, normal_block, poisson_block

ROWS = (1, 2, 2, 3, 3, 4, 8, 9, 9, 10, 10, 11)
LOG_Z = [-35.50085821, -32.52193986, -32.33942724, -32.32522576, -32.35447940, -32.39662602]
ELPD = [-34.065087, -30.393278, -30.640615, -30.869327, -31.063922, -31.229883]
OCCUPIED = [
    [1.0],
    [0.007823, 0.992177],
    [0.001397, 0.354281, 0.644322],
    [0.000367, 0.139714, 0.508189, 0.351729],
]
PREDICTIVE = [(-2.847297, -2.232899), (-2.072625, -3.517981), (-2.131302, -3.320776)]


@pytest.fixture(scope="module")
def exact():
    scales = bm.Prior("LogNormal", mu=np.log(2), sigma=0.6)
    return Exact(ROWS, 1.0, normal_block(6.0, 4.0, scales), most=6)


def test_normal_rows(exact):
    assert [exact.log_z(K) for K in range(1, 7)] == pytest.approx(LOG_Z, abs=2e-7)
    assert [exact.elpd_loo(K) for K in range(1, 7)] == pytest.approx(ELPD, abs=2e-6)
    for K, shares in enumerate(OCCUPIED, 1):
        assert exact.occupied(K) == pytest.approx(shares, abs=2e-6)


def test_new_rows(exact):
    for K, density in enumerate(PREDICTIVE, 1):
        assert [exact.log_predictive(K, x) for x in (2, 6)] == pytest.approx(density, abs=2e-6)


def test_counts_against_brute_force():
    """Five counts in two components: all 32 assignments, each integral by quadrature."""
    x, e0 = np.array([0, 0, 1, 4, 4]), 1.5
    law = stats.gamma(2.0, scale=1 / 0.5)

    def m(rows):
        density = lambda rate: law.pdf(rate) * np.prod(stats.poisson(rate).pmf(rows))  # noqa: E731
        return integrate.quad(density, 0, np.inf)[0]

    total = 0.0
    for bits in np.ndindex(*(2,) * 5):
        inside = np.array(bits, dtype=bool)
        k = inside.sum()
        total += beta(e0 + k, e0 + 5 - k) / beta(e0, e0) * m(x[inside]) * m(x[~inside])
    assert Exact(tuple(x), e0, poisson_block(2.0, 0.5), most=2).log_z(2) == pytest.approx(np.log(total), abs=1e-8)
