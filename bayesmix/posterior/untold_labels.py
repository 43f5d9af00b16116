"""Can labels be told apart? How the relabelled posterior compares with its own image under a swap of two labels."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import xarray as xr
from scipy.stats import gaussian_kde

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.spec import exchange_groups
from bayesmix.parts.held import COORDINATES

DENSITY_DRAWS = 4000
"""The density is estimated from so many draws at most, ..."""
AVERAGED = 200
"""... and averaged over about so many of them."""
UNCONSTRAINED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **{support: forward for support, (forward, _) in COORDINATES.items()},
    **{"simplex": np.log, "simplexes": np.log, "correlation": np.arctanh},
}
"""By support."""


def boundary_density(contrasts: np.ndarray) -> float:
    r"""How likely a draw on the border between two labellings is, relative to an average draw.

    A posterior that swaps of two labels leave unchanged is symmetric about 0 in the differences of their parameters;
    relabelling keeps one half. Along the direction a = V^-1 m that tells the two halves best apart (m, V: mean and
    covariance of the half that was kept) let f be the density of the whole. The ratio is f(0) / E f. With two normal
    humps at +-u standard deviations it is :math:`4 \sqrt{\pi} \varphi(u) / (1 + e^{-u^2})`: 1.4 where there is but one
    hump, which relabelling cuts through the middle, so that component-wise means describe the cut; 0.2 at u = 2.3,
    where one draw in a hundred has the wrong label; 0 where the labels are certain.

    Parameters
    ----------
    contrasts : ndarray, shape (draws, p)
        Parameters of one component minus those of the other, after relabelling.

    Examples
    --------
    >>> half = abs(np.random.default_rng(0).normal(size=(1000, 1)))
    >>> boundary_density(half) > 1, boundary_density(half + 9) < 0.001
    (True, True)
    """
    unit = contrasts.std(axis=0)
    moving = unit > 1e-10 * np.abs(contrasts).max(axis=0)
    z = contrasts[:, moving] / unit[moving]
    if not z.size:
        return 0.0
    precision = np.linalg.pinv(np.cov(z.T).reshape(z.shape[1], -1), rcond=1e-10, hermitian=True)
    t = (z @ precision @ z.mean(axis=0))[:: -(-len(z) // DENSITY_DRAWS)]
    both = np.r_[t, -t]
    f = gaussian_kde(both, lambda kde: kde.scotts_factor() * t.std() / both.std())
    return float(f(0.0)[0] / f(t[:: -(-len(t) // AVERAGED)]).mean())


def label_overlaps(likelihood: Likelihood, posterior: xr.Dataset) -> dict[tuple[str, str], float]:
    """:func:`boundary_density` of every two components that neither labels nor priors tell apart, by their names."""
    groups = exchange_groups(likelihood)
    pairs = [(j, k) for j, k in combinations(range(len(groups)), 2) if groups[j] == groups[k]]
    if not pairs:
        return {}
    values = _by_component(likelihood, posterior)
    names = likelihood.components
    return {(names[j], names[k]): boundary_density(values[:, j] - values[:, k]) for j, k in pairs}


def _by_component(likelihood: Likelihood, posterior: xr.Dataset) -> np.ndarray:
    """Free scalars of every component without constraints, (draws, K, p)."""
    supports = {p.name: p.support for p in likelihood.parameters}
    columns = []
    for variable, mask in likelihood.free.items():
        dims = likelihood.dims[variable]
        if dims[:1] != ("component",):
            continue
        values = posterior[variable].transpose("chain", "draw", *dims).to_numpy()
        free = values.reshape(-1, len(mask), mask[0].size)[:, :, mask.any(axis=0).ravel()]
        with np.errstate(divide="ignore"):
            columns.append(np.nan_to_num(UNCONSTRAINED[supports[variable]](free)))
    return np.concatenate(columns, axis=-1)
