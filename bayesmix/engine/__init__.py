"""A PyMC model as C functions that nutpie calls: (log-density, gradient) and the expansion to all variables.

A C function takes (n_dim, x, gradient out, value out, record), or (n_dim, n_expanded, x, values out, record): five
words of 64 bits. It returns a code of ``calls``. The record holds the addresses and shapes of the model's data.
"""

from bayesmix.engine.calls import Calls
from bayesmix.engine.compiled import compile_model, with_model
from bayesmix.engine.functions import INTERPRETED
from bayesmix.engine.whitening import Whitening, thinned, whiten

__all__ = ["INTERPRETED", "Calls", "Whitening", "compile_model", "thinned", "whiten", "with_model"]
