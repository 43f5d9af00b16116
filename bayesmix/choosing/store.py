"""What is kept of every finished candidate: one JSON file each, whole or not there, so that a run goes on later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bayesmix.choosing.by_em import Numbers
from bayesmix.choosing.candidates import Candidate
from bayesmix.inputs import storage
from bayesmix.inputs.data import Data
from bayesmix.posterior.assemble import PACKAGES


def digest(data: Data) -> str:
    """Of everything that the rows hold."""
    return storage.digest(data.to_dataset())


def key(candidate: Candidate, stage: str, settings: Mapping[str, Any], rows: str) -> str:
    """The name of a record: of the mixture with its priors, the rows, the settings and the versions."""
    identity = {
        "spec": candidate.spec.to_dict(),
        "rows": rows,
        "stage": stage,
        "settings": dict(settings),
        "versions": {name: version(name) for name in PACKAGES},
    }
    made = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return f"{candidate.name.replace(' ', '_')}-{stage}-{made}.json"


def kept(path: Path | None, make: Callable[[], Numbers]) -> Numbers:
    """What is in the file; where there is none, or a torn one, what ``make`` makes, which is then written there."""
    if path is not None and path.is_file():
        read = storage.unsealed(path.read_text(encoding="utf-8", errors="replace"))
        if read is not None:
            return read
    made = make()
    if path is not None:
        storage.write_text(path, storage.sealed(made))
    return made
