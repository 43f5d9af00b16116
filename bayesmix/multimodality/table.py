"""The modes of a posterior as a table: what each is, how starts reach it, how much of the mass it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.mixture.estimates import canonical_order, reorder, to_dataset
from bayesmix.multimodality.masses import Mass
from bayesmix.multimodality.maxima import OCCUPIED, PosteriorMode
from bayesmix.parts.weights import WEIGHTS

OF_MASS = ("mass", "mass_error", "log_evidence", "log_evidence_error")
NOISE = 1e-6
"""A mean this much smaller than the largest is printed as 0."""
SHOWN = 5
"""Modes that are printed."""
NOTHING = (float("nan"), float("nan"), float("nan"), float("nan"), False)


def modes_dataset(
    modes: Sequence[PosteriorMode], likelihood: Likelihood, mass: Mapping[int, Mass], start: np.ndarray
) -> xr.Dataset:
    """The modes as a group of the DataTree: values, rough and bridge-sampled masses, named estimates, chain starts.

    The region with the largest mass comes first, and in each the mode with the largest Laplace mass.
    """
    order = sorted(range(len(modes)), key=lambda i: (modes[i].region < 1, modes[i].region, -modes[i].log_mass))
    start, modes = np.argsort(order)[start], [modes[i] for i in order]
    highest = max(mode.log_mass for mode in modes)
    rows = []
    for mode in modes:
        named = likelihood.named(mode.params)
        rows.append(to_dataset(likelihood, reorder(likelihood, named, canonical_order(likelihood, named))))
    looked_at = all(mode.region >= 0 for mode in modes)
    known = {1: (1.0, 0.0, float("nan"), float("nan"), True)} if looked_at and not mass else {}
    for g, m in mass.items():
        share = (m.share, m.error) if looked_at else NOTHING[:2]  # of how much, nobody knows
        known[g] = (*share, m.integral.value, m.integral.standard_error, m.established and looked_at)
    by_mode = [known.get(mode.region, NOTHING) for mode in modes]
    table = xr.concat(rows, dim="mode").assign_coords(mode=np.arange(1, len(modes) + 1))
    return table.assign({name: ("mode", [row[j] for row in by_mode]) for j, name in enumerate(OF_MASS)}).assign(
        log_posterior=("mode", [mode.log_posterior for mode in modes]),
        laplace=("mode", [mode.log_mass - highest for mode in modes]),
        reached=("mode", [mode.reached for mode in modes]),
        region=("mode", [mode.region for mode in modes]),
        established=("mode", np.array([row[-1] for row in by_mode], dtype="int8")),
        chain_start=("chain", start + 1),
    )


def by_region(modes: xr.Dataset) -> list[xr.Dataset]:
    """The maxima of every region, the largest region first; then, each alone, those that no chain was sent to."""
    region = modes["region"].to_numpy()
    members = [np.flatnonzero(region == g) for g in np.unique(region[region > 0])]
    return [modes.isel(mode=own) for own in [*members, *([i] for i in np.flatnonzero(region <= 0))]]


def describe_mode(mode: xr.Dataset, n: float | None = None) -> str:
    """A mode in words: weights of its components, and where they are; ``n`` rows tell which are near-empty.

    Examples
    --------
    >>> named = {"weights": ("component", [0.3, 0.7]), "means": (("component", "feature"), [[2.0], [5.0]])}
    >>> describe_mode(xr.Dataset(named, coords={"mode": 1, "component": ["a", "b"]}))
    'mode 1: 0.30 at (2), 0.70 at (5)'
    """
    if WEIGHTS not in mode:
        return f"mode {int(mode['mode'])}"
    parts = []
    where = next(v for v, a in mode.data_vars.items() if v != WEIGHTS and a.dims[:1] == ("component",))
    least = NOISE * float(abs(mode[where]).max())
    for k in mode["component"].to_numpy():
        means = ", ".join(f"{m if abs(m) > least else 0.0:.3g}" for m in np.ravel(mode[where].sel(component=k)))
        weight = float(mode[WEIGHTS].sel(component=k))
        empty = n is not None and weight * n < OCCUPIED
        parts.append(f"{weight:.2g} near-empty" if empty else f"{weight:.2f} at ({means})")
    return f"mode {int(mode['mode'])}: " + ", ".join(parts)


class Modes:
    """The modes of a posterior, up to relabelling.

    Attributes
    ----------
    table : DataFrame
        One row per mode that chains do not leave, the largest first: ``mass`` and ``mass_error`` (its share of the
        posterior), ``log_evidence`` (log of the posterior's integral over it, all labellings) and its
        ``log_evidence_error``, ``log_posterior`` (at its highest point, unconstrained scale), ``reached`` (how many
        starts led to it), ``established``, ``description``. Below them the modes whose mass is negligible by Laplace's
        approximation, which no chain was sent to: their ``mass`` is that rough value, their error unknown. Where more
        modes compete than chains can be sent to, no mass is known.
    maxima : Dataset
        Every local maximum with its estimates; those with one ``region`` are linked by chains that cross.
    """

    def __init__(self, maxima: xr.Dataset, n: float | None = None) -> None:
        self.maxima = maxima
        self.table = _table(maxima, n)

    def __str__(self) -> str:
        lines = []
        for number, row in self.table.head(SHOWN).iterrows():
            error = f" +- {row['mass_error']:.2g}" if np.isfinite(row["mass_error"]) else " (rough)"
            share = f"{row['mass']:.3g}{error} of the mass" if np.isfinite(row["mass"]) else "an unknown share"
            share = "all of the mass" if row["mass"] == 1 and row["mass_error"] == 0 else share
            lines.append(f"{number}. {share}; {row['description'].split(': ')[-1]}")
        more = len(self.table) - len(lines)
        return "\n".join(lines + [f"and {more} lower ones"] * bool(more))


def _table(maxima: xr.Dataset, n: float | None) -> pd.DataFrame:
    rows, regions = [], by_region(maxima)
    main = float(regions[0]["mass"][0])
    for inside in regions:
        top = inside.isel(mode=int(np.argmax(inside["log_posterior"].to_numpy())))
        apart = int(top["region"]) != 0
        row: dict[str, Any] = {v: float(top[v]) for v in (*OF_MASS, "log_posterior")}
        row |= {} if apart else {"mass": main * float(np.exp(top["laplace"]))}
        row |= {"reached": int(inside["reached"].sum()), "established": bool(top["established"])}
        rows.append(row | {"description": describe_mode(top, n)})
    return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="mode"))
