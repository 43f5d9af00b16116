"""The E-step: one pass over the rows serves EM, NUTS and everything read off their results."""

from bayesmix.kernels.run import Draws, both, e_step, pointwise, responsibilities
from bayesmix.kernels.summaries import leave_one_out, summaries

__all__ = ["Draws", "both", "e_step", "leave_one_out", "pointwise", "responsibilities", "summaries"]
