"""What a measurement is: figures with their spread and the bound that they should keep, grouped in cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Figure:
    """A number with its unit, its quartiles where it is a median of runs, and a bound where one was set."""

    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the figure keeps its bounds."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    def per(self, other: Figure, **bound: float | None) -> Figure:
        """This figure as a multiple of the other."""
        return Figure(self.value / other.value, "x", **bound)

    def text(self) -> str:
        """As a table shows it."""
        spread = "" if self.low is None or self.high is None else f" [{digits(self.low)}, {digits(self.high)}]"
        unit = self.unit if self.unit in ("", "x") else f" {self.unit}"
        bounds = [f"{word} {digits(b)}" for word, b in (("≥", self.at_least), ("≤", self.at_most)) if b is not None]
        target = f" (target {' and '.join(bounds)}: {'reached' if self.reached else 'missed'})" if bounds else ""
        return f"{digits(self.value)}{unit}{spread}{target}"


@dataclass(frozen=True)
class Case:
    """One line of a table: its name, its figures by column, a remark."""

    name: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    remark: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON; bounds and spreads that are not there are left out."""
        kept = {n: {k: v for k, v in asdict(f).items() if v is not None} for n, f in self.figures.items()}
        return {"name": self.name, "figures": kept, "remark": self.remark}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Case:
        """The inverse of :meth:`to_dict`."""
        return cls(entry["name"], {n: Figure(**f) for n, f in entry["figures"].items()}, entry["remark"])


def median(values: Sequence[float], unit: str, scale: float = 1.0) -> Figure:
    """The median of runs with its quartiles, times ``scale``."""
    low, middle, high = np.quantile(np.asarray(values) * scale, [0.25, 0.5, 0.75])
    return Figure(float(middle), unit, float(low), float(high)) if len(values) > 1 else Figure(float(middle), unit)


def digits(value: float) -> str:
    """Three significant digits, never in exponents; whole numbers as they are."""
    if not np.isfinite(value):
        return "not a number" if np.isnan(value) else "infinite"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1e-4 else f"{value:.2e}"
