"""Free coordinates of covariance matrices under a structure, and the score in them.

Of all structures: log sigma_k, and contrasts of log delta_k, which sum to 0 (rows of a Helmert matrix). Where shape and
orientation go together, or features are uncorrelated, delta_k is the diagonal of a Cholesky factor L_k of determinant
1, Sigma_k = sigma_k^2 L_k L_k', and its entries below the diagonal are the others. Where there are axes of their own,
those are rotations by Cayley's transform, in the copy (order and signs of columns) that is near the identity.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from scipy.linalg import helmert

from bayesmix.families.gaussian.structures import axes
from bayesmix.families.gaussian.structures.structure import Structure
from bayesmix.inputs.pairs import below_diagonal


class Chart(ABC):
    """Coordinates of K matrices (d, d) of one structure: sizes, shapes, the rest."""

    def __init__(self, structure: Structure, n_components: int, n_features: int) -> None:
        self.structure, self.K, self.d = structure, n_components, n_features
        self.contrasts = helmert(self.d)
        count = {"E": 1, "V": self.K, "I": 0}
        pairs = self.d * (self.d - 1) // 2
        self.counts = (count[structure.volume], count[structure.shape], count[structure.orientation])
        self.cuts = np.cumsum(np.array(self.counts) * (1, self.d - 1, pairs))

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return int(self.cuts[-1])

    def pack(self, covariances: np.ndarray) -> np.ndarray:
        """Coordinates of matrices (K, d, d)."""
        log_size = sizes(covariances)
        log_ratios, rest = self._parts(covariances, np.exp(log_size))
        shapes = log_ratios[: self.counts[1]] @ self.contrasts.T
        return np.concatenate([log_size[: self.counts[0]], shapes.ravel(), rest[: self.counts[2]].ravel()])

    def _split(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """sigma (K or 1,), log delta (K or 1, d), the rest (K, 1 or 0, pairs)."""
        size, shapes, rest = np.split(theta, self.cuts[:-1])
        return (
            np.exp(size),
            shapes.reshape(self.counts[1], self.d - 1) @ self.contrasts,
            rest.reshape(self.counts[2], self.d * (self.d - 1) // 2),
        )

    @abstractmethod
    def factors(self, theta: np.ndarray) -> np.ndarray:
        """Cholesky factors C_k (K, d, d)."""

    @abstractmethod
    def units(self, covariances: np.ndarray) -> np.ndarray:
        """The natural size of a step in each coordinate."""

    @abstractmethod
    def score(self, C: np.ndarray, of_C: np.ndarray) -> np.ndarray:
        """dL / dtheta from factors and C^-T (S - N I), (K, d, d), of which dL / dC is the lower triangle."""

    @abstractmethod
    def _parts(self, covariances: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log delta_k (K, d) and the rest (K or 1, pairs), of which the first are taken."""

    def _joined(self, of_size: np.ndarray, of_ratios: np.ndarray, of_rest: np.ndarray) -> np.ndarray:
        """A gradient by log sigma_k (K,), log delta_k (K, d), the rest (K or 1, pairs): summed where it is shared."""
        of_shapes = of_ratios @ self.contrasts.T
        pieces = (of_size, of_shapes, of_rest)
        shared = [p.sum(axis=0, keepdims=True) if n == 1 else p[:n] for p, n in zip(pieces, self.counts, strict=True)]
        return np.concatenate([p.ravel() for p in shared])


class Triangles(Chart):
    """By Cholesky factors of determinant 1."""

    def _parts(self, covariances: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        L = np.linalg.cholesky(covariances) / size[:, None, None]
        return np.log(np.einsum("kjj->kj", L)), below_diagonal(L)

    def factors(self, theta: np.ndarray) -> np.ndarray:
        """sigma_k L_k."""
        size, log_ratios, entries = self._split(theta)
        L = np.exp(log_ratios)[:, None, :] * np.eye(self.d)
        if len(entries):
            rows, columns = np.tril_indices(self.d, k=-1)
            L[:, rows, columns] = entries
        return np.asarray(np.broadcast_to(size[:, None, None] * L, (self.K, self.d, self.d)))

    def units(self, covariances: np.ndarray) -> np.ndarray:
        """1 for logarithms, relative standard deviations of the row's feature for entries of L below the diagonal."""
        sd = np.sqrt(np.einsum("kjj->kj", covariances)) / np.exp(sizes(covariances))[:, None]
        rows, _ = np.tril_indices(self.d, k=-1)
        ones = np.ones(int(self.cuts[1]))
        return np.concatenate([ones, sd[: self.counts[2], rows].ravel()])

    def score(self, C: np.ndarray, of_C: np.ndarray) -> np.ndarray:
        """By log C_jj: C_jj dL / dC_jj; by L_ij: sigma dL / dC_ij."""
        product = np.tril(of_C) * C
        size = np.exp(np.log(np.einsum("kjj->kj", C)).mean(axis=1))
        of_entries = size[:, None] * below_diagonal(of_C)
        return self._joined(product.sum(axis=(1, 2)), np.einsum("kjj->kj", product), of_entries)


class Rotations(Chart):
    """By axes: Sigma_k = sigma_k^2 D_k diag(delta_k^2) D_k'."""

    def _axes(self, covariances: np.ndarray) -> np.ndarray:
        """D (K or 1, d, d), near the identity."""
        if self.structure.orientation == "E":
            return axes.nearest_copies(axes.shared_axes(covariances)[None])[0]
        return axes.nearest_copies(np.linalg.eigh(covariances)[1])[0]

    def _parts(self, covariances: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        D = self._axes(covariances)
        return np.log(axes.turned_to(covariances, D)) / 2 - np.log(size)[:, None], axes.of_rotation(D)

    def factors(self, theta: np.ndarray) -> np.ndarray:
        """Of sigma_k^2 D_k diag(delta_k^2) D_k'."""
        size, log_ratios, entries = self._split(theta)
        root = axes.rotation(entries, self.d) * (size[:, None, None] * np.exp(log_ratios)[:, None, :])
        C = np.swapaxes(np.linalg.qr(np.swapaxes(root, -1, -2))[1], -1, -2)
        sign = np.where(np.einsum("kjj->kj", C) < 0, -1.0, 1.0)
        return np.asarray(np.broadcast_to(C * sign[:, None, :], (self.K, self.d, self.d)))

    def units(self, covariances: np.ndarray) -> np.ndarray:
        """1 for logarithms; for rotations as far as turns the flattest ellipse by its own width."""
        v = axes.turned_to(covariances, self._axes(covariances))
        with np.errstate(divide="ignore"):
            wide = np.sqrt(v[:, :, None] * v[:, None, :]) / np.abs(v[:, :, None] - v[:, None, :])
        narrow = np.minimum(wide.min(axis=(1, 2)), 1.0)
        narrow = narrow if self.structure.orientation == "V" else narrow.min(keepdims=True)
        pairs = self.d * (self.d - 1) // 2
        return np.concatenate([np.ones(int(self.cuts[1])), np.repeat(narrow, pairs)])

    def score(self, C: np.ndarray, of_C: np.ndarray) -> np.ndarray:
        """With G = dL / dSigma: by log sigma 2 tr(G Sigma), by log delta_j 2 (D' G D)_jj v_j, by D 2 G D diag(v)."""
        covariances = C @ np.swapaxes(C, -1, -2)
        D = self._axes(covariances)
        G = of_C @ np.linalg.inv(C) / 2
        G = (G + np.swapaxes(G, -1, -2)) / 2
        v = axes.turned_to(covariances, D)
        of_log = 2 * axes.turned_to(G, D) * v
        of_D = 2 * (G @ D) * v[:, None, :]
        of_D = of_D.sum(axis=0, keepdims=True) if self.structure.orientation == "E" else of_D
        return self._joined(of_log.sum(axis=1), of_log, axes.pulled_to_skew(of_D, axes.of_rotation(D), D))


def sizes(covariances: np.ndarray) -> np.ndarray:
    """log sigma_k = log|Sigma_k| / 2d, (..., K)."""
    return np.asarray(np.linalg.slogdet(covariances)[1] / (2 * covariances.shape[-1]))


def chart_of(structure: Structure, n_components: int, n_features: int) -> Chart:
    """The coordinates of a structure."""
    return (Rotations if structure.turned else Triangles)(structure, n_components, n_features)
