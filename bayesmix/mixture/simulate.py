"""Forward sampling: parameters from the prior as the mixture declares it, then data from the parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesmix.inputs.data import Data
from bayesmix.inputs.distributions import draw
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import Mixture, resolved
from bayesmix.parts.part import Params


def prior_draws(spec: Mixture, data: Data, n: int, *, seed: int = 1) -> dict[str, np.ndarray]:
    """Draw the parameters of a mixture from its prior.

    Ordered means are sorted draws: PyMC's own forward sampling does not order them.

    Parameters
    ----------
    spec, data
        The mixture, and the rows whose covariates and names it is bound to; priors that the spec leaves open are those
        of :func:`bayesmix.resolve`.
    n : int
        Number of draws.
    seed : int
        Of the random numbers.

    Returns
    -------
    dict of str to ndarray
        Every named estimate, each ``(n, ...)`` with the dimensions of the posterior's variable of that name.

    Raises
    ------
    ValueError
        With ``order="means"``, where the means have different priors: the sorted draws would follow another law.

    Examples
    --------
    >>> draws = prior_draws(Mixture("gaussian", n_components=2, order="means"), Data([0.0, 2.0]), 3)
    >>> draws["means"].shape, bool((draws["means"][:, 0] <= draws["means"][:, 1]).all())
    ((3, 2, 1), True)
    """
    likelihood = resolved(spec, data)
    return likelihood.named(parameters_from_prior(likelihood, n, np.random.default_rng(seed)))


def parameters_from_prior(likelihood: Likelihood, n: int, rng: np.random.Generator) -> Params:
    """Parameters of the likelihood under a resolved prior, each (n, ...)."""
    spec = likelihood.spec
    shapes = {
        v: tuple(len(likelihood.coords[d]) for d in dims) for v, dims in likelihood.dims.items() if v in spec.priors
    }
    blocks = {p.name: p.blocks for p in likelihood.parameters}
    values = {v: draw(spec.priors[v], (n, *shape), rng, blocks=blocks[v]) for v, shape in shapes.items()}
    if spec.order is not None:
        _check_exchangeable(spec.priors[spec.order], spec.order, shapes[spec.order])
        values[spec.order] = np.sort(values[spec.order], axis=1)
    return likelihood.given(likelihood.component.of_prior(values, rng))


def _check_exchangeable(prior: Prior, order: str, shape: tuple[int, ...]) -> None:
    for name, value in prior.parameters.items():
        if np.ptp(np.broadcast_to(value, shape), axis=0).any():
            raise ValueError(
                f"order: {order!r} can be drawn from the prior only where all {order} have one prior; {name} of priors "
                f"{order!r} is {value.tolist()}"
            )


def prior_predictive(spec: Mixture, data: Data, n: int, *, seed: int = 1) -> np.ndarray:
    """Data from the prior predictive distribution; rows keep their covariates and label evidence.

    Parameters
    ----------
    spec, data, n, seed
        As for :func:`prior_draws`.

    Returns
    -------
    ndarray, shape (n, n_obs, n_features)
        One data set per draw of the parameters, in the units of the data.

    Raises
    ------
    ValueError
        As :func:`prior_draws`, and where row weights are not 1.

    Examples
    --------
    >>> prior_predictive(Mixture("gaussian", n_components=2), Data([0.0, 1.0, 2.0]), 5).shape
    (5, 3, 1)
    """
    return data_sets(resolved(spec, data), n, seed=seed)[1]


def data_sets(likelihood: Likelihood, n: int, *, seed: int) -> tuple[Params, np.ndarray]:
    """So many draws of the parameters from the prior, and a data set of each, (n, n_obs, n_features)."""
    if likelihood.data.weighted:
        raise ValueError("row_weights: prior predictive data are defined for weights of 1 only")
    rng = np.random.default_rng(seed)
    params = parameters_from_prior(likelihood, n, rng)
    return params, np.stack([likelihood.simulate(one(params, s), rng) for s in range(n)])


def simulate(likelihood: Likelihood, params: Params, rng: np.random.Generator) -> Data:
    """New data from one set of parameters, in the layout of the family's own: z_i ~ w_i, x_i ~ f(. | theta_z).

    Rows that carry a label reveal their new z_i; covariates stay. It is the model of the joint likelihood of x and y,
    which needs every component to be a class where any row is labelled.
    """
    design = likelihood.data
    if not design.labelled.any():
        return laid_out(design, likelihood.simulate(params, rng))
    z = likelihood.rebind(design.without_labels()).draw_components(params, rng)
    labels = [likelihood.components[k] if known else None for k, known in zip(z, design.labelled, strict=True)]
    pinned = likelihood.rebind(laid_out(design, np.zeros_like(design.x), labels))
    return laid_out(design, pinned.simulate(params, rng), labels)


def laid_out(design: Data, x: np.ndarray, labels: list[str | None] | None = None) -> Data:
    """Other observations (n, n_features) and labels in the rows, columns, covariates and classes of ``design``.

    Cells that are missing there are missing in these too.
    """
    x = np.where(np.isnan(design.x), np.nan, x) if design.gaps else x
    observed = pd.DataFrame(x, columns=list(design.feature_names), index=design.covariates.index)
    response = {"response": design.feature_names[0]} if len(design.covariates.columns) else {}
    frame = pd.concat([observed, design.covariates], axis=1)
    return Data(frame, labels, classes=design.classes or None, **response).coded(x, design.levels)


def one(draws: Mapping[str, np.ndarray], s: int) -> dict[str, np.ndarray]:
    """Draw number ``s``."""
    return {v: a[s] for v, a in draws.items()}
