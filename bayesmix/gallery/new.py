"""A commented model folder for the user's own CSV file."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from bayesmix.families.table import FAMILIES
from bayesmix.formulas.design import design_matrix
from bayesmix.formulas.vocabulary import quoted
from bayesmix.gallery import model_toml
from bayesmix.gallery.read import GalleryModel, read
from bayesmix.inputs.covariates import FEWEST_LEVELS
from bayesmix.inputs.csv_columns import column, numeric, read_csv
from bayesmix.inputs.defaults import N_STARTS
from bayesmix.likelihood.family import Family

MODEL_FILE = """\
# A mixture model for {csv}: see what it says with
#     bayesmix report {command}
title = {title}
description = {description}
source = ""                     # where the data come from
expected = ""                   # what you expect to see, in words

[data]
file = "data.csv"
{data}

[mixture]
{mixture}

[sampler]
draws = 1000                    # kept draws per chain; more where the report says that the effective sample is small
tune = 500                      # warm-up draws per chain
chains = 4
seed = 1                        # same seed, same draws
# target_accept = 0.95          # nearer to 1 where draws diverge

[em]
n_starts = {starts}                   # EM begins from this many places; more where the likelihood has many local maxima

# What must come out; the report says whether it does.
# [[expect]]
# quantity = "em/log_likelihood"  # a path into the report's summary.json
# at_least = -1000.0              # or at_most, or value and tolerance
# because = "the fit of another program"
"""


def write_model(
    folder: Path,
    csv: Path,
    *,
    family: str | None = None,
    columns: str | None = None,
    label: str | None = None,
    response: str | None = None,
    k: int | None = None,
) -> str:
    """Write a model folder: the CSV copied, model.toml guessed from its columns. Whole or not at all.

    Parameters
    ----------
    folder
        The new folder; it must not exist.
    csv
        A CSV file with a header line.
    family, columns, label, response, k
        As on the command line: ``columns`` to fit (separated by commas; by default all numeric ones), or the
        ``response`` of a family that explains one column by the others.

    Returns
    -------
    str
        What was written, what to edit, and the next command.

    Raises
    ------
    ValueError
        Where the folder exists, or the file cannot be such a model's.
    """
    if folder.exists():
        raise ValueError(f"{folder}: exists already; choose another name or remove it")
    if not folder.parent.is_dir():
        raise ValueError(f"{folder.parent}: the folder does not exist")
    frame = read_csv(csv)
    if response is None:
        chosen, left_out = _observed(frame, columns, label, words=family is not None and FAMILIES[family].takes_levels)
    else:
        column(frame, response, "response")
        chosen, left_out = [name for name in frame.columns if name not in (response, label)], {}
    if label is not None:
        column(frame, label, "label")
    chosen_family = _chosen(family, columns, response, k, frame, chosen)
    command = shlex.quote(str(folder) if folder.is_absolute() or len(folder.parts) > 1 else f"./{folder}")
    text = MODEL_FILE.format(
        starts=N_STARTS,
        csv=" ".join(csv.name.split()),
        command=command,
        title=_quoted(folder.name),
        description=_quoted(f"{len(frame)} rows of {csv.name}."),
        data=_data_lines(chosen, label, response),
        mixture=_mixture_lines(chosen_family, frame, chosen, label, k),
    )
    model = _write(folder, csv, text)
    return _next_steps(model, folder, command, left_out)


def _chosen(
    family: str | None, columns: str | None, response: str | None, k: int | None, frame: pd.DataFrame, names: list[str]
) -> Family:
    """The family asked for; by default the first that explains a response, or the first that takes columns."""
    known = [f for f in FAMILIES.values() if f.responds == (response is not None)]
    asked = family is not None or response is not None
    guessed = known[0] if asked else next((f for f in known if f.suits(numeric(frame[names]))), known[0])
    chosen = guessed if family is None else FAMILIES[family]
    if chosen.responds and response is None:
        raise ValueError(f"--response: a {chosen.name} needs the column of {chosen.observation}s")
    if response is not None and (not chosen.responds or columns is not None):
        raise ValueError(
            f"--response: is for {known[0].observation}s ({known[0].name}); a {next(iter(FAMILIES))} mixture takes "
            "--columns"
        )
    if k is not None and chosen.default_components not in (None, k):
        raise ValueError(f"-k: a {chosen.name} has {chosen.default_components} components; got {k}")
    return chosen


def _observed(
    frame: pd.DataFrame, columns: str | None, label: str | None, *, words: bool
) -> tuple[list[str], dict[str, str]]:
    """The columns to fit, and why others are left out; ``words``: whether they may hold answers in words."""
    if columns is not None:
        names = [name.strip() for name in columns.split(",")]
        wanted = pd.DataFrame({name: column(frame, name, "--columns") for name in names})
        if not words:
            numeric(wanted)
        return names, {}
    unfit = _no_answers if words else _unfit
    reasons = {name: unfit(frame, name) for name in frame.columns if name != label}
    chosen = [name for name, reason in reasons.items() if not reason]
    left_out = {name: reason for name, reason in reasons.items() if reason}
    if not chosen:
        told = "; ".join(f"{name!r} {reason}" for name, reason in left_out.items()) or "none but the label"
        raise ValueError(f"--columns: no column can serve as a measurement: {told}")
    return chosen, left_out


def _unfit(frame: pd.DataFrame, name: str) -> str:
    """Why a column is no measurement; empty where it is one."""
    try:
        values = numeric(frame[[name]])[:, 0]
    except ValueError as error:
        return str(error).split(f"column {name!r}, ")[-1]
    values = values[~np.isnan(values)]
    if not len(values):
        return "has no value"
    steps = np.diff(values)
    if not steps.any():
        return f"is constant ({values[0]:g})"
    return "is a running number" if values[0] in (0, 1) and (steps == 1).all() and len(values) > 2 else ""


def _no_answers(frame: pd.DataFrame, name: str) -> str:
    """Why a column holds no answers; empty where it does."""
    n, rows = frame[name].nunique(), int(frame[name].notna().sum())
    if n < 2:
        return "is constant" if n else "is empty"
    return f"has {n} levels in {rows} rows" if n >= FEWEST_LEVELS and 2 * n > rows else ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _data_lines(chosen: Sequence[str], label: str | None, response: str | None) -> str:
    names = ", ".join(map(_quoted, chosen))
    if response is None:
        lines = [f"columns = [{names}]"]
    else:
        lines = [f"response = {_quoted(response)}", f"# covariates for the formulas: {names or 'none'}"]
    lines += [
        f"label = {_quoted(label)}" if label else '# label = "..."               # known classes; empty = unknown'
    ]
    lines += ['# truth = "..."               # true classes, for scoring alone: they never enter the fit']
    return "\n".join(lines)


def _mixture_lines(family: Family, frame: pd.DataFrame, chosen: Sequence[str], label: str | None, k: int | None) -> str:
    lines = [f'family = "{family.name}"']
    if family.default_components is None:
        classes = 0 if label is None else frame[label].nunique()
        K = str(k or max(2, classes))
        pad = " " * max(1, 17 - len(K))
        lines.append(f"n_components = {K}{pad}# how many groups; compare BIC and held-out data for several")
    example = _quoted(_example(frame[list(chosen)])) if "{example}" in family.template else ""
    return "\n".join([*lines, *filter(None, [family.template.replace("{example}", example)])])


def _example(covariates: pd.DataFrame) -> str:
    """A formula with the first covariate that can stand in one."""
    for name in covariates.columns:
        formula = f"1 + {quoted(name)}"
        try:
            design_matrix(formula, covariates, "formula")
        except ValueError:
            continue
        return formula
    return "1 + age"


def _write(folder: Path, csv: Path, text: str) -> GalleryModel:
    """The folder, written aside, read back as a check, then renamed."""
    with TemporaryDirectory(dir=folder.parent, prefix=".bayesmix-") as aside:
        draft = Path(aside) / folder.name
        draft.mkdir()
        (draft / model_toml.FILE).write_text(text, encoding="utf-8")
        shutil.copyfile(csv, draft / "data.csv")
        try:
            model = read(draft)
        except ValueError as error:
            told = str(error).replace(str(draft / "data.csv"), str(csv)).replace(str(draft / model_toml.FILE), str(csv))
            raise ValueError(told) from None
        draft.rename(folder)
    return model


def _next_steps(model: GalleryModel, folder: Path, command: str, left_out: dict[str, str]) -> str:
    spec, data = model.spec, model.data
    lines = [
        f"Wrote {folder}/model.toml and {folder}/data.csv: {len(data)} rows, {', '.join(data.feature_names)}; "
        f"{spec.family}, {spec.n_components} components."
    ]
    if data.labelled.any():
        lines += [f"{int(data.labelled.sum())} rows carry a class: {', '.join(data.classes)}."]
    lines += [f"Left out: {name!r} {reason}." for name, reason in left_out.items()]
    family = FAMILIES[spec.family]
    what = [*([] if family.default_components else ["n_components"]), *family.options]
    what += [] if family.responds else ["columns"]
    lines += [f"Edit {folder}/model.toml: {', '.join([*what, 'title', 'source'])}.", f"Then: bayesmix report {command}"]
    return "\n".join(lines)
