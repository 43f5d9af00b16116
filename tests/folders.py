"""The smallest model.toml of measurements, and of counts."""

TOML = """
title = "t"
[data]
file = "data.csv"
columns = ["a"]
[mixture]
family = "gaussian"
n_components = 2
"""
COUNTS_TOML = """
title = "t"
[data]
file = "data.csv"
response = "y"
[mixture]
family = "zero_inflated_poisson"
"""
