"""The integral of a posterior density by bridge sampling."""

from bayesmix.evidence.bridge import UNKNOWN, Evidence, bridge
from bayesmix.evidence.cell import Region, agreement_with, local_evidence, switching_groups
from bayesmix.evidence.points import Points
from bayesmix.evidence.proposal import DRAWS_PER_DIMENSION

__all__ = [
    "DRAWS_PER_DIMENSION",
    "UNKNOWN",
    "Evidence",
    "Points",
    "Region",
    "agreement_with",
    "bridge",
    "local_evidence",
    "switching_groups",
]
