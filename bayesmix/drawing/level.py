"""How wide intervals are, in every table and picture that does not say otherwise."""

LEVEL = 0.9
"""Intervals and bands have this probability; ellipses hold this share of their component."""
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
"""Where they begin and end, as quantiles."""
