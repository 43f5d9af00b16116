"""In which encoding a text file is: by its mark, as UTF-8, or as the Windows text that old programs write."""

from __future__ import annotations

import codecs
import re

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark its own begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
UTF_8, WINDOWS = "utf-8-sig", "cp1252"
"""UTF-8 with or without a mark; Western European Windows, which most spreadsheets wrote."""
FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: save the sheet as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV (UTF-8)",
    b"\x1f\x8b": "compressed by gzip: unpack it",
    b"%PDF": "a PDF",
    b"\x89HDF": "an HDF5 or NetCDF file",
}
"""Beginnings of files that are no text."""
NO_LETTERS = (
    "\u201e\u201c\u201d\u2030\u2020\u2021\u02c6\u2039\u203a"
    "\xab\xbb\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa9\xac\xae\xb1\xb6\xbf\xd7\xf7"
)
"""Quotes, daggers and signs, which stand beside words and not inside."""
ODD_WORD = re.compile(
    r"[^\W\d_a-zA-Z]{3,}|\b(?=[^\W\d_]{2,}\b)[^\W\d_a-zA-Z]+\b|(?<=[^\W\d_])[" + NO_LETTERS + r"](?=[^\W\d_])"
)
"""What Western European text does not hold: words of accented letters alone, signs inside words."""
FIRST_BYTES = 100_000
"""Bytes by which UTF-16 without a mark is recognised."""


def find_encoding(raw: bytes) -> str:
    """The encoding of a file's bytes; ValueError where it cannot be told.

    Examples
    --------
    >>> find_encoding("Größe;Gewicht".encode("cp1252"))
    'cp1252'
    """
    for mark, name in MARKS.items():
        if raw.startswith(mark):
            return _checked(raw, name)
    told = next((words for beginning, words in FOREIGN.items() if raw.startswith(beginning)), None)
    if told:
        raise ValueError(f"is {told}")
    if b"\0" in raw:
        return _checked(raw, _without_mark(raw))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _windows(raw, error)
    return UTF_8


def _checked(raw: bytes, name: str) -> str:
    try:
        raw.decode(name)
    except UnicodeDecodeError as error:
        raise ValueError(f"looks like {name} text and is none: {error.reason} at byte {error.start}") from None
    return name


def _without_mark(raw: bytes) -> str:
    """UTF-16 has a zero in every other byte where the text is Latin."""
    part = raw[:FIRST_BYTES]
    first, second = (sum(byte == 0 for byte in part[start::2]) / max(1, len(part) // 2) for start in (0, 1))
    if max(first, second) > 0.5 and min(first, second) < 0.1:
        return "utf-16-le" if second > first else "utf-16-be"
    raise ValueError(f"is no text: byte {raw.index(0)} is zero; if it is, set encoding")


def _windows(raw: bytes, utf_8: UnicodeDecodeError) -> str:
    """Windows text where all of it reads as Western European words do."""
    told = (
        f"is not UTF-8 text: {utf_8.reason} at byte {utf_8.start}; set encoding, such as 'cp1252' (Western European "
        "Windows), 'cp1250', 'cp1251', 'mac_roman' or 'shift_jis'"
    )
    try:
        text = raw.decode(WINDOWS)
    except UnicodeDecodeError:
        raise ValueError(told) from None
    odd = ODD_WORD.search(text)
    if odd:
        raise ValueError(f"{told} (as cp1252 it would hold {text[max(0, odd.start() - 8) : odd.end() + 8]!r})")
    return WINDOWS
