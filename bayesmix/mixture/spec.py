"""Which mixture: the family, how many components, its priors. Frozen; changed by :meth:`Mixture.replace`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmix.families.prior_sets import check_set, prior_set
from bayesmix.families.table import FAMILIES
from bayesmix.inputs.arguments import MOST_COMPONENTS, meant, shown, whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.family import Family
from bayesmix.likelihood.known import check_names
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.fixed import frozen, thawed
from bayesmix.mixture.priors import check_priors, check_shapes


@dataclass(frozen=True, init=False)
class Mixture:
    """A mixture, described apart from data and from PyMC.

    Parameters
    ----------
    family : str
        One of :data:`bayesmix.families.NAMES`. What each takes, and its default priors, is said by its class in
        ``bayesmix/families/NAME/maths.py``.
    n_components : int, optional
        K >= 1. Needed but for families that have a number of their own.
    priors : mapping of str to Prior, or str, optional
        Those that replace the defaults (see :func:`resolve`). A name stands for a published set, scaled by the rows:
        ``"richardson-green"`` or ``"fms-2021"`` (:func:`bayesmix.families.prior_sets.prior_set`).
    prior_set : str, optional
        The name of such a set beside priors of the user's own, which go before it.
    fixed : mapping of str to value, optional
        Known parameters, by the names of those that have priors: a number (for all entries), an array of the
        parameter's shape, ``"equal"`` for weights, or a table by component name, ``{"component_1": 0.0}``: components
        that are not named are free. They are constants, in EM and in the posterior alike, and no free parameters.
        Weights, coefficients and what all components share are known as a whole or not at all. A component of which
        something is known by its name keeps its label; values that all components share leave labels exchangeable.
    order : {None, "means"}
        Orders the components of a mixture in one column by this estimate; by default labels are told apart after
        sampling.
    **options
        Those of the family: covariance kinds, formulas.

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
    prior_set: str | None
    _options: tuple[tuple[str, Any], ...]
    _priors: tuple[tuple[str, Prior], ...]
    _fixed: tuple[tuple[str, Any], ...]

    def __init__(
        self,
        family: str,
        *,
        n_components: int | None = None,
        priors: Mapping[str, Prior] | str | None = None,
        prior_set: str | None = None,
        fixed: Mapping[str, Any] | None = None,
        order: str | None = None,
        **options: Any,
    ) -> None:
        if family not in list(FAMILIES):
            raise ValueError(
                f"family: unknown family {shown(family)}; choose from {', '.join(FAMILIES)}{meant(family, FAMILIES)}"
            )
        declared = FAMILIES[family]
        K = _components(declared, n_components)
        for name in options:
            if name not in declared.options:
                known = f"choose from {', '.join(declared.options)}" if declared.options else "it has none"
                raise ValueError(f"{name}: not an option of a {family} mixture; {known}{meant(name, declared.options)}")
        checked = declared.check_options(options, K)
        if order is not None and order not in declared.orders:
            orders = "".join(f" or {o!r}" for o in declared.orders)
            raise ValueError(f"order: must be None{orders} here, in a {family} mixture; got {order!r}")
        if isinstance(priors, str):
            if prior_set not in (None, priors):
                raise ValueError(f"prior_set: priors are those of {priors!r} already; got {shown(prior_set)}")
            priors, prior_set = None, priors
        if prior_set is not None:
            check_set(prior_set, family)
        own = check_priors(declared, checked, priors or {})
        check_names(declared.parameters(checked), fixed or {}, own)
        self.__dict__.update(
            family=family,
            n_components=K,
            order=order,
            prior_set=prior_set,
            _options=tuple(checked.items()),
            _priors=tuple(sorted(own.items())),
            _fixed=frozen(fixed or {}),
        )

    @property
    def options(self) -> dict[str, Any]:
        """The family's own options."""
        return dict(self._options)

    @property
    def priors(self) -> dict[str, Prior]:
        """The priors that replace the defaults."""
        return dict(self._priors)

    @property
    def fixed(self) -> dict[str, Any]:
        """Known parameters, in plain numbers, lists and tables."""
        return thawed(self._fixed)

    def replace(self, **changes: Any) -> Mixture:
        """The same mixture with these arguments changed."""
        kept = ("family", "n_components", "order", "priors", "prior_set", "fixed")
        now = {name: getattr(self, name) for name in kept}
        if isinstance(changes.get("priors"), str):  # in place of another set
            now["prior_set"] = None
        return Mixture(**(now | self.options | changes))

    def to_dict(self) -> dict[str, Any]:
        """A plain dict for JSON and TOML."""
        entry: dict[str, Any] = {"family": self.family, "n_components": self.n_components} | self.options
        if self.order is not None:
            entry["order"] = self.order
        if self.prior_set is not None:
            entry["prior_set"] = self.prior_set
        if self._fixed:
            entry["fixed"] = self.fixed
        return entry | {"priors": {key: prior.to_dict() for key, prior in self.priors.items()}}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Mixture:
        """The inverse of :meth:`to_dict`."""
        values = dict(entry)
        if "family" not in values:
            raise ValueError(f"mixture: needs a family; choose from {', '.join(FAMILIES)}")
        priors = values.pop("priors", {})
        if isinstance(priors, str):
            return cls(**values, priors=priors)
        if not isinstance(priors, Mapping):
            raise ValueError(f"priors: must be a table of priors, or the name of a set; got {shown(priors)}")
        return cls(**values, priors={key: Prior.from_dict(value) for key, value in priors.items()})

    def __repr__(self) -> str:
        parts = [repr(self.family), f"n_components={self.n_components}"]
        parts += [f"{k}={v!r}" for k, v in self._options]
        parts += [f"order={self.order!r}"] if self.order else []
        parts += [f"prior_set={self.prior_set!r}"] if self.prior_set else []
        parts += [f"priors={self.priors!r}"] if self.priors else []
        parts += [f"fixed={self.fixed!r}"] if self._fixed else []
        return f"Mixture({', '.join(parts)})"


def bind(spec: Mixture, data: Data) -> Likelihood:
    """The likelihood over these rows; ValueError where the data cannot be that family's."""
    if not isinstance(spec, Mixture):
        raise ValueError(f"spec: must be a bm.Mixture; got a {type(spec).__name__}")
    if not isinstance(data, Data):
        raise ValueError(f"data: must be a bm.Data, as bm.Data(frame) makes one; got a {type(data).__name__}")
    likelihood = Likelihood(FAMILIES[spec.family], spec.options, spec.n_components, data, spec.fixed)
    likelihood.spec = spec
    return likelihood


def resolved(spec: Mixture, data: Data) -> Likelihood:
    """The mixture as :func:`resolve` writes it out, bound to the data that it was written out for."""
    likelihood = bind(spec, data)
    likelihood.spec = _written_out(likelihood)
    return likelihood


def resolve(spec: Mixture, data: Data) -> Mixture:
    """The same mixture with every prior written out in numbers.

    This is what is built, recorded and reported; resolving it again changes nothing.

    The defaults are weakly informative, on the scale of the data: each family's class states them. Row weights count.

    Warns
    -----
    UserWarning
        Where the family doubts a user's prior over these rows: a prior of scales that does not vanish at zero, where
        values tie, leaves a component that sits on them unbounded posterior density.
    """
    return _written_out(bind(spec, data))


def _written_out(likelihood: Likelihood) -> Mixture:
    """The mixture of a bound likelihood with every prior in numbers."""
    spec = likelihood.spec
    _check_order(spec, likelihood)
    priors = likelihood.default_priors() | _of_set(spec, likelihood.data) | spec.priors
    check_shapes(likelihood, priors)
    _warn(likelihood, priors)
    return spec.replace(priors=priors)


def _of_set(spec: Mixture, data: Data) -> dict[str, Prior]:
    """The priors of the set that is asked for by its name; what is known of all components has none."""
    named = prior_set(spec.prior_set, spec.family, spec.options, data) if spec.prior_set else {}
    return {key: prior for key, prior in named.items() if isinstance(spec.fixed.get(key, {}), Mapping)}


def exchange_groups(likelihood: Likelihood) -> np.ndarray:
    """A group number per component: labels may switch within a group, by evidence, prior and what was measured."""
    rows = [likelihood.exchangeable] if likelihood.measured is None else [likelihood.exchangeable, likelihood.measured]
    for key, prior in likelihood.spec.priors.items():
        dims = likelihood.dims.get(key, ())
        for value in prior.parameters.values():
            by_component = value.ndim == len(dims) and dims[:1] == ("component",)
            if by_component and value.shape[0] == len(likelihood.components):
                rows.extend(value.reshape(len(value), -1).T)
    return np.unique(np.array(rows), axis=1, return_inverse=True)[1].reshape(-1)


def switching_groups(likelihood: Likelihood) -> np.ndarray:
    """A group number per component; the labels of one group may switch between draws. Ordered ones do not."""
    groups = exchange_groups(likelihood)
    return groups if likelihood.spec.order is None else np.arange(len(groups))


def _components(family: Family, n_components: int | None) -> int:
    value = family.default_components if n_components is None else n_components
    if value is None:
        raise ValueError(f"n_components: a {family.name} mixture needs it, a whole number >= 1")
    K = whole_numbers(n_components=value)["n_components"]
    if K > MOST_COMPONENTS:
        raise ValueError(f"n_components: must be at most {MOST_COMPONENTS}; got {K}")
    return K


def _check_order(spec: Mixture, likelihood: Likelihood) -> None:
    data = likelihood.data
    if spec.order is not None and data.n_features != 1:
        raise ValueError(f"order: {spec.order!r} needs one feature; the data have {data.n_features}")
    if spec.order is not None and data.labelled.any():
        raise ValueError(f"order: {spec.order!r} cannot be combined with labels: the labels name the components")
    if spec.order is not None and (spec.order in likelihood.known or len(np.unique(likelihood.exchangeable)) > 1):
        raise ValueError(f"order: {spec.order!r} cannot be combined with known parameters that name the components")


def _warn(likelihood: Likelihood, priors: Mapping[str, Prior]) -> None:
    for doubt in likelihood.family.doubts(likelihood.data, priors):
        warnings.warn(doubt, UserWarning, stacklevel=4)
