"""How long a replica exchange, or the call that it is part of, may go on, and how close an evidence it is to find."""

from __future__ import annotations

import time
from dataclasses import dataclass
from numbers import Real

OF_TIME = 0.97
"""The share of its time that a replica exchange has for sweeps; the rest is for masses, the bridge and labels."""
AT_LEAST = 0.1
"""The share of the minutes that an exchange may take, however late it begins."""


@dataclass(frozen=True)
class Budget:
    """Minutes, and the wanted error of the log evidence.

    ``begun``: when the minutes of the whole call began to count (:func:`time.monotonic`); None where every replica
    exchange has them for itself.
    """

    minutes: float
    evidence_error: float
    begun: float | None

    @classmethod
    def of(cls, minutes: float, evidence_error: float, *, whole: bool) -> Budget:
        """From now on; ValueError naming the argument that is impossible."""
        for name, value in {"minutes": minutes, "evidence_error": evidence_error}.items():
            if isinstance(value, bool) or not (isinstance(value, Real) and value > 0):
                raise ValueError(f"{name}: must be positive; got {value!r}")
        return cls(float(minutes), float(evidence_error), time.monotonic() if whole else None)

    @property
    def left(self) -> float:
        """Seconds."""
        return 60 * self.minutes - (0.0 if self.begun is None else time.monotonic() - self.begun)

    @property
    def seconds(self) -> float:
        """For the sweeps of a replica exchange that begins now."""
        return OF_TIME * max(self.left, 60 * self.minutes * AT_LEAST)
