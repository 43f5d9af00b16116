"""The command line. It parses before it imports anything heavy; exit code 0 only where all can be trusted."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bayesmix.families import NAMES
from bayesmix.gallery import model_toml
from bayesmix.gallery.command import GO_ON, asked, given, sampling_options
from bayesmix.inputs.errors import BadInput, Commands, say
from bayesmix.inputs.tables.command import reading_options

if TYPE_CHECKING:
    import xarray as xr

    from bayesmix.checks.diagnose import Diagnostics
    from bayesmix.gallery.read import GalleryModel
    from bayesmix.posterior.record import Record
    from bayesmix.report import ReportResult

NOT_TRUSTED, REFUTED = 1, 3
"""Exit codes beside that of bad input."""


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bayesmix")
def main() -> None:
    """Bayesian mixture models that people can trust: NUTS beside EM, with diagnostics and one readable report.

    NAME_OR_PATH is a model of the gallery (see 'bayesmix list') or the path of a folder with a model.toml (see
    'bayesmix new'). Exit code: 0 where the fit can be trusted, 1 where the draws cannot, 2 for bad input or a failure,
    3 where the draws are right, but the data refute the model.
    """


@main.command("list")
def list_models() -> None:
    """List the gallery's models."""
    titles = {name: model_toml.read_toml(model_toml.find(name))["title"] for name in model_toml.names()}
    width = max(map(len, titles), default=0)
    for name, title in titles.items():
        say(f"{name:<{width}}  {title}")


@main.command()
@click.argument("name_or_path")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the report; by default reports/NAME.")
@sampling_options
def report(name_or_path: str, out: Path | None, quiet: bool, **settings: int | None) -> None:
    """Fit a model by EM and NUTS and write its report (HTML, figures, summary.json).

    A posterior (FILE.nc of 'bayesmix fit' or of a report) has its report written without sampling.
    """
    if name_or_path.endswith(".nc"):
        for option in given(settings):
            raise BadInput(f"--{option} does not go with {name_or_path}, which is sampled already")
        from bayesmix.report import rebuild

        result = rebuild(name_or_path, out=out, progress=not quiet)
    else:
        result = _new_report(name_or_path, out, settings, quiet)
    say(result.verdict)
    say(f"Report: {result.path}")
    _finish(result.ok, model_ok=result.model_ok)


def _new_report(name_or_path: str, out: Path | None, settings: dict[str, Any], quiet: bool) -> ReportResult:
    model = _read(name_or_path)
    from bayesmix.report import write_report

    go_on = {name: value for name, value in GO_ON.items() if name not in model.sampler}
    return write_report(name_or_path, out=out, progress=not quiet, **(go_on | asked(settings)))


@main.command()
@click.argument("name_or_path")
@click.option("--out", type=click.Path(path_type=Path), help="NetCDF file of the posterior; by default NAME.nc.")
@sampling_options
def fit(name_or_path: str, out: Path | None, quiet: bool, **settings: int | None) -> None:
    """Sample a model's posterior, save it as NetCDF and give the verdict on it."""
    model = _read(name_or_path)
    out = _new_file(out or Path(f"{model.name}.nc"))
    say(repr(model.data))
    runs = out.with_name(f".{out.name}.runs")
    dt = _sample(model, settings | {"keep": runs}, quiet)
    from bayesmix.posterior.files import save
    from bayesmix.posterior.record import Record
    from bayesmix.sampling.rescue import rescued

    with rescued(dt):
        save(dt, out)
    shutil.rmtree(runs, ignore_errors=True)
    check = _verdict(Record.of(dt))
    say(f"Posterior: {out}")
    _finish(check.ok, model_ok=check.model_ok)


@main.command()
@click.argument("name_or_path")
@click.option("--method", type=click.Choice(["ml", "map"]), default="ml", show_default=True, help="What is maximized.")
@click.option("--seed", type=click.IntRange(min=0), help="Same seed, same starts.")
@click.option("--n-starts", type=click.IntRange(min=1), help="Number of starts.")
def em(name_or_path: str, method: str, seed: int | None, n_starts: int | None) -> None:
    """Fit a model by EM (maximum likelihood), or find the posterior mode (map)."""
    model = _read(name_or_path)
    from bayesmix.em.fit_em import fit_em
    from bayesmix.em.told import in_full

    settings = model.em | given({"seed": seed, "n_starts": n_starts})
    estimate = fit_em(model.spec, model.data, method=method, **settings)
    say(f"{model.data}\n{in_full(estimate)}")
    _finish(estimate.converged and not estimate.degenerate)


@main.command()
@click.argument("name_or_path")
@click.option(
    "--fit", "file", type=click.Path(path_type=Path), help="A posterior from 'bayesmix fit', not sampled again."
)
@sampling_options
def compare(name_or_path: str, file: Path | None, quiet: bool, **settings: int | None) -> None:
    """Set the EM fit and the posterior side by side."""
    model = _read(name_or_path)
    for option in given(settings) if file is not None else ():
        raise BadInput(f"--fit: {file} is sampled already; --{option} does not go with it")
    from bayesmix.checks.compare import compare
    from bayesmix.em.fit_em import fit_em
    from bayesmix.posterior.files import load_fit
    from bayesmix.posterior.record import Record

    record = Record.of(_sample(model, settings, quiet) if file is None else load_fit(file))
    table = compare(fit_em(model.spec, model.data, **model.em), record)
    check = _verdict(record)
    say(f"\n{table}")
    _finish(check.ok, model_ok=check.model_ok)


@main.command()
@click.argument("name_or_path")
@click.option("--sims", "n_sims", type=click.IntRange(min=1), default=200, show_default=True, help="Simulations.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same simulations.")
@click.option("--cores", type=click.IntRange(min=1), help="Processes; by default as many as there are cores.")
@click.option("--sampler", type=click.Choice(("nuts", "exchange", "auto")), default="nuts", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of records and figures; else calibration/NAME.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def calibrate(name_or_path: str, out: Path | None, quiet: bool, **settings: Any) -> None:
    """Simulate data from a model's priors, fit them, and see whether the posterior is right (hours, not minutes).

    What was done is kept in the folder: the same command carries on where it was stopped, and adds simulations where
    more are asked for. Exit code 0 only where the ranks of all quantities are uniform.
    """
    model = _read(name_or_path)
    out = out or Path("calibration") / model.name
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out: {out} is a file; give a folder")
    from bayesmix.calibration.calibrate import calibrate as run
    from bayesmix.mixture.spec import resolve

    spec = resolve(model.spec, model.data)
    if spec != model.spec and not quiet:
        say("Priors that the model leaves open are those of its own data, the same for all simulations.")
    result = run(spec, model.data, folder=out, progress=not quiet, **settings)
    from bayesmix.report.calibration import write_calibration

    say(f"{result}\nCalibration: {write_calibration(result, out)}")
    _finish(result.ok)


@main.command()
@click.argument("name_or_path")
@click.option("--components", help="Numbers to compare, as 1-6 (default) or 1,2,4.")
@click.option("--covariance", help="Kinds to compare, as full,tied; by default the model's own.")
@click.option("--priors", help="k-free (default), default, or a published set, as richardson-green.")
@click.option("--standardize", is_flag=True, help="Measured columns in units of their standard deviations.")
@click.option("--em", is_flag=True, help="The columns of EM alone, in seconds.")
@click.option("--resamples", type=click.IntRange(min=1), help="Also how the choice holds over so many resamples.")
@click.option("--seed", type=click.IntRange(min=0), help="Same seed, same table.")
@click.option("--draws", type=click.IntRange(min=4), help="Kept draws per chain.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="At most for each candidate; else 5.")
@click.option("--evidence-error", type=click.FloatRange(min=0, min_open=True), help="Of log evidences; else 0.04.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the page; by default choices/NAME.")
@click.option("-q", "--quiet", is_flag=True, help="Do not say what is done.")
def choose(name_or_path: str, out: Path | None, quiet: bool, **options: Any) -> None:
    """How many components, and of which kind: all criteria side by side, and in words.

    Finished candidates are kept in the folder: the same command goes on where it was stopped.
    """
    model = _read(name_or_path)
    from bayesmix.report.choice.command import run

    choice = run(model, options, out=out, quiet=quiet)
    _finish(choice.ok, model_ok=choice.model_ok)


@main.command()
@click.argument("fit_file", metavar="FIT.nc", type=click.Path(path_type=Path))
@click.argument("new_file", metavar="NEW.csv", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="CSV file to write; by default NEW_predicted.csv.")
@click.option("--id", help="Column that names the rows; by default that of the fit.")
@click.option("--interval", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.9, show_default=True)
@reading_options
def predict(fit_file: Path, new_file: Path, out: Path | None, **said: Any) -> None:
    """Say of new rows which group each is from, how surely, and how far out it lies; or predict their response.

    FIT.nc is a posterior of 'bayesmix fit' or of a report; NEW.csv has its columns, in any order.
    """
    out = _new_file(out or Path(f"{new_file.stem}_predicted.csv"))
    if out.resolve() == fit_file.resolve():
        raise BadInput(f"--out: {out} is the file of the fit itself; name another")
    from bayesmix.posterior.files import load_fit
    from bayesmix.posterior.record import Record
    from bayesmix.rows.command import predict_file

    record = Record.of(load_fit(fit_file))
    say(predict_file(record, new_file, out, **said))
    check = _verdict(record)
    _finish(check.ok, model_ok=check.model_ok)


@main.command()
@click.argument("name")
@click.option("--data", "csv", required=True, type=click.Path(path_type=Path), help="Your CSV, Parquet or Arrow file.")
@click.option("--family", type=click.Choice(NAMES), help="Guessed where not given.")
@click.option("--columns", help="Columns to fit, separated by commas; guessed where not given.")
@click.option("--label", help="Column of known classes; an empty cell is unknown.")
@click.option("--response", help="Column of counts; the other columns become covariates.")
@click.option("--id", help="Column that names the rows; guessed where not given.")
@click.option("-k", "--n-components", "k", type=click.IntRange(min=1), help="Number of components.")
@reading_options
def new(name: str, csv: Path, **choices: Any) -> None:
    """Write a commented model folder NAME for your own table.

    It says what the columns hold, which family suits them and why, and what is done about missing cells.
    """
    from bayesmix.gallery.new import write_model

    say(write_model(Path(name), csv, **choices))


def _read(name_or_path: str) -> GalleryModel:
    """The model: what is wrong with it is told before PyMC is imported, and what was understood of its file."""
    from bayesmix.gallery.read import read

    model = read(name_or_path)
    if model.data.read_as:
        say(model.data.read_as)
    return model


def _new_file(path: Path) -> Path:
    """A path that can be written to: known before sampling, not after."""
    if path.is_dir():
        raise BadInput(f"--out: {path} is a folder; give a file name")
    if not path.parent.is_dir():
        raise BadInput(f"--out: the folder {path.parent} does not exist")
    return path


def _sample(model: GalleryModel, settings: dict[str, Any], quiet: bool) -> xr.DataTree:
    from bayesmix.sampling.sample import sample

    return sample(model.spec, model.data, progress=not quiet, **(GO_ON | model.sampler | asked(settings)))


def _verdict(record: Record) -> Diagnostics:
    from bayesmix.checks.diagnose import diagnose

    check = diagnose(record)
    say(str(check))
    return check


def _finish(ok: bool, *, model_ok: bool | None = None) -> None:
    """End with the verdict's exit code."""
    if not ok or model_ok is False:
        raise click.exceptions.Exit(REFUTED if ok else NOT_TRUSTED)
