"""Priors that a user gives, held against the family and against the shapes of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesmix.inputs.arguments import meant, shown
from bayesmix.inputs.prior import Prior, choices
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood


def check_priors(family: Family, options: Mapping[str, Any], priors: Any) -> dict[str, Prior]:
    """The user's priors, each known to the family and of the right support."""
    if not isinstance(priors, Mapping):
        raise ValueError(f"priors: must be a mapping of parameters to their priors; got {priors!r}")
    supports = {p.name: p.support for p in family.parameters(options)}
    for key, prior in priors.items():
        if key not in supports:
            raise ValueError(
                f"priors: unknown key {key!r} for this {family.name} mixture; choose from {', '.join(supports)}"
                f"{meant(key, supports)}"
            )
        if not isinstance(prior, Prior):
            raise ValueError(f"priors: {key!r} must be a Prior; got {shown(prior)}")
        if prior.distribution not in choices(supports[key]):
            raise ValueError(
                f"priors: {key!r} needs a prior on the {supports[key]} scale "
                f"({', '.join(choices(supports[key]))}); got {prior.distribution}"
            )
    family.check_priors(priors)
    return dict(priors)


def check_shapes(likelihood: Likelihood, priors: Mapping[str, Prior]) -> None:
    """Each parameter must broadcast to its variable."""
    supports = {p.name: p.support for p in likelihood.parameters}
    for key, prior in priors.items():
        dims = likelihood.dims.get(key)
        if dims is None:
            continue
        shape = tuple(len(likelihood.coords[d]) for d in dims) if prior.support != "correlation" else ()
        if prior.support == "pooled" and dims[:1] != ("component",) and np.prod(shape) > 1:
            raise ValueError(f"priors: {key!r}, {prior.distribution}: is of components together; here all share theirs")
        for name, value in prior.parameters.items():
            wanted = (*shape, shape[-1]) if name == "chol" else shape
            exact = name == "chol" or (supports[key] == "simplex" and value.shape != ())
            try:
                fits = value.shape == wanted if exact else np.broadcast_shapes(value.shape, wanted) == wanted
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(f"priors: {key!r}, {name} has shape {value.shape}; must fit {dims} = {wanted}")
