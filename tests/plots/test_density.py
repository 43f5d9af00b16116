"""The pictures of the density show the regions and the rows that they say."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats

import bayesmix as bm
from bayesmix import plots
from families.examples import EXAMPLES, NAMES
from rows.fits import estimate, posterior


def artists(fig, gid):
    return [a for a in fig.findobj(lambda a: a.get_gid() == gid) if a.get_gid()]


@pytest.mark.parametrize("name", NAMES)
def test_every_family_is_drawn_or_refused_clearly(name, rng):
    example = EXAMPLES[name]
    data = example.data(rng, 50)
    dt = posterior(example.spec, data, [example.params(rng) for _ in range(4)])
    fig = plots.outliers(dt)
    FigureCanvasAgg(fig).draw()
    assert len(artists(fig, "log_density")[0].get_xdata()) == 10
    if name.startswith(("gaussian", "factor_analyzers")):
        fig = plots.density(dt)
        FigureCanvasAgg(fig).draw()
        assert artists(fig, "outliers")
    else:
        with pytest.raises(ValueError, match="no one density to draw"):
            plots.density(dt)


def test_counts_in_one_column_have_a_density():
    em = bm.fit_em(bm.Mixture("zero_inflated_poisson"), bm.Data([0, 0, 0, 1, 3, 2, 4, 0, 2, 5, 3, 2]))
    fig = plots.density(em)
    p = em.params
    m = np.arange(6)
    pmf = (1 - float(p["zero_prob"])) * stats.poisson.pmf(m, float(p["rate"])) + float(p["zero_prob"]) * (m == 0)
    np.testing.assert_allclose(artists(fig, "density")[0].get_ydata(), pmf, rtol=1e-8)


def test_strips_reach_as_far_as_the_regions(rng):
    params = {"weights": np.ones(1), "means": np.zeros((1, 1)), "covariances": np.ones((1, 1, 1))}
    em = estimate(bm.Mixture("gaussian", n_components=1), bm.Data(rng.normal(0, 1.5, 300)), params)
    fig = plots.density(em)
    for content in (0.5, 0.9, 0.95):
        (strip,) = artists(fig, f"region {content}")
        ends = strip.get_paths()[0].get_extents()
        half = stats.norm.ppf((1 + content) / 2)
        assert (ends.x0, ends.x1) == pytest.approx((-half, half), abs=0.03)


def test_marked_rows_are_the_least_dense(rng):
    x = np.vstack([rng.normal(size=(60, 2)), [[9.0, 9.0]]])
    em = bm.fit_em(bm.Mixture("gaussian", n_components=1), bm.Data(x), n_starts=1)
    (marks,) = artists(plots.density(em), "outliers")
    shown = np.asarray(marks.get_offsets())
    assert len(shown) == 10
    np.testing.assert_allclose(shown[0], [9.0, 9.0])
    assert bm.outliers(em, 1)["expected"].iloc[0] < 0.01
