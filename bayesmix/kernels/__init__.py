"""The E-step: one pass over the rows serves EM, NUTS and everything read off their results."""

from bayesmix.kernels.run import both, e_step, pointwise, responsibilities

__all__ = ["both", "e_step", "pointwise", "responsibilities"]
