"""Texts made wrong: model.toml and CSV files of the gallery, changed a little in one to four places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from bayesmix.gallery.model_toml import FILE, find, names

ROWS = 15
"""Of every CSV file so many are kept, evenly: reading more finds nothing more."""
VALUES = (
    *("-1", "0", "1", "2", "1.5", "-0.0", "1e400", "-1e-400", "nan", "inf", "-inf", "true", "false", "1_000", "0x1F"),
    *(
        "1e200",
        "2147483648",
        "1" + "0" * 40,
        "1" + "0" * 5000,
        '""',
        '"a"',
        "'",
        '"',
        '"""',
        "[]",
        "{}",
        "[[1], [1, 2]]",
    ),
    *("{a = 1}", "[1, nan]", '["x", "x"]', "2020-01-01", "2020-02-30T25:00:00", "NA", "", " ", "None", "-", "1,234"),
    *("1.234,5", "12%", "1j", "\u0663", "\u202e", "\U0001f600", "\ufeff", "\x00", "\ud7ff", "../x", "/etc/passwd", "."),
    *("=1+1", "<b>", "$x$", "{{x}}", "%s", "\\u0000", "\\", "`a b`", "1 + x", "C(x)", "poly(x, 9)", "I(x**99)", "1:1"),
    *("offset(log(x))", "__import__('os')", "x.to_csv('y')", "{x}", "~", "0 + 1", "." * 20, "(" * 60 + "x" + ")" * 60),
    *("gaussian", "poisson", "bernoulli", "categorical", "factor_analyzers", "zero_inflated_poisson", "full", "VEV"),
    *("Normal", "Dirichlet", "LKJ", "MvNormal", "means", "weights", "equal", "component_1", "model", "drop"),
)
"""What a cell, a key or a value may become."""
SIGNS = ("=", "[", "]", "[[", "]]", ",", ";", "\t", '"', "'", "#", "{", "}", ".", "\n", "\r", "\r\n", ":", "|")


@dataclass(frozen=True)
class Folder:
    """A small model folder: model.toml, and the CSV files that it names."""

    name: str
    files: dict[str, bytes]


@cache
def gallery() -> tuple[Folder, ...]:
    """Every model of the gallery, with few rows."""
    return tuple(_small(name) for name in names())


def _small(name: str) -> Folder:
    folder = find(name)
    files = {FILE: (folder / FILE).read_bytes()}
    for path in sorted(folder.glob("*.csv")):
        header, *rows = path.read_bytes().splitlines(keepends=True)
        files[path.name] = b"".join([header, *rows[:: max(1, len(rows) // ROWS)][:ROWS]])
    return Folder(name, files)


def mutated(rng: Random) -> Folder:
    """A folder of the gallery with one file made wrong."""
    folder = rng.choice(gallery())
    file = rng.choice(sorted(folder.files)) if rng.random() < 0.5 else FILE
    text = folder.files[file].decode("utf-8")
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        text = rng.choice(OF_TEXT)(text, rng)
    content = text.encode("utf-8", "replace")
    if rng.random() < 0.15:
        content = rng.choice(OF_BYTES)(content, rng)
    return Folder(folder.name, folder.files | {file: content})


def _cut(text: str, rng: Random) -> tuple[int, int]:
    """A short piece of the text."""
    start = rng.randrange(len(text) + 1)
    return start, min(len(text), start + rng.choice((0, 1, 1, 2, 5, 20, 80)))


def _erased(text: str, rng: Random) -> str:
    start, stop = _cut(text, rng)
    return text[:start] + text[stop:]


def _inserted(text: str, rng: Random) -> str:
    start, stop = _cut(text, rng)
    return text[:start] + rng.choice((*SIGNS, *VALUES)) + text[stop:]


def _doubled(text: str, rng: Random) -> str:
    start, stop = _cut(text, rng)
    return text[:stop] + text[start:stop] * rng.choice((1, 1, 3, 200)) + text[stop:]


def _lines(text: str, rng: Random) -> str:
    """A line gone, twice, elsewhere, or from another folder."""
    lines = text.splitlines(keepends=True) or [""]
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[i]
    elif kind == 1:
        lines.insert(j, lines[i])
    elif kind == 2:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        other = rng.choice(gallery())
        lines.insert(j, rng.choice(other.files[FILE].decode("utf-8").splitlines(keepends=True)))
    return "".join(lines)


def _token(text: str, rng: Random) -> str:
    """What stands between two signs is another value: a cell, a key, a number, a text."""
    edges = [-1, *(i for i, c in enumerate(text) if c in '=,;"[]\n{} '), len(text)]
    k = rng.randrange(len(edges) - 1)
    return text[: edges[k] + 1] + rng.choice(VALUES) + text[edges[k + 1] :]


def _exchanged(text: str, rng: Random) -> str:
    """One sign throughout for another, as another program would have written."""
    return text.replace(rng.choice(SIGNS), rng.choice(SIGNS))


def _key(text: str, rng: Random) -> str:
    """The value of a line is another one."""
    lines = text.splitlines(keepends=True)
    assigned = [i for i, line in enumerate(lines) if "=" in line]
    if not assigned:
        return text
    i = rng.choice(assigned)
    lines[i] = f"{lines[i].split('=')[0]}= {rng.choice(VALUES)}\n"
    return "".join(lines)


def _ended(text: str, rng: Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _flipped(content: bytes, rng: Random) -> bytes:
    if not content:
        return content
    i = rng.randrange(len(content))
    return content[:i] + bytes([content[i] ^ 1 << rng.randrange(8)]) + content[i + 1 :]


def _encoded(content: bytes, rng: Random) -> bytes:
    """In another encoding, with or without its mark."""
    text = content.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-8-sig", "cp1252", "utf-7")), "replace")


def _noise(content: bytes, rng: Random) -> bytes:
    i = rng.randrange(len(content) + 1)
    return content[:i] + rng.randbytes(rng.choice((1, 4, 50))) + content[i:]


OF_TEXT: Sequence[Callable[[str, Random], str]] = (
    *(_token, _token, _key, _key, _inserted, _erased, _doubled, _lines, _exchanged, _ended),
)
OF_BYTES: Sequence[Callable[[bytes, Random], bytes]] = (_flipped, _encoded, _noise)
