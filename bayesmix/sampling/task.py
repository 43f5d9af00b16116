"""What is to be sampled: a compiled posterior, its modes as they were found, and how it was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.exchangeable import Exchange
from bayesmix.multimodality.maxima import Climber, PosteriorMode
from bayesmix.multimodality.table import modes_dataset
from bayesmix.posterior.assemble import attributes, sort_labels
from bayesmix.sampling.rescue import KeptRuns
from bayesmix.tempering.budget import Budget


@dataclass(frozen=True, eq=False)
class Task:
    """One call of :func:`bayesmix.sample`, once its modes are known.

    Attributes
    ----------
    climber : Climber
        Of the compiled posterior; its likelihood knows which components may switch labels.
    exchange : Exchange
        As it was measured.
    modes : list of PosteriorMode
        The largest mass, by Laplace's approximation, first.
    beside : mapping of str to Dataset
        The groups that are stored beside the draws.
    draws, tune, chains, target_accept, cores, seed
        As for :func:`bayesmix.sample`.
    budget : Budget
        Of a replica exchange.
    kept : KeptRuns or None
        Where finished runs of chains are kept.
    """

    climber: Climber
    exchange: Exchange
    modes: list[PosteriorMode]
    beside: Mapping[str, xr.Dataset]
    draws: int
    tune: int
    chains: int
    target_accept: float
    cores: int | None
    seed: int
    progress: bool
    log_likelihood: bool | str
    budget: Budget
    kept: KeptRuns | None = None

    @property
    def compiled(self) -> CompiledModel:
        """The compiled posterior."""
        return self.climber.compiled

    @property
    def likelihood(self) -> Likelihood:
        """The mixture over its rows."""
        return self.climber.parts.likelihood

    @property
    def settings(self) -> dict[str, Any]:
        """Of the chains."""
        names = ("draws", "tune", "chains", "target_accept")
        return {name: getattr(self, name) for name in names}

    @cached_property
    def own(self) -> list[str]:
        """Free variables that the user added."""
        known = self.climber.parts.start(self.modes[0].params)
        return [rv.name for rv in self.compiled.model.free_RVs if rv.name not in known]

    @property
    def extended(self) -> bool:
        """Whether the model has more to it than the mixture."""
        model = self.compiled.model
        return bool(self.own) or bool(model.potentials) or len(model.observed_RVs) > 1

    def in_one_labelling(self, dt: xr.DataTree, where: np.ndarray) -> xr.DataTree:
        """The draws relabelled within every region (``where``: of each draw), with their log-likelihoods."""
        return sort_labels(
            dt, self.compiled, self.likelihood, self.exchange, where=where, log_likelihood=self.log_likelihood
        )

    def modes_group(self, modes: list[PosteriorMode], *given: Any) -> xr.DataTree:
        """The modes as a group."""
        return xr.DataTree(modes_dataset(modes, self.likelihood, *given))

    def attributes(self, *, interrupted: bool) -> dict[str, Any]:
        """What is remembered of the call."""
        return attributes(self.likelihood.spec, self.own, self.exchange) | {
            "settings": json.dumps(self.settings | {"seed": self.seed}),
            "seed": self.seed,
            "extended_model": int(self.extended),
            "interrupted": int(interrupted),
        }
