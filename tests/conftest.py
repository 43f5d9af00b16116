"""Data sets, and the few fits that the whole suite shares: compiling a model is what tests spend their time on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm

MODELS = Path(__file__).parents[1] / "models"


def table(name):
    return pd.read_csv(MODELS / name / "data.csv")


@pytest.fixture
def rng():
    return np.random.default_rng(20261120)


@pytest.fixture(scope="session")
def faithful():
    """Old Faithful: two components, full covariance."""
    frame = table("old_faithful")[["eruptions", "waiting"]]
    return bm.Mixture("gaussian", n_components=2, covariance="full"), bm.Data(frame)


@pytest.fixture(scope="session")
def iris():
    """Iris: three components without labels, species as truth."""
    frame = table("iris")
    numbers = frame.select_dtypes("number")
    species = frame.select_dtypes(exclude="number").iloc[:, 0]
    return bm.Mixture("gaussian", n_components=3), bm.Data(numbers, truth=list(species))


@pytest.fixture(scope="session")
def articles():
    """Articles by PhD biochemists: all five covariates in both parts."""
    formula = "1 + fem + mar + kid5 + phd + ment"
    return bm.Mixture("zero_inflated_poisson", rate=formula, zero=formula), bm.Data(
        table("zip_articles"), response="art"
    )


@pytest.fixture(scope="session")
def three_groups():
    """300 rows of the three 1-D groups: means 2, 5, 10; sd 0.6, 0.8, 0.5; weights 0.4, 0.2, 0.4."""
    rng = np.random.default_rng(1)
    z = rng.choice(3, 300, p=[0.4, 0.2, 0.4])
    x = rng.normal(np.array([2.0, 5, 10])[z], np.array([0.6, 0.8, 0.5])[z])
    return bm.Mixture("gaussian", n_components=3), bm.Data(x, truth=z)


@pytest.fixture(scope="session")
def zip_counts():
    """300 counts: a structural zero with probability 0.3, else Poisson(4)."""
    rng = np.random.default_rng(2)
    x = np.where(rng.random(300) < 0.3, 0, rng.poisson(4.0, 300))
    return bm.Mixture("zero_inflated_poisson"), bm.Data(x)


@pytest.fixture(scope="session")
def faithful_em(faithful):
    return bm.fit_em(*faithful, n_starts=10, seed=1)


@pytest.fixture(scope="session")
def faithful_model(faithful):
    return bm.build(*faithful)


@pytest.fixture(scope="session")
def faithful_compiled(faithful_model):
    from bayesmix.compiled.log_posterior import CompiledModel

    return CompiledModel(faithful_model)


@pytest.fixture(scope="session")
def three_groups_compiled(three_groups):
    from bayesmix.compiled.log_posterior import CompiledModel

    return CompiledModel(bm.build(*three_groups))


@pytest.fixture(scope="session")
def zip_compiled(zip_counts):
    from bayesmix.compiled.log_posterior import CompiledModel

    return CompiledModel(bm.build(*zip_counts))


SHORT = {"draws": 700, "tune": 300, "chains": 4, "progress": False}


@pytest.fixture(scope="session")
def faithful_dt(faithful, faithful_compiled):
    return bm.sample(*faithful, compiled=faithful_compiled, **SHORT)


@pytest.fixture(scope="session")
def gaussian_1d_dt(three_groups, three_groups_compiled):
    return bm.sample(*three_groups, compiled=three_groups_compiled, **SHORT)


@pytest.fixture(scope="session")
def zip_dt(zip_counts, zip_compiled):
    return bm.sample(*zip_counts, compiled=zip_compiled, **SHORT)
