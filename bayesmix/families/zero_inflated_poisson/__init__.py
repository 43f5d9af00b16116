"""The zero-inflated Poisson."""
