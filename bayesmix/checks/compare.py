"""EM beside MCMC, on one model: estimates, responsibilities, scores."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.checks.scores import score_table
from bayesmix.drawing.level import LEVEL, TAILS
from bayesmix.em.fit_em import EMFit
from bayesmix.inputs.data import Data
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture import scalars
from bayesmix.mixture.estimates import reorder, to_dataset
from bayesmix.mixture.permutations import best_permutations
from bayesmix.mixture.spec import exchange_groups
from bayesmix.posterior.expected_error import ExpectedError, point_error
from bayesmix.posterior.record import Posterior, Record
from bayesmix.posterior.responsibilities import responsibilities, summary_of

CLEAR_ROW = 0.02
"""A row whose responsibilities have less entropy than this, in nats, is not called ambiguous."""
SEPARATE = (
    "The posterior has separate modes: means and intervals of components average over different groupings. "
    "bayesmix.diagnose names the modes."
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A point estimate beside the posterior of the same mixture.

    Attributes
    ----------
    parameters : DataFrame
        One row per free scalar: ``em, em_se, map`` (where given), ``mean, sd, lower, upper`` (90% equal-tailed), and
        ``em_rank``, the share of posterior draws below the EM estimate.
    responsibilities : DataFrame
        One row per observation: ``em_component, posterior_component, flips, entropy`` and for every component
        ``em[k], mean[k], lower[k], upper[k]``; ``error`` is the probability that the row does not belong to
        ``posterior_component``.
    errors : dict of str to ExpectedError
        How often the most probable component is expected to be wrong: of ``em`` and of the ``posterior``, with
        ``error, lower, upper``, ``by_group`` and ``confusion``.
    scores : DataFrame
        Where true classes are known: ``accuracy, adjusted_rand, brier, log_score, calibration_error`` of both, on the
        rows whose label the fit did not know; otherwise empty.
    em : EMFit
        The estimate with its components in the posterior's order.
    separate_modes : bool
        The posterior has modes that chains hardly ever cross between: its means and intervals of components average
        over different groupings, and :func:`bayesmix.diagnose` names the modes.
    """

    parameters: pd.DataFrame
    responsibilities: pd.DataFrame
    scores: pd.DataFrame
    errors: dict[str, ExpectedError]
    em: EMFit
    separate_modes: bool = False

    @property
    def flips(self) -> pd.DataFrame:
        """Rows whose most probable component differs between EM and the posterior."""
        return self.responsibilities[self.responsibilities["flips"]]

    def ambiguous(self, n: int = 10) -> pd.DataFrame:
        """The n rows with the largest entropy of the posterior mean responsibilities."""
        return self.responsibilities.nlargest(n, "entropy")

    def __str__(self) -> str:
        n = len(self.responsibilities)
        lines = ["EM beside the posterior (mean, sd, 90% interval; em_rank: share of draws below EM)", ""]
        lines += [self.parameters.to_string(float_format=lambda v: f"{v:.4g}"), ""]
        words = [f"EM: {text}." for text in (*self.em.reasons, *self.em.notes)]
        lines += [*words, ""] if words else []
        lines += [SEPARATE, ""] if self.separate_modes else []
        lines += [f"{len(self.flips)} of {n} rows change their most probable component."]
        em, posterior = self.errors["em"], self.errors["posterior"]
        lines += [f"Expected error rate of the most probable component: EM {em}, posterior {posterior}."]
        if len(self.scores):
            lines += ["", "Scores against the true classes", self.scores.to_string(float_format=lambda v: f"{v:.4f}")]
        return "\n".join(lines)


def compare(em: EMFit, dt: Posterior, *, map_fit: EMFit | None = None) -> Comparison:
    """Set a point estimate and a posterior of the same mixture side by side.

    The estimate's components are first matched to the posterior's by their responsibilities.

    Parameters
    ----------
    em
        From :func:`bayesmix.fit_em`.
    dt
        From :func:`bayesmix.sample`, on the same data and mixture.
    map_fit
        ``fit_em(..., method="map")``, to show the posterior mode as well.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        Where they are of different mixtures, rows, weights, label evidence or covariates; says which.
    """
    record = Record.of(dt)
    likelihood = record.likelihood
    _check_same("em", em, likelihood)
    if map_fit is not None:
        _check_same("map_fit", map_fit, likelihood)
    summary, error = summary_of(record, prob=LEVEL)
    em = matched(em, summary["mean"].to_numpy())
    aligned_map = None if map_fit is None else matched(map_fit, summary["mean"].to_numpy())
    rows = _responsibilities(em, summary, likelihood)
    r_em, r_mean = (np.column_stack([rows[f"{p}[{k}]"] for k in likelihood.components]) for p in ("em", "mean"))
    return Comparison(
        parameters=_parameters(em, aligned_map, record),
        responsibilities=rows,
        scores=score_table({"em": r_em, "posterior": r_mean}, likelihood.data, likelihood.components),
        errors={"em": point_error(likelihood, r_em), "posterior": error},
        em=em,
        separate_modes=record.resampled,
    )


def scores_on(em: EMFit, record: Record, test: Data) -> pd.DataFrame:
    """Scores of both on held-out rows with known classes (``em`` in the posterior's order, see :func:`matched`)."""
    r = {
        "em": responsibilities(em, data=test).to_numpy(),
        "posterior": summary_of(record, data=test)[0]["mean"].to_numpy(),
    }
    return score_table(r, test, record.likelihood.components)


def matched(em: EMFit, posterior_mean: np.ndarray) -> EMFit:
    """The estimate with its components in the posterior's order: the permutation with the largest agreement.

    What priors say of labels a maximum-likelihood estimate does not know, and what the user added to the model neither
    kind does: these components are matched too.
    """
    likelihood = em.likelihood
    agreement = responsibilities(em).to_numpy().T @ posterior_mean
    groups = likelihood.exchangeable if em.method == "ml" else exchange_groups(likelihood)
    order = best_permutations(agreement[None], groups)[0]

    def moved(params: xr.Dataset) -> xr.Dataset:
        named = {str(v): params[v].to_numpy() for v in params}
        return to_dataset(likelihood, reorder(likelihood, named, order))

    spread = None if em.posterior_spread is None else moved(em.posterior_spread)
    return replace(em, params=moved(em.params), posterior_spread=spread)


def _check_same(argument: str, fit: EMFit, likelihood: Likelihood) -> None:
    if fit.spec != likelihood.spec:
        raise ValueError(f"{argument}: was fitted to another mixture than dt: {fit.spec} against {likelihood.spec}")
    if not np.array_equal(fit.data.x, likelihood.data.x, equal_nan=True):
        raise ValueError(
            f"{argument}: was fitted to other data than dt ({len(fit.data)} rows against {len(likelihood.data)})"
        )
    own = fit.likelihood
    same = {
        "row weights": np.array_equal(own.row_weights, likelihood.row_weights),
        "label evidence": own.components == likelihood.components and np.array_equal(own.evidence, likelihood.evidence),
    }
    for part, matrix in likelihood.design.items():
        same[f"covariates ({part})"] = list(own.design[part]) == list(matrix) and np.array_equal(
            own.design[part], matrix
        )
    for part, offset in likelihood.offsets.items():
        same[f"offset ({part})"] = np.array_equal(own.offsets[part], offset)
    differs = [name for name, equal in same.items() if not equal]
    if differs:
        raise ValueError(f"{argument}: was fitted to other data than dt: the {' and '.join(differs)} differ")


def _parameters(em: EMFit, map_fit: EMFit | None, record: Record) -> pd.DataFrame:
    likelihood = record.likelihood
    draws = scalars.of_posterior(likelihood, record.posterior, derived=True)
    flat = draws.stack(sample=("chain", "draw")).transpose("scalar", "sample").to_numpy()
    tails = list(TAILS)
    lower, upper = np.quantile(flat, tails, axis=1)
    estimate = np.array(list(scalars.of_estimate(likelihood, em.params, derived=True).values()))
    columns = {"em": estimate}
    columns["em_se"] = np.array(list(scalars.of_estimate(likelihood, em.standard_errors, derived=True).values()))
    if map_fit is not None:
        columns["map"] = np.array(list(scalars.of_estimate(likelihood, map_fit.params, derived=True).values()))
    columns |= {"mean": flat.mean(axis=1), "sd": flat.std(axis=1, ddof=1), "lower": lower, "upper": upper}
    columns["em_rank"] = (flat < estimate[:, None]).mean(axis=1)
    return pd.DataFrame(columns, index=pd.Index(draws["scalar"].to_numpy(), name="parameter"))


def _responsibilities(em: EMFit, summary: xr.Dataset, likelihood: Likelihood) -> pd.DataFrame:
    r_em = responsibilities(em).to_numpy()
    mean = summary["mean"].to_numpy()
    names = np.array(likelihood.components)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(mean > 0, mean * np.log(mean), 0.0).sum(axis=1)
    table = pd.DataFrame(
        {
            "em_component": names[r_em.argmax(axis=1)],
            "posterior_component": names[mean.argmax(axis=1)],
            "flips": r_em.argmax(axis=1) != mean.argmax(axis=1),
            "entropy": entropy,
            "error": 1 - mean.max(axis=1),
        },
        index=pd.Index(likelihood.data.obs_names, name=likelihood.data.id or "row"),
    )
    for k, name in enumerate(names):
        table[f"em[{name}]"] = r_em[:, k]
        for v in ("mean", "lower", "upper"):
            table[f"{v}[{name}]"] = summary[v].to_numpy()[:, k]
    return table
