"""Posteriors of many components and many modes: what a default call comes to, seed by seed."""
