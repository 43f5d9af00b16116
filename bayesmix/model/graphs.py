"""The PyMC half of each family: its variables, its textbook log-density, its forward draws. One table."""

import bayesmix.estep.lower_jax
import bayesmix.estep.lower_numba  # noqa: F401  # both register the E-step's node by being imported
from bayesmix.families.gaussian.graph import GaussianGraph
from bayesmix.families.zero_inflated_poisson.graph import ZeroInflatedPoissonGraph
from bayesmix.model.variables import Graph

GRAPHS: dict[str, type[Graph]] = {cls.name: cls for cls in (GaussianGraph, ZeroInflatedPoissonGraph)}
