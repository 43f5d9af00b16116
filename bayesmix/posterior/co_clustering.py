"""Which rows belong together, whatever the labels: co-clustering probabilities, and one partition to report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from bayesmix import estep
from bayesmix.inputs.arguments import whole_numbers
from bayesmix.likelihood.clusters import cut
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.parts.part import Params, at_most
from bayesmix.posterior.partitions import LOSSES, best_partition
from bayesmix.posterior.record import Record

MOST_ROWS = 2000
"""Tables of pairs hold so many rows, evenly spaced where there are more."""
MOST_DRAWS = 4000
ALLOCATIONS = 500
"""Allocations over which losses are averaged, one from each of so many draws."""
SAMPLED = 20
"""Of these so many are candidates themselves."""
BLOCK = 8_000_000
"""Responsibilities held at a time."""


def co_clustering(dt: xr.DataTree, *, rows: Sequence[int] | np.ndarray | None = None) -> xr.DataArray:
    r"""Probability of every two rows to come from one component, whichever its label.

    .. math:: \pi_{ij} = \frac1S \sum_s \sum_k r^{(s)}_{ik} r^{(s)}_{jk}, \qquad \pi_{ii} = 1

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`. At most 4,000 draws, evenly spaced, are used.
    rows : sequence of int, optional
        Positions of rows, from 0; by default all, or 2,000 evenly spaced ones where there are more.

    Returns
    -------
    DataArray
        Dimensions obs and obs_bis, symmetric, values between 0 and 1.

    Raises
    ------
    ValueError
        For rows that are not there or named twice.

    Examples
    --------
    >>> import bayesmix as bm
    >>> spec, data = bm.load("old_faithful")
    >>> dt = bm.sample(spec, data, draws=100, progress=False)  # doctest: +SKIP
    >>> together = bm.co_clustering(dt, rows=range(50))  # doctest: +SKIP
    """
    record = Record.of(dt)
    return _together(taken(record.likelihood, rows), record.params)


def _together(likelihood: Likelihood, params: Params) -> xr.DataArray:
    """:func:`co_clustering` of the rows of ``likelihood``."""
    n = len(likelihood.data)
    params = at_most(params, MOST_DRAWS)
    together = np.zeros((n, n))
    for some in _blocks(params, BLOCK // (n * len(likelihood.components)) + 1):
        r = estep.responsibilities(likelihood, some)
        flat = np.swapaxes(r, 0, 1).reshape(n, -1)
        together += flat @ flat.T
    together /= len(next(iter(params.values())))
    np.fill_diagonal(together, 1.0)
    names = list(likelihood.data.obs_names)
    coords = {"obs": names, "obs_bis": names}
    return xr.DataArray(np.clip(together, 0, 1), dims=("obs", "obs_bis"), coords=coords, name="co_clustering")


def point_partition(
    dt: xr.DataTree, loss: str = "vi", *, rows: Sequence[int] | np.ndarray | None = None, seed: int = 1
) -> xr.DataArray:
    """One partition of the rows: that which is closest to the sampled ones, on average.

    It minimizes the posterior expected loss over sampled allocations z ~ r. Candidates are some of these, the most
    probable component of every row, cuts of the average-linkage tree of :func:`co_clustering`, and partitions built up
    row by row; the best are improved by moving single rows, to clusters of their own too (Wade and Ghahramani 2018,
    doi:10.1214/17-BA1073; Dahl, Johnson and Mueller 2022, doi:10.1080/10618600.2022.2069779). The number of clusters is
    not fixed, and may differ from that of the components.

    Parameters
    ----------
    dt : DataTree
        A posterior of :func:`bayesmix.sample`.
    loss : {"vi", "binder"}
        Variation of information, in bits, or Binder's loss, the share of pairs that are wrongly together or apart. The
        latter makes more and smaller clusters of doubtful rows.
    rows : sequence of int, optional
        As for :func:`co_clustering`.
    seed : int
        Of the sampled allocations and of the search.

    Returns
    -------
    DataArray
        Dimension obs: numbers of clusters from 1, the largest first. Attributes: ``loss``, ``expected_loss``,
        ``n_clusters``.

    Raises
    ------
    ValueError
        For another loss, and as :func:`co_clustering`.

    Examples
    --------
    >>> import bayesmix as bm
    >>> rows = bm.Data([1.0, 1.2, 1.4, 1.5, 5.0, 5.1, 5.3, 5.6])
    >>> dt = bm.sample(bm.Mixture("gaussian", n_components=2), rows, draws=200, chains=2, progress=False)
    >>> point_partition(dt).to_numpy()
    array([1, 1, 1, 1, 2, 2, 2, 2])
    """
    if loss not in list(LOSSES):
        raise ValueError(f"loss: unknown {loss!r}; choose from {', '.join(LOSSES)}")
    whole_numbers(seed=seed)
    record = Record.of(dt)
    likelihood, rng = taken(record.likelihood, rows), np.random.default_rng(seed)
    together = _together(likelihood, record.params)
    r = estep.responsibilities(likelihood, at_most(record.params, ALLOCATIONS))
    z = (r.cumsum(axis=-1) < rng.random((*r.shape[:2], 1))).sum(axis=-1).clip(max=r.shape[-1] - 1)
    candidates = [
        *z[:: -(-len(z) // SAMPLED)],
        r.mean(axis=0).argmax(axis=-1),
        *_cuts(together.to_numpy(), r.shape[-1]),
    ]
    c, expected = best_partition(candidates, z, loss, rng)
    attrs = {"loss": loss, "expected_loss": expected, "n_clusters": int(c.max()) + 1}
    return xr.DataArray(c + 1, dims="obs", coords={"obs": together["obs"].to_numpy()}, attrs=attrs, name="cluster")


def _cuts(together: np.ndarray, K: int) -> Iterator[np.ndarray]:
    """Partitions into 1 to 2 K clusters along the average-linkage tree."""
    n = len(together)
    if n == 1:
        yield np.zeros(1, dtype=int)
        return
    tree = linkage(squareform(1 - together, checks=False), "average")
    for m in range(1, min(2 * K, n) + 1):
        c = np.empty(n, dtype=int)
        for number, members in enumerate(cut(tree, m)):
            c[members] = number
        yield c


def taken(likelihood: Likelihood, rows: Sequence[int] | np.ndarray | None) -> Likelihood:
    """The likelihood over these rows."""
    n = len(likelihood.data)
    if rows is None:
        return likelihood.evenly(MOST_ROWS)
    picked = np.asarray(rows)
    whole = picked.ndim == 1 and len(picked) > 0 and np.issubdtype(picked.dtype, np.integer)
    if not whole or picked.min() < 0 or picked.max() >= n or len(np.unique(picked)) < len(picked):
        raise ValueError(
            f"rows: must be different whole numbers from 0 to {n - 1}; got {np.array2string(picked, threshold=6)}"
        )
    return likelihood.rebind(likelihood.data.take(picked))


def _blocks(params: Params, size: int) -> Iterator[Params]:
    """The draws in blocks."""
    for start in range(0, len(next(iter(params.values()))), size):
        yield {v: a[start : start + size] for v, a in params.items()}
