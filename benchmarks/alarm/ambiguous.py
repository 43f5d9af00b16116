"""Data whose posterior has competing modes, or labels that nothing tells apart: the alarm must go off.

Point sets with an exact symmetry are used where that proves the modes: a rotation or reflection that maps the rows to
themselves, and the priors with them, maps one mode to another of the same mass.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import bayesmix as bm
from benchmarks.alarm.case import Case, gaussian


def rotated(offsets: np.ndarray, centre: np.ndarray, times: int) -> np.ndarray:
    """The offsets about a centre, and all their turns by 360 / ``times`` degrees, which map the rows to themselves."""
    angles = 2 * np.pi * np.arange(times) / times
    turns = np.array([[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in angles])
    return np.vstack([(offsets + centre) @ turn.T for turn in turns])


def corners(stretch: float = 1.0) -> np.ndarray:
    """Ten rows about each corner of a square; ``stretch`` moves the corners apart along the first axis."""
    scatter = np.random.default_rng(7).standard_normal((10, 2))
    rows = rotated(scatter, np.array([3.0, 3.0]), 4)
    centres = rotated(np.zeros((10, 2)), np.array([3.0, 3.0]), 4)
    return rows + centres * [stretch - 1.0, 0.0]


def triangle() -> np.ndarray:
    """Fifteen rows about each corner of an equilateral triangle."""
    return rotated(0.7 * np.random.default_rng(11).standard_normal((15, 2)), np.array([4.0, 0.0]), 3)


def cross() -> np.ndarray:
    """Two lines that cross at right angles, thirty rows each, along the axes' diagonals."""
    along = np.random.default_rng(12).uniform(-4, 4, 15)
    across = 0.15 * np.random.default_rng(13).standard_normal(15)
    return rotated(np.column_stack([along - across, along + across]) / np.sqrt(2), np.zeros(2), 4)


def mirrored(centres: tuple[float, ...], n: int, sd: float) -> np.ndarray:
    """``n`` values about each centre, mirrored at 0, for centres that lie symmetric about 0."""
    offsets = sd * np.random.default_rng(14).standard_normal(n)
    half = [c + offsets for c in centres if c > 0]
    middle = [np.r_[offsets[: n // 2], -offsets[: n // 2]]] if 0.0 in centres else []
    return np.concatenate([*half, *(-h for h in half), *middle])


def normal(n: int, d: int, seed: int) -> np.ndarray:
    """One cluster."""
    return np.random.default_rng(seed).standard_normal((n, d))


def near_duplicates() -> np.ndarray:
    """Two normals of which nothing but half a standard deviation tells the means apart."""
    rng = np.random.default_rng(15)
    return rng.normal(np.where(rng.random(200) < 0.5, 0.0, 0.5), 1.0)


def two_groups() -> np.ndarray:
    """Two clusters far apart, 60 rows each."""
    rng = np.random.default_rng(16)
    return rng.normal(np.repeat([0.0, 8.0], 60), 1.0)


def one_class_known() -> bm.Data:
    """Half of one cluster is known to be of class "a"; two components are left for the other cluster."""
    x = two_groups()
    labels = ["a" if i < 30 else None for i in range(len(x))]
    return bm.Data(x, labels=labels)


def galaxies() -> np.ndarray:
    """The gallery's 82 velocities."""
    return bm.load("galaxies")[1].x


def case(name: str, why: str, K: int, rows: Callable[[], np.ndarray | bm.Data], d: int = 1, **options: str) -> Case:
    """A case of Gaussian components."""
    spec, layout = gaussian(K, d, **options)

    def make() -> tuple[bm.Mixture, bm.Data]:
        made = rows()
        return spec, made if isinstance(made, bm.Data) else bm.Data(made)

    return Case(name, why, layout, make)


CASES = (
    case("square", "two splits that a quarter turn exchanges: one half each", 2, corners, 2),
    case("stretched square", "the same two splits, no longer equal", 2, lambda: corners(1.02), 2),
    case(
        "triangle",
        "one corner alone, two together: three modes of one third each",
        2,
        triangle,
        2,
        covariance="spherical",
    ),
    case("cross", "left and right, or top and bottom: one half each", 2, cross, 2, covariance="diag"),
    case(
        "three on a line",
        "the middle group goes left or right: one half each",
        2,
        lambda: mirrored((-4.0, 0.0, 4.0), 20, 0.5),
    ),
    case(
        "four on a line",
        "the left, the middle or the right pair is merged: three modes",
        3,
        lambda: mirrored((-9.0, -3.0, 3.0, 9.0), 15, 0.5),
    ),
    case(
        "one normal, K=2", "nothing tells two components of one plane cluster apart", 2, lambda: normal(150, 2, 17), 2
    ),
    case("one normal, K=3", "nothing tells three components of one cluster apart", 3, lambda: normal(200, 1, 18)),
    case("near duplicates", "means half a standard deviation apart", 2, near_duplicates),
    case("two groups, K=4", "either group may be the one that is split, and how is open", 4, two_groups),
    case("one class known", "one class is known, two components share the other cluster", 3, one_class_known),
    case("galaxies, K=5", "which of the groups are split is open", 5, galaxies),
)
"""Fixed before any was fitted."""
