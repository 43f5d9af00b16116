"""Columns with missing cells, by NumPy's own functions."""

import numpy as np
import pytest

from bayesmix.parts.gaps import SIDE_BY_SIDE, column_extremes


@pytest.mark.parametrize("n", [1, SIDE_BY_SIDE - 1, SIDE_BY_SIDE, 3 * SIDE_BY_SIDE + 7])
@pytest.mark.parametrize("d", [1, 4])
def test_extremes_are_those_of_the_observed_cells(rng, n, d):
    x = rng.normal(size=(n, d))
    x[rng.random((n, d)) < 0.3] = np.nan
    x[0] = 5.0 * np.arange(d)
    lows, highs = column_extremes(x)
    np.testing.assert_array_equal(lows, np.nanmin(x, axis=0))
    np.testing.assert_array_equal(highs, np.nanmax(x, axis=0))


def test_extremes_of_an_empty_column_are_missing():
    for n in (3, 2 * SIDE_BY_SIDE):
        assert np.isnan(column_extremes(np.full((n, 2), np.nan))).all()
