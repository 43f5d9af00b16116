"""results.json: every finished case is on disk at once, and RESULTS.md says the same in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bayesmix.inputs.storage import write_text
from benchmarks.figures import Case
from benchmarks.markdown import page


class Store:
    """The results in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._json = folder / "results.json"
        self.rows: dict[str, dict[str, Any]] = json.loads(self._json.read_text()) if self._json.exists() else {}

    def finished(self, row: str) -> bool:
        """Whether this row has run to its end."""
        return bool(self.rows.get(row, {}).get("finished"))

    def begin(self, row: str, environment: dict[str, Any]) -> None:
        """Measure a row anew."""
        self.rows[row] = {"environment": environment, "finished": False, "cases": []}

    def add(self, row: str, case: Case) -> None:
        """Keep a finished case."""
        self.rows[row]["cases"].append(case.to_dict())
        self._write()

    def finish(self, row: str) -> None:
        """The row is complete."""
        self.rows[row]["finished"] = True
        self._write()

    def _write(self) -> None:
        for path, text in ((self._json, json.dumps(self.rows, indent=1) + "\n"), (self._page, page(self.rows))):
            write_text(path, text)

    @property
    def _page(self) -> Path:
        return self.folder / "RESULTS.md"
