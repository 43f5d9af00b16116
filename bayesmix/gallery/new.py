"""A commented model folder for the user's own table."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.families.table import FAMILIES
from bayesmix.formulas.design import design_matrix
from bayesmix.formulas.vocabulary import quoted
from bayesmix.gallery import model_toml
from bayesmix.gallery.proposal import Asked, Proposal, propose
from bayesmix.gallery.read import GalleryModel, read
from bayesmix.inputs.arguments import listed
from bayesmix.inputs.defaults import DROP, N_STARTS
from bayesmix.inputs.tables.columnar import is_columnar
from bayesmix.inputs.tables.options import OPTION_NAMES
from bayesmix.inputs.tables.read import read_table

NO_ID = '# id = "..."                  # the column that names the rows'
HOW = "# sep, decimal, thousands, encoding, na, header: how the file is written, where that is mistaken"
WITHOUT_LABEL = '# label = "..."               # known classes; empty = unknown'
NO_TRUTH = '# truth = "..."               # true classes, for scoring alone: they never enter the fit'
MODEL_FILE = """\
# A mixture model for {csv}: see what it says with
#     bayesmix report {command}
title = {title}
description = {description}
source = ""                     # where the data come from
expected = ""                   # what you expect to see, in words

[data]
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


def write_model(folder: Path, csv: Path, *, k: int | None = None, **said: Any) -> str:
    """Write a model folder: the table copied, model.toml guessed from its columns. Whole or not at all.

    Parameters
    ----------
    folder
        The new folder; it must not exist.
    csv
        A CSV, Parquet or Arrow file.
    k
        Number of components.
    **said
        As on the command line: ``family``; ``columns`` to fit, separated by commas, or the ``response`` of a family
        that explains one column by the others; ``label``, ``id``; how the file is written (``sep, decimal, ...``).

    Returns
    -------
    str
        What was understood and written, why, what to edit, and the next command.

    Raises
    ------
    ValueError
        Where the folder exists, or the file cannot be such a model's.
    """
    if folder.exists():
        raise ValueError(f"{folder}: exists already; choose another name or remove it")
    if not folder.parent.is_dir():
        raise ValueError(f"{folder.parent}: the folder does not exist")
    options = {name: said[name] for name in OPTION_NAMES if said.get(name) not in (None, ())}
    table = read_table(csv, text=[said["id"]] if said.get("id") else [], **options)
    asked = Asked(k=k, **{name: said.get(name) for name in ("family", "columns", "label", "response", "id")})
    found = propose(table.frame, asked)
    if found.na:
        options["na"] = [*options.get("na", ()), *found.na]
    command = shlex.quote(str(folder) if folder.is_absolute() or len(folder.parts) > 1 else f"./{folder}")
    text = MODEL_FILE.format(
        starts=N_STARTS,
        csv=" ".join(csv.name.split()),
        command=command,
        title=_quoted(folder.name),
        description=_quoted(f"{len(table.frame)} rows of {csv.name}."),
        data=_data_lines(found, asked.label, options, f"data{_suffix(csv)}"),
        mixture=_mixture_lines(found, table.frame, asked),
    )
    model = _write(folder, csv, text, found)
    return _next_steps(model, folder, command, [table.told, *found.told])


def _suffix(csv: Path) -> str:
    return csv.suffix.lower() if is_columnar(csv) else ".csv"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _data_lines(found: Proposal, label: str | None, options: Mapping[str, Any], file: str) -> str:
    names = ", ".join(map(_quoted, found.columns))
    lines = [f"file = {_quoted(file)}"]
    if found.response is None:
        lines += [f"columns = [{names}]"]
    else:
        lines += [f"response = {_quoted(found.response)}", f"# covariates for the formulas: {names or 'none'}"]
    lines += [f"{f'id = {_quoted(found.id)}':<31} # names the rows, in every table" if found.id else NO_ID]
    lines += [f"label = {_quoted(label)}" if label else WITHOUT_LABEL, NO_TRUTH]
    lines += [f'missing = "{DROP}"                # rows with missing cells are left out'] if found.drop else []
    return "\n".join([*lines, *(f"{name} = {_toml(value)}" for name, value in options.items()), HOW])


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else f"[{', '.join(_quoted(str(v)) for v in value)}]"


def _mixture_lines(found: Proposal, frame: pd.DataFrame, asked: Asked) -> str:
    family = found.family
    lines = [f'family = "{family.name}"']
    if family.default_components is None:
        classes = 0 if asked.label is None else frame[asked.label].nunique()
        K = str(asked.k or min(len(frame), max(2, classes)))
        pad = " " * max(1, 17 - len(K))
        lines.append(f"n_components = {K}{pad}# how many groups; compare with: bayesmix choose")
    example = _quoted(_example(frame[found.columns])) if "{example}" in family.template else ""
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


def _write(folder: Path, csv: Path, text: str, found: Proposal) -> GalleryModel:
    """The folder, written aside, read back as a check, then renamed."""
    with TemporaryDirectory(dir=folder.parent, prefix=".bayesmix-") as aside:
        draft = Path(aside) / folder.name
        draft.mkdir()
        (draft / model_toml.FILE).write_text(text, encoding="utf-8")
        copy = draft / f"data{_suffix(csv)}"
        shutil.copyfile(csv, copy)
        try:
            model = read(draft)
        except ValueError as error:
            told = str(error).replace(str(copy), str(csv)).replace(str(draft / model_toml.FILE), str(csv))
            raise ValueError(told) from None
        gapped = model.data.dropped + int(np.isnan(model.data.x).any(axis=1).sum())
        if gapped != found.gapped:
            raise ValueError(
                f"{csv}: {found.gapped} rows seem to have missing cells, and {gapped} have them when they are read "
                "again: set na"
            )
        draft.rename(folder)
    return model


def _next_steps(model: GalleryModel, folder: Path, command: str, told: Sequence[str]) -> str:
    spec, data = model.spec, model.data
    file = next(path.name for path in folder.iterdir() if path.stem == "data")
    lines = [*filter(None, told)]
    lines += [
        f"Wrote {folder}/model.toml and {folder}/{file}: {len(data)} rows, {listed(data.feature_names)}; "
        f"{spec.family}, {spec.n_components} components."
    ]
    if data.labelled.any():
        lines += [f"{int(data.labelled.sum())} rows carry a class: {', '.join(data.classes)}."]
    family = FAMILIES[spec.family]
    what = [*([] if family.default_components else ["n_components"]), *family.options]
    what += [] if family.responds else ["columns"]
    lines += [f"Edit {folder}/model.toml: {', '.join([*what, 'title', 'source'])}.", f"Then: bayesmix report {command}"]
    return "\n".join(lines)
