"""Pictures of data, fits and checks: matplotlib figures, never shown, drawn without pyplot's state.

>>> from bayesmix.plots import components  # components(dt, em=em).savefig("components.png")
"""

from bayesmix.plots.agreement import calibration, em_against_posterior
from bayesmix.plots.by_family import components, data_plot, em_steps, predictive, prior_predictive, structure, thumbnail
from bayesmix.plots.checks import modes, outliers, pareto_k
from bayesmix.plots.density import density
from bayesmix.plots.draws import pairs, traces
from bayesmix.plots.estimate import em_history, em_starts
from bayesmix.plots.forest import forest
from bayesmix.plots.imputed import imputed
from bayesmix.plots.profile import profile
from bayesmix.plots.ranks import coverage, rank_ecdf
from bayesmix.plots.rows import responsibilities

__all__ = [
    "calibration",
    "components",
    "coverage",
    "data_plot",
    "density",
    "em_against_posterior",
    "em_history",
    "em_starts",
    "em_steps",
    "forest",
    "imputed",
    "modes",
    "outliers",
    "pairs",
    "pareto_k",
    "predictive",
    "prior_predictive",
    "profile",
    "rank_ecdf",
    "responsibilities",
    "structure",
    "thumbnail",
    "traces",
]
