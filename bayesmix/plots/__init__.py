"""Pictures of data, fits and checks: matplotlib figures, never shown, drawn without pyplot's state.

>>> from bayesmix.plots import components  # components(dt, em=em).savefig("components.png")
"""

from bayesmix.plots.agreement import calibration, em_against_posterior
from bayesmix.plots.by_family import components, data_plot, predictive, thumbnail
from bayesmix.plots.checks import modes, pareto_k
from bayesmix.plots.draws import pairs, traces
from bayesmix.plots.estimate import em_history, em_starts
from bayesmix.plots.forest import forest
from bayesmix.plots.priors import prior_predictive
from bayesmix.plots.profile import profile
from bayesmix.plots.ranks import coverage, rank_ecdf
from bayesmix.plots.rows import responsibilities

__all__ = [
    "calibration",
    "components",
    "coverage",
    "data_plot",
    "em_against_posterior",
    "em_history",
    "em_starts",
    "forest",
    "modes",
    "pairs",
    "pareto_k",
    "predictive",
    "prior_predictive",
    "profile",
    "rank_ecdf",
    "responsibilities",
    "thumbnail",
    "traces",
]
