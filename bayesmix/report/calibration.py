"""A calibration on disk: the verdict as text and the figures, beside the records."""

from __future__ import annotations

from pathlib import Path

from bayesmix.calibration.result import Calibration
from bayesmix.inputs.storage import whole, write_text
from bayesmix.plots import coverage, rank_ecdf


def write_calibration(result: Calibration, folder: Path) -> Path:
    """Write the verdict and the figures into the folder of the records; the path of the verdict."""
    path = folder / "calibration.txt"
    write_text(path, f"{result}\n")
    if len(result.ranks):
        for name, figure in (("ranks.png", rank_ecdf(result)), ("coverage.png", coverage(result))):
            with whole(folder / name) as partial:
                figure.savefig(partial)
    return path
