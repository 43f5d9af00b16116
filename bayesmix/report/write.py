"""Write a report: everything into a folder beside the target, moved in place when it is whole."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from bayesmix.em.fit_em import EMFit, fit_em
from bayesmix.gallery import read as gallery
from bayesmix.inputs.defaults import N_STARTS
from bayesmix.inputs.storage import beside, left
from bayesmix.inputs.tables.write import write_csv
from bayesmix.posterior.files import load_fit, save
from bayesmix.posterior.record import Record
from bayesmix.report import fits as fitting
from bayesmix.report.exported import FOLDER as TABLES
from bayesmix.report.exported import write_tables
from bayesmix.report.figures import draw_all, write_all
from bayesmix.report.fits import Fits, aloud, silent
from bayesmix.report.numbers import summarize
from bayesmix.report.page import render
from bayesmix.report.sections import write_sections
from bayesmix.report.short import SHORT, shortened
from bayesmix.report.subject import command_of, recorded, remembered

OURS = {"index.html", SHORT, "summary.json", "responsibilities.csv", "figures", "tables", "fit.nc", "inputs.json"}
"""What a report's folder may hold: anything else there is not ours to replace."""
REPORT_SETTINGS = ("seed", "draws", "tune", "chains", "until", "minutes")
"""Of sampling, what can be said in place of model.toml."""


@dataclass(frozen=True)
class ReportResult:
    """A written report.

    Attributes
    ----------
    ok : bool
        The posterior can be trusted and every expectation of the model holds.
    model_ok : bool or None
        Nothing in the data refutes the model; None where that is not defined.
    path : Path
        ``index.html``.
    verdict : str
        In words.
    summary : dict
        What ``summary.json`` holds.
    """

    ok: bool
    model_ok: bool | None
    path: Path
    verdict: str
    summary: dict[str, Any] = field(repr=False)


def write_report(
    name_or_path: str | Path,
    *,
    out: str | Path | None = None,
    progress: bool = True,
    **sampler: Any,
) -> ReportResult:
    """Fit a model of the gallery, or of a folder of the user's own, and write its report.

    EM, MAP and NUTS share one model; diagnostics, comparison, leave-one-out and predictive checks follow, and the
    claims of model.toml are judged. The report is written whatever the verdict.

    Parameters
    ----------
    name_or_path
        A gallery name, or the path of a model folder.
    out
        Folder of the report; ``reports/<name>`` under the current folder by default. It appears when it is complete.
    progress
        Say on the error stream what is going on, with a bar while sampling.
    **sampler
        ``seed``, ``draws``, ``tune``, ``chains``, ``until``, ``minutes`` as in :func:`bayesmix.sample`, in place of
        those of model.toml.

    Returns
    -------
    ReportResult

    Raises
    ------
    ValueError
        Where the model cannot be read or fitted, ``out`` holds files that are no report's, or sampling was interrupted
        and ``out`` holds the report of a whole run.
    """
    unknown = next((name for name in sampler if name not in REPORT_SETTINGS), None)
    if unknown is not None:
        raise ValueError(f"{unknown}: no setting of a report; choose from {', '.join(REPORT_SETTINGS)}")
    sampler = {name: value for name, value in sampler.items() if value is not None or name == "until"}
    model = gallery.read(name_or_path)
    folder = Path("reports") / model.name if out is None else Path(out)
    check_folder(folder)
    em = {"n_starts": N_STARTS, "seed": 1} | model.em | ({"seed": sampler["seed"]} if "seed" in sampler else {})
    options = [f"--{name} {'once' if value is None else value}" for name, value in sampler.items()]
    command = " ".join(["bayesmix report", shlex.quote(str(name_or_path)), *options])
    runs = folder.absolute().with_name(f".{folder.name}.runs")
    fits = fitting.run(model, model.sampler | sampler | {"keep": runs}, em, command=command, progress=progress)
    result = write(fits, folder, em_settings=em)
    shutil.rmtree(runs, ignore_errors=True)
    return result


def rebuild(path: str | Path, *, out: str | Path | None = None, progress: bool = True) -> ReportResult:
    """Write the report of a saved posterior, without sampling.

    The file remembers its mixture, data and settings, and, where a report wrote it, the model's title, source and
    expectations. EM and MAP are fitted again.

    Parameters
    ----------
    path
        A NetCDF file of :func:`bayesmix.save`.
    out
        Folder of the report; ``reports/<name>`` by default.
    progress
        Say on the error stream what is going on.
    """
    record = Record.of(load_fit(path))
    model = remembered(record, Path(path))
    settings = fitting.softly(model.em)
    em = fit_em(model.spec, model.data, trace=True, **settings)
    mode = fit_em(model.spec, model.data, method="map", **settings)
    return _written(record, em, mode, out=out, model=model, progress=progress)


def write_report_from(
    dt: xr.DataTree,
    em: EMFit,
    map_fit: EMFit | None = None,
    *,
    out: str | Path | None = None,
    model: gallery.GalleryModel | None = None,
    progress: bool = False,
) -> ReportResult:
    """Write the report of fits that there are.

    Parameters
    ----------
    dt, em, map_fit
        From :func:`bayesmix.sample` and :func:`bayesmix.fit_em`, on the same mixture and data.
    out
        Folder of the report; ``reports/<name>`` by default.
    model
        What the report says of the model; by default what ``dt`` remembers.
    progress
        Say on the error stream what is going on.
    """
    record = Record.of(dt)
    model = remembered(record, Path("mixture")) if model is None else model
    return _written(record, em, map_fit, out=out, model=model, progress=progress)


def _written(
    record: Record,
    em: EMFit,
    map_fit: EMFit | None,
    *,
    out: str | Path | None,
    model: gallery.GalleryModel,
    progress: bool,
) -> ReportResult:
    """The report of fits that there are, of a posterior that was read."""
    folder = Path("reports") / model.name if out is None else Path(out)
    check_folder(folder)
    command = command_of(record.dt) or f"bayesmix report {shlex.quote(model.name)}"
    settings = {"n_starts": len(em.starts)} | model.em
    say = aloud if progress else silent
    fits = fitting.examine(model, record, em, map_fit, em_settings=settings, command=command, say=say)
    return write(fits, folder, em_settings=settings)


def write(fits: Fits, folder: Path, *, em_settings: Mapping[str, Any]) -> ReportResult:
    """Summary, pictures, page, responsibilities and posterior into ``folder``, all or nothing."""
    check_interrupted(fits.dt, folder)
    summary = summarize(fits)
    pictures = draw_all(fits)
    sections = write_sections(fits, summary)
    pages = {"index.html": sections, SHORT: shortened(sections)}
    with complete(folder) as partial:
        for name, shown in pages.items():
            (partial / name).write_text(render(shown, pictures, summary), encoding="utf-8")
        text = json.dumps(summary, indent=1, allow_nan=False, ensure_ascii=False)
        (partial / "summary.json").write_text(text + "\n", encoding="utf-8")
        write_all(pictures, partial / "figures")
        write_csv(fits.comparison.responsibilities, partial / "responsibilities.csv")
        write_tables(sections, partial / TABLES)
        save(recorded(fits.record, fits.model, em_settings, command=fits.command), partial / "fit.nc")
    verdict = summary["verdict"]
    text = "\n".join([" ".join([verdict["text"], *verdict["cautions"]]), verdict["model_text"]])
    page_path = folder / "index.html"
    return ReportResult(ok=verdict["ok"], model_ok=verdict["model_ok"], path=page_path, verdict=text, summary=summary)


def check_folder(folder: Path) -> None:
    """Refuse to replace what is not a report."""
    if folder.is_dir():
        foreign = sorted({path.name for path in folder.iterdir()} - OURS)
        if foreign:
            raise ValueError(f"out: {folder} holds {foreign[0]!r}, which is no part of a report; name another folder")
    elif folder.exists():
        raise ValueError(f"out: {folder} is a file; a report is a folder")


def check_interrupted(dt: xr.DataTree, folder: Path) -> None:
    """Refuse to replace the report of a whole run by that of an interrupted one."""
    summary = folder / "summary.json"
    if not dt.attrs.get("interrupted") or not summary.is_file():
        return
    problems = json.loads(summary.read_text(encoding="utf-8")).get("verdict", {}).get("problems", [])
    if all(problem["name"] != "interrupted" for problem in problems):
        raise ValueError(f"out: sampling was interrupted, so the report in {folder} is kept; name another folder")


@contextmanager
def complete(folder: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of ``folder`` at the end; where that fails, ``folder`` is as it was.

    The old folder is deleted only once another one is in its place.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _recover(folder)
    scratch = beside(folder)
    scratch.mkdir()
    partial, old = scratch / "new", scratch / "old"
    try:
        partial.mkdir()
        yield partial
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    finally:
        if folder.exists() or not old.exists():
            shutil.rmtree(scratch)


def _recover(folder: Path) -> None:
    """What processes that were killed have left: the report that one had just moved away is put back.

    One of them may have had this process's number: in a container it is the same at every start.
    """
    own = beside(folder)
    for scratch in [*left(folder), *([own] if own.exists() else [])]:
        old = scratch / "old"
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(scratch)
