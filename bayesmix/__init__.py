"""Bayesian mixture models that people can trust: NUTS beside a reference EM fit of the same model."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesmix.adoption import adopt
    from bayesmix.calibration import Calibration, calibrate
    from bayesmix.clustering import co_clustering, point_partition
    from bayesmix.comparison import Comparison, compare
    from bayesmix.data import Data
    from bayesmix.diagnostics import Diagnostics, diagnose
    from bayesmix.em import EMFit, fit_em
    from bayesmix.errors import FitError
    from bayesmix.files import load_fit, save
    from bayesmix.gallery import load
    from bayesmix.marginal import LogEvidence, log_evidence
    from bayesmix.mode_table import Modes
    from bayesmix.model import build
    from bayesmix.predict import loo, replicate, responsibilities, responsibility_summary
    from bayesmix.prior import Prior
    from bayesmix.relabelling import relabel
    from bayesmix.report import write_report
    from bayesmix.sampling import sample
    from bayesmix.spec import Mixture, resolve
    from bayesmix.survey import modes

_HOMES = {
    "adoption": ("adopt",),
    "calibration": ("calibrate", "Calibration"),
    "mode_table": ("Modes",),
    "model": ("build",),
    "clustering": ("co_clustering", "point_partition"),
    "comparison": ("compare", "Comparison"),
    "data": ("Data",),
    "diagnostics": ("diagnose", "Diagnostics"),
    "em": ("EMFit", "fit_em"),
    "errors": ("FitError",),
    "files": ("load_fit", "save"),
    "gallery": ("load",),
    "predict": ("loo", "replicate", "responsibilities", "responsibility_summary"),
    "marginal": ("LogEvidence", "log_evidence"),
    "prior": ("Prior",),
    "relabelling": ("relabel",),
    "report": ("write_report",),
    "sampling": ("sample",),
    "spec": ("Mixture", "resolve"),
    "survey": ("modes",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Calibration",
    "Comparison",
    "Data",
    "Diagnostics",
    "EMFit",
    "FitError",
    "LogEvidence",
    "Mixture",
    "Modes",
    "Prior",
    "adopt",
    "build",
    "calibrate",
    "co_clustering",
    "compare",
    "diagnose",
    "fit_em",
    "load",
    "load_fit",
    "log_evidence",
    "loo",
    "modes",
    "point_partition",
    "relabel",
    "replicate",
    "resolve",
    "responsibilities",
    "responsibility_summary",
    "sample",
    "save",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Public names are imported on first use (PEP 562): reading a model must not cost PyMC's import."""
    if name not in _HOME:
        raise AttributeError(f"module 'bayesmix' has no attribute {name!r}")
    return getattr(import_module(f"bayesmix.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
