"""Model folders: where they are, and what their model.toml says, checked key by key. Nothing heavy is imported."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

from bayesmix.gallery.strangers import LARGEST_TOML, check_keys, inside
from bayesmix.inputs.arguments import LEAST, is_whole, meant, of_file, shown
from bayesmix.inputs.defaults import DROP, MODEL
from bayesmix.inputs.tables.options import OPTION_RULES

FILE = "model.toml"
MOST_REPEATS, MOST_BY_NAME = 1_000_000, {"chains": 1000, "seed": sys.maxsize}
"""What a folder from elsewhere may ask of the reader's machine at most: of everything, and by name."""


@dataclass(frozen=True)
class Kind:
    """What a value must be: in words, and as a test."""

    words: str
    test: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    """Whether it is finite, and no integer beyond the floats."""
    most = sys.float_info.max
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)


def _is_cell(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def counts(*keys: str) -> dict[str, Kind]:
    """Whole numbers, each at least as large as the argument of that name must be, and no more than a folder may ask."""

    def between(least: int, most: int) -> Kind:
        bound = "" if most == sys.maxsize else f" and <= {most}"
        return Kind(f"a whole number >= {least}{bound}", lambda value: is_whole(value, least) and value <= most)

    return {key: between(LEAST.get(key, 1), MOST_BY_NAME.get(key, MOST_REPEATS)) for key in keys}


TEXT = Kind("a text", lambda value: isinstance(value, str))
TEXTS = Kind("a list of texts", _is_texts)
NUMBER = Kind("a number", _is_number)
POSITIVE = Kind("a positive number", lambda value: _is_number(value) and value > 0)
SHARE = Kind("a number between 0 and 1", lambda value: _is_number(value) and 0 < value < 1)
MISSING = Kind(f"{MODEL!r} or {DROP!r}", lambda value: value in (MODEL, DROP))
TABLE = Kind("a table", lambda value: isinstance(value, dict))
OPTION = Kind("a text, a whole number, true or false", lambda v: isinstance(v, str | bool) or is_whole(v, 0))
TABLES = Kind("an array of tables", lambda value: isinstance(value, list) and all(isinstance(v, dict) for v in value))

TOP = {
    **dict.fromkeys(("title", "description", "source", "expected"), TEXT),
    **dict.fromkeys(("data", "mixture", "sampler", "em"), TABLE),
    "expect": TABLES,
}
DATA_KEYS = {
    "file": TEXT,
    "columns": TEXTS,
    "response": TEXT,
    "label": TEXT,
    "classes": TEXTS,
    "truth": TEXT,
    "row_weights": TEXT,
    "missing": MISSING,
    "test_file": TEXT,
    "scale": POSITIVE,
    "id": TEXT,
    **{name: Kind(rule, test) for name, (test, rule) in OPTION_RULES.items()},
    "na": Kind("a list of texts or numbers", lambda v: isinstance(v, list) and all(map(_is_cell, v))),
}
SAMPLERS = ("auto", "nuts", "exchange")
SAMPLER = {
    **counts("draws", "tune", "chains"),
    "target_accept": SHARE,
    **counts("seed", "n_starts"),
    "sampler": Kind(", ".join(map(repr, SAMPLERS)), lambda value: value in SAMPLERS),
    "until": Kind("'trusted'", lambda value: value == "trusted"),
    **dict.fromkeys(("minutes", "evidence_error"), POSITIVE),
}
ASSIGNMENT = Kind('"soft" or "hard"', lambda value: value in ("soft", "hard"))
EM = {**counts("n_starts", "seed", "max_iter"), "tolerance": POSITIVE, "assignment": ASSIGNMENT}
EXPECT = {
    **dict.fromkeys(("quantity", "interval_of"), TEXT),
    **dict.fromkeys(("value", "tolerance", "at_least", "at_most"), NUMBER),
    "because": TEXT,
}
CARD_KEYS = {
    **dict.fromkeys(("name", "title", "description", "source", "expected", "command"), TEXT),
    "em": TABLE,
    "expect": TABLES,
}


def gallery_folder() -> Path:
    """The folder of the gallery: inside an installed package, or beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "models", package.parent / "models"):
        if folder.is_dir():
            return folder
    raise ValueError(f"gallery: no models folder in {package} or beside it; this installation is incomplete")


def names() -> list[str]:
    """Names of the gallery's models, sorted."""
    return sorted(path.parent.name for path in gallery_folder().glob(f"*/{FILE}"))


def find(name_or_path: str | Path) -> Path:
    """The folder of a model: a gallery name, or the path of a folder that holds a model.toml.

    Raises
    ------
    ValueError
        Where it is neither, with the names there are.
    """
    if not isinstance(name_or_path, str | PathLike):
        raise ValueError(f"name_or_path: must be a name of the gallery or a path; got {shown(name_or_path)}")
    if str(name_or_path) in names():
        return gallery_folder() / str(name_or_path)
    path = Path(name_or_path)
    if path.is_dir():
        if not (path / FILE).is_file():
            raise ValueError(f"{path}: the folder holds no {FILE}; 'bayesmix new' writes one")
        return path
    known = names()
    raise ValueError(
        f"no model {shown(str(name_or_path))}: give the path of a model folder, or one of {', '.join(known)}"
        f"{meant(name_or_path, known)}"
    )


def read_toml(folder: Path) -> dict[str, Any]:
    """What model.toml says, every key and kind of value checked; the tables sampler, em and expect are always there.

    Raises
    ------
    ValueError
        Naming the file, the table, the key and the value, with the choices where there are some.
    """
    path = inside(folder, FILE, most=LARGEST_TOML)
    try:
        text = path.read_text(encoding="utf-8-sig")
        check_keys(text)
        entry = tomllib.loads(text)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except ValueError as error:  # tomllib's own, or Python's of a number of thousands of digits
        raise of_file(path, str(error), "not valid TOML: ") from None
    except RecursionError:
        raise ValueError(f"{path}: its lists or tables are nested too deep") from None
    try:
        return _checked(entry)
    except ValueError as error:
        raise of_file(path, str(error)) from None


def _checked(entry: dict[str, Any]) -> dict[str, Any]:
    _check(entry, TOP, "", required=("title", "data", "mixture"))
    entry = {"sampler": {}, "em": {}, "expect": []} | entry
    _check_data(entry["data"])
    _check_mixture(entry["mixture"])
    _check(entry["sampler"], SAMPLER, "[sampler] ")
    _check(entry["em"], EM, "[em] ")
    for number, claim in enumerate(entry["expect"], start=1):
        where = f"[[expect]] number {number}: "
        _check(claim, EXPECT, where, required=("because",))
        _check_rule(claim, where)
    return entry


def check_card(entry: Mapping[str, Any]) -> None:
    """What a saved fit says of its model, as far as a model.toml would: ValueError naming the key and the value."""
    _check(entry, CARD_KEYS, "[model] ")
    _check(entry.get("em", {}), EM, "[model.em] ")
    for number, claim in enumerate(entry.get("expect", []), start=1):
        there = {key: value for key, value in claim.items() if value is not None}
        where = f"[[model.expect]] number {number}: "
        _check(there, EXPECT, where, required=("because",))
        _check_rule(there, where)


def _check(entry: Mapping[str, Any], kinds: Mapping[str, Kind], where: str, *, required: tuple[str, ...] = ()) -> None:
    for key, value in entry.items():
        if key not in kinds:
            raise ValueError(f"{where}unknown key {shown(key)}; choose from {', '.join(kinds)}{meant(key, kinds)}")
        if not kinds[key].test(value):
            raise ValueError(f"{where}{key}: must be {kinds[key].words}; got {shown(value)}")
    for key in required:
        if key not in entry:
            raise ValueError(f"{where}the key {key!r} is missing")


def _check_data(entry: Mapping[str, Any]) -> None:
    _check(entry, DATA_KEYS, "[data] ", required=("file",))
    for key in ("file", "test_file"):
        name = entry.get(key, ".")
        path = PurePath(name)
        # a folder from elsewhere names no file of the reader's machine
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            raise ValueError(f"[data] {key}: must be a file in the model's folder; got {shown(name)}")
    if ("columns" in entry) == ("response" in entry):
        raise ValueError("[data] needs either columns (measurements) or response (counts)")
    for key in ("label", "truth", "row_weights"):
        if key in entry and entry[key] == entry.get("response"):
            raise ValueError(f"[data] {key}: is the response itself, {entry[key]!r}")
    if "scale" in entry and "response" in entry:
        raise ValueError("[data] scale: is for columns of measurements, not for counts")
    if "test_file" in entry and "truth" not in entry:
        raise ValueError("[data] test_file: held-out rows are scored, so truth must name the column of true classes")


def _check_mixture(entry: Mapping[str, Any]) -> None:
    """Kinds only: which keys a family has, and their values, :class:`bayesmix.Mixture` knows."""
    for key, value in entry.items():
        if key not in ("priors", "fixed") and not OPTION.test(value):
            raise ValueError(f"[mixture] {key}: must be {OPTION.words}; got {shown(value)}")
    priors = entry.get("priors", {})
    if isinstance(priors, str):  # the name of a set, which the family may have
        priors = {}
    if not isinstance(priors, dict) or not all(isinstance(prior, dict) for prior in priors.values()):
        raise ValueError(f"[mixture] priors: must be a table of tables, or the name of a set; got {shown(priors)}")
    for key, prior in priors.items():
        if not isinstance(prior.get("distribution"), str):
            got = shown(prior.get("distribution"))
            raise ValueError(f"[mixture.priors.{key}] distribution: must be a text; got {got}")
    if not isinstance(entry.get("fixed", {}), dict):
        raise ValueError(f"[mixture] fixed: must be a table of known parameters; got {shown(entry['fixed'])}")


def _check_rule(claim: Mapping[str, Any], where: str) -> None:
    rules = {
        ("interval_of", "value"),
        ("quantity", "at_least"),
        ("quantity", "at_most"),
        ("quantity", "at_least", "at_most"),
        ("quantity", "value", "tolerance"),
    }
    if {*claim} - {"because"} not in [set(rule) for rule in rules]:
        raise ValueError(
            f"{where}needs quantity with at_least, at_most or value and tolerance; or interval_of with value; "
            f"got {', '.join(claim)}"
        )
