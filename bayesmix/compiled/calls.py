"""What the C functions are, and how Python calls them: with the data that the record points to, in microseconds."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np

C_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 5)
FAILED, WRONG_SIZE, GRADIENT_NOT_FINITE, VALUE_NOT_FINITE = 1, -1, 3, 4
"""Return codes. To nutpie positive ones are a divergence, negative ones end the run."""


@dataclass(frozen=True)
class CFunction:
    """Where the machine code begins, and what must live as long as it does."""

    address: int
    owner: Any


class Calls:
    """Log-density and expansion of a compiled model, at one point."""

    def __init__(self, nutpie_model: Any) -> None:
        self._compiled = nutpie_model
        self._logp = C_FUNCTION(nutpie_model.compiled_logp_func.address)
        self._expand = C_FUNCTION(nutpie_model.compiled_expand_func.address)
        self._record: int = nutpie_model.user_data.ctypes.data

    def _point(self, x: np.ndarray) -> np.ndarray:
        x = np.ascontiguousarray(x, dtype=float)
        if x.shape != (self._compiled.n_dim,):
            raise ValueError(f"x: must have shape ({self._compiled.n_dim},); got {x.shape}")
        return x

    def log_density(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (n_dim,); -inf and NaN where the graph itself refuses the point."""
        x = self._point(x)
        gradient, value = np.full(len(x), np.nan), np.full(1, -np.inf)
        code = self._logp(len(x), x.ctypes.data, gradient.ctypes.data, value.ctypes.data, self._record)
        if code < 0:
            raise RuntimeError(f"the compiled log-density does not fit this model (code {code})")
        return value.item(), gradient

    def expand(self, x: np.ndarray) -> np.ndarray:
        """Every variable in one row, free ones on the unconstrained scale first, as the model's shapes say."""
        x = self._point(x)
        out = np.full(self._compiled.n_expanded, np.nan)
        code = self._expand(len(x), len(out), x.ctypes.data, out.ctypes.data, self._record)
        if code < 0:
            raise RuntimeError(f"the compiled variables do not fit this model (code {code})")
        return out
