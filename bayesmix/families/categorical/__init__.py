"""Latent classes of answers in any number of levels."""
