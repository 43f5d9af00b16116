"""``bayesmix predict``: new rows from a file, matched by the names of columns, and what a saved fit says of them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.inputs.arguments import of_file
from bayesmix.inputs.containers import named_by
from bayesmix.inputs.csv_columns import numeric
from bayesmix.inputs.tables.read import Table, read_table
from bayesmix.inputs.tables.words import some
from bayesmix.inputs.tables.write import write_csv
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.posterior.record import Record
from bayesmix.rows.predict import predict


def predict_file(record: Record, path: Path, out: Path, *, id: str | None = None, **said: Any) -> str:
    """Read new rows, say what the fit says of them, and write it as CSV, row by row in the file's order.

    Parameters
    ----------
    record
        Of a saved fit.
    path
        A CSV, Parquet or Arrow file. Columns are found by their names; those that the fit does not know are left out,
        and neither a response nor labels are needed.
    out
        The CSV file to write.
    id
        The column that names the rows; by default that of the fit, where the file has it.
    **said
        ``interval`` of :func:`bayesmix.predict`, and how the file is written: ``sep, decimal, thousands, ...``; what
        marks a missing cell (``na``) is by default what did in the fit's file.

    Returns
    -------
    str
        What was understood, how many rows are most probably in which group, how many lie far out.

    Raises
    ------
    ValueError
        Naming the file, and the column that is missing, or the column, row and value that cannot be read.
    """
    if out.resolve() == path.resolve():
        raise ValueError(f"--out: {out} is the file of the new rows itself; name another")
    interval, own = said.pop("interval"), record.data.id
    said["na"] = said.get("na") or record.data.na
    table = read_table(path, text=[name for name in (id or own,) if name], **said)
    named = id or (own if own in table.frame.columns else None)
    try:
        frame, left = _rows(record.likelihood, table.frame, named)
        found = predict(record, frame, interval=interval)
    except ValueError as error:
        raise of_file(path, str(error).removeprefix("data: ")) from None
    write_csv(found.rename_axis(index=named or "row"), out)
    return "\n".join(_told(table, found, left, out))


def _rows(likelihood: Likelihood, frame: pd.DataFrame, id: str | None) -> tuple[pd.DataFrame, list[str]]:
    """The columns that the fit knows, in the fit's units, rows called by ``id``; and those that are left out."""
    data, responds = likelihood.data, likelihood.family.responds
    wanted = [*likelihood.covariates, *(() if responds else data.feature_names)]
    frame = frame if id is None else named_by(frame, id)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise ValueError(_missing(missing, [str(name) for name in frame.columns if name not in wanted], wanted))
    used = [*wanted, *(name for name in data.feature_names if responds and name in frame.columns)]
    left = [str(name) for name in frame.columns if name not in used]
    rows = frame[used]
    if data.scale != 1:
        rows = pd.DataFrame(numeric(rows) * data.scale, rows.index, rows.columns)
    return rows, left


def _missing(missing: list[str], unknown: list[str], wanted: list[str]) -> str:
    by_small = {name.lower(): name for name in unknown}
    near = {name: get_close_matches(name.lower(), by_small, n=1) for name in missing}
    told = [f"{name!r}{f' (is it {by_small[like[0]]!r}?)' if like else ''}" for name, like in near.items()]
    others = f"; unknown to the fit are {some(unknown, quoted=True)}" if unknown else ""
    return f"has no column {', '.join(told)}; the fit needs {some(wanted, quoted=True)}{others}"


def _told(table: Table, found: pd.DataFrame, left: list[str], out: Path) -> list[str]:
    lines = [table.told] if table.told else []
    lines += [f"Left out, for the fit does not know them: {some(left)}."] if left else []
    counts = found["group"].value_counts()
    lines += [f"{len(found)} rows: {', '.join(f'{n} in {name}' for name, n in counts.items())}."]
    error: Mapping[str, Any] = found.attrs["expected_error"]
    if error["error"] is not None:
        ends = f"{error['lower']:.3g} to {error['upper']:.3g}"
        lines += [f"Expected share in the wrong group: {error['error']:.3g} ({ends})."]
    if "outlier" in found:
        far = found.index[found["outlier"].to_numpy()]
        lines += [f"As far out as hardly a row of the fit: {len(far)}{f' ({some(far)})' if len(far) else ''}."]
    else:
        lines += ["Without a response: it is predicted, with its interval."]
    return [*lines, f"Predictions: {out}"]
