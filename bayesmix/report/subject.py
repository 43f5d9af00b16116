"""What a posterior remembers of the model it belongs to, so that a saved file can write its own report."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xarray as xr

from bayesmix.gallery.model_toml import check_card
from bayesmix.gallery.read import Expectation, GalleryModel
from bayesmix.inputs.arguments import shown
from bayesmix.inputs.data import Data
from bayesmix.posterior.record import Record

CARD_TEXTS = ("name", "title", "description", "source", "expected")
CARD = "model"


def recorded(record: Record, model: GalleryModel, em_settings: Mapping[str, Any], *, command: str) -> xr.DataTree:
    """The posterior with the model's texts, expectations and held-out rows, and the command that drew it.

    The pointwise log-likelihood, by far the largest part of a posterior, is left out: it follows from the rest.
    """
    card = {text: getattr(model, text) for text in CARD_TEXTS}
    card |= {"command": command, "em": dict(em_settings), "expect": [asdict(claim) for claim in model.expectations]}
    new = record.dt.drop_nodes("log_likelihood", errors="ignore").copy()
    new.attrs[CARD] = json.dumps(card)
    if model.test is not None:
        used = record.data.covariates.columns
        new["test"] = xr.DataTree(model.test.with_covariates(list(used)).to_dataset())
    return new


def command_of(dt: xr.DataTree) -> str:
    """The command that a report recorded, each word quoted; empty where none did, or it is not one of ours.

    A reader copies it into a shell, and the file may be a stranger's.
    """
    try:
        words = shlex.split(str(_card(dt).get("command", "")))
    except ValueError:
        return ""
    return shlex.join(words) if words[:1] == ["bayesmix"] else ""


def _card(dt: xr.DataTree) -> dict[str, Any]:
    """What a report recorded of the model; ValueError where it is no such card."""
    card: dict[str, Any] = json.loads(dt.attrs.get(CARD, "{}"))
    check_card(card)
    return card


def remembered(record: Record, path: Path) -> GalleryModel:
    """The model of a posterior, named after its file where it remembers no name."""
    dt = record.dt
    card = _card(dt)
    name = card.get("name", path.stem)
    if Path(name).name != name or name in ("", ".."):  # a report is written to a folder of that name
        raise ValueError(f"{path}: the name of its model must be that of a folder; got {shown(name)}")
    texts = {text: card.get(text, "") for text in CARD_TEXTS} | {"name": name}
    return GalleryModel(
        folder=path.parent,
        spec=record.spec,
        data=record.data,
        test=Data.from_dataset(dt["test"].to_dataset()) if "test" in dt.children else None,
        sampler=json.loads(dt.attrs.get("settings", "{}")),
        em=card.get("em", {}),
        expectations=tuple(Expectation(**claim) for claim in card.get("expect", [])),
        **texts,
    )
