"""The mixture families: a folder each beside this file, and its name here."""

NAMES = ("gaussian", "zero_inflated_poisson", "poisson", "bernoulli", "factor_analyzers", "categorical")
