"""DOIs in a source become links; nothing else does."""

from __future__ import annotations

import re

from markupsafe import Markup

DOI = re.compile(r"doi:\s?(10\.\d{4,9}/[^\s;,\"'<>]*[^\s;,.\"'<>)])", re.IGNORECASE)


def with_links(text: str) -> Markup:
    """Escaped text in which every ``doi:10...`` is a link.

    Examples
    --------
    >>> with_links("A & B, doi:10.1/x")
    Markup('A &amp; B, doi:10.1/x')
    """
    parts, end = [], 0
    for match in DOI.finditer(text):
        parts += [Markup.escape(text[end : match.start()])]
        parts += [Markup('<a href="https://doi.org/{0}">doi:{0}</a>').format(match.group(1))]
        end = match.end()
    return Markup("").join([*parts, Markup.escape(text[end:])])
