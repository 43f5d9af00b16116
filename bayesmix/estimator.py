"""Scikit-learn's door: a mixture as an estimator, for pipelines, grids and cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, DensityMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

import bayesmix as bm
from bayesmix.drawing.level import LEVEL
from bayesmix.families.table import FAMILIES
from bayesmix.inputs.arguments import probabilities, whole_numbers
from bayesmix.inputs.containers import by_position, sample_weights
from bayesmix.inputs.data import Data
from bayesmix.inputs.defaults import CHAINS, DRAWS_PER_CHAIN, N_STARTS, TUNE
from bayesmix.inputs.labels import answers, as_array, target_labels
from bayesmix.likelihood.family import Family
from bayesmix.rows.fitted import Fitted, new_rows
from bayesmix.rows.simulate import COMPONENT

BY_EM, BY_NUTS = "em", "nuts"
NUTS_SETTINGS = ("draws", "tune", "chains", "cores", "target_accept", "n_starts")


class MixtureEstimator(TransformerMixin, DensityMixin, BaseEstimator):
    r"""A mixture p(x) = sum_k w_k f(x \| theta_k) as a scikit-learn estimator, by :func:`bayesmix.fit_em` or NUTS.

    Without ``y`` it is a density and its clusters; with ``y`` for all rows discriminant analysis; for some of them
    semi-supervised learning. X, ``y`` and ``sample_weight`` go together by position.

    Parameters
    ----------
    family : str
        One of :data:`bayesmix.families.NAMES`.
    n_components : int, optional
        K; by default as many as ``y`` has classes, 1 without labels, or the number that the family has of its own.
    covariance : str, optional
        Of families that have it: ``"full"`` (their default), ``"tied"``, ``"diag"``, ``"spherical"``, ``"VEV"`` ...
    method : {"em", "nuts"}
        Maximum likelihood; or draws of :func:`bayesmix.sample` from the posterior, over which all answers are averaged.
    priors, fixed, options : mapping, optional
        As :class:`bayesmix.Mixture` takes them (EM knows no priors); and all else that it takes: ``{"n_factors": 2}``.
    response : str, optional
        The column of X, then a DataFrame, that formulas over the others explain.
    ignore_y : bool
        ``y`` holds no labels: it is what a later step of a pipeline is to predict.
    n_starts, max_iter, tol
        Of EM, whose starts NUTS takes too: ``n_starts, max_iter, tolerance`` of :func:`bayesmix.fit_em`.
    draws, tune, chains, cores, target_accept
        Of NUTS, as for :func:`bayesmix.sample`.
    random_state : int, RandomState or None
        An integer is the ``seed`` of those functions; None another one each time.

    Attributes
    ----------
    weights\_, means\_, covariances\_, ... : ndarray
        Every estimate of the family by its name; covariances are (K, d, d) for every kind. Of NUTS posterior means.
    classes\_, component_names\_ : ndarray, tuple of str
        The labels in ``y``, sorted (none without); the components in their order, those of classes first.
    converged\_, n_iter\_ : bool, int
        Of NUTS whether the draws can be trusted, and the steps of every chain.
    em\_, log_likelihood\_, lower_bound\_ : EMFit, float, float
        Of EM: the fit, L = sum_i v_i l_i with labels, and L / sum_i v_i.
    posterior\_, diagnostics\_ : DataTree, Diagnostics
        Of NUTS: the draws, and the verdict on them.

    Warns
    -----
    ConvergenceWarning
        Where EM did not converge or ran into a spike, or the draws cannot be trusted; what was found is kept.

    Examples
    --------
    >>> from bayesmix.estimator import MixtureEstimator
    >>> X = [[1.0], [2.0], [3.0], [11.0], [12.0], [13.0]]
    >>> MixtureEstimator(n_components=2, random_state=0).fit(X).means_.round(3).tolist()
    [[2.0], [12.0]]
    >>> MixtureEstimator(random_state=0).fit(X, [-1, -1, "low", -1, "high", -1]).predict([[2.5]]).tolist()
    ['low']
    """

    def __init__(
        self,
        family: str = "gaussian",
        *,
        n_components: int | None = None,
        covariance: str | None = None,
        method: str = BY_EM,
        priors: Mapping[str, bm.Prior] | None = None,
        fixed: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        response: str | None = None,
        ignore_y: bool = False,
        n_starts: int = N_STARTS,
        max_iter: int = 2000,
        tol: float = 1e-9,
        draws: int = DRAWS_PER_CHAIN,
        tune: int = TUNE,
        chains: int = CHAINS,
        cores: int | None = None,
        target_accept: float = 0.9,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.family, self.n_components, self.covariance, self.method = family, n_components, covariance, method
        self.priors, self.fixed, self.options, self.response, self.ignore_y = priors, fixed, options, response, ignore_y
        self.n_starts, self.max_iter, self.tol = n_starts, max_iter, tol
        self.draws, self.tune, self.chains = draws, tune, chains
        self.cores, self.target_accept, self.random_state = cores, target_accept, random_state

    def __sklearn_tags__(self) -> Tags:
        tags, family = super().__sklearn_tags__(), self._family
        if family is not None:
            tags.input_tags.allow_nan = family.models_gaps
            tags.input_tags.string = tags.input_tags.categorical = family.takes_levels
            tags.input_tags.positive_only = family.counts and not family.takes_levels
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "component_names_")

    @property
    def _family(self) -> Family | None:
        """None where there is no family of that name, as :class:`bayesmix.Mixture` will say."""
        return FAMILIES.get(self.family) if isinstance(self.family, str) else None

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the mixture to X (n, n_features), where families that can sum out missing cells.

        ``y``: (n,) classes; -1, None, NaN and "" say nothing of a row. A single component has nothing to tell apart:
        with ``n_components=1`` several classes are left out. ``sample_weight``: (n,) row weights v_i, or one number; a
        row of weight 2 is that row twice, one of weight 0 is not there.

        Raises
        ------
        ValueError
            For an impossible parameter, X that is not the family's, ``y`` of no classes or of more than components.
        """
        for name in [name for name in vars(self) if name.endswith("_")]:  # another family would leave some behind
            delattr(self, name)
        if self.method not in (BY_EM, BY_NUTS):
            raise ValueError(f"method: must be {BY_EM!r} or {BY_NUTS!r}; got {self.method!r}")
        data = self._rows(self._table(X, reset=True), X, y, sample_weight)
        (self._fit_by_em if self.method == BY_EM else self._fit_by_nuts)(self._mixture(len(data.classes)), data)
        self.component_names_ = Fitted.of(self._result).likelihood.components
        return self

    def _table(self, X: Any, *, reset: bool) -> Any:
        """X after scikit-learn's checks of its form: a table where its columns have names, else an array."""
        if hasattr(X, "columns"):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if hasattr(self, "feature_names_in_"):
                return X
            X = np.asarray(X)
        if self.response is not None:
            raise ValueError(f"response: needs X as a DataFrame with a column {self.response!r}; got none with names")
        array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
        if array.dtype == object and not (self._family and self._family.takes_levels):
            with suppress(ValueError):  # a text is named by Data, with its column and row; what is none is a TypeError
                array.astype(float)
        return array

    def _rows(self, table: Any, X: Any, y: Any, sample_weight: Any) -> Data:
        """The rows that have weight, with their labels; keeps the classes."""
        n = len(table)
        weights = sample_weights(sample_weight, X, n)
        labels, classes = target_labels(None if self.ignore_y else by_position(y, X, n, "y"), weights > 0)
        if self.n_components == 1 and len(classes) > 1:
            labels, classes = None, {}
        data = bm.Data(table, labels, response=self.response).take(weights > 0)
        if len(data) < 2:
            raise ValueError(f"X: needs two rows or more, of positive weight; got n_samples = {len(data)}")
        self.classes_ = as_array([classes[name] for name in data.classes])
        return data.with_row_weights(weights[weights > 0])

    def _mixture(self, n_classes: int) -> bm.Mixture:
        number, options = self.n_components, dict(self.options or {})
        if number is None and self._family is not None and self._family.default_components is None:
            number = max(1, n_classes)
        for name in options.keys() & self.get_params().keys():
            raise ValueError(f"options: {name!r} is a parameter of its own; got it among the options")
        options |= {} if self.covariance is None else {"covariance": self.covariance}
        return bm.Mixture(self.family, n_components=number, priors=self.priors, fixed=self.fixed, **options)

    def _fit_by_em(self, spec: bm.Mixture, data: Data) -> None:
        settings: dict[str, Any] = {"n_starts": self.n_starts, "max_iter": self.max_iter, "tolerance": self.tol}
        if not (isinstance(settings["tolerance"], Real) and float(settings["tolerance"]) > 0):
            raise ValueError(f"tol: must be positive; got {self.tol!r}")
        self.em_ = em = bm.fit_em(spec, data, seed=self._seed(), **settings)
        self._learn(em.params)
        self.converged_, self.n_iter_, self.log_likelihood_ = em.converged, em.n_iter, em.log_likelihood
        self.lower_bound_ = em.log_likelihood / float(data.row_weights.sum())
        trouble = em.reasons or (() if em.converged else (f"no end after {em.n_iter} passes over the rows",))
        if trouble:
            advice = "fewer components, a simpler covariance, more rows, or a larger max_iter"
            warnings.warn(f"EM: {'; '.join(trouble)}. Try {advice}", ConvergenceWarning, stacklevel=3)

    def _fit_by_nuts(self, spec: bm.Mixture, data: Data) -> None:
        settings: dict[str, Any] = {name: getattr(self, name) for name in NUTS_SETTINGS}
        self.posterior_ = bm.sample(spec, data, seed=self._seed(), progress=False, **settings)
        for group in {"posterior", "derived"} & self.posterior_.children.keys():
            self._learn(self.posterior_[group].to_dataset().mean(("chain", "draw")))
        self.diagnostics_ = bm.diagnose(self.posterior_)
        self.converged_, self.n_iter_ = self.diagnostics_.ok, self.tune + self.draws
        if not self.converged_:
            warnings.warn(self.diagnostics_.verdict, ConvergenceWarning, stacklevel=3)

    def _learn(self, estimates: xr.Dataset) -> None:
        self.__dict__.update({f"{name}_": values.to_numpy() for name, values in estimates.items()})

    def _seed(self) -> int:
        given = self.random_state
        return int(given if isinstance(given, Integral) else check_random_state(given).randint(2**31 - 1))

    @property
    def _result(self) -> bm.EMFit | xr.DataTree:
        return self.em_ if hasattr(self, "em_") else self.posterior_

    def _new(self, X: Any) -> Data:
        check_is_fitted(self)
        return new_rows(Fitted.of(self._result).likelihood, self._table(X, reset=False))

    def predict_proba(self, X: ArrayLike, interval: float | None = None) -> Any:
        """Responsibilities (n, K), components in the order of ``component_names_``.

        With ``interval``, a probability such as 0.9, the tuple ``(probability, lower, upper)``, each (n, K): posterior
        means and equal-tailed intervals; ValueError by EM, whose estimate is a point.
        """
        data, prob = self._new(X), LEVEL if interval is None else interval
        probabilities(interval=prob)
        if hasattr(self, "em_"):
            if interval is not None:
                raise ValueError(f"interval: a point estimate has none, method={BY_NUTS!r} has; got {interval!r}")
            return bm.responsibilities(self.em_, data=data).to_numpy()
        table = bm.responsibility_summary(self.posterior_, data=data, prob=prob)
        mean, *ends = (table[name].to_numpy() for name in ("mean", "lower", "upper"))
        return mean if interval is None else (mean, *ends)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """The most probable component (n,): its number from 0, or its class where ``y`` had any.

        Of a component that is no class: -1 where classes are numbers, its name where they are words.
        """
        components = self.predict_proba(X).argmax(axis=1)
        return answers(self.classes_, self.component_names_)[components]

    def fit_predict(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> np.ndarray:
        """:meth:`predict` of the rows of :meth:`fit`; their labels do not settle it."""
        return self.fit(X, y, sample_weight).predict(X)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Responsibilities (n, K) as features, one column per component."""
        return np.asarray(self.predict_proba(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The columns of :meth:`transform`: ``component_names_``."""
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return np.array(self.component_names_, dtype=object)

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """log p(x_i) of every row, (n,): of NUTS the log of the density averaged over the draws."""
        data = self._new(X)
        return bm.log_predictive_density(self._result, data).to_numpy()

    def score(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """The mean of :meth:`score_samples`, by weight; ``y`` does not enter."""
        l = self.score_samples(X)
        return float(np.average(l, weights=sample_weights(sample_weight, X, len(l))))

    def sample(self, n_samples: int = 1) -> tuple[Any, np.ndarray]:
        """New rows, a DataFrame where X had names, and the component of each as :meth:`predict` says it."""
        check_is_fitted(self)
        rows = bm.simulate(self._result, whole_numbers(n_samples=n_samples)["n_samples"], seed=self._seed())
        columns = getattr(self, "feature_names_in_", None)
        X = rows.drop(columns=COMPONENT).to_numpy() if columns is None else rows[columns]
        return X, answers(self.classes_, self.component_names_)[rows[COMPONENT].map(self.component_names_.index)]

    def aic(self, X: ArrayLike) -> float:
        """Akaike's criterion of X, -2 sum_i log p(x_i) + 2 p with p free parameters; of EM alone."""
        return self._criterion(X, 2.0)

    def bic(self, X: ArrayLike) -> float:
        """Schwarz's criterion of X, -2 sum_i log p(x_i) + p log n; of EM alone. With labels see ``em_.bic``."""
        return self._criterion(X, float(np.log(len(self._new(X)))))

    def _criterion(self, X: Any, penalty: float) -> float:
        L = float(self.score_samples(X).sum())
        if not hasattr(self, "em_"):
            raise ValueError(f"method: AIC and BIC are of {BY_EM!r}; of draws take bayesmix.loo(posterior_)")
        return -2 * L + penalty * self.em_.n_parameters
