"""Poisson mixtures of one or more columns of counts."""
