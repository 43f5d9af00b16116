"""Where the verdict on draws draws its lines."""

from __future__ import annotations

R_HAT = 1.01
ESS = 400.0
E_BFMI = 0.3
PARETO_K = 0.7
"""A row with a larger Pareto k is too influential to be left out by reweighting draws."""
MOST_REFITS = 10
"""Where more rows have a large Pareto k, the model is at fault, and fits without each of them are too dear."""
UNTOLD = 0.2
"""Labels are told apart where the posterior on the border between two labellings is below this share of its average."""
