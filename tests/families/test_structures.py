"""Covariance structures: names, degrees of freedom, M-steps against SciPy, likelihoods against published ones."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.linalg import expm
from scipy.optimize import minimize
from sklearn.datasets import load_iris

import bayesmix as bm
import naive
from bayesmix.families.gaussian.structures.names import COVARIANCE_KINDS, SYNONYMS
from bayesmix.mixture.spec import bind

NAMES = ["EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV"]
PUBLISHED = {
    "old_faithful 2": "-1709.6814 -1709.5293 -1157.6800 -1152.8802 -1153.8856 -1147.8064 -1140.1868 -1136.2599 "
    "-1136.9103 -1132.1875 -1139.3316 -1134.6792 -1135.7699 -1130.2640",
    "old_faithful 3": "-1663.5396 -1637.4344 -1133.4554 -1132.6668 -1132.4224 -1131.8185 -1126.3159 -1124.5282 "
    "-1124.8319 -1122.7969 -1126.1633 -1122.5494 -1125.6609 -1127.0717",
    "iris 2": "-536.6525 -478.5591 -488.9148 -443.0667 -463.5690 -386.1854 -296.4476 -278.0572 "
    "-273.4962 -244.5712 -259.6669 -215.7260 -259.0164 -214.3547",
    "iris 3": "-401.8022 -384.3141 -361.4255 -339.4687 -338.7889 -307.1776 -256.3540 -237.5602 "
    "-234.140 -214.053 -214.850 -186.0733 -205.536 -180.1855",
}
"""Log-likelihoods of mclust 6.0.0, pymclustR and tgmm 0.4.3, in the order of NAMES."""
PRINTED = 6e-4
"""They were printed with three decimals or four."""
HIGHER = {"E": "EV", "I": "IEV", "V": "V"}


def within(poorer, richer):
    """Whether every matrix of one structure is one of the other."""
    return poorer != richer and all(b in HIGHER[a] for a, b in zip(poorer, richer, strict=True))


def rows(name):
    if name == "iris":
        return bm.Data(pd.DataFrame(load_iris().data, columns=["a", "b", "c", "d"]))
    return bm.load(name)[1]


def likelihoods(cell, **settings):
    name, K = cell.split()
    data = rows(name)
    fits = {c: bm.fit_em(bm.Mixture("gaussian", n_components=int(K), covariance=c), data, **settings) for c in NAMES}
    assert not [c for c, em in fits.items() if em.degenerate or not em.converged]
    return {c: em.log_likelihood for c, em in fits.items()}


def assert_published(found, cell):
    published = dict(zip(NAMES, map(float, PUBLISHED[cell].split()), strict=True))
    assert {c: (L, published[c]) for c, L in found.items() if published[c] - PRINTED > L} == {}
    pairs = [(a, b) for a in NAMES for b in NAMES if within(a, b)]
    assert {(a, b): found[a] - found[b] for a, b in pairs if found[a] > found[b] + 1e-6 * abs(found[b])} == {}


def test_the_fourteen_have_names():
    canonical = {SYNONYMS.get(name, name) for name in NAMES}
    assert canonical == set(COVARIANCE_KINDS)
    for name in NAMES:
        spec = bm.Mixture("gaussian", n_components=2, covariance=name)
        assert spec.options["covariance"] in COVARIANCE_KINDS
        assert bm.Mixture.from_dict(spec.to_dict()) == spec
    assert bm.Mixture("gaussian", n_components=2, covariance="VVV") == bm.Mixture("gaussian", n_components=2)
    with pytest.raises(ValueError, match=r"covariance: unknown kind 'EIV'; choose from full.*EVV.*VVV = full"):
        bm.Mixture("gaussian", n_components=2, covariance="EIV")


@pytest.mark.parametrize("d", [2, 3, 5])
def test_degrees_of_freedom_are_mclust_s(rng, d):
    """nMclustParams: weights, means, and nVarParams of the structure."""
    K = 3
    data = bm.Data(rng.normal(size=(40, d)))
    counts = {"E": 1, "V": K, "I": 0}
    for name in NAMES:
        volume, shape, orientation = (counts[c] for c in name)
        expected = K - 1 + K * d + volume + shape * (d - 1) + orientation * d * (d - 1) // 2
        spec = bm.Mixture("gaussian", n_components=K, covariance=name)
        assert bind(spec, data).n_parameters == expected, name


@pytest.mark.parametrize("name", NAMES)
def test_in_one_column_every_structure_is_one_of_two(rng, name):
    data = bm.Data(np.concatenate([rng.normal(size=30), rng.normal(5, 2, size=30)]))
    same = "full" if name[0] == "V" else "tied"
    one, two = (bm.fit_em(bm.Mixture("gaussian", n_components=2, covariance=c), data, n_starts=3) for c in (name, same))
    assert one.log_likelihood == pytest.approx(two.log_likelihood, rel=1e-10)
    assert one.n_parameters == two.n_parameters


@pytest.mark.parametrize(("like", "names"), [("EII", ["VII"]), ("EEI", ["VEI", "EVI", "VVI"]), ("EEE", NAMES[7:])])
def test_of_one_component_structures_coincide(rng, like, names):
    data = bm.Data(rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3)))
    found = [bm.fit_em(bm.Mixture("gaussian", n_components=1, covariance=c), data, n_starts=1) for c in (like, *names)]
    for em in found[1:]:
        assert em.n_parameters == found[0].n_parameters
        assert em.log_likelihood == pytest.approx(found[0].log_likelihood, rel=1e-9)


def objective(scatter, mass, covariances):
    """Minus twice the expected complete log-likelihood, but for constants."""
    terms = zip(mass, scatter, covariances, strict=True)
    return sum(n * np.linalg.slogdet(S)[1] + np.trace(np.linalg.solve(S, W)) for n, W, S in terms)


def by_scipy(name, scatter, mass, rng):
    """The least objective that a general minimizer finds from several starts, over logarithms and rotations."""
    K, d, _ = scatter.shape
    n = {"E": 1, "V": K, "I": 0}
    volume, shape, orientation = (n[c] for c in name)
    pairs = np.tril_indices(d, k=-1)

    def matrices(u):
        sizes, shapes, turns = np.split(u, np.cumsum([volume, shape * d]))
        S = np.zeros((max(orientation, 1), d, d))
        if orientation:
            S[:, *pairs] = turns.reshape(orientation, -1)
        axes = np.array([expm(s - s.T) for s in S])
        shapes = shapes.reshape(shape, d) if shape else np.zeros((1, d))
        return np.broadcast_to(naive.structured(np.exp(sizes), shapes, axes), (K, d, d))

    size = volume + shape * d + orientation * len(pairs[0])
    far = 8.0

    def value(u):
        inside = np.clip(u, -far, far)  # a line search may leave what doubles hold
        return objective(scatter, mass, matrices(inside)) / mass.sum() + ((u - inside) ** 2).sum()

    found = [minimize(value, 0.5 * rng.normal(size=size), method="BFGS") for _ in range(6)]
    return mass.sum() * min(result.fun for result in found)


def belongs(name, covariances):
    """Whether matrices share what the structure says, to rounding."""
    log_det = np.linalg.slogdet(covariances)[1]
    unit = covariances / np.exp(log_det / covariances.shape[-1])[:, None, None]
    values = np.linalg.eigvalsh(unit)
    along = np.einsum("kjj->kj", unit) if name[2] == "I" else values
    commuting = unit @ unit[0] - unit[0] @ unit
    checks = {
        "volume": name[0] == "V" or np.ptp(log_det) < 1e-8,
        "shape": {"V": True, "E": np.ptp(along, axis=0).max() < 1e-8, "I": np.abs(values - 1).max() < 1e-8}[name[1]],
        "orientation": {
            "V": True,
            "E": np.abs(commuting).max() < 1e-8 * values.max() ** 2,
            "I": np.abs(unit * (1 - np.eye(unit.shape[-1]))).max() < 1e-12,
        }[name[2]],
    }
    return all(checks.values())


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_m_steps_are_the_largest(rng, name, d):
    A = rng.normal(size=(3, d, d + 2))
    scatter, mass = 20 * A @ A.transpose(0, 2, 1), rng.uniform(10, 50, 3)
    data = bm.Data(rng.normal(size=(20, d)))
    component = bind(bm.Mixture("gaussian", n_components=3, covariance=name), data).component
    found = component.estimate(scatter, mass, None)
    assert belongs(name, found)
    best = by_scipy(name, scatter, mass, rng)
    assert objective(scatter, mass, found) <= best + 1e-6 * (1 + abs(best))


@pytest.mark.parametrize("name", ["VEI", "EVE", "VEV", "VVE"])
def test_standard_errors_are_those_of_a_numerical_hessian(name):
    data = rows("old_faithful")
    em = bm.fit_em(bm.Mixture("gaussian", n_components=2, covariance=name), data, n_starts=4)
    likelihood, params = em.likelihood, em.arrays
    theta, units = likelihood.pack(params), likelihood.units(params)

    def L(u):
        there = likelihood.unpack(theta + units * u)
        normals = map(stats.multivariate_normal, there["means"], there["covariances"])
        return naive.total(np.log(there["weights"]) + np.column_stack([p.logpdf(data.x) for p in normals]))

    H = -naive.hessian(L, np.zeros(len(theta)), np.full(len(theta), 1e-2))
    np.testing.assert_allclose(likelihood.information(params), H, atol=1e-4 * np.abs(H).max())
    steps = 1e-4 * np.eye(len(theta))
    ends = [[likelihood.unpack(theta + s * units * e)["covariances"] for s in (1, -1)] for e in steps]
    J = np.array([(up - down) / 2e-4 for up, down in ends])
    sd = np.sqrt(np.einsum("iklm,ij,jklm->klm", J, np.linalg.inv(H), J))
    np.testing.assert_allclose(em.standard_errors["covariances"], sd, rtol=1e-3)


def test_em_finds_published_likelihoods():
    assert_published(likelihoods("old_faithful 2", n_starts=6), "old_faithful 2")


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["old_faithful 3", "iris 2", "iris 3"])
def test_em_finds_published_likelihoods_of_all_structures(cell):
    assert_published(likelihoods(cell), cell)


def test_a_richer_structure_goes_on_from_where_a_poorer_one_ends():
    """From the best of every structure, with the names that all structures know."""
    data = rows("old_faithful")
    ends = {
        name: bm.fit_em(bm.Mixture("gaussian", n_components=2, covariance=name), data, n_starts=2) for name in NAMES
    }
    for poorer, richer in ((a, b) for a in NAMES for b in NAMES if within(a, b)):
        init = {v: ends[poorer].params[v] for v in ("weights", "means", "covariances")}
        em = bm.fit_em(ends[richer].spec, data, init=init)
        assert em.log_likelihood >= ends[poorer].log_likelihood - 1e-9, (poorer, richer)


def test_spikes_are_seen(rng):
    """A component on one tied value of a column; a shape that is shared saves it."""
    x = np.vstack([rng.normal(size=(40, 2)), np.column_stack([np.full(12, 3.0), rng.normal(size=12)])])
    r = np.repeat(np.eye(2), [40, 12], axis=0)
    for name, expected in (("VEI", False), ("VEV", False), ("VVE", True)):
        em = bm.fit_em(bm.Mixture("gaussian", n_components=2, covariance=name), bm.Data(x), init=r)
        assert any("vanishes" in reason for reason in em.reasons) == expected, name


def test_what_cannot_be_known_is_refused():
    with pytest.raises(ValueError, match="fixed: 'scales' is no parameter that can be known here; choose from weights"):
        bm.Mixture("gaussian", n_components=2, covariance="VEV", fixed={"scales": 1.0})
    spec = bm.Mixture("gaussian", n_components=2, covariance="EVE", fixed={"weights": "equal"})
    em = bm.fit_em(spec, rows("old_faithful"), n_starts=2)
    np.testing.assert_allclose(em.params["weights"], 0.5)
