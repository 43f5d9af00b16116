"""What is refused of a stranger's fit is in no fit of ours: of every family one is written, read, and read again."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.mixture.spec import resolved
from bayesmix.posterior.varying import by_variation
from families.examples import EXAMPLES
from rows.fits import posterior


@pytest.mark.parametrize("name", EXAMPLES)
def test_our_own_fits_are_read(name, rng, tmp_path):
    example = EXAMPLES[name]
    data = example.data(rng)
    whole = posterior(example.spec, data, [example.params(rng) for _ in range(4)])
    lean = by_variation(whole, resolved(example.spec, data))
    lean.attrs |= whole.attrs
    for dt in (whole, lean):
        back = bm.load_fit(bm.save(dt, tmp_path / "fit.nc"))
        for v, draws in lean["posterior"].to_dataset().items():
            np.testing.assert_allclose(back["posterior"][v], draws)
