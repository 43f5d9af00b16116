"""What a page is made of: sections of blocks. Content without layout; each kind of block has one template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

type Inline = str | Markup
"""Text for the page: a str is escaped, Markup is not."""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    kind: ClassVar[str] = "paragraph"
    text: Inline
    role: str = ""
    """``lead`` for the first of a section, ``note`` for small print."""


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    text: Inline


@dataclass(frozen=True)
class Bullets:
    """A list."""

    kind: ClassVar[str] = "bullets"
    items: Sequence[Inline]


@dataclass(frozen=True)
class Terms:
    """Names and what they stand for."""

    kind: ClassVar[str] = "terms"
    items: Sequence[tuple[Inline, Inline]]


@dataclass(frozen=True)
class Cards:
    """The few numbers that matter: (value, what it is, state), state one of ``good, note, bad`` or empty."""

    kind: ClassVar[str] = "cards"
    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Notice:
    """Something the reader must not miss; ``level`` is ``good``, ``note`` or ``bad``."""

    kind: ClassVar[str] = "notice"
    level: str
    title: str
    text: Inline
    items: Sequence[Inline] = ()


@dataclass(frozen=True)
class Table:
    """A table. ``numeric``: which columns hold numbers; a row of one cell heads a group of rows."""

    kind: ClassVar[str] = "table"
    columns: Sequence[Inline]
    rows: Sequence[Sequence[Inline]]
    numeric: Sequence[bool]
    caption: Inline = ""

    @property
    def tall(self) -> bool:
        """Whether the table scrolls on screens."""
        return len(self.rows) > 24


@dataclass(frozen=True)
class Figure:
    """A picture by its name in ``figures/``, with what to look for and what it shows here."""

    kind: ClassVar[str] = "figure"
    name: str
    alt: str
    caption: Inline


@dataclass(frozen=True)
class Drawing:
    """An inline SVG."""

    kind: ClassVar[str] = "drawing"
    svg: Markup
    caption: Inline


@dataclass(frozen=True)
class Formulas:
    """Displayed formulas, each with what it says: (words, MathML)."""

    kind: ClassVar[str] = "formulas"
    items: Sequence[tuple[Inline, Markup]]


@dataclass(frozen=True)
class Code:
    """Commands or Python."""

    kind: ClassVar[str] = "code"
    text: str


type Block = Paragraph | Heading | Bullets | Terms | Cards | Notice | Table | Figure | Drawing | Formulas | Code


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    id: str
    title: str
    blocks: Sequence[Block]
