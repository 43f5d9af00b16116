"""Climbs to the posterior's modes."""

from pathlib import Path

import bayesmix as bm
from bayesmix.calibration.simulation import Simulator
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.em.fit_starts import fit_starts
from bayesmix.em.starts import best_result
from bayesmix.gallery.read import read
from bayesmix.mixture.spec import resolved
from bayesmix.model.build import graph
from bayesmix.multimodality.maxima import Climber, find_modes

LAYOUT = Path(__file__).parents[2] / "benchmarks" / "calibration" / "factor_analysis"
ALL_SPIKES = 369
"""A simulation of that layout of which EM has Heywood cases alone."""


def test_modes_are_found_where_em_has_spikes_alone():
    layout = read(LAYOUT)
    spec = bm.resolve(layout.spec, layout.data)
    data = Simulator(spec, layout.data, seed=1).draw(ALL_SPIKES)[1]
    likelihood = resolved(spec, data)
    results = fit_starts(likelihood, n_starts=6, seed=1)
    assert results[best_result(results)].reasons
    climber = Climber(CompiledModel(bm.build(spec, data)), graph(likelihood))
    best = find_modes(climber, results)[0]
    assert best.converged
    assert not likelihood.spikes(best.params)
