"""The mixture families: one table. A family is a folder beside this file and its name here."""

from bayesmix.likelihood.facets import facet
from bayesmix.likelihood.family import Family

NAMES = (
    "gaussian",
    "zero_inflated_poisson",
    "poisson",
    "bernoulli",
)
FAMILIES: dict[str, Family] = {name: facet(name, "maths").FAMILY for name in NAMES}
