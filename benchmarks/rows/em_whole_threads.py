"""The whole calls of :mod:`benchmarks.rows.em_whole`, with threads as the machine gives them."""

from benchmarks.rows.em_whole import cases

__all__ = ["cases"]
