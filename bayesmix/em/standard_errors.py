"""Standard errors from the observed information, and what is wrong with them in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmix.inputs.arguments import listed
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params

EDGE = "on a boundary, where there are no standard errors: "
"""How a note begins that is no fault: probabilities of 0 and 1 are what latent classes are often estimated to have."""
MOST_PARAMETERS = 10_000
"""Beyond it the information and its inverse, three matrices of this size, do not fit into 2.5 GB."""
SINGULAR = 1e-12
"""Smallest eigenvalue, of 1 along every coordinate, below which an information is singular."""


def standard_errors(likelihood: Likelihood, params: Params) -> dict[str, np.ndarray]:
    """Of every named estimate: J I^-1 J', I the observed information in closed form; NaN where it is singular.

    Estimates on a boundary (a probability of 0) have none: NaN; the others have theirs with those held fixed. Of what
    is known it is 0.

    Raises
    ------
    ValueError
        Where there are more than 10,000 free parameters.
    """
    p = likelihood.n_parameters
    if p > MOST_PARAMETERS:
        raise ValueError(
            f"standard_errors: {p:,} free parameters need matrices of {8e-9 * p**2:.1f} GB each; at most "
            f"{MOST_PARAMETERS:,} are inverted. Choose fewer components or a covariance with fewer entries"
        )
    inside = np.flatnonzero(~likelihood.on_boundary(params))
    inverse = inverted(likelihood.information(params)[np.ix_(inside, inside)])
    if inverse is None:
        return {v: np.full(np.shape(a), np.nan) for v, a in likelihood.named(params).items()}
    if len(inside) == p:
        return likelihood.spread(params, inverse)
    covariance = np.zeros((p, p))
    covariance[np.ix_(inside, inside)] = inverse
    errors = {v: np.where(sd > 0, sd, np.nan) for v, sd in likelihood.spread(params, covariance).items()}
    return errors | {v: np.where(np.isnan(a), errors[v], 0.0) for v, a in likelihood.known.items()}


def inverted(information: np.ndarray) -> np.ndarray | None:
    """I^-1; None where the information is singular or not positive definite."""
    scale = np.sqrt(np.abs(np.diag(information)))
    if not len(scale):
        return information
    if not (np.isfinite(information).all() and (scale > 0).all()):
        return None
    scaled = information / np.outer(scale, scale)
    if np.linalg.eigvalsh(scaled)[0] < SINGULAR:
        return None
    return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale))


def notes(likelihood: Likelihood, params: Params, errors: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Which standard errors are missing, or so large that their estimate says nothing; by name."""
    doubts = [likelihood.family.unidentified(likelihood), crowded(likelihood)]
    labels = {"NaN": list[str](), "huge": list[str]()}
    edge = likelihood.on_boundary(params)
    for variable, bound in likelihood.hopeless(params).items():
        free = likelihood.free[variable] if variable in likelihood.free else np.ones(np.shape(bound), bool)
        for where in map(tuple, np.argwhere(free)):
            error = errors[variable][where]
            if not error < np.broadcast_to(bound, np.shape(errors[variable]))[where]:
                names = [likelihood.coords[d][i] for d, i in zip(likelihood.dims[variable], where, strict=True)]
                labels["huge" if np.isfinite(error) else "NaN"].append(f"{variable}[{', '.join(names)}]")
    words = {
        "NaN": EDGE + "{}"
        if edge.all() or (edge.any() and any(np.isfinite(a).any() for a in errors.values()))
        else "no standard errors, the observed information is not positive definite: {}",
        "huge": "standard errors so large that the data say next to nothing: {}",
    }
    known = [words[kind].format(listed(entries)) for kind, entries in labels.items() if entries]
    return (*filter(None, doubts), *known)


def crowded(likelihood: Likelihood) -> str | None:
    """Whether there are more free parameters than values that were observed, in words."""
    p, values = likelihood.n_parameters, int((~np.isnan(likelihood.data.x[likelihood.row_weights > 0])).sum())
    return (
        f"{p} free parameters for {values} observed values: they fit these rows and say little" if p > values else None
    )
