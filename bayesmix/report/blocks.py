"""What a page is made of: sections of blocks. Content without layout; each kind of block has one template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

type Inline = str | Markup
"""Text for the page: a str is escaped, Markup is not."""


class _Block:
    @property
    def kind(self) -> str:
        """Its template."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class Paragraph(_Block):
    """A paragraph."""

    text: Inline
    role: str = ""
    """``lead`` for the first of a section, ``note`` for small print."""


@dataclass(frozen=True)
class Heading(_Block):
    """A heading inside a section."""

    text: Inline


@dataclass(frozen=True)
class Bullets(_Block):
    """A list."""

    items: Sequence[Inline]


@dataclass(frozen=True)
class Terms(_Block):
    """Names and what they stand for."""

    items: Sequence[tuple[Inline, Inline]]


@dataclass(frozen=True)
class Cards(_Block):
    """The few numbers that matter: (value, what it is, state), state one of ``good, note, bad`` or empty."""

    items: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Notice(_Block):
    """Something the reader must not miss; ``level`` is ``good``, ``note`` or ``bad``."""

    level: str
    title: str
    text: Inline
    items: Sequence[Inline] = ()


@dataclass(frozen=True)
class Table(_Block):
    """A table. ``numeric``: which columns hold numbers; a row of one cell heads a group of rows."""

    columns: Sequence[Inline]
    rows: Sequence[Sequence[Inline]]
    numeric: Sequence[bool]
    caption: Inline = ""

    @property
    def tall(self) -> bool:
        """Whether the table scrolls on screens."""
        return len(self.rows) > 24


@dataclass(frozen=True)
class Figure(_Block):
    """A picture by its name in ``figures/``, with what to look for and what it shows here."""

    name: str
    alt: str
    caption: Inline


@dataclass(frozen=True)
class Drawing(_Block):
    """An inline SVG."""

    svg: Markup
    caption: Inline


@dataclass(frozen=True)
class Formulas(_Block):
    """Displayed formulas, each with what it says: (words, MathML)."""

    items: Sequence[tuple[Inline, Markup]]


@dataclass(frozen=True)
class Code(_Block):
    """Commands or Python."""

    text: str


type Block = Paragraph | Heading | Bullets | Terms | Cards | Notice | Table | Figure | Drawing | Formulas | Code


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    id: str
    title: str
    blocks: Sequence[Block]
