"""Loadings up to rotation: Lambda and Lambda Q, Q orthogonal, are one model. The forms that single one out.

Lower triangular with a positive diagonal (Geweke and Zhou 1996): the form in which loadings are parameters, because it
has no directions in which the likelihood is flat, and because under independent normal entries its own law is known:
with Lambda = D Z, D diagonal, and Z = L Q, entries of L below the diagonal are standard normal and L_jj^2 is
chi-squared with q - j + 1 degrees of freedom, all independent.

Principal axes: the form in which they are shown. Columns are ordered by how much they explain of the columns' variance
in units of the noise, so that the order of the data's columns does not matter. Draws are turned to agree with one
reference, by the orthogonal matrix that brings them nearest to it (Papastamoulis and Ntzoufras 2022,
doi:10.1007/s11222-022-10084-4): each draw's own axes would change places where two explain about as much.
"""

from __future__ import annotations

import numpy as np


def lower_triangular(loadings: np.ndarray) -> np.ndarray:
    """The rotation of loadings (..., d, q) that is zero above the diagonal and not negative on it.

    Examples
    --------
    >>> lower_triangular(np.array([[0.0, -2.0], [1.0, 1.0], [3.0, 0.5]]))
    array([[ 2. ,  0. ],
           [-1. ,  1. ],
           [-0.5,  3. ]])
    """
    q = loadings.shape[-1]
    Q, _ = np.linalg.qr(np.swapaxes(loadings[..., :q, :], -1, -2))
    L = np.tril(np.asarray(loadings @ Q))
    diagonal = np.einsum("...jj->...j", L[..., :q, :])
    return np.asarray(L * np.where(diagonal < 0, -1.0, 1.0)[..., None, :])


def principal_axes(loadings: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The rotation whose columns are orthogonal in units of the noise, the most explaining first.

    Of each column the sum of its entries in those units is positive.

    Parameters
    ----------
    loadings : ndarray, shape (..., d, q)
    noise : ndarray, shape (..., d)
        Variances.
    """
    scaled = loadings / np.sqrt(noise)[..., None]
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    turned = loadings @ np.swapaxes(axes, -1, -2)
    sign = np.where((turned / np.sqrt(noise)[..., None]).sum(axis=-2) < 0, -1.0, 1.0)
    return np.asarray(turned * sign[..., None, :])


def turned_towards(loadings: np.ndarray, reference: np.ndarray, units: np.ndarray) -> np.ndarray:
    """The orthogonal Q (..., q, q) that brings loadings (..., d, q) nearest to a reference, in these units (d,).

    Schoenemann (1966), doi:10.1007/BF02289451.
    """
    scaled, fixed = loadings / units[..., None], reference / units[..., None]
    U, _, V = np.linalg.svd(np.swapaxes(scaled, -1, -2) @ fixed)
    return np.asarray(U @ V)
