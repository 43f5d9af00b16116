"""A PyMC model as C functions that nutpie calls: (log-density, gradient) and the expansion to all variables.

A C function takes (n_dim, x, gradient out, value out, record), or (n_dim, n_expanded, x, values out, record): five
words of 64 bits. It returns a code of ``calls``. The record holds the addresses and shapes of the model's data.
"""
