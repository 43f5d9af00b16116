"""How rows can miss a Gaussian mixture."""

from bayesmix.estep.residuals import NormalDiscrepancies

DISCREPANCIES = NormalDiscrepancies()
