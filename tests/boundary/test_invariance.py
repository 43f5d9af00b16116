"""What must not matter: the order of rows and columns, names of labels, units, where zero is."""

from dataclasses import dataclass, field

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm

TIGHT = {"n_starts": 4, "tolerance": 1e-15, "max_iter": 20_000}
"""To the end of what floats can tell."""
OF_L, OF_ESTIMATES = 1e-8, 1e-6
"""How near log-likelihoods (relative) and estimates (of their size) must be."""

rng = np.random.default_rng(11)
Z = np.repeat([0, 1, 2], [40, 50, 30])
BLOBS = pd.DataFrame(
    rng.normal(size=(120, 3)) @ np.array([[1.0, 0.4, 0], [0, 1, -0.3], [0, 0, 1]]) + 6 * Z[:, None] * [1, -1, 0.5],
    columns=["a", "b", "c"],
)
LOADINGS = np.array([[1.0, 0.8, 0.7, 0.9, 0.6]])
FACTORS = pd.DataFrame(
    rng.normal(size=(120, 1)) @ LOADINGS + 0.7 * rng.normal(size=(120, 5)) + 5 * Z[:, None] * [1, -1, 1, -1, 1],
    columns=list("abcde"),
)
COUNTS = pd.DataFrame(
    rng.poisson([[2.0, 9], [14, 3], [30, 25]], (3, 2))[Z] + rng.poisson(1, (120, 2)), columns=["u", "v"]
)
BITS = pd.DataFrame((rng.random((120, 6)) < np.array([0.15, 0.5, 0.9])[Z][:, None]) * 1.0, columns=list("pqrstu"))
WORDS = BITS.replace({0.0: "no", 1.0: "yes"}).assign(
    w=np.array(["low", "mid", "high"])[(Z + rng.integers(2, size=120)) % 3]
)
AGE = rng.uniform(20, 60, 120)
ZEROS = pd.DataFrame({"y": np.where(rng.random(120) < 0.3, 0, rng.poisson(np.exp(0.5 + 0.03 * AGE))), "age": AGE})


@dataclass(frozen=True)
class Family:
    """A mixture, its rows, and how it goes with units: estimates by the power of the unit that they are in."""

    spec: bm.Mixture
    frame: pd.DataFrame
    powers: dict = field(default_factory=dict)
    response: str | None = None

    def fit(self, frame, labels=None, **options):
        data = bm.Data(frame, labels, response=self.response)
        return bm.fit_em(self.spec.replace(**options), data, **TIGHT)


NORMAL = {"means": 1, "scales": 1, "covariances": 2, "covariance_entries": 2}
FAMILIES = {
    kind: Family(bm.Mixture("gaussian", n_components=3, covariance=kind), BLOBS, NORMAL)
    for kind in ("full", "tied", "diag", "spherical", "VEV", "EEI")
}
FAMILIES |= {
    "factors": Family(
        bm.Mixture("factor_analyzers", n_components=3, shared_noise=True),
        FACTORS,
        {"means": 1, "loadings": 1, "noise_variances": 2, "covariances": 2, "common_covariances": 2},
    ),
    "poisson": Family(bm.Mixture("poisson", n_components=3), COUNTS),
    "bernoulli": Family(bm.Mixture("bernoulli", n_components=3), BITS),
    "categorical": Family(bm.Mixture("categorical", n_components=3), WORDS),
    "zeros": Family(bm.Mixture("zero_inflated_poisson", rate="1 + age", zero="1 + age"), ZEROS, response="y"),
}
SCALED = [name for name, family in FAMILIES.items() if "means" in family.powers]
WITHOUT_SIGN = ("loadings",)
"""Known up to a rotation: what is compared is the covariances that they make."""


def is_same(one, other, *, jacobian=0.0, mapped=lambda name, estimate: estimate):
    """The log-likelihood less a Jacobian, and every estimate as ``mapped`` says that it must be."""
    assert one.converged
    assert other.converged
    assert not one.degenerate
    assert not other.degenerate
    assert other.log_likelihood + jacobian == pytest.approx(one.log_likelihood, rel=OF_L)
    order = np.argsort(one.params["weights"].to_numpy()) if "weights" in one.params else None
    back = np.argsort(other.params["weights"].to_numpy()) if "weights" in one.params else None
    for name, estimate in one.params.items():
        if name in WITHOUT_SIGN:
            continue
        found = mapped(name, other.params[name])
        dims = [d for d in estimate.dims if d != "component"]
        found = found.sel({d: estimate[d].to_numpy() for d in dims}).transpose(*estimate.dims)
        wanted, got = estimate.to_numpy(), found.to_numpy()
        if "component" in estimate.dims and order is not None:
            wanted, got = wanted[order], got[back]
        np.testing.assert_allclose(got, wanted, atol=OF_ESTIMATES * np.abs(wanted).max(), err_msg=name)
    return True


@pytest.fixture(scope="module")
def fitted():
    """Every family's fit to its rows as they are, made once."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = FAMILIES[name].fit(FAMILIES[name].frame)
        return made[name]

    return of


@pytest.mark.parametrize("name", FAMILIES)
def test_the_order_of_rows(fitted, name):
    family = FAMILIES[name]
    shuffled = family.frame.sample(frac=1, random_state=3)
    assert is_same(fitted(name), family.fit(shuffled))


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "zeros"])
def test_the_order_of_columns(fitted, name):
    family = FAMILIES[name]
    other = family.fit(family.frame[family.frame.columns[::-1]])

    def pairs(name, estimate):
        """Correlations are named by pairs, in the order of the columns."""
        if "pair" not in estimate.dims:
            return estimate
        return estimate.assign_coords(pair=[" ~ ".join(reversed(p.split(" ~ "))) for p in estimate["pair"].values])

    assert is_same(fitted(name), other, mapped=pairs)


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize(("unit", "zero"), [(1e-8, 0.0), (1e8, 0.0), (1e-8, -3e-8), (1.0, 1e6)])
def test_units_and_where_zero_is(fitted, name, unit, zero):
    """L of scaled rows is L - n d log(unit)."""
    family, one = FAMILIES[name], fitted(name)
    other = family.fit(unit * family.frame + zero)

    def mapped(name, estimate):
        moved = estimate - zero if name == "means" else estimate
        return moved / unit ** family.powers.get(name, 0)

    assert is_same(one, other, jacobian=family.frame.size * np.log(unit), mapped=mapped)


@pytest.mark.parametrize("name", ["full", "tied", "diag", "factors"])
def test_a_unit_for_each_column(fitted, name):
    family, one = FAMILIES[name], fitted(name)
    units = pd.Series(10.0 ** np.linspace(-8, 8, family.frame.shape[1]), index=family.frame.columns)
    other = family.fit(family.frame * units)

    def mapped(name, estimate):
        if "noise" in name:
            return estimate / units.loc[estimate["feature"].to_numpy()].to_numpy() ** 2
        for d in {"feature", "feature_bis"} & set(estimate.dims) if name in family.powers else ():
            unit = units.loc[estimate[d].to_numpy()].to_numpy()
            estimate = estimate / xr.DataArray(unit, dims=d, coords={d: estimate[d]})
        if name in ("covariance_entries", "common_covariances"):
            ends = [entry.split(" ~ ") for entry in estimate[estimate.dims[-1]].to_numpy()]
            estimate = estimate / [units[e[0]] * units[e[-1]] for e in ends]
        return estimate

    assert is_same(one, other, jacobian=len(family.frame) * np.log(units).sum(), mapped=mapped)


@pytest.mark.parametrize("name", ["full", "poisson", "bernoulli", "categorical"])
def test_names_of_labels(name):
    """Renamed so that their order is another, and of numbers instead of words."""
    family = FAMILIES[name]
    known = pd.Series(np.array(["x", "y", "z"])[Z]).where(np.arange(120) % 4 == 0)
    one = family.fit(family.frame, known)
    for names in ({"x": "second", "y": "third", "z": "first"}, {"x": 10, "y": 9, "z": -3}):
        other = family.fit(family.frame, known.map(names))
        assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=OF_L)
        for old, new in names.items():
            for v, estimate in one.params.items():
                there = other.params[v].sel(component=str(new)).to_numpy()
                wanted = estimate.sel(component=old).to_numpy()
                np.testing.assert_allclose(there, wanted, atol=OF_ESTIMATES * np.abs(estimate).max().item(), err_msg=v)


def test_names_of_answers(fitted):
    other = FAMILIES["categorical"].fit(WORDS.replace({"yes": "a", "no": "zz", "mid": "9"}))
    assert other.log_likelihood == pytest.approx(fitted("categorical").log_likelihood, rel=OF_L)
    wanted = np.sort(fitted("categorical").params["probs"].sel(answer="p: yes"))
    np.testing.assert_allclose(np.sort(other.params["probs"].sel(answer="p: a")), wanted, atol=OF_ESTIMATES)


@pytest.mark.parametrize(("unit", "zero"), [(1e-8, 0.0), (1e8, 0.0), (1.0, 1e6), (-1.0, 0.0)])
def test_the_unit_of_a_covariate(fitted, unit, zero):
    one, other = fitted("zeros"), FAMILIES["zeros"].fit(ZEROS.assign(age=unit * AGE + zero))
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=OF_L)
    for part in ("rate", "zero"):
        (a, b), (c, d) = (fit.params[f"{part}_coef"].to_numpy() for fit in (one, other))
        assert d * unit == pytest.approx(b, rel=1e-5)
        assert c + d * zero == pytest.approx(a, abs=1e-5 * abs(d * zero) + 1e-5)


def agree(one, other, mapped):
    """Posterior means of relabelled draws within 4 Monte Carlo standard errors of both."""
    assert bm.diagnose(other, model=False).ok
    for name, draws in one["posterior"].data_vars.items():
        moved = mapped(name, other["posterior"][name])
        error = np.hypot(az.mcse(draws), az.mcse(moved))
        assert (np.abs(draws.mean(("chain", "draw")) - moved.mean(("chain", "draw"))) < 4 * error).all(), name
    return True


@pytest.mark.slow
def test_the_posterior_of_a_gaussian(faithful, faithful_dt):
    """Rows in another order, columns too, other units, zero elsewhere."""
    spec, data = faithful
    frame = pd.DataFrame(data.x, columns=list(data.feature_names))
    moved = 1e-3 * frame.sample(frac=1, random_state=1)[["waiting", "eruptions"]] + 1e3
    other = bm.sample(spec, bm.Data(moved), draws=700, tune=300, chains=4, progress=False)

    def mapped(name, draws):
        draws = (draws - 1e3) / 1e-3 if name == "means" else draws
        draws = draws / 1e-3 if name == "scales" else draws / 1e-6 if name == "covariances" else draws
        draws = draws.assign_coords(pair=["waiting ~ eruptions"]) if "pair" in draws.dims else draws
        here = faithful_dt["posterior"][name]
        return draws.sel({d: here[d] for d in here.dims if d not in ("chain", "draw", "component")}).transpose(
            *here.dims
        )

    assert agree(faithful_dt, other, mapped)


@pytest.mark.thorough
def test_the_posterior_of_counts():
    spec = bm.Mixture("zero_inflated_poisson", rate="1 + age")
    settings = {"draws": 700, "tune": 300, "chains": 4, "progress": False}
    one = bm.sample(spec, bm.Data(ZEROS, response="y"), **settings)
    moved = ZEROS.assign(age=1e4 * AGE + 1e6).sample(frac=1, random_state=2)
    other = bm.sample(spec, bm.Data(moved, response="y"), **settings)

    def mapped(name, draws):
        if name != "rate_coef":
            return draws
        slope = draws.sel(rate_term="age")
        return draws.copy(data=np.stack([draws.sel(rate_term="Intercept") + 1e6 * slope, 1e4 * slope], axis=-1))

    assert agree(one, other, mapped)
