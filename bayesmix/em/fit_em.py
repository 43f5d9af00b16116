"""The reference point estimate: EM for maximum likelihood, or the mode of the Bayesian model's posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.em.fit_starts import Manner, fit_starts
from bayesmix.em.standard_errors import notes, standard_errors
from bayesmix.em.starts import StartResult, best_result, starts_table
from bayesmix.em.told import estimates
from bayesmix.inputs.data import Data
from bayesmix.inputs.defaults import N_STARTS
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.estimates import canonical_order, reorder, to_dataset
from bayesmix.mixture.spec import Mixture, exchange_groups, resolved

NO_ERRORS = "hard assignment: the estimates of a classification likelihood have no standard errors"
NAMES_OF_L = {"soft": "log-likelihood", "hard": "hard assignment, classification log-likelihood"}
"""What is maximized, by assignment."""


@dataclass(frozen=True, eq=False)
class EMFit:
    """A point estimate of a mixture.

    Attributes
    ----------
    params : xarray.Dataset
        Every named estimate, with the names and dimensions of the posterior and of its group ``derived``.
    standard_errors : xarray.Dataset
        Of every named estimate, computed when first asked for: by the delta method from the inverse of the observed
        information -d2L/dtheta2 (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x); NaN where that is singular, or
        the estimate degenerate. For ``method="map"``: from the curvature of the log-posterior. Of hard assignment
        there are none: NaN.
    notes : tuple of str
        What is wrong with the standard errors, in words, naming the estimates; empty where nothing is.
    log_likelihood : float
        L = sum_i v_i l_i at the estimate. Of hard assignment the classification log-likelihood
        L_C = sum_i v_i max_k(log w_ik + a_ik + log f(x_i | theta_k)), which is smaller: another quantity, not to be
        compared with L. ``history`` and ``starts`` hold the same.
    log_posterior : float
        Log prior + log likelihood at the estimate, up to the model's constant; NaN for maximum likelihood.
    converged : bool
    n_iter : int
        E-steps (passes over the rows) spent on the start that is kept: those of steps that were refused, and of its
        first run over few rows, included. For MAP: iterations of the climb.
    history : ndarray
        L (for MAP, the log-posterior) over all rows, at the start and after every step that was taken.
    degenerate : bool
        True where every start ran into a spike or the boundary; ``reasons`` says which.
    starts : DataFrame
        One row per start: ``kind, log_likelihood, n_iter, converged, degenerate, reasons, left, solution, chosen``;
        rows with the same number in ``solution`` reached the same optimum, to which one of them was carried on. A start
        that was ``left`` would not have become the best: its log-likelihood is that of where it stood. The other
        columns are the free scalars at its end, such as ``means[component_1, x]``.
    ends : tuple of StartResult
        The same starts with their parameters and steps.
    method : {"ml", "map"}
    assignment : {"soft", "hard"}
        Whether rows were shared out by their responsibilities, or each went wholly to its most probable component.
    trace : Dataset, optional
        With ``trace=True``: every named estimate over ``iteration``, from the start to the end, with the coordinate
        ``log_likelihood``; its components have the final names throughout.
    likelihood : Likelihood
        The likelihood over the rows, its priors in numbers; ``spec`` and ``data`` are what it was bound of.
    aic, bic : float
        -2 L + 2 p and -2 L + p log(sum v); NaN for hard assignment, of whose L_C neither is defined.
    """

    params: xr.Dataset
    log_likelihood: float
    log_posterior: float
    converged: bool
    n_iter: int
    history: np.ndarray
    reasons: tuple[str, ...]
    ends: tuple[StartResult, ...]
    method: str
    likelihood: Likelihood
    assignment: str = "soft"
    trace: xr.Dataset | None = None
    posterior_spread: xr.Dataset | None = None
    """Of the posterior mode: what its curvature says of every named estimate."""

    @property
    def spec(self) -> Mixture:
        """The resolved mixture."""
        return self.likelihood.spec

    @property
    def data(self) -> Data:
        """The rows."""
        return self.likelihood.data

    @cached_property
    def starts(self) -> pd.DataFrame:
        """One row per start, made when first asked for: of many parameters it is large."""
        table = starts_table(self.likelihood, self.ends)
        return table if self.method == "ml" else table.rename(columns={"log_likelihood": "log_posterior"})

    @cached_property
    def standard_errors(self) -> xr.Dataset:
        """Of every named estimate; the attribute ``notes``, of each too, says what is missing or hopeless, and why."""
        errors = self._errors
        why = {"notes": "; ".join((*self.reasons, *self.notes))}
        if why["notes"] == "":
            return errors
        return errors.assign({v: a.assign_attrs(why) for v, a in errors.items()}).assign_attrs(why)

    @cached_property
    def _errors(self) -> xr.Dataset:
        if self.posterior_spread is not None:
            return self.posterior_spread
        likelihood, params = self.likelihood, self.arrays
        if self.degenerate or self.assignment == "hard":
            missing = {v: np.full(np.shape(a), np.nan) for v, a in likelihood.named(params).items()}
            return to_dataset(likelihood, missing)
        return to_dataset(likelihood, standard_errors(likelihood, params))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Which standard errors are missing or hopeless."""
        if self.assignment == "hard":
            return (NO_ERRORS,)
        errors = {str(v): a.to_numpy() for v, a in self._errors.items()}
        return () if self.degenerate else notes(self.likelihood, self.arrays, errors)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The parameters of the likelihood."""
        return {v: self.params[v].to_numpy() for v in self.likelihood.parameter_names}

    @property
    def degenerate(self) -> bool:
        """Whether the estimate is a spike or sits on a boundary."""
        return bool(self.reasons)

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return self.likelihood.n_parameters

    @property
    def aic(self) -> float:
        """Akaike's criterion, smaller is better."""
        return self._deviance + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """Schwarz's criterion, smaller is better."""
        return self._deviance + self.n_parameters * float(np.log(self.data.row_weights.sum()))

    @property
    def _deviance(self) -> float:
        return -2 * self.log_likelihood if self.assignment == "soft" else float("nan")

    def __repr__(self) -> str:
        state = "degenerate: " + "; ".join(self.reasons) if self.degenerate else "not degenerate"
        L = f"{NAMES_OF_L[self.assignment]} {self.log_likelihood:.3f}"
        return (
            f"EMFit({self.method}, {L}, {self.n_iter} iterations, "
            f"{'converged' if self.converged else 'NOT converged'}, {state}, {len(self.ends)} starts)"
        )

    def __str__(self) -> str:
        """The estimates as a table, with standard errors where these were computed already."""
        known = self.posterior_spread is not None or "_errors" in self.__dict__
        return f"{self!r}\n\n{estimates(self, errors=known)}"


def fit_em(
    spec: Mixture,
    data: Data,
    *,
    method: str = "ml",
    assignment: str = "soft",
    n_starts: int = N_STARTS,
    starts: str | Sequence[str] | None = None,
    init: Any = None,
    trace: bool = False,
    seed: int = 1,
    max_iter: int = 2000,
    tolerance: float = 1e-9,
) -> EMFit:
    """Fit by EM from many starts of several kinds; keep the best that is not degenerate.

    Every start is run roughly, on a sample of the rows where there are many; one for each solution that may be the
    best is carried on over all of them. Where EM crawls, quasi-Newton steps that it preconditions take over
    (:mod:`bayesmix.em.iterations`). An end that is no maximum is left upwards, or named (:mod:`bayesmix.em.saddles`).

    Parameters
    ----------
    spec, data
        The mixture and what was observed.
    method : {"ml", "map"}
        ``"ml"``: maximum likelihood (Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x).
        ``"map"``: the mode of the joint density of the model's free variables (weights, means, scales, partial
        correlations; or coefficients) without Jacobian terms, as PyMC's ``find_MAP`` defines it, climbed from every
        distinct EM solution. It compiles the PyMC model.
    assignment : {"soft", "hard"}
        ``"hard"``: every row goes wholly to its most probable component, the first of several, and the classification
        likelihood is maximized (classification EM, Celeux and Govaert 1992, doi:10.1016/0167-9473(92)90042-E). It is
        k-means where weights are equal and covariances alike and spherical. Means are pushed apart and variances too
        small where groups overlap. Labelled rows keep their class.
    n_starts : int
        Of the family's kinds: for columns of numbers Ward's hierarchy (which no seed moves) first, then k-means++ on
        standardized and on whitened data, random rows and random partitions in turn. A single start is the first of
        those that depend on the seed.
    starts : str or sequence of str, optional
        Take only these kinds of starts, in turn: ``"ward"``, ``"k-means++"``, ``"k-means++ whitened"``,
        ``"random rows"``, ``"random partition"``; of a zero-inflated Poisson ``"moments"``, ``"random partition"``.
    init : EMFit, mapping or Dataset, or sequence, optional
        The only start, in place of those: parameters as in ``EMFit.params`` (fixed ones may be missing), or the fit
        that has them; or a component
        for every row, by name or number from 0; or responsibilities (n, n_components), of which EM takes its first
        M-step. Components are named anew in canonical order at the end.
    trace : bool
        Keep the parameters of every step of the start that is kept, in ``EMFit.trace``.
    seed : int
        Same seed, same starts, same fit.
    max_iter, tolerance
        A start stops once it has spent more than ``max_iter`` E-steps, or when L has less than
        ``tolerance * (1 + |L|)`` to rise, extrapolated from its last two gains or from the curvature seen.

    Returns
    -------
    EMFit

    Raises
    ------
    ValueError
        Where an argument is impossible, naming it.

    Examples
    --------
    >>> from bayesmix import Data, Mixture, fit_em
    >>> em = fit_em(Mixture("gaussian", n_components=1), Data([1.0, 2.0, 4.0, 5.0]), n_starts=1)
    >>> float(em.params["means"].squeeze())
    3.0
    """
    if method not in ("ml", "map"):
        raise ValueError(f"method: must be 'ml' or 'map'; got {method!r}")
    if assignment not in tuple(NAMES_OF_L):
        raise ValueError(f"assignment: must be 'soft' or 'hard'; got {assignment!r}")
    if method == "map" and (trace or assignment == "hard"):
        raise ValueError(f"{'trace' if trace else 'assignment'}: is of EM; method='map' climbs the posterior")
    likelihood = resolved(spec, data)
    groups = exchange_groups(likelihood) if method == "map" else None
    settings: dict[str, Any] = {"n_starts": n_starts, "seed": seed, "max_iter": max_iter, "tolerance": tolerance}
    init = init.params if isinstance(init, EMFit) else init
    manner = Manner.of(likelihood, starts, init, trace=trace, hard=assignment == "hard")
    results = fit_starts(likelihood, groups=groups, everything=method == "map", manner=manner, **settings)
    if method == "map":
        from bayesmix.compiled.log_posterior import CompiledModel
        from bayesmix.em.posterior_mode import map_fit
        from bayesmix.model.build import graph, model_of

        parts = graph(likelihood)
        return map_fit(CompiledModel(model_of(parts)), parts, results)
    return ml_fit(likelihood, results, assignment=assignment)


def ml_fit(likelihood: Likelihood, results: list[StartResult], *, assignment: str = "soft") -> EMFit:
    """The maximum-likelihood fit: the best of these; ``assignment``: how they were made."""
    result = results[best_result(results)]
    order = canonical_order(likelihood, likelihood.named(result.params))
    params = reorder(likelihood, result.params, order)
    return EMFit(
        params=to_dataset(likelihood, likelihood.named(params)),
        **{v: getattr(result, v) for v in ("log_likelihood", "converged", "n_iter", "history", "reasons")},
        log_posterior=float("nan"),
        ends=tuple(results),
        method="ml",
        likelihood=likelihood,
        assignment=assignment,
        trace=_steps(likelihood, result, order) if result.path else None,
    )


def _steps(likelihood: Likelihood, result: StartResult, order: np.ndarray) -> xr.Dataset:
    """The named estimates of every step, with their components in this order."""
    named = [likelihood.named(reorder(likelihood, params, order)) for params in result.path]
    last = to_dataset(likelihood, named[-1])
    steps = {v: (("iteration", *last[v].dims), np.stack([values[v] for values in named])) for v in named[-1]}
    coords = {"iteration": np.arange(len(named)), "log_likelihood": ("iteration", result.history)}
    return xr.Dataset(steps, coords=coords | dict(last.coords))
