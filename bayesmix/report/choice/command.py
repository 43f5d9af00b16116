"""The body of ``bayesmix choose``."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from bayesmix.choosing.choice import Choice
from bayesmix.choosing.choose import EM_ALONE, FULL, choose
from bayesmix.choosing.stability import stability
from bayesmix.gallery.read import GalleryModel
from bayesmix.inputs.errors import say
from bayesmix.report.choice.page import write_choice

RANGE = re.compile(r"(\d+)-(\d+)")


def numbers_of(text: str) -> list[int]:
    """``"1-3,6"`` as [1, 2, 3, 6]; ValueError for anything else.

    Examples
    --------
    >>> numbers_of("1-3,6")
    [1, 2, 3, 6]
    """
    found: list[int] = []
    for part in text.split(","):
        ends = RANGE.fullmatch(part.strip())
        if ends:
            found += range(int(ends[1]), int(ends[2]) + 1)
        elif part.strip().isdigit():
            found.append(int(part))
        else:
            raise ValueError(f"--components: must be numbers and ranges, as 1-6 or 1,2,4; got {text!r}")
    return found


def run(model: GalleryModel, options: dict[str, Any], *, out: Path | None, quiet: bool) -> Choice:
    """Choose, print the table and the words, write the page; finished candidates are kept in the page's folder."""
    folder = out or Path("choices") / model.name
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out: {folder} is a file; give a folder")
    given = {name: value for name, value in options.items() if value not in (None, False)}
    covariance = given.pop("covariance", None)
    mode = EM_ALONE if given.pop("em", False) else FULL
    numbers = numbers_of(given.pop("components", "1-6"))
    resamples = given.pop("resamples", 0)
    if resamples and model.data.labelled.any():
        raise ValueError("--resamples: rows are labelled, and a resample may lack a class; choose without it")
    settings: dict[str, Any] = {"seed": model.sampler.get("seed", 1)} | given
    if mode == FULL:
        settings = {"until": "trusted"} | settings
    spec = model.spec.replace(order=None)
    asked_for: dict[str, Any] = {
        "n_components": numbers,
        "covariance": None if covariance is None else [kind.strip() for kind in covariance.split(",")],
    }
    choice = choose(
        spec,
        model.data,
        **asked_for,
        mode=mode,
        out=folder / "records",
        progress=not quiet,
        **settings,
    )
    say(str(choice))
    asked = {name: value for name, value in options.items() if value not in (None, False)}
    flags = [f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}") for name, value in asked.items()]
    command = " ".join([f"bayesmix choose {shlex.quote(model.name)}", *flags])
    page = write_choice(choice, folder, title=model.title, command=command)
    if resamples:
        rows, seed = choice.candidates[0].data, settings["seed"]
        held = stability(spec, rows, **asked_for, resamples=resamples, seed=seed)
        say(f"\n{held}")
        page = write_choice(choice, folder, title=model.title, command=command, stability=held)
    say(f"\nPage: {page}")
    return choice
