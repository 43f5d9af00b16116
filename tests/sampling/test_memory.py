"""What a row costs in memory, on the way from a table to draws: its numbers once, its name once, and no copies."""

import tracemalloc

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.mixture.spec import bind
from bayesmix.model.build import build, graph
from bayesmix.posterior import assemble as finish
from bayesmix.posterior import relabel as relabelling
from bayesmix.sampling import nutpie as runner

ROWS, D, K = 200_000, 4, 5
NUMBERS = 8 * (D + 1) + 1
"""Bytes of a row's own numbers: features, weight, whether it is labelled."""
EVIDENCE = 8 * K
"""Bytes of label evidence; without labels they are zeros that the machine need not hold."""
NAME = 8 + 49 + 6
"""Bytes of a row's name of six digits, with the pointer to it."""


def rows(n):
    return np.random.default_rng(1).normal(size=(n, D))


def bytes_per_row(work):
    """What is held after some work, and the most during it, per row."""
    tracemalloc.start()
    try:
        made = work()
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return made, held / ROWS, most / ROWS


@pytest.fixture(scope="module")
def spec():
    """Resolved, after one model of few rows: what is loaded and cached at the first one is not counted."""
    few = bm.Data(rows(100))
    spec = bm.resolve(bm.Mixture("gaussian", n_components=K), few)
    build(spec, few)
    return spec


@pytest.fixture(scope="module")
def data():
    return bm.Data(rows(ROWS))


def test_data_hold_the_numbers_once():
    X = rows(ROWS)
    data, held, most = bytes_per_row(lambda: bm.Data(X))
    assert held < NUMBERS + 1
    assert most < NUMBERS + 2 * X.nbytes / ROWS
    assert len(data) == ROWS


def test_a_family_holds_evidence_and_works_column_by_column(spec, data):
    _, held, most = bytes_per_row(lambda: graph(bind(spec, data)))
    assert held < EVIDENCE + 1
    assert most < 2 * EVIDENCE + 3 * NUMBERS


def test_a_model_holds_names_beside(spec, data):
    model, held, _ = bytes_per_row(lambda: build(spec, data))
    assert held < EVIDENCE + NAME + 10
    assert model["x_data"].get_value(borrow=True) is data.x
    assert model["row_weights"].get_value(borrow=True) is data.row_weights
    assert model.coords["obs"] is data.obs_names


def test_compiling_and_assembling_copy_nothing():
    data = bm.Data(rows(50))
    spec = bm.resolve(bm.Mixture("gaussian", n_components=K), data)
    model = build(spec, data)
    nutpie_model = CompiledModel(model).nutpie_model
    held = {v.name: v.get_value(borrow=True) for v in model.data_vars}
    for variable, key in nutpie_model.shared_var_keys.items():
        assert np.shares_memory(nutpie_model.shared_data[key], variable.get_value(borrow=True)), variable
    nothing = xr.DataTree.from_dict({"posterior": xr.Dataset(), "sample_stats": xr.Dataset()})
    dt = runner.assemble(nothing, runner.data_groups(model, data))
    assert np.shares_memory(dt["input"]["x"].to_numpy(), data.x)
    assert np.shares_memory(dt["observed_data"]["x"].to_numpy(), data.x)
    for name in ("x_data", "label_evidence", "row_weights"):
        assert np.shares_memory(dt["constant_data"][name].to_numpy(), held[name]), name
    for group in ("input", "observed_data", "constant_data"):
        assert dt[group].indexes["obs"][7] is data.obs_names[7], group


def test_likelihoods_of_all_draws_go_in_blocks(spec, data):
    likelihood = graph(bind(spec, data)).likelihood
    one = likelihood.initial("random rows", np.random.default_rng(1))
    draws = {v: np.stack([a] * 400) for v, a in one.items()}
    whole = 8 * 400
    _, held, most = bytes_per_row(lambda: finish._log_likelihoods(likelihood, draws, keep=False))
    assert held < 1
    assert most < whole / 10
    _, held, most = bytes_per_row(lambda: relabelling._agreement(likelihood, draws, one))
    assert held < 1
    assert most < whole / 10
