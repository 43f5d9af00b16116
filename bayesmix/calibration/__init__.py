"""Simulation-based calibration: whether the sampler draws from the posterior that the mixture declares."""
