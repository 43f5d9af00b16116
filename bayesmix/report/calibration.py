"""A calibration on disk: the verdict as text and the figures, beside the records."""

from __future__ import annotations

from pathlib import Path

from bayesmix.calibration.result import Calibration
from bayesmix.plots import coverage, rank_ecdf


def write_calibration(result: Calibration, folder: Path) -> Path:
    """Write the verdict and the figures into the folder of the records; the path of the verdict."""
    path = folder / "calibration.txt"
    path.write_text(f"{result}\n", encoding="utf-8")
    if len(result.ranks):
        rank_ecdf(result).savefig(folder / "ranks.png")
        coverage(result).savefig(folder / "coverage.png")
    return path
