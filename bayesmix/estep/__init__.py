"""The E-step: one pass over the rows serves EM, NUTS and everything read off their results."""

from bayesmix.estep.over_draws import leave_one_out, summaries
from bayesmix.estep.run import Draws, both, e_step, pointwise, responsibilities

__all__ = ["Draws", "both", "e_step", "leave_one_out", "pointwise", "responsibilities", "summaries"]
