"""The evidence of small posteriors against quadrature and sums over all assignments."""

import json

import numpy as np
import pytest
from scipy import stats

import bayesmix as bm
import exact
from bayesmix.compiled.log_posterior import CompiledModel
from reference_cases import CASES, corners

SETTINGS = {"draws": 1000, "tune": 500, "chains": 4, "progress": False, "log_likelihood": False}
KNOWN = {
    "weights": bm.Prior("Dirichlet", a=[2.0, 2.0]),
    "means": bm.Prior("Normal", mu=1.0, sigma=3.0),
    "scales": bm.Prior("LogNormal", mu=np.log(0.8), sigma=0.05),
}
"""Two components of one feature whose common standard deviation is all but known."""


@pytest.fixture(scope="module")
def twelve():
    rng = np.random.default_rng(3)
    return np.concatenate([rng.normal(-1.0, 0.8, 7), rng.normal(2.0, 0.8, 5)])


def fitted(spec, data):
    compiled = CompiledModel(bm.build(spec, data))
    return bm.sample(spec, data, compiled=compiled, **SETTINGS), compiled


def agrees(found, value):
    assert found.established
    assert found.standard_error < 0.05
    assert abs(found.value - value) < 3 * found.standard_error, (found, value)


@pytest.fixture(scope="module")
def two_known(twelve):
    spec = bm.Mixture("gaussian", n_components=2, covariance="tied", priors=KNOWN)
    return (*fitted(spec, bm.Data(twelve)), spec)


def test_one_normal(twelve):
    spec = bm.resolve(bm.Mixture("gaussian", n_components=1), bm.Data(twelve))
    dt, compiled = fitted(spec, bm.Data(twelve))
    agrees(bm.log_evidence(dt, compiled=compiled), exact.log_evidence_of_one_normal(twelve, spec))


def test_two_components_with_known_variance(two_known, twelve):
    dt, compiled, spec = two_known
    found = bm.log_evidence(dt, compiled=compiled)
    agrees(found, exact.log_evidence(twelve[:, None], spec))
    assert "bridge sampling" in found.method
    assert str(found).startswith("log evidence -")


def test_ordered_means_have_the_evidence_of_the_same_mixture_without_order(twelve):
    spec = bm.Mixture("gaussian", n_components=2, covariance="tied", priors=KNOWN, order="means")
    dt, compiled = fitted(spec, bm.Data(twelve))
    agrees(bm.log_evidence(dt, compiled=compiled), exact.log_evidence(twelve[:, None], spec))


def test_constant_counts(zip_compiled):
    rng = np.random.default_rng(5)
    x = np.where(rng.random(25) < 0.4, 0, rng.poisson(3.0, 25))
    spec = bm.resolve(bm.Mixture("zero_inflated_poisson"), bm.Data(x))
    compiled = zip_compiled.with_data(bm.build(spec, bm.Data(x)))
    dt = bm.sample(spec, bm.Data(x), compiled=compiled, **SETTINGS)
    agrees(bm.log_evidence(dt, compiled=compiled), exact.log_evidence_of_counts(x, spec))


def test_few_draws_are_not_established(two_known):
    dt, compiled, _ = two_known
    few = dt.isel(draw=slice(8))
    found = bm.log_evidence(few, compiled=compiled)
    assert not found.established
    assert "not established" in str(found)


def test_what_has_no_evidence_is_refused(two_known, twelve):
    dt, _, spec = two_known
    extended = dt.copy()
    extended.attrs["extended_model"] = 1
    with pytest.raises(ValueError, match="log_evidence: the posterior is of the user's extension"):
        bm.log_evidence(extended)
    weighted = dt.copy()
    weighted["input"] = bm.Data(twelve, row_weights=np.arange(1.0, 13)).to_dataset()
    with pytest.raises(ValueError, match="log_evidence: is defined for row weights of 1 only"):
        bm.log_evidence(weighted)
    own = dt.copy()
    means = bm.Prior("Normal", mu=[[0.0], [1.0]], sigma=1.0)
    own.attrs["spec"] = json.dumps(spec.replace(priors=KNOWN | {"means": means}, order="means").to_dict())
    with pytest.raises(ValueError, match="the means must share one prior; mu differs"):
        bm.log_evidence(own)


def test_sum_over_assignments_is_that_of_single_assignments():
    """Three rows, by multivariate normal densities at every node and the Dirichlet-multinomial by Monte Carlo."""
    x, spec = np.array([[0.3], [1.0], [-2.0]]), bm.Mixture("gaussian", n_components=2, covariance="tied", priors=KNOWN)
    grid, log_weight = exact.scale_grid(spec.priors["scales"])
    weights = stats.dirichlet([2.0, 2.0]).rvs(200_000, random_state=1)
    total = 0.0
    for z in np.ndindex(2, 2, 2):
        z = np.array(z)
        p_z = weights[:, z].prod(axis=1).mean()
        same = (z[:, None] == z).astype(float)
        laws = [stats.multivariate_normal(np.ones(3), np.exp(2 * t) * np.eye(3) + 9 * same) for t in grid[::100]]
        density = np.interp(grid, grid[::100], [law.pdf(x[:, 0]) for law in laws])
        total += p_z * (np.exp(log_weight) * density).sum()
    assert exact.log_evidence(x, spec) == pytest.approx(np.log(total), abs=0.01)


def test_regions_that_chains_do_not_leave_add_up():
    """Three rows about each corner of a larger square: two splits, one half each."""
    case, rows = CASES["four_corners"](), corners().reshape(4, 10, 2)[:, :3].reshape(-1, 2)
    rows = rows + 9 * np.sign(rows)
    dt, compiled = fitted(case.spec, bm.Data(rows))
    assert (dt["modes"].to_dataset()["region"] == 2).any()
    found = bm.log_evidence(dt, compiled=compiled)
    agrees(found, exact.log_evidence(rows, case.resolved))
    assert "in each of 2 regions" in found.method
