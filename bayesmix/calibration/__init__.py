"""Simulation-based calibration: whether the sampler draws from the posterior that the mixture declares."""

from bayesmix.calibration.result import Calibration
from bayesmix.calibration.run import calibrate

__all__ = ["Calibration", "calibrate"]
