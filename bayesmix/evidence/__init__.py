"""The integral of a posterior density by bridge sampling."""

from bayesmix.evidence.bridge import DRAWS_PER_DIMENSION, Evidence, bridge
from bayesmix.evidence.cell import agreement_with, local_evidence, sampled_rows, switching_groups

__all__ = [
    "DRAWS_PER_DIMENSION",
    "Evidence",
    "agreement_with",
    "bridge",
    "local_evidence",
    "sampled_rows",
    "switching_groups",
]
