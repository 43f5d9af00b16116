"""The mixtures among which to choose, with priors of the components that do not depend on how many there are."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmix.families.prior_sets import NAMES_OF_SETS
from bayesmix.families.table import FAMILIES
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.inputs.prior import Prior
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import Mixture, resolved
from bayesmix.parts.normal import centre_and_spread

REFERENCE = 3
"""Default priors that depend on the number of components are those of so many, for every candidate: groups as wide as
those of three that share the space, between the one and the nine that are usually asked about."""
K_FREE, BY_K = "k-free", "default"
PRIORS = {
    K_FREE: "Priors of components do not depend on K: defaults that do are those of K = {reference}, for all alike.",
    BY_K: "Default priors depend on K (scales shrink as K grows): evidences of different K answer different questions.",
} | {name: f"Priors are those of {name}; the components' do not depend on K." for name in NAMES_OF_SETS}
"""What ``priors=`` may say, and what it means."""
UNITLESS = ("simplex", "simplexes", "correlation")
"""Supports of parameters that are the same in every unit of a column."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One mixture, its priors written out.

    Attributes
    ----------
    likelihood : Likelihood
        Bound to all rows.
    kind : str
        Its covariance, where several are compared; else empty.
    """

    likelihood: Likelihood
    kind: str

    @property
    def spec(self) -> Mixture:
        """With every prior in numbers."""
        return self.likelihood.spec

    @property
    def data(self) -> Data:
        """The rows."""
        return self.likelihood.data

    @property
    def n_components(self) -> int:
        """K."""
        return self.spec.n_components

    @property
    def name(self) -> str:
        """As tables call it."""
        return name_of(self.n_components, self.kind)


def name_of(n_components: int, kind: str) -> str:
    """``3``, or ``3 tied`` where covariances are compared."""
    return f"{n_components} {kind}".strip()


def candidates(
    spec: Mixture, data: Data, n_components: int | Iterable[int], covariance: str | Sequence[str] | None, priors: str
) -> list[Candidate]:
    """Every number of components with every covariance; ValueError where one of them cannot be."""
    if priors not in PRIORS:
        raise ValueError(f"priors: must be one of {', '.join(map(repr, PRIORS))}; got {priors!r}")
    numbers = list(n_components) if isinstance(n_components, Iterable) else [n_components]
    if not numbers:
        raise ValueError("n_components: needs a number of components, such as range(1, 7)")
    for K in numbers:
        whole_numbers(n_components=K)
    kinds = [covariance] if isinstance(covariance, str) else list(covariance or [""])
    spec = spec.replace(prior_set=priors) if priors in NAMES_OF_SETS else spec
    made: list[Candidate] = []
    for kind in dict.fromkeys(kinds):
        option = {"covariance": kind} if kind else {}
        shared = {} if priors == BY_K else k_free_priors(spec.replace(**option), data, numbers)
        specs = [spec.replace(n_components=K, **option) for K in sorted(set(numbers))]
        made += [Candidate(_resolved(own, data, shared), kind) for own in specs]
    return made


def standardized(spec: Mixture, data: Data) -> Data:
    """The rows with every column in units of its standard deviation.

    ValueError for what is not measured, and where the mixture says in other units what it knows or believes.
    """
    family = FAMILIES[spec.family]
    if family.observation != "measurement":
        raise ValueError(f"standardize: is of measured columns; a {spec.family} mixture has none")
    measured = [p.name for p in family.parameters(spec.options) if p.support not in UNITLESS]
    for argument, given in (("priors", spec.priors), ("fixed", spec.fixed)):
        for name in (name for name in measured if name in given):
            raise ValueError(
                f"standardize: {argument} has {name!r} in the columns' own units; divide the columns first"
            )
    return data.with_observations(data.x / centre_and_spread(data)[1])


def in_units(asked: Sequence[Candidate]) -> list[str]:
    """The kinds, or else names, of candidates that would be others in other units of a column."""
    return list(dict.fromkeys(c.kind or c.name for c in asked if c.likelihood.component.in_units))


def reference_components(spec: Mixture, data: Data, numbers: Iterable[int]) -> int:
    """The number of components whose default priors all candidates have.

    What is known may be of just so many components: then it is the nearest of the numbers that are asked about.
    """
    own = FAMILIES[spec.family].default_components
    reference = min(max(REFERENCE, len(data.classes)), len(data)) if own is None else own
    return min(numbers, key=lambda K: abs(K - reference)) if spec.fixed else reference


def k_free_priors(spec: Mixture, data: Data, numbers: Iterable[int]) -> dict[str, Prior]:
    """The priors of the mixture of the reference number of components; those of its set, where it has one."""
    K = reference_components(spec, data, numbers)
    return _resolved(spec.replace(n_components=K, priors={}), data, {}).spec.priors


def _resolved(spec: Mixture, data: Data, shared: dict[str, Prior]) -> Likelihood:
    """Bound, with the shared priors in place of its own defaults; those with an entry per component stay its own."""
    free = {key: prior for key, prior in shared.items() if key not in spec.priors}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a user's priors: said once, where they are written out
        likelihood = resolved(spec, data)
    own = likelihood.spec.priors
    same = {key: prior for key, prior in free.items() if key in own and _for_any_number(prior, own[key])}
    likelihood.spec = likelihood.spec.replace(priors=own | same)
    return likelihood


def _for_any_number(prior: Prior, own: Prior) -> bool:
    """Whether it has no entry per component, which the default would have for another number of them."""
    sizes = {name: np.shape(value) for name, value in own.parameters.items()}
    shapes = {name: np.shape(value) for name, value in prior.parameters.items()}
    return not any(shapes.values()) or shapes == sizes
