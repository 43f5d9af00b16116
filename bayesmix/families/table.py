"""The families by name, loaded."""

from bayesmix.families import NAMES
from bayesmix.likelihood.facets import facet
from bayesmix.likelihood.family import Family

FAMILIES: dict[str, Family] = {name: facet(name, "maths").FAMILY for name in NAMES}
