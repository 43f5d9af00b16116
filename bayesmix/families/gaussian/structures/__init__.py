"""Covariance structures by volume, shape and orientation."""
