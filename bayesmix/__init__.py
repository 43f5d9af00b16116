"""Bayesian mixture models that people can trust: NUTS beside a reference EM fit of the same model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesmix.calibration.calibrate import calibrate
    from bayesmix.calibration.result import Calibration
    from bayesmix.checks.compare import Comparison, compare
    from bayesmix.checks.diagnose import Diagnostics, diagnose
    from bayesmix.checks.distinguishing import distinguishing
    from bayesmix.choosing.choice import Choice
    from bayesmix.choosing.choose import choose
    from bayesmix.choosing.stability import Stability, stability
    from bayesmix.em.fit_em import EMFit, fit_em
    from bayesmix.gallery.read import load
    from bayesmix.grouping.merging import merge
    from bayesmix.grouping.modes import density_modes
    from bayesmix.grouping.quality import classification_quality
    from bayesmix.inputs.data import Data
    from bayesmix.inputs.errors import FitError
    from bayesmix.inputs.prior import Prior
    from bayesmix.mixture.spec import Mixture, resolve
    from bayesmix.model.build import build
    from bayesmix.multimodality.table import Modes
    from bayesmix.posterior.co_clustering import co_clustering, point_partition
    from bayesmix.posterior.files import load_fit, save
    from bayesmix.posterior.leave_one_out import loo
    from bayesmix.posterior.relabel import relabel
    from bayesmix.posterior.responsibilities import replicate, responsibilities, responsibility_summary
    from bayesmix.report import write_report
    from bayesmix.report.choice.page import write_choice
    from bayesmix.rows.classes import classes
    from bayesmix.rows.density import log_density, log_predictive_density
    from bayesmix.rows.factors import factor_loadings, factor_scores
    from bayesmix.rows.impute import impute
    from bayesmix.rows.outliers import outliers
    from bayesmix.rows.predict import predict
    from bayesmix.rows.simulate import simulate
    from bayesmix.sampling.adopt import adopt
    from bayesmix.sampling.log_evidence import LogEvidence, log_evidence
    from bayesmix.sampling.sample import sample
    from bayesmix.sampling.separate_modes import modes

_HOMES = {
    "sampling.adopt": ("adopt",),
    "calibration.calibrate": ("calibrate",),
    "calibration.result": ("Calibration",),
    "multimodality.table": ("Modes",),
    "model.build": ("build",),
    "posterior.co_clustering": ("co_clustering", "point_partition"),
    "checks.compare": ("compare", "Comparison"),
    "choosing.choice": ("Choice",),
    "choosing.choose": ("choose",),
    "choosing.stability": ("Stability", "stability"),
    "report.choice.page": ("write_choice",),
    "grouping.merging": ("merge",),
    "grouping.modes": ("density_modes",),
    "grouping.quality": ("classification_quality",),
    "inputs.data": ("Data",),
    "checks.diagnose": ("diagnose", "Diagnostics"),
    "em.fit_em": ("EMFit", "fit_em"),
    "checks.distinguishing": ("distinguishing",),
    "inputs.errors": ("FitError",),
    "rows.factors": ("factor_loadings", "factor_scores"),
    "posterior.files": ("load_fit", "save"),
    "rows.impute": ("impute",),
    "gallery.read": ("load",),
    "posterior.leave_one_out": ("loo",),
    "posterior.responsibilities": ("replicate", "responsibilities", "responsibility_summary"),
    "sampling.log_evidence": ("LogEvidence", "log_evidence"),
    "inputs.prior": ("Prior",),
    "posterior.relabel": ("relabel",),
    "report": ("write_report",),
    "rows.classes": ("classes",),
    "rows.density": ("log_density", "log_predictive_density"),
    "rows.outliers": ("outliers",),
    "rows.predict": ("predict",),
    "rows.simulate": ("simulate",),
    "sampling.sample": ("sample",),
    "mixture.spec": ("Mixture", "resolve"),
    "sampling.separate_modes": ("modes",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Calibration",
    "Choice",
    "Comparison",
    "Data",
    "Diagnostics",
    "EMFit",
    "FitError",
    "LogEvidence",
    "Mixture",
    "Modes",
    "Prior",
    "Stability",
    "adopt",
    "build",
    "calibrate",
    "choose",
    "classes",
    "classification_quality",
    "co_clustering",
    "compare",
    "density_modes",
    "diagnose",
    "distinguishing",
    "factor_loadings",
    "factor_scores",
    "fit_em",
    "impute",
    "load",
    "load_fit",
    "log_density",
    "log_evidence",
    "log_predictive_density",
    "loo",
    "merge",
    "modes",
    "outliers",
    "point_partition",
    "predict",
    "relabel",
    "replicate",
    "resolve",
    "responsibilities",
    "responsibility_summary",
    "sample",
    "save",
    "simulate",
    "stability",
    "write_choice",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Public names are imported on first use (PEP 562): reading a model must not cost PyMC's import."""
    if name not in _HOME:
        raise AttributeError(f"module 'bayesmix' has no attribute {name!r}")
    return getattr(import_module(f"bayesmix.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
