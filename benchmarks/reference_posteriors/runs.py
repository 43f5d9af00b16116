"""The runs that are compared: ours with ordered and with free means, the textbook's PyMC model, posteriordb's draws."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import nutpie
import pymc as pm
import xarray as xr
from pymc.distributions.transforms import ordered

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.mixture import scalars
from bayesmix.posterior.record import Record
from benchmarks.reference_posteriors.summary import Summary, summarise

NAME = "low_dim_gauss_mix"
DRAWS = 5000
LONG = 25_000
"""Draws per chain of the textbook model."""
STAN = {
    "weights[component_1]": lambda d: d["theta"],
    "weights[component_2]": lambda d: 1 - d["theta"],
    "means[component_1, x]": lambda d: d["mu[1]"],
    "means[component_2, x]": lambda d: d["mu[2]"],
    "scales[component_1, x]": lambda d: d["sigma[1]"],
    "scales[component_2, x]": lambda d: d["sigma[2]"],
}


def textbook(x: np.ndarray) -> pm.Model:
    """The model as PyMC's documentation writes it, priors in figures."""
    with pm.Model() as model:
        w = pm.Dirichlet("weights", a=[5.0, 5.0])
        mu = pm.Normal("means", mu=0.0, sigma=2.0, shape=2, transform=ordered, initval=[-1.0, 1.0])
        sigma = pm.HalfNormal("scales", sigma=2.0, shape=2)
        pm.NormalMixture("x", w=w, mu=mu, sigma=sigma, observed=x)
    return model


def run_textbook(seed: int, *, draws: int = LONG) -> Summary:
    """A long run of the textbook model by nutpie."""
    nutpie_model = nutpie.compile_pymc_model(textbook(bm.load(NAME)[1].x[:, 0]))
    raw = nutpie.sample(nutpie_model, draws=draws, tune=1000, chains=4, seed=seed, progress_bar=False)
    columns = {
        f"{v}[component_{k + 1}{', x' if v != 'weights' else ''}]": raw["posterior"][v][..., k].to_numpy()
        for v in ("weights", "means", "scales")
        for k in range(2)
    }
    return summarise(beside(columns))


def run_ours(seed: int, *, order: str | None, compiled: CompiledModel | None = None, draws: int = DRAWS) -> Summary:
    """``bm.sample`` on the gallery's model; with ``order=None`` the labels are sorted out after sampling."""
    spec, data = bm.load(NAME)
    dt = bm.sample(spec.replace(order=order), data, draws=draws, seed=seed, compiled=compiled, progress=False)
    check = bm.diagnose(dt)
    if not check.ok:
        raise RuntimeError(f"order={order}, seed {seed}: {check.verdict}")
    return summarise(scalars.of_posterior(Record.of(dt).likelihood, dt["posterior"].to_dataset()))


def read_posteriordb(path: Path) -> Summary:
    """The published draws: reference_posteriors/draws/draws/low_dim_gauss_mix-low_dim_gauss_mix.json.zip."""
    with zipfile.ZipFile(path) as archive:
        chains = json.loads(archive.read(archive.namelist()[0]))
    draws = {name: np.array([chain[name] for chain in chains]) for name in chains[0]}
    return summarise(beside({name: column(draws) for name, column in STAN.items()}))


def beside(columns: dict[str, np.ndarray]) -> xr.DataArray:
    """Columns of shape (chain, draw) as one array (chain, draw, scalar)."""
    return xr.DataArray(
        np.stack(list(columns.values()), axis=-1), dims=("chain", "draw", "scalar"), coords={"scalar": list(columns)}
    )
