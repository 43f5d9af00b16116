"""The PyMC half of each family: its variables, its textbook log-density, its forward draws. One table."""

from bayesmix.graphs.base import Graph
from bayesmix.graphs.gaussian import GaussianGraph
from bayesmix.graphs.zero_inflated_poisson import ZeroInflatedPoissonGraph

GRAPHS: dict[str, type[Graph]] = {cls.name: cls for cls in (GaussianGraph, ZeroInflatedPoissonGraph)}

__all__ = ["GRAPHS", "Graph"]
