"""Parquet and Arrow files, through pyarrow: an optional package, of which this alone makes use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.inputs.tables.options import MOST_FILE_COLUMNS, MOST_FILE_ROWS

PARQUET, ARROW = b"PAR1", b"ARROW1"
"""How such files begin."""


def is_columnar(path: Path) -> bool:
    """Whether a file is Parquet or Arrow, by its first bytes."""
    with path.open("rb") as file:
        return file.read(len(ARROW)).startswith((PARQUET, ARROW))


def read_columnar(path: Path) -> pd.DataFrame:
    """The table of a Parquet or Arrow (Feather) file; an index that has a name is a column.

    ValueError where pyarrow is missing, the file is broken or too large.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise ValueError("a Parquet or Arrow file needs the package pyarrow; install it, or save as CSV") from None
    try:
        frame: pd.DataFrame = _table(path, pa).to_pandas()
    except pa.ArrowException as error:
        raise ValueError(f"cannot be read: {str(error).splitlines()[0]}") from None
    return frame.reset_index() if frame.index.names != [None] else frame


def _table(path: Path, pa: Any) -> Any:
    """The arrow table, its size known before its columns are unpacked."""
    with path.open("rb") as file:
        if file.read(len(PARQUET)) == PARQUET:
            import pyarrow.parquet as pq

            parquet = pq.ParquetFile(path)
            _check_size(parquet.metadata.num_rows, len(parquet.schema_arrow))
            return parquet.read()
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        batches = []
        for number in range(reader.num_record_batches):
            batches.append(reader.get_batch(number))
            _check_size(sum(batch.num_rows for batch in batches), len(reader.schema))
        return pa.Table.from_batches(batches, schema=reader.schema)


def _check_size(rows: int, columns: int) -> None:
    if rows > MOST_FILE_ROWS or columns > MOST_FILE_COLUMNS:
        raise ValueError(
            f"there are {rows:,} rows and {columns:,} columns; "
            f"at most {MOST_FILE_ROWS:,} and {MOST_FILE_COLUMNS:,} are read"
        )
