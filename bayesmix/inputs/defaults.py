"""Defaults that several functions share: of draws, chains, EM's starts, minutes, gaps."""

from __future__ import annotations

N_STARTS = 20
"""EM begins from so many places, and so do climbs of the posterior."""
DRAWS_PER_CHAIN = 1000
"""Of every chain, kept after its warm-up."""
MINUTES = 5.0
"""How long a replica exchange may take."""
EVIDENCE_ERROR = 0.04
"""Of the log evidence, to which a replica exchange goes on."""
MODEL, DROP = "model", "drop"
"""What is done about rows with missing cells."""
CHAINS, TUNE = 4, 500
"""Chains, and warm-up draws of each."""
