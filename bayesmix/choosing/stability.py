"""Whether a choice would have been the same with other rows, or from another start of EM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix import estep
from bayesmix.choosing.candidates import K_FREE, Candidate, candidates
from bayesmix.em.fit_em import EMFit, ml_fit
from bayesmix.em.fit_starts import fit_starts
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.inputs.data import Data
from bayesmix.mixture.spec import Mixture

RESAMPLES = 50
SUBSAMPLE = 0.8
"""The share of rows in a subsample."""
STARTS_OF_RESAMPLES = 5
"""Of EM for every candidate in every resample."""


@dataclass(frozen=True, eq=False)
class Stability:
    """How a choice by BIC holds.

    Attributes
    ----------
    wins : DataFrame
        By candidate: the share of resamples in which its BIC is the smallest (``resamples``), and of runs from a single
        random start over the rows as they are (``single_starts``).
    consensus : DataArray
        Dimensions obs, obs_bis: the share of resamples in which two rows are in one group, by the fit of ``name`` to
        the resample; every row is classified by every fit, whether it was drawn or not.
    name : str
        The candidate that is the best of all rows.
    resamples : int
        How many there were, and how many single starts.
    bootstrap : bool
        Whether rows were drawn with replacement.
    """

    wins: pd.DataFrame
    consensus: xr.DataArray
    name: str
    resamples: int
    bootstrap: bool

    @property
    def clearness(self) -> float:
        """How far pairs are always together or never: 1 - 4 mean(c (1 - c)) over pairs; 0 where all are at one half."""
        c = self.consensus.to_numpy()[np.triu_indices(self.consensus.sizes["obs"], 1)]
        return float(1 - 4 * (c * (1 - c)).mean()) if len(c) else 1.0

    def __str__(self) -> str:
        share = self.wins.to_string(float_format=lambda v: f"{v:.2f}")
        return f"{share}\n\nConsensus of K = {self.name} over resamples: {self.clearness:.2f} (1: every pair settled)."


def stability(
    spec: Mixture,
    data: Data,
    *,
    n_components: int | Iterable[int] = range(1, 7),
    covariance: str | Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    bootstrap: bool = False,
    n_starts: int = STARTS_OF_RESAMPLES,
    seed: int = 1,
) -> Stability:
    """How often each candidate has the smallest BIC over parts of the rows, and over single starts of EM.

    Ends in spikes do not count. The consensus matrix is that of Monti, Tamayo, Mesirov and Golub (2003,
    doi:10.1023/A:1023949509487), to be held beside the posterior's own :func:`bayesmix.co_clustering`: the one says
    what other rows would have made of the groups, the other how far these rows settle them.

    Parameters
    ----------
    spec, data, n_components, covariance
        As for :func:`bayesmix.choose`.
    resamples : int
        How many, and how many single starts.
    bootstrap : bool
        Rows drawn with replacement, as many as there are. By default four fifths of them, none twice: rows that are
        there several times look like groups of their own, and BIC then asks for more components than the data do.
    n_starts : int
        Of EM, for every candidate in every resample.
    seed : int
        Same seed, same result.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        Where an argument is impossible, naming it, and for labelled rows: resamples may lack a class.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmix import Data, Mixture
    >>> x = np.r_[np.linspace(1, 3, 30), np.linspace(11, 13, 30)]
    >>> found = stability(Mixture("gaussian", n_components=1), Data(x), n_components=(1, 2), resamples=5)
    >>> float(found.wins.loc["2", "resamples"]), found.name, round(found.clearness, 3)
    (1.0, '2', 1.0)
    """
    whole_numbers(resamples=resamples, n_starts=n_starts, seed=seed)
    if data.labelled.any():
        raise ValueError("data: rows are labelled; a resample may lack a class")
    asked = candidates(spec, data, n_components, covariance, K_FREE)
    names = [c.name for c in asked]
    chosen = _best([_fit(c, c.data, n_starts=4 * n_starts, seed=seed) for c in asked])
    rng, n = np.random.default_rng(seed), len(data)
    size = n if bootstrap else max(1, int(SUBSAMPLE * n))
    winners, together = [], np.zeros((n, n))
    for b in range(resamples):
        rows = data.take(rng.choice(n, size, replace=bootstrap))
        fits = [_fit(c, rows, n_starts=n_starts, seed=seed + b) for c in asked]
        winners.append(_best(fits))
        z = estep.responsibilities(asked[chosen].likelihood, fits[chosen].arrays).argmax(axis=-1)
        together += z[:, None] == z
    single = [_best([_fit(c, c.data, n_starts=1, seed=seed + b) for c in asked]) for b in range(resamples)]
    shares = [np.bincount(won, minlength=len(asked)) / resamples for won in (winners, single)]
    index = pd.Index(names, name="candidate")
    wins = pd.DataFrame({"resamples": shares[0], "single_starts": shares[1]}, index=index)
    obs = list(data.obs_names)
    coords = {"obs": obs, "obs_bis": obs}
    consensus = xr.DataArray(together / resamples, dims=("obs", "obs_bis"), coords=coords, name="consensus")
    return Stability(wins, consensus, names[chosen], resamples, bootstrap)


def _fit(candidate: Candidate, rows: Data, *, n_starts: int, seed: int) -> EMFit:
    likelihood = candidate.likelihood.rebind(rows)
    return ml_fit(likelihood, fit_starts(likelihood, n_starts=n_starts, seed=seed, everything=False))


def _best(fits: Sequence[EMFit]) -> int:
    """The smallest BIC, of those that are no spikes where there is one."""
    return min(range(len(fits)), key=lambda i: (fits[i].degenerate, fits[i].bic))
