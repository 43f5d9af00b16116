"""The E-step: one pass over the rows serves EM, NUTS and everything read off their results."""

from bayesmix.estep.compiled_step import e_step
from bayesmix.estep.pointwise import Draws, both, pointwise, responsibilities
from bayesmix.estep.row_summaries import leave_one_out, log_mean_exp, summaries, sums_by_group

__all__ = [
    "Draws",
    "both",
    "e_step",
    "leave_one_out",
    "log_mean_exp",
    "pointwise",
    "responsibilities",
    "summaries",
    "sums_by_group",
]
