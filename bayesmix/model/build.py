"""(Mixture, Data) -> a plain ``pm.Model`` with named dimensions, marginalized over the assignments."""

from __future__ import annotations

import numpy as np
import pymc as pm
from pytensor.tensor.sharedvar import TensorSharedVariable

from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import Mixture, resolved
from bayesmix.model.graphs import graph_of
from bayesmix.model.variables import Graph
from bayesmix.parts.gaps import filled


def graph(likelihood: Likelihood) -> Graph:
    """The PyMC half of a resolved mixture, bound to data."""
    return graph_of(likelihood.name)(likelihood, likelihood.spec.priors, likelihood.spec.order)


def build(spec: Mixture, data: Data, *, likelihood: str = "fused") -> pm.Model:
    """Build the PyMC model of a mixture.

    The observed variable ``x`` has the pointwise log-density v_i logsumexp_k(log w_ik + a_ik + log f(x_i | theta_k)),
    and forward draws of its own: it serves ``pm.sample``, prior and posterior predictive draws,
    ``pm.compute_log_likelihood``, ``pm.do`` and ``pm.set_data``, and it can be extended inside ``with model:``.
    With ``order="means"`` the log-prior is that of the unordered means, without the constant log K!.

    Parameters
    ----------
    spec, data
        The mixture and what was observed; priors that the spec leaves open are those of :func:`bayesmix.resolve`.
    likelihood : {"fused", "textbook"}
        ``"fused"``: log-likelihood and gradient by the compiled E-step, in one pass over the rows. ``"textbook"``: the
        same density as a reader expects it, by PyMC's own mixtures (sums written out where there are labels or row
        weights); many times slower.

    Returns
    -------
    pymc.Model
        Data ``x_data (obs[, feature])``, ``label_evidence (obs, component)``, ``row_weights (obs)``; free variables
        and deterministics under the names of the family's estimates (correlations: one per pair of features, named
        ``y ~ x``). Linear predictors are Q (R beta): ``<part>_basis`` holds Q, ``<part>_coordinates`` R and its
        inverse, so new rows X enter as X R^-1; ``<part>_offset`` is added where the formula has an offset. The numbers
        of the priors are data too (``means_mu``, ...): ``pm.set_data`` changes them without compiling anew.

    Raises
    ------
    ValueError
        Where the data cannot be that mixture's, or ``likelihood`` is neither of the two.

    Examples
    --------
    >>> from bayesmix import Data, Mixture, build
    >>> model = build(Mixture("gaussian", n_components=2), Data([1.0, 2.0, 8.0, 9.0]))
    >>> [v.name for v in model.free_RVs]
    ['weights', 'means', 'scales']
    """
    if likelihood not in ("fused", "textbook"):
        raise ValueError(f"likelihood: must be 'fused' or 'textbook'; got {likelihood!r}")
    return model_of(graph(resolved(spec, data)), likelihood=likelihood)


def model_of(parts: Graph, *, likelihood: str = "fused") -> pm.Model:
    """The model of :func:`build`, of a mixture that is resolved and bound already."""
    bound = parts.likelihood
    with pm.Model(coords=bound.coords | {"obs": bound.data.obs_names}) as model:
        dims = bound.family.observed_dims
        x_data = _held("x_data", parts.x_data(), dims)
        evidence = _held("label_evidence", bound.evidence, ("obs", "component"))
        row_weights = _held("row_weights", bound.row_weights, ("obs",))
        observed = parts.observed if likelihood == "fused" else parts.textbook
        observed(parts.variables(), evidence, row_weights, observed=x_data, dims=dims)
    return model


def _held(name: str, values: np.ndarray, dims: tuple[str, ...]) -> TensorSharedVariable:
    """``pm.Data`` over the array itself: PyMC would keep a copy of all rows."""
    data = pm.Data(name, filled(values, 0.0), dims=dims)  # which refuses NaN; set_value takes it
    data.set_value(values.astype(data.dtype, copy=False), borrow=True)
    return data
