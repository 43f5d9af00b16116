"""Every covariance kind by its name, and mclust's names for those that have another here."""

from __future__ import annotations

from typing import Any

from bayesmix.families.gaussian.covariance import COVARIANCES, Covariance
from bayesmix.families.gaussian.normal import Normal
from bayesmix.families.gaussian.structures.component import Structured
from bayesmix.families.gaussian.structures.structure import STRUCTURES, Structure
from bayesmix.inputs.arguments import shown
from bayesmix.inputs.data import Data

COVARIANCE_KINDS: dict[str, Covariance | Structure] = {**COVARIANCES, **STRUCTURES}
"""The fourteen, by the names that a specification holds."""
SYNONYMS = {"VVV": "full", "EEE": "tied", "VVI": "diag", "VII": "spherical", "V": "full", "E": "tied"}
"""Mclust's names (Scrucca et al. 2016, doi:10.32614/RJ-2016-021); ``V`` and ``E`` are those of one column."""


def canonical(covariance: Any) -> str:
    """The name that a specification holds.

    Examples
    --------
    >>> canonical("VVV"), canonical("VEV")
    ('full', 'VEV')
    """
    name = SYNONYMS.get(covariance, covariance) if isinstance(covariance, str) else covariance
    if name not in list(COVARIANCE_KINDS):
        others = ", ".join(f"{theirs} = {ours}" for theirs, ours in SYNONYMS.items())
        raise ValueError(
            f"covariance: unknown kind {shown(covariance)}; choose from {', '.join(COVARIANCE_KINDS)}; or by mclust's "
            f"names, {others}"
        )
    return str(name)


def normal_components(data: Data, components: tuple[str, ...], covariance: str) -> Normal:
    """Components of a kind; in one column, which has no shape, every structure is ``diag`` or ``EEI``."""
    structure = STRUCTURES.get(covariance)
    if structure is None:
        return Normal(data, components, covariance)
    if data.n_features == 1:
        return Normal(data, components, "diag" if structure.volume == "V" else "EEI")
    return Structured(data, components, covariance)
