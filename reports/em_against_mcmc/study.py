"""The run: every cell in rounds, one line of JSON per data set, appended as it is done, never done twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import bayesmix as bm
from bayesmix.compiled.log_posterior import CompiledModel
from bayesmix.em.fit_starts import fit_starts
from bayesmix.inputs.storage import append as append_line
from bayesmix.inputs.storage import sealed, unsealed, write_text
from bayesmix.mixture.spec import bind
from bayesmix.model.build import graph
from reports.em_against_mcmc import contestants
from reports.em_against_mcmc.contestants import Bench
from reports.em_against_mcmc.design import Cell, simulate, spec_of

ROUND = 10
BOOTSTRAP_EVERY = 2
"""Every second data set of a cell: a hundred refits take as long as all else."""

type Record = dict[str, Any]


class Study:
    """What the data sets of a run share: the seed, where results are kept, one compiled model."""

    def __init__(self, folder: Path, *, seed: int = 1) -> None:
        self.folder, self.seed = folder, seed
        self._sized: dict[tuple[int, float], CompiledModel] = {}

    @cached_property
    def _compiled(self) -> CompiledModel:
        cell = Cell(100, 0.1)
        spec = spec_of(cell.overlap)
        return CompiledModel(bm.build(spec, simulate(cell, self.seed, 0)[0].data))

    def _compiled_over(self, cell: Cell, data: bm.Data) -> CompiledModel:
        """The compiled model with other observations: a model of this size is built once."""
        spec, key = spec_of(cell.overlap), (cell.n, cell.overlap)
        if key not in self._sized:
            self._sized[key] = self._compiled.with_data(bm.build(spec, data))
        compiled, parts = self._sized[key], graph(bind(spec, data))
        compiled.model["x_data"].set_value(parts.x_data().astype(compiled.model["x_data"].dtype))
        compiled.model["label_evidence"].set_value(parts.likelihood.evidence)
        return compiled.with_data(compiled.model)

    def one(self, cell: Cell, number: int) -> Record:
        """Data set ``number`` of a cell, fitted by all: a function of the seed, the cell and the number alone."""
        begun = time.perf_counter()
        case, rng = simulate(cell, self.seed, number)
        bench = Bench(spec_of(cell.overlap), case, self._compiled_over(cell, case.data))
        em, results = contestants.em(bench, rng, bootstrap=number % BOOTSTRAP_EVERY == 0)
        record = {
            "number": number,
            "truth": contestants.truth(bench),
            "em": em,
            "map": contestants.posterior_mode(bench, results),
            "posterior": contestants.posterior(bench, results, seed=number + 1),
        }
        return rounded(record) | {"seconds": round(time.perf_counter() - begun, 2)}

    def again(self, cell: Cell, number: int) -> Record:
        """The posterior of a data set by longer chains."""
        case, _ = simulate(cell, self.seed, number)
        bench = Bench(spec_of(cell.overlap), case, self._compiled_over(cell, case.data))
        results = fit_starts(bench.likelihood, **contestants.EM)
        found = contestants.posterior(bench, results, seed=number + 1, settings=contestants.LONGER)
        return rounded({"number": number, "posterior": found})

    def path(self, cell: Cell, *, longer: bool = False) -> Path:
        """The file of a cell's records."""
        return self.folder / ("longer" if longer else "") / f"{cell.name}.jsonl"

    def done(self, cell: Cell) -> list[Record]:
        """The records of a cell that there are."""
        return read(self.path(cell))

    def repeated(self, cells: Sequence[Cell]) -> dict[str, list[Record]]:
        """Those of longer chains, by cell; fits that failed are left out."""
        found = {cell.name: read(self.path(cell, longer=True)) for cell in cells}
        return {name: [r for r in records if "error" not in r["posterior"]] for name, records in found.items()}

    def repeat(self, cells: Sequence[Cell], sets: int) -> None:
        """Fit the first data sets of every cell with longer chains, where that is not done."""
        for cell in cells:
            path = self.path(cell, longer=True)
            known = {record["number"] for record in read(path)}
            for number in range(sets):
                if number not in known:
                    append(path, self.again(cell, number))

    def run(self, cells: Sequence[Cell], sims: int, *, minutes: float = float("inf")) -> bool:
        """Do what is missing, ten data sets of every cell in turn; False where time ran out before the end."""
        end = time.monotonic() + 60 * minutes
        missing = {cell: set(range(sims)) - {record["number"] for record in self.done(cell)} for cell in cells}
        for first in range(0, sims, ROUND):
            for cell in cells:
                for number in sorted(missing[cell] & set(range(first, first + ROUND))):
                    if time.monotonic() > end:
                        return False
                    append(self.path(cell), self.one(cell, number))
            print(f"data sets {first + 1} to {min(sims, first + ROUND)} of every cell are done", flush=True)
        return True


def read(path: Path) -> list[Record]:
    """Records by number; lines that are torn are dropped from the file."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    whole = {line: record for line in lines if (record := unsealed(line)) is not None and line.endswith("\n")}
    if len(whole) < len(lines):
        write_text(path, "".join(whole))
    return sorted(whole.values(), key=lambda record: record["number"])


def append(path: Path, record: Record) -> None:
    """One more line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    append_line(path, sealed(record))


def rounded(value: Any) -> Any:
    """Numbers with six significant digits, whatever holds them."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e9 else float(f"{value:.6g}")
    return value
