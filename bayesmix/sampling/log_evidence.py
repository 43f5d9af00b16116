"""The marginal likelihood of a mixture from its posterior draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from bayesmix.compiled.log_posterior import CompiledModel, check_compiled
from bayesmix.model.build import graph, model_of
from bayesmix.multimodality.bridge import LARGEST_ERROR, UNKNOWN, LogIntegral
from bayesmix.multimodality.labellings import check_order
from bayesmix.multimodality.masses import masses, weigh
from bayesmix.multimodality.maxima import NEGLIGIBLE
from bayesmix.multimodality.table import by_region
from bayesmix.posterior.record import Record
from bayesmix.sampling.by_exchange import TEMPERING
from bayesmix.tempering.exchange import ROUND_TRIPS


@dataclass(frozen=True)
class LogEvidence:
    """A log marginal likelihood.

    Attributes
    ----------
    value : float
        log p(x), in log(1 / unit of x) per row and column; NaN where the draws are too few.
    standard_error : float
        Of ``value``; that of the estimate given chains that explore all of the posterior.
    established : bool
        Whether it can be relied on: 20 effective draws per dimension and an error of at most 0.1, in every region of
        the posterior that holds a thousandth of its mass.
    method : str
        How it was found.
    """

    value: float
    standard_error: float
    established: bool
    method: str

    def __str__(self) -> str:
        doubt = "" if self.established else "; not established: draw more, or look at bayesmix.diagnose"
        return f"log evidence {self.value:.3f} +- {self.standard_error:.2g} ({self.method}{doubt})"


def log_evidence(dt: xr.DataTree, *, compiled: CompiledModel | None = None) -> LogEvidence:
    r"""Log marginal likelihood, log of the integral of prior times likelihood over all parameters.

    .. math:: \log p(x) = \log \sum_g \exp(\hat z_g) + \log(\text{number of labellings})

    with :math:`\hat z_g` from bridge sampling over one labelling of region g, the regions being those that chains do
    not leave. Components that neither labels nor priors tell apart can be labelled in K! ways. It is the evidence of
    the resolved priors in ``dt.attrs["spec"]``: where they were scaled by the data, so is the evidence, and only models
    with the same such priors, or with priors of the user's own, are compared fairly by it. With labels it is that of
    rows and labels together.

    With ``order="means"`` the prior is that of the unordered means on the K!-th part where they ascend, normalized
    there: where the components share all their priors, the value is that of the same mixture without order.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`.
    compiled : CompiledModel, optional
        The compiled model of this mixture over any data; by default it is compiled where it is needed.

    Returns
    -------
    LogEvidence

    Raises
    ------
    ValueError
        For row weights other than 1 and for a user's extension of the model, whose evidence is not that of the
        mixture; with ``order="means"`` for a prior that differs between the means.

    References
    ----------
    Gronau et al. (2017), doi:10.1016/j.jmp.2017.09.005; Fruehwirth-Schnatter (2004),
    doi:10.1111/j.1368-423X.2004.00125.x.

    Examples
    --------
    >>> import bayesmix as bm
    >>> normal = bm.Prior("Normal", mu=0.0, sigma=1.0)
    >>> spec = bm.Mixture("zero_inflated_poisson", priors={"rate_coef": normal, "zero_coef": normal})
    >>> dt = bm.sample(spec, bm.Data([0, 0, 0, 2, 3, 5, 0, 1]), progress=False)
    >>> found = log_evidence(dt)
    >>> round(found.value, 1), found.established
    (-14.3, True)
    """
    record = Record.of(dt)
    likelihood = record.likelihood
    check_compiled(compiled)
    if likelihood.data.weighted:
        raise ValueError("log_evidence: is defined for row weights of 1 only")
    if dt.attrs.get("extended_model"):
        raise ValueError("log_evidence: the posterior is of the user's extension of the model, not of the mixture")
    check_order("log_evidence", likelihood.spec)
    if TEMPERING in dt.children:
        return _of_replicas(dt[TEMPERING].to_dataset())
    parts = _recorded(dt["modes"].to_dataset())
    if sum(g > 0 for g in parts) < 2:
        parts |= _whole(record, compiled)
    share = masses(parts)
    values = np.array([e.value for e in parts.values()])
    errors = np.array([e.standard_error for e in parts.values()])
    relative = np.array([share[g].share for g in parts]) * errors
    known = np.isfinite(values)
    return LogEvidence(
        float(logsumexp(values[known])) if known.any() else float("nan"),
        float(np.sqrt((relative[known] ** 2).sum())) if known.all() else float("inf"),
        all(m.established for m in share.values() if not m.share < NEGLIGIBLE),
        _described(record, sum(g > 0 for g in parts)),
    )


def _of_replicas(held: xr.Dataset) -> LogEvidence:
    """From rung to rung of the ladder, all labellings and the order of the prior included."""
    value, error = (float(held.attrs[v]) for v in ("log_evidence", "log_evidence_error"))
    trips, n = int(held["round_trips"].sum()), held.sizes["rung"]
    known = error <= LARGEST_ERROR and trips >= ROUND_TRIPS
    return LogEvidence(value, error, known, f"acceptance ratios between {n} rungs of a replica exchange")


def _recorded(modes: xr.Dataset) -> dict[int, LogIntegral]:
    """The log-integral over every region as the sampler weighed it; unknown where no scout was sent."""
    integrals = {-1: UNKNOWN} if (modes["region"] == -1).any() else {}
    for top in (region.isel(mode=0) for region in by_region(modes)):
        if top["region"] > 0:
            value, error = (float(top[v]) for v in ("log_evidence", "log_evidence_error"))
            integrals[int(top["region"])] = LogIntegral(value, error, bool(top["established"]))
    return integrals


def _whole(record: Record, compiled: CompiledModel | None) -> dict[int, LogIntegral]:
    """The log-integral over all of the posterior, all labellings."""
    model = model_of(graph(record.likelihood))
    compiled = CompiledModel(model) if compiled is None else compiled.with_data(model)
    draws = record.posterior, record.dt["sample_stats"].to_dataset()["lp"]
    return weigh(compiled, record.likelihood, {1: draws}, None)


def _described(record: Record, n: int) -> str:
    sizes = record.as_made("posterior").sizes
    regions = "" if n == 1 else f" in each of {n} regions"
    order = ", the ordered prior counted K! times" if record.spec.order else ""
    return f"bridge sampling over one labelling{regions}, {sizes['chain']} x {sizes['draw']} draws{order}"
