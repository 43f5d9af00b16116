"""Which mixture: the family, how many components, its priors. Frozen; changed by :meth:`Mixture.replace`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmix.families.table import FAMILIES
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior, choices
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.likelihood import Likelihood


@dataclass(frozen=True, init=False)
class Mixture:
    """A mixture, described apart from data and from PyMC.

    Parameters
    ----------
    family : str
        ``"gaussian"`` or ``"zero_inflated_poisson"``.
    n_components : int
        K >= 1. Needed for Gaussian mixtures; 2 for the zero-inflated Poisson.
    priors : mapping of str to Prior, optional
        Those that replace the defaults (see :func:`resolve`). Gaussian: ``weights, means, scales, correlations``;
        zero-inflated Poisson: ``rate_coef`` (log scale), ``zero_coef`` (logit scale of P(structural zero)).
    order : {None, "means"}
        ``"means"`` orders the component means of a 1-D Gaussian mixture; by default labels are told apart after
        sampling.
    **options
        Those of the family. Gaussian: ``covariance`` = ``"full"`` (default), ``"tied"``, ``"diag"``, ``"spherical"``.
        Zero-inflated Poisson: ``rate`` and ``zero``, right-hand sides of formulas (``"1"`` by default), and
        ``exposure``, the name of a column of positive numbers: ``exposure="effort"`` adds ``offset(log(effort))`` to
        the rate, so that its coefficients describe counts per unit of effort.

    Notes
    -----
    A formula holds columns (a name that is no plain word in backticks: ``1 + `km/h```), ``+ - * : / ^`` and ``.`` as in
    R, ``offset(...)``, arithmetic in ``I(...)`` or braces, ``C(column, contrasts, levels=...)``, formulaic's ``poly``,
    ``bs``, ``cs``, ``cr``, ``cc``, ``center``, ``scale``, ``standardize``, and functions of single values such as
    ``log``, ``sqrt`` or ``minimum``, with or without ``np.``. Nothing else is evaluated.

    Raises
    ------
    ValueError
        For an unknown family, option or prior key, a prior of the wrong support, an impossible K.

    Examples
    --------
    >>> spec = Mixture("gaussian", n_components=3, covariance="tied")
    >>> spec.replace(n_components=2).n_components
    2
    >>> Mixture.from_dict(spec.to_dict()) == spec
    True
    """

    family: str
    n_components: int
    order: str | None
    _options: tuple[tuple[str, Any], ...]
    _priors: tuple[tuple[str, Prior], ...]

    def __init__(
        self,
        family: str,
        *,
        n_components: int | None = None,
        priors: Mapping[str, Prior] | None = None,
        order: str | None = None,
        **options: Any,
    ) -> None:
        if family not in list(FAMILIES):
            raise ValueError(f"family: unknown family {family!r}; choose from {', '.join(FAMILIES)}")
        declared = FAMILIES[family]
        K = _components(declared, n_components)
        for name in options:
            if name not in declared.options:
                raise ValueError(
                    f"{name}: not an option of a {family} mixture; choose from {', '.join(declared.options)}"
                )
        checked = declared.check_options(options, K)
        if order is not None and order not in declared.orders:
            raise ValueError(f"order: must be None{''.join(f' or {o!r}' for o in declared.orders)} here; got {order!r}")
        values = {
            "family": family,
            "n_components": K,
            "order": order,
            "_options": tuple(checked.items()),
            "_priors": tuple(sorted(check_priors(declared, checked, priors or {}).items())),
        }
        self.__dict__.update(values)

    @property
    def options(self) -> dict[str, Any]:
        """The family's own options."""
        return dict(self._options)

    @property
    def priors(self) -> dict[str, Prior]:
        """The priors that replace the defaults."""
        return dict(self._priors)

    def replace(self, **changes: Any) -> Mixture:
        """The same mixture with these arguments changed."""
        now: dict[str, Any] = {
            "family": self.family,
            "n_components": self.n_components,
            "order": self.order,
            "priors": self.priors,
        }
        return Mixture(**(now | self.options | changes))

    def to_dict(self) -> dict[str, Any]:
        """A plain dict for JSON and TOML."""
        entry: dict[str, Any] = {"family": self.family, "n_components": self.n_components} | self.options
        if self.order is not None:
            entry["order"] = self.order
        return entry | {"priors": {key: prior.to_dict() for key, prior in self.priors.items()}}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Mixture:
        """The inverse of :meth:`to_dict`."""
        values = dict(entry)
        if "family" not in values:
            raise ValueError(f"mixture: needs a family; choose from {', '.join(FAMILIES)}")
        priors = values.pop("priors", {})
        if not isinstance(priors, Mapping):
            raise ValueError(f"priors: must be a table of priors; got {priors!r}")
        return cls(**values, priors={key: Prior.from_dict(value) for key, value in priors.items()})

    def __repr__(self) -> str:
        parts = [repr(self.family), f"n_components={self.n_components}"]
        parts += [f"{k}={v!r}" for k, v in self._options]
        parts += [f"order={self.order!r}"] if self.order else []
        parts += [f"priors={self.priors!r}"] if self.priors else []
        return f"Mixture({', '.join(parts)})"


def check_priors(family: Family, options: Mapping[str, Any], priors: Mapping[str, Any]) -> dict[str, Prior]:
    """The user's priors, each known to the family and of the right support."""
    supports = {p.name: p.support for p in family.parameters(options)}
    for key, prior in priors.items():
        if key not in supports:
            raise ValueError(
                f"priors: unknown key {key!r} for this {family.name} mixture; choose from {', '.join(supports)}"
            )
        if not isinstance(prior, Prior):
            raise ValueError(f"priors: {key!r} must be a Prior; got {prior!r}")
        if prior.distribution not in choices(supports[key]):
            raise ValueError(
                f"priors: {key!r} needs a prior on the {supports[key]} scale "
                f"({', '.join(choices(supports[key]))}); got {prior.distribution}"
            )
    return dict(priors)


def bind(spec: Mixture, data: Data) -> Likelihood:
    """The likelihood over these rows; ValueError where the data cannot be that family's."""
    if not isinstance(spec, Mixture):
        raise ValueError(f"spec: must be a bm.Mixture; got a {type(spec).__name__}")
    if not isinstance(data, Data):
        raise ValueError(f"data: must be a bm.Data, as bm.Data(frame) makes one; got a {type(data).__name__}")
    family = Likelihood(FAMILIES[spec.family], spec.options, spec.n_components, data)
    family.spec = spec
    return family


def resolved(spec: Mixture, data: Data) -> Likelihood:
    """The mixture as :func:`resolve` writes it out, bound to the data that it was written out for."""
    family = bind(spec, data)
    family.spec = _written_out(family)
    return family


def resolve(spec: Mixture, data: Data) -> Mixture:
    """The same mixture with every prior written out in numbers.

    This is what is built, recorded and reported; resolving it again changes nothing.

    Defaults of a Gaussian mixture, from the column means m_j and standard deviations s_j of the data:

    ==================  ==================================  ====================================================
    ``weights``         Dirichlet(2, ..., 2)                two pseudo-rows each: no component is empty, none favoured
    ``means``           Normal(m_j, 2.5 s_j)                wide against where the rows are
    ``scales``          InverseGamma(2, s_j / K^(1/d))      98% within 0.15 and 6.7 times s_j / K^(1/d), the width of
                                                            K groups that share the space (Fraley and Raftery 2007,
                                                            doi:10.1007/s00357-007-0004-5); vanishes at 0 faster
                                                            than any power, so no spike on tied values of
                                                            one column has mass
    ``correlations``    LKJ(2)                              mildly towards none (doi:10.1016/j.jmva.2009.04.008)
    ==================  ==================================  ====================================================

    Defaults of a zero-inflated Poisson are on the linear predictor, not on this or that coefficient: every coding of
    the same column space (raw, centred, other units, orthogonal polynomials, other contrasts) has the same posterior.

    ==============  ========================================  ==================================================
    ``rate_coef``   level Normal(log mean positive, 1.5)      the log rate at the average covariates
                    any direction of slopes, Normal(0, 1)     a factor e per standard deviation is one sigma
    ``zero_coef``   level Normal(0, 1.5)                      about uniform on the probability
                    any direction of slopes, Normal(0, 1.5)   keeps coefficients finite where zeros separate
    ==============  ========================================  ==================================================

    A direction of slopes is a combination of columns that averages to 0 over the rows and has standard deviation 1
    there (row weights count): the coefficient of one standardized covariate, or of any column of an orthonormal basis
    of several. In the user's coefficients it is one ``MvNormal``, by its mean and Cholesky factor. With exposures e or
    an offset log e, "mean positive" is the sum of the positive counts over the sum of their e. Where no combination of
    the columns is constant (``0 + x``) there is no level: every direction is Normal(0, 1) or Normal(0, 1.5), and along
    the combination nearest to the constant the variance is (abs(c) + 1.5)^2 q^2 more, c the level above and q^2 the
    share of the constant's square that the columns reach.

    Warns
    -----
    UserWarning
        Where a user's prior on the scales does not vanish at zero and a column has tied values: a component that
        sits on the ties then has unbounded posterior density.

    Notes
    -----
    Full covariances in d > 1 features have one more way to collapse, on which the prior of the scales has no hold: a
    correlation matrix that becomes singular. LKJ(2) does not vanish there fast enough where a component lies exactly
    in an oblique hyperplane that holds d + 4 rows or more, as rounded measurements can (in iris 22 rows have
    x1 - x2 - x3 + x4 = 0.4). Formally the posterior mass there is unbounded, as in every mixture of full covariances
    whose prior does not, as an inverse Wishart would, vanish exponentially at singular ones. Chains do not find it;
    EM that runs into it is flagged as a spike, and a climb to a posterior mode that does is discarded.
    ``covariance="diag"`` or ``"spherical"`` excludes it.
    """
    return _written_out(bind(spec, data))


def _written_out(family: Likelihood) -> Mixture:
    """The mixture of a bound likelihood with every prior in numbers."""
    spec = family.spec
    _check_order(spec, family.data)
    priors = family.default_priors() | spec.priors
    _check_shapes(family, priors)
    _warn_of_ties(family.data, priors)
    return spec.replace(priors=priors)


def exchange_groups(family: Likelihood) -> np.ndarray:
    """A group number per component: labels may switch within a group, by evidence, prior and what was measured."""
    rows = [family.groups] if family.measured is None else [family.groups, family.measured]
    for key, prior in family.spec.priors.items():
        dims = family.dims.get(key, ())
        for value in prior.parameters.values():
            by_component = (key == "weights" and value.ndim == 1) or (
                value.ndim == len(dims) and dims[:1] == ("component",)
            )
            if by_component and value.shape[0] == len(family.components):
                rows.extend(value.reshape(len(value), -1).T)
    return np.unique(np.array(rows), axis=1, return_inverse=True)[1].reshape(-1)


def switching_groups(family: Likelihood) -> np.ndarray:
    """A group number per component; the labels of one group may switch between draws. Ordered ones do not."""
    groups = exchange_groups(family)
    return groups if family.spec.order is None else np.arange(len(groups))


def _components(family: Family, n_components: int | None) -> int:
    value = family.default_components if n_components is None else n_components
    if value is None:
        raise ValueError(f"n_components: a {family.name} mixture needs it, a whole number >= 1")
    return whole_numbers(n_components=value)["n_components"]


def _check_order(spec: Mixture, data: Data) -> None:
    if spec.order is not None and data.n_features != 1:
        raise ValueError(f"order: {spec.order!r} needs one feature; the data have {data.n_features}")
    if spec.order is not None and data.labelled.any():
        raise ValueError(f"order: {spec.order!r} cannot be combined with labels: the labels name the components")


def _check_shapes(family: Likelihood, priors: Mapping[str, Prior]) -> None:
    """Each parameter must broadcast to its variable."""
    for key, prior in priors.items():
        dims = family.dims.get(key)
        if dims is None:
            continue
        shape = tuple(len(family.coords[d]) for d in dims) if key != "correlations" else ()
        for name, value in prior.parameters.items():
            wanted = (*shape, shape[-1]) if name == "chol" else shape
            exact = name == "chol" or (key == "weights" and value.shape != ())
            try:
                fits = value.shape == wanted if exact else np.broadcast_shapes(value.shape, wanted) == wanted
            except ValueError:
                fits = False
            if not fits:
                raise ValueError(f"priors: {key!r}, {name} has shape {value.shape}; must fit {dims} = {wanted}")


def _warn_of_ties(data: Data, priors: Mapping[str, Prior]) -> None:
    scales = priors.get("scales")
    if scales is None or scales.vanishes_at_zero:
        return
    for name, values in zip(data.feature_names, data.x.T, strict=True):
        value, count = max(zip(*np.unique(values, return_counts=True), strict=True), key=lambda pair: pair[1])
        if count > 1:
            warnings.warn(
                f"priors: {scales.distribution} scales do not vanish at 0, and {count} rows tie at {name} = {value:g}: "
                "the posterior is unbounded there. An InverseGamma or LogNormal prior avoids it.",
                UserWarning,
                stacklevel=4,
            )
