"""The mixture families: one table."""

from bayesmix.families.base import Family, Params, Statistics
from bayesmix.families.gaussian import Gaussian
from bayesmix.families.zero_inflated_poisson import ZeroInflatedPoisson

FAMILIES: dict[str, type[Family]] = {cls.name: cls for cls in (Gaussian, ZeroInflatedPoisson)}

__all__ = ["FAMILIES", "Family", "Gaussian", "Params", "Statistics", "ZeroInflatedPoisson"]
