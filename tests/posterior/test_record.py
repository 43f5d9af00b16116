"""A fit is resolved, bound and read once, whatever is asked of it."""

import sys
from collections import Counter

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.mixture import spec as mixture
from bayesmix.mixture.draws import sizes
from bayesmix.posterior.record import Record
from bayesmix.report import write_report_from


@pytest.fixture
def calls(monkeypatch):
    """How often data are bound to a mixture, priors are written out, and a posterior is read."""
    counts = Counter()
    assert all(getattr(bm, name) for name in bm.__all__)  # every module is there to be counted in

    def counted(name, function):
        def wrapped(*args, **kwargs):
            counts[name] += 1
            return function(*args, **kwargs)

        return wrapped

    for name in ("bind", "resolve", "resolved"):
        function = getattr(mixture, name)
        for module in [m for n, m in sys.modules.items() if n.startswith("bayesmix")]:
            if vars(module).get(name) is function:
                monkeypatch.setattr(module, name, counted(name, function))
    monkeypatch.setattr(Record, "__init__", counted("read", Record.__init__))
    return counts


def test_em_binds_once(faithful, calls):
    em = bm.fit_em(*faithful, n_starts=2)
    assert np.isfinite(em.bic)
    assert np.isfinite(em.standard_errors["means"]).all()
    assert em.notes == ()
    assert calls == {"resolved": 1, "bind": 1}


def test_sampling_binds_once(zip_counts, calls):
    bm.sample(*zip_counts, draws=20, tune=50, chains=2, n_starts=2, progress=False)
    assert calls == {"resolved": 1, "bind": 1}


@pytest.mark.parametrize("ask", [bm.diagnose, bm.loo, bm.responsibilities, bm.responsibility_summary, bm.replicate])
def test_a_posterior_is_read_once(ask, faithful_dt, calls):
    ask(faithful_dt)
    assert calls == {"read": 1, "bind": 1}


def test_a_comparison_reads_once(faithful_em, faithful_dt, calls):
    bm.compare(faithful_em, faithful_dt, map_fit=faithful_em)
    assert calls == {"read": 1, "bind": 1}


def test_a_report_reads_once(faithful_em, faithful_dt, calls, tmp_path):
    write_report_from(faithful_dt, faithful_em, out=tmp_path / "report")
    assert calls == {"read": 1, "bind": 1}


def test_what_is_bound_knows_its_mixture(zip_counts):
    spec, data = zip_counts
    likelihood = mixture.bind(spec, data)
    kept = (
        likelihood,
        likelihood.rebind(data.take(np.arange(5))),
        likelihood.evenly(7),
        likelihood.with_measured(np.arange(2)),
    )
    assert [one.spec for one in kept] == [spec] * 4
    assert mixture.resolved(spec, data).spec == bm.resolve(spec, data)


def test_a_record_holds_what_was_fitted(gaussian_1d_dt, three_groups):
    spec, data = three_groups
    record = Record.of(gaussian_1d_dt)
    assert record.spec == record.likelihood.spec == bm.resolve(spec, data)
    np.testing.assert_array_equal(record.data.x, data.x)
    chains, draws = sizes(record.posterior)
    assert record.params["means"].shape == (chains * draws, 3, 1)
    np.testing.assert_array_equal(record.params["means"][draws + 2], gaussian_1d_dt["posterior"]["means"][1, 2])
    np.testing.assert_array_equal(record.thinned(2)["means"][1], gaussian_1d_dt["posterior"]["means"][0, 2])
