"""Mixtures of factor analysers and of probabilistic principal components."""
