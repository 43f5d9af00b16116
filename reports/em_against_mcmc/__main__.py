"""What EM gets wrong, measured against the posterior: run the study, write RESULTS.md and the pictures.

    uv run python -m reports.em_against_mcmc [--sims 200] [--minutes M] [--quick]

Carries on where the last run stopped: every data set is a function of the seed, its cell and its number. Cells take
turns, ten data sets each, so that a run that is stopped leaves all of them equally far. ``--sims 0`` writes the tables
and pictures of what there is.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when NumPy is imported

import argparse
import sys
from pathlib import Path
from tempfile import mkdtemp

from reports.em_against_mcmc.design import CELLS, Cell
from reports.em_against_mcmc.study import Study

HERE = Path(__file__).parent
QUICK = (Cell(30, 0.1), Cell(100, 0.2, 0.3))


def main(arguments: list[str] | None = None) -> int:
    """0 where all data sets that were asked for are done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sims", type=int, default=200, help="data sets per cell")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longer", type=int, default=0, help="data sets per cell to fit once more with longer chains")
    parser.add_argument("--quick", action="store_true", help="two data sets of two cells, in a temporary folder")
    asked = parser.parse_args(arguments)
    cells, sims, folder = CELLS, asked.sims, HERE
    if asked.quick:
        cells, sims, folder = QUICK, 2, Path(mkdtemp(prefix="em_against_mcmc_"))
    study = Study(folder / f"results/seed{asked.seed}", seed=asked.seed)
    finished = study.run(cells, sims, minutes=asked.minutes)
    study.repeat(cells, asked.longer)
    from reports.em_against_mcmc.page import write

    write(study, cells, folder)
    print(f"written: {folder / 'RESULTS.md'}")
    return int(not finished)


if __name__ == "__main__":
    sys.exit(main())
