"""Content -> HTML: one file, all inside it. Templates hold layout, no Python; whatever is not Markup is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bayesmix.inputs.errors import printable
from bayesmix.report.blocks import Section
from bayesmix.report.figures import Picture
from bayesmix.report.text import plural


def environment() -> Environment:
    """Jinja2 over the package's templates: autoescaped, and an unknown name is an error."""
    return Environment(
        loader=PackageLoader("bayesmix.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _text(value: Any) -> Any:
    """What is shown of a value: signs that turn the direction of writing would turn the sentence around them."""
    return type(value)(printable(value)) if isinstance(value, str) else value


def css() -> Markup:
    """The style sheet, to be written into the page."""
    env = environment()
    assert env.loader is not None
    return Markup(env.loader.get_source(env, "style.css")[0])


def render(sections: Sequence[Section], pictures: Mapping[str, Picture], summary: Mapping[str, Any]) -> str:
    """The page."""
    model = summary["model"]
    family = model["family"].replace("_", " ")
    size = f"{plural(model['n_components'], 'component')}, {plural(model['n'], 'row')}"
    subtitle = f"{model['name']} · {family} mixture, {size} · EM beside NUTS"
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            title=model["title"],
            subtitle=subtitle,
            css=css(),
            sections=sections,
            pictures=pictures,
            version=summary["versions"]["bayesmix"],
            date=summary["date"],
        )
    )
