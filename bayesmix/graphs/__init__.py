"""The PyMC half of each family: its variables, its textbook log-density, its forward draws. One table."""

import bayesmix.kernels.lowering_jax
import bayesmix.kernels.lowering_numba  # noqa: F401  # both register the E-step's node by being imported
from bayesmix.graphs.base import Graph
from bayesmix.graphs.gaussian import GaussianGraph
from bayesmix.graphs.zero_inflated_poisson import ZeroInflatedPoissonGraph

GRAPHS: dict[str, type[Graph]] = {cls.name: cls for cls in (GaussianGraph, ZeroInflatedPoissonGraph)}

__all__ = ["GRAPHS", "Graph"]
