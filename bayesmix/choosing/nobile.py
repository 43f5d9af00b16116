r"""The evidence of K components from that of K - 1: a second estimate, by the probability that a component is empty.

With w ~ Dirichlet(e0, ..., e0) and priors of the components that are alike and do not depend on K, an empty component
is a component fewer (Nobile 2004, doi:10.1214/009053604000000788):

.. math:: \log Z_K = \log Z_{K-1} - \log p_0
          + \log\frac{\Gamma(K e_0)\,\Gamma(n + (K-1) e_0)}{\Gamma((K-1) e_0)\,\Gamma(n + K e_0)},
          \qquad p_0 = E\Big[\tfrac1K \sum_k \prod_i (1 - r_{ik}) \,\Big|\, y, K\Big]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln

from bayesmix.grouping.occupied import Occupied
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import Mixture, exchange_groups
from bayesmix.multimodality.bridge import LARGEST_ERROR
from bayesmix.parts.weights import WEIGHTS

FEWEST_EMPTY = 50
"""The mean p0 has to rest on so many effective draws: where components hardly ever empty, a few draws decide it."""


def symmetric_weight(likelihood: Likelihood) -> float | None:
    """e0 of a symmetric Dirichlet prior of the weights; None where the identity does not hold.

    It needs that no component is told from another by labels, by known parameters or by priors, and a weight prior that
    does not depend on K, as a dynamic one does.
    """
    prior = likelihood.spec.priors.get(WEIGHTS)
    alike = len(set(exchange_groups(likelihood).tolist())) == 1
    plain = not (likelihood.evidence.any() or likelihood.data.weighted)
    if prior is None or prior.support != "simplex" or not (alike and plain):
        return None
    concentration = np.unique(prior.parameters["a"])
    return float(concentration[0]) if len(concentration) == 1 else None


def same_components(spec: Mixture, before: Mixture) -> bool:
    """Whether the priors of components are those of the mixture of one component fewer, as the identity needs."""
    own, others = ({key: p for key, p in s.priors.items() if key != WEIGHTS} for s in (spec, before))
    return own == others


def log_step(n: int, K: int, e0: float) -> float:
    """log Z_K - log Z_(K-1) + log p0: the ratio of the numbers of ways to share n rows out."""
    steps = gammaln(K * e0) - gammaln((K - 1) * e0) + gammaln(n + (K - 1) * e0) - gammaln(n + K * e0)
    return float(steps)


def of_step(likelihood: Likelihood, found: Occupied) -> dict[str, Any]:
    """log Z_K - log Z_(K-1), its error, and whether it can be relied on; empty where the identity does not hold."""
    K, e0 = len(likelihood.components), symmetric_weight(likelihood)
    if e0 is None or K == 1 or found.p0 == 0:
        return {}
    error = found.p0_error / found.p0
    return {
        "step": log_step(len(likelihood.data), K, e0) - float(np.log(found.p0)),
        "step_error": error,
        "step_established": bool(error <= LARGEST_ERROR and found.effective >= FEWEST_EMPTY),
    }


def chained(records: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """The second estimate of log Z and its error for candidates in order of K, of one kind.

    It begins at the first estimate of the smallest K, and anew where a step is missing or not established: there the
    next one starts from the first estimate. NaN where there is no step.
    """
    found: list[tuple[float, float]] = []
    before = (float("nan"), float("nan"), -1)
    for record in records:
        value, error = before[0] + record.get("step", np.nan), np.hypot(before[1], record.get("step_error", np.nan))
        known = before[2] == record["n_components"] - 1 and record.get("step_established", False)
        found.append((float(value), float(error)) if known else (float("nan"), float("nan")))
        begin = found[-1] if known else (record["log_evidence"], record["log_evidence_error"])
        before = (*begin, record["n_components"])
    return found
