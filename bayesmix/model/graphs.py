"""The PyMC half of each family: its facet ``graph``, or that of independent columns."""

import bayesmix.estep.lower_jax
import bayesmix.estep.lower_numba  # noqa: F401  # both register the E-step's node by being imported
from bayesmix.likelihood.facets import facet
from bayesmix.model.columns import ColumnsGraph
from bayesmix.model.variables import Graph


def graph_of(family: str) -> type[Graph]:
    """The class of a family's graph."""
    module = facet(family, "graph")
    graph: type[Graph] = ColumnsGraph if module is None else module.GRAPH
    return graph
