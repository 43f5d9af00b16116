"""Latent classes: mixtures of independent Bernoulli columns."""
