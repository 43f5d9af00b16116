"""The mixture families: one table."""

from bayesmix.families.gaussian.maths import Gaussian
from bayesmix.families.zero_inflated_poisson.maths import ZeroInflatedPoisson
from bayesmix.likelihood.likelihood import Family

FAMILIES: dict[str, type[Family]] = {cls.name: cls for cls in (Gaussian, ZeroInflatedPoisson)}
