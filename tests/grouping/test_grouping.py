"""Modes against a grid and a theorem, merging and quality against sums written out, occupied components by hand."""

from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage, stats
from scipy.special import xlogy

import bayesmix as bm
from bayesmix.grouping.merging import merged_by_entropy
from bayesmix.grouping.modes import clusters_at, modes_of
from bayesmix.grouping.occupied import occupied
from bayesmix.mixture.spec import bind
from bayesmix.posterior.record import Record


def normals(means, covariances, weights=None):
    """A bound mixture with its parameters, over rows drawn around the means."""
    means, covariances = np.array(means, dtype=float), np.array(covariances, dtype=float)
    K, d = means.shape
    rows = np.repeat(means, 20, axis=0) + np.random.default_rng(1).normal(size=(20 * K, d))
    weights = np.full(K, 1 / K) if weights is None else np.array(weights)
    params = {"weights": weights, "means": means, "covariances": covariances}
    return bind(bm.Mixture("gaussian", n_components=K), bm.Data(rows)), params


@pytest.mark.parametrize(("gap", "modes"), [(1.9, 1), (2.1, 2), (6.0, 2)])
def test_two_equal_normals_have_two_modes_where_two_deviations_apart(gap, modes):
    """The theorem: equal weights and variances, bimodal beyond 2 sd."""
    clusters = clusters_at(*normals([[0.0], [1.5 * gap]], [[[2.25]], [[2.25]]]))
    assert len(set(clusters)) == modes


def test_modes_against_a_grid(rng):
    """In the plane, the local maxima of SciPy's density on a fine grid."""
    axis = np.linspace(-9, 9, 361)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    counts = set()
    for _ in range(8):
        means = rng.normal(0, 1.8, (3, 2))
        halves = rng.normal(0, 0.7, (3, 2, 2))
        covariances = halves @ halves.swapaxes(1, 2) + 0.3 * np.eye(2)
        p = sum(stats.multivariate_normal(m, S).pdf(grid) for m, S in zip(means, covariances, strict=True))
        on_grid = int((p == ndimage.maximum_filter(p, size=3)).sum())
        counts.add(on_grid)
        assert len(set(clusters_at(*normals(means, covariances)))) == on_grid
    assert len(counts) > 1


def test_an_empty_component_is_no_cluster(faithful_dt):
    """Every draw of Old Faithful has two modes; with one component moved to where no row is, one counts."""
    record = Record.of(faithful_dt)
    found = modes_of(record, 20)
    assert found.probability["probability"].tolist() == [0, 1]
    assert "1.000" in str(found)
    empty = Record.of(faithful_dt)
    away = np.array(record.params["means"])
    away[:, 1] += 1000.0
    empty.__dict__["params"] = dict(record.params) | {"means": away}
    assert set(modes_of(empty, 10).numbers) == {1}


def test_modes_are_of_measured_columns(zip_dt):
    with pytest.raises(ValueError, match="measured columns"):
        bm.density_modes(zip_dt)


def entropy(r):
    return -sum(float(xlogy(v, v)) for row in r for v in row)


def test_merging_against_all_pairs(rng):
    r = rng.dirichlet([0.5, 0.5, 0.5, 0.2], 30)
    entropies, groups = merged_by_entropy(r, np.ones(30))
    assert entropies[0] == pytest.approx(entropy(r))
    after = {
        pair: entropy(np.column_stack([np.delete(r, pair, axis=1), r[:, pair].sum(axis=1)]))
        for pair in combinations(range(4), 2)
    }
    best = min(after, key=after.get)
    assert groups[0] == best
    assert entropies[1] == pytest.approx(after[best])
    assert groups[-1] == (0, 1, 2, 3)
    assert entropies[-1] == pytest.approx(0, abs=1e-9)
    assert (np.diff(entropies) <= 1e-12).all()


def test_merging_a_posterior(faithful_dt):
    table = bm.merge(faithful_dt)
    r = bm.responsibilities(faithful_dt).to_numpy().reshape(-1, 272, 2)
    assert table.index.tolist() == [2, 1]
    assert table["entropy"].loc[2] == pytest.approx(np.mean([entropy(one) for one in r[::20]]), rel=0.1)
    assert table["lower"].loc[2] < table["entropy"].loc[2] < table["upper"].loc[2]


def test_quality_of_an_estimate(faithful_em):
    quality = bm.classification_quality(faithful_em)
    r = bm.responsibilities(faithful_em).to_numpy()
    group = r.argmax(axis=1)
    for k, (_, row) in enumerate(quality.groups.iterrows()):
        own = r[group == k, k]
        assert row["rows"] == len(own)
        assert row["average"] == pytest.approx(own.mean())
        assert row["sure"] == pytest.approx((own > 0.9).mean())
    overall = quality.overall["value"]
    assert overall["expected error"] == pytest.approx(1 - r.max(axis=1).mean())
    assert overall["relative entropy"] == pytest.approx(1 - entropy(r) / (272 * np.log(2)))
    assert quality.confusion.to_numpy().sum(axis=1) == pytest.approx([1, 1])
    assert np.isnan(quality.overall["lower"]).all()


def test_quality_of_a_posterior(faithful_dt):
    quality = bm.classification_quality(faithful_dt)
    r = bm.responsibilities(faithful_dt).to_numpy().reshape(-1, 272, 2)
    group = r.mean(axis=0).argmax(axis=1)
    by_draw = r[:, group == 0, 0].mean(axis=1)
    row = quality.groups.iloc[0]
    assert row["average"] == pytest.approx(by_draw.mean(), abs=1e-3)
    assert row["average_lower"] == pytest.approx(np.quantile(by_draw, 0.05), abs=3e-3)
    assert row["average"] == pytest.approx(quality.confusion.iloc[0, 0])
    assert "expected error" in str(quality)


def test_occupied_components(faithful_dt):
    """Both components have rows in every draw, and no draw gives one a chance to have none."""
    found = occupied(Record.of(faithful_dt), seed=1)
    assert found.shares.tolist() == [0, 1]
    assert found.errors == pytest.approx(1 / found.empty.size, rel=0.01)  # one draw in all of them might have shown it
    r = bm.responsibilities(faithful_dt).to_numpy().reshape(-1, 272, 2)
    by_hand = [(1 - one).prod(axis=0).mean() for one in r[:50]]
    assert found.empty.reshape(-1)[:50] == pytest.approx(by_hand, abs=1e-12)
