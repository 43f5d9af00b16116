"""Zero-inflated Poisson: a mixture of a structural zero and a Poisson count, with or without covariates.

    P(structural zero)_i = pi_i = logit^-1(b_i + g_i' zero_coef)        lambda_i = e_i exp(a_i + f_i' rate_coef)
    P(x_i = 0) = pi_i + (1 - pi_i) exp(-lambda_i)                 P(x_i = m) = (1 - pi_i) Poisson(m | lambda_i), m > 0

with a_i and b_i the offsets of the formulas (0 without any) and e_i the exposure (1 without any).
Statistics: structural, the responsibility r_i0 of the structural zero, without the row's weight.

Lambert (1992), doi:10.2307/1269547. PyMC's ``psi`` is 1 - pi.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from scipy.special import expit, gammaln, log_expit

from bayesmix.families.zero_inflated_poisson import information as curvature
from bayesmix.formulas.design import Encoder, check_formula, design_matrix
from bayesmix.formulas.exposure import check_exposure, check_exposures, with_exposure
from bayesmix.formulas.orthonormal import Orthonormal
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.likelihood import Family, Params, Statistics
from bayesmix.likelihood.regression import LOGISTIC, POISSON, regress

PARTS = ("rate", "zero")
COMPONENTS = ("structural_zero", "poisson")
LARGEST_COUNT = 2**31 - 1
BOUNDARY = 15.0
"""A linear predictor of the zero part beyond this many logits, over all rows, counts as a run to the boundary."""


class ZeroInflatedPoisson(Family):
    """Zero-inflated Poisson; ``params`` are rate_coef (..., p) and zero_coef (..., q)."""

    name: ClassVar[str] = "zero_inflated_poisson"
    options: ClassVar[dict[str, Any]] = {"rate": "1", "zero": "1", "exposure": None}
    default_components: ClassVar[int | None] = 2
    observed_dims: ClassVar[tuple[str, ...]] = ("obs",)
    parameter_names: ClassVar[tuple[str, ...]] = ("rate_coef", "zero_coef")

    @classmethod
    def check_options(cls, options: Mapping[str, Any], n_components: int) -> dict[str, Any]:
        """``rate`` and ``zero``: right-hand sides of formulas; ``exposure``: a column; n_components is always 2."""
        if n_components != 2:
            raise ValueError(
                f"n_components: a zero_inflated_poisson has 2 (structural zero, Poisson); got {n_components}"
            )
        formulas = {part: check_formula(options.get(part, cls.options[part]), part) for part in PARTS}
        exposure = options.get("exposure")
        return formulas if exposure is None else formulas | {"exposure": check_exposure(exposure, formulas["rate"])}

    @classmethod
    def prior_supports(cls, options: Mapping[str, Any]) -> dict[str, str]:
        """rate_coef (log scale) and zero_coef (logit scale)."""
        return {"rate_coef": "real vector", "zero_coef": "real vector"}

    def __init__(self, options: Mapping[str, Any], n_components: int, data: Data) -> None:
        self.encoders: dict[str, Encoder] = {}
        self.exposure: str | None = options.get("exposure")
        self._bind(data, {"rate": with_exposure(options["rate"], self.exposure), "zero": options["zero"]})
        self.has_offset = {part: bool(self.encoders[part].offsets) for part in PARTS}
        self.constant = {p: list(self.design[p].columns) == ["Intercept"] and not self.has_offset[p] for p in PARTS}

    def rebind(self, data: Data) -> Self:
        """The same model over other rows; factor levels stay as they were encoded."""
        new = object.__new__(type(self))
        new.encoders, new.constant, new.measured = self.encoders, self.constant, self.measured
        new.exposure, new.has_offset = self.exposure, self.has_offset
        new._bind(data, self.encoders)
        return new

    def _bind(self, data: Data, formulas: Mapping[str, Any]) -> None:
        self.data, self.components = data, COMPONENTS
        self.x = _counts(data)
        self.evidence = _evidence(data, self.x)
        self.row_weights = data.row_weights
        self.groups = np.arange(2)
        if self.exposure is not None:
            check_exposures(self.exposure, data.covariates)
        design, self.offsets = {}, {}
        for part in PARTS:
            matrix, self.offsets[part], self.encoders[part] = design_matrix(formulas[part], data.covariates, part)
            counted = matrix[self.row_weights > 0]
            scaled = counted / np.sqrt((counted**2).mean()).replace(0.0, 1.0)
            if isinstance(formulas[part], str) and np.linalg.matrix_rank(scaled) < matrix.shape[1]:
                raise ValueError(f"{part}: the columns {', '.join(matrix.columns)} are linearly dependent")
            design[part] = matrix
        self.design = design
        self.covariates = tuple(dict.fromkeys(name for encoder in self.encoders.values() for name in encoder.columns))
        self.F, self.G = (self.design[part].to_numpy(dtype=float) for part in PARTS)

    @cached_property
    def coordinates(self) -> dict[str, Orthonormal]:
        """By part: coordinates of its coefficients that do not depend on the zero or the unit of a covariate."""
        return {part: Orthonormal.of(X, self.row_weights) for part, X in (("rate", self.F), ("zero", self.G))}

    def default_priors(self) -> dict[str, Prior]:
        """Weakly informative on the log and logit scale, whatever the coding (see :func:`bayesmix.resolve`)."""
        v = self.row_weights
        mass = float((v * np.exp(self.offsets["rate"]))[self.x > 0].sum())
        centre = float(np.log(v @ self.x / mass)) if mass else 0.0
        return {
            "rate_coef": self.coordinates["rate"].prior(centre, level=1.5, slope=1.0),
            "zero_coef": self.coordinates["zero"].prior(0.0, level=1.5, slope=1.5),
        }

    @property
    def offset_words(self) -> dict[str, str]:
        """The offset of every part that has one, as the formula says it."""
        formulas = {part: self.encoders[part].formula for part in PARTS if self.has_offset[part]}
        return {part: " + ".join(map(f.names.restore, f.offsets)) for part, f in formulas.items()}

    @property
    def coords(self) -> dict[str, list[str]]:
        """component, rate_term, zero_term."""
        terms = {f"{part}_term": [str(c) for c in self.design[part].columns] for part in PARTS}
        return {"component": list(self.components)} | terms

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """rate_coef and zero_coef; rate and zero_prob where they do not depend on the row."""
        dims: dict[str, tuple[str, ...]] = {"rate_coef": ("rate_term",), "zero_coef": ("zero_term",)}
        scalars = {"rate": "rate", "zero_prob": "zero"}
        return dims | {variable: () for variable, part in scalars.items() if self.constant[part]}

    @property
    def free(self) -> dict[str, np.ndarray]:
        """All coefficients."""
        return {"rate_coef": np.ones(self.F.shape[1], bool), "zero_coef": np.ones(self.G.shape[1], bool)}

    @property
    def n_parameters(self) -> int:
        """Coefficients of both parts."""
        return self.F.shape[1] + self.G.shape[1]

    def linear_predictors(self, params: Params, rows: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """log lambda_i and logit pi_i of a range of rows, all by default, (..., rows) each."""
        eta = params["rate_coef"] @ self.F[rows].T + self.offsets["rate"][rows]
        return eta, params["zero_coef"] @ self.G[rows].T + self.offsets["zero"][rows]

    def log_weights(self, params: Params) -> np.ndarray:
        """(log pi_i, log(1 - pi_i)), (..., n, 2)."""
        _, zeta = self.linear_predictors(params)
        return np.stack([log_expit(zeta), log_expit(-zeta)], axis=-1)

    def log_density(self, params: Params) -> np.ndarray:
        """(0 at zero and -inf above, Poisson log-probability), (..., n, 2)."""
        eta, _ = self.linear_predictors(params)
        poisson = self.x * eta - np.exp(eta) - gammaln(self.x + 1.0)
        zero = np.where(self.x == 0, 0.0, -np.inf)
        return np.stack([np.broadcast_to(zero, poisson.shape), poisson], axis=-1)

    def statistics(self, r: np.ndarray, params: Params) -> Statistics:
        """structural (n,): the responsibility of the structural zero."""
        return {"structural": r[:, 0]}

    def m_step(self, statistics: Statistics, params: Params) -> Params:
        """Two weighted regressions: Poisson of x with weights v r_poisson, logistic of r_zero with weights v."""
        v, r_zero = self.row_weights, statistics["structural"]
        parts = {"rate": (self.x, v * (1 - r_zero), POISSON), "zero": (r_zero, v, LOGISTIC)}
        return {
            f"{part}_coef": regress(self.coordinates[part], *of, params[f"{part}_coef"], self.offsets[part])
            for part, of in parts.items()
        }

    @property
    def start_kinds(self) -> tuple[str, ...]:
        """The moments of the counts, then random responsibilities of the zeros."""
        return ("moments", "random partition")

    def initial(self, kind: str, rng: np.random.Generator) -> Params:
        """A start from a share of the zeros taken as structural: that in excess of Poisson's, or a random one."""
        at_zero = self.x == 0
        rate = max(float(self.x.mean()), 1e-3)
        if kind == "moments":
            excess = np.clip(1 - np.exp(-2 * rate) / max(at_zero.mean(), 1e-12), 0.05, 0.95)
            r_zero = np.where(at_zero, excess, 0.0)
        else:
            r_zero = np.where(at_zero, rng.beta(0.5, 0.5, len(self.x)), 0.0)
        b = np.exp(self.evidence) * np.stack([r_zero, 1 - r_zero], axis=1)
        r = b / np.maximum(b.sum(axis=1, keepdims=True), 1e-300)
        to_rate = self.coordinates["rate"]
        start = {
            "rate_coef": to_rate.coefficients(np.log(rate / np.exp(self.offsets["rate"]).mean()) * to_rate.constant),
            "zero_coef": np.zeros(self.G.shape[1]),
        }
        return self.m_step(self.statistics(0.98 * r + 0.01, start), start)

    def spikes(self, params: Params, r: np.ndarray | None = None) -> list[str]:
        """Coefficients that run off: the zero part at its boundary for all rows, or separated."""
        if not all(np.isfinite(params[v]).all() for v in ("rate_coef", "zero_coef")):
            return ["coefficients are not finite"]
        if r is None:
            return []
        if not self.x.any():
            return ["all counts are 0: nothing tells structural zeros from a rate of 0"]
        _, eta = self.linear_predictors(params)
        if (eta < -BOUNDARY).all():
            return ["zero part: P(structural zero) runs to 0, the counts show no excess of zeros"]
        if (eta > BOUNDARY).all():
            return ["zero part: P(structural zero) runs to 1"]
        return curvature.separated(self, params)

    def pack(self, params: Params) -> np.ndarray:
        """The coefficients in the coordinates of both parts."""
        return np.concatenate([at.coordinates(params[f"{part}_coef"]) for part, at in self.coordinates.items()])

    def unpack(self, theta: np.ndarray) -> Params:
        """The inverse of :meth:`pack`."""
        parts = np.split(theta, [self.F.shape[1]])
        at = zip(self.coordinates.items(), parts, strict=True)
        return {f"{part}_coef": coordinates.coefficients(z) for (part, coordinates), z in at}

    def units(self, params: Params) -> np.ndarray:
        """A step that moves the linear predictor by 1 in the root mean square over the rows."""
        return np.ones(self.n_parameters)

    def score(self, theta: np.ndarray, statistics: Statistics) -> np.ndarray:
        """Q' v r_poisson (x - lambda) and Q' v (r_zero - pi), with Q the orthonormal basis of each part."""
        Q, P = (at.basis for at in self.coordinates.values())
        eta, zeta = self.linear_predictors(self.unpack(theta))
        v, r_zero = self.row_weights, statistics["structural"]
        return np.concatenate([Q.T @ (v * (1 - r_zero) * (self.x - np.exp(eta))), P.T @ (v * (r_zero - expit(zeta)))])

    def information(self, params: Params) -> np.ndarray:
        """In the coordinates of orthonormalized designs."""
        return curvature.information(self, params)

    def moved(self, params: Params, step: np.ndarray) -> Params:
        """A step that moves a linear predictor by its size, in the root mean square over the rows."""
        return curvature.moved(self, params, step)

    def spread(self, params: Params, covariance: np.ndarray) -> dict[str, np.ndarray]:
        """Of the coefficients, rate and zero_prob."""
        return curvature.spread(self, params, covariance)

    def hopeless(self, params: Params) -> dict[str, np.ndarray]:
        """Coefficients that may move a linear predictor by ten over the rows."""
        return curvature.hopeless(self)

    def named(self, params: Params) -> dict[str, np.ndarray]:
        """Coefficients, and rate = exp(rate_coef), zero_prob = logit^-1(zero_coef) where constant."""
        named = {v: np.asarray(params[v]) for v in ("rate_coef", "zero_coef")}
        if self.constant["rate"]:
            named["rate"] = np.exp(named["rate_coef"][..., 0])
        if self.constant["zero"]:
            named["zero_prob"] = expit(named["zero_coef"][..., 0])
        return named

    def simulate(self, params: Params, rng: np.random.Generator) -> np.ndarray:
        """0 for a structural zero, a Poisson draw otherwise; (n, 1)."""
        counts = rng.poisson(np.exp(np.minimum(self.linear_predictors(params)[0], 20.0)))
        return np.where(self.draw_components(params, rng) == 0, 0, counts)[:, None].astype(float)


def _counts(data: Data) -> np.ndarray:
    name = data.feature_names[0]
    if data.n_features != 1:
        raise ValueError(
            f"X: a zero_inflated_poisson takes one column of counts; got {data.n_features} "
            f"({', '.join(data.feature_names)}). Name it with response=, the others become covariates"
        )
    x = data.x[:, 0]
    rules = [(x < 0, "must not be negative"), (x != np.floor(x), "must be a whole number")]
    rules += [(x > LARGEST_COUNT, f"must be at most {LARGEST_COUNT}")]
    for broken, rule in rules:
        if broken.any():
            row = int(np.flatnonzero(broken)[0])
            raise ValueError(f"X: column {name!r}, row {data.obs_names[row]}: a count {rule}; got {x[row]:.15g}")
    return x


def _evidence(data: Data, x: np.ndarray) -> np.ndarray:
    evidence = data.evidence(COMPONENTS)
    impossible = np.flatnonzero((x > 0) & np.isneginf(evidence[:, 1]))
    if len(impossible):
        row = impossible[0]
        raise ValueError(f"labels: row {data.obs_names[row]} is labelled structural_zero, but its count is {x[row]:g}")
    return evidence
