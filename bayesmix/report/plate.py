"""The model as a plate diagram: an inline SVG with a small layout of its own."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from markupsafe import Markup

from bayesmix.formulas.linear import Linear
from bayesmix.likelihood.likelihood import Likelihood
from bayesmix.likelihood.words import letters
from bayesmix.parts.parameter import Parameter

RADIUS = 22.0
SQUARE = 8.0
LEFT = 40.0
"""Where the parameters of the weights stand: their arrows run to the right, so letters of squares go above them."""
MARGIN_ABOVE, STEP, GAP = 48.0, 62.0, 26.0
"""Of the parameters of the components, one under the other; and between those of each and those of all."""
FILLS = {"unknown": "#ffffff", "observed": "#cfd8e3"}


@dataclass(frozen=True)
class Node:
    """A variable: its letter and subscript, where it stands, ``kind`` of ``unknown, observed, partly, known``."""

    letter: str
    subscript: str
    x: float
    y: float
    kind: str = "unknown"

    @property
    def radius(self) -> float:
        """How far arrows keep from its centre."""
        return SQUARE + 2 if self.kind == "known" else RADIUS


@dataclass(frozen=True)
class Plate:
    """A rectangle whose contents repeat."""

    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Diagram:
    """Nodes by name, arrows between them, plates."""

    nodes: dict[str, Node]
    arrows: list[tuple[str, str]]
    plates: list[Plate]


def plate_svg(likelihood: Likelihood) -> Markup:
    """The plate diagram of a model."""
    diagram = _diagram(likelihood)
    width = max(p.x + p.width for p in diagram.plates)
    width = max(width, *(n.x + RADIUS for n in diagram.nodes.values())) + 12
    height = max(*(p.y + p.height for p in diagram.plates), *(n.y + RADIUS for n in diagram.nodes.values())) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="Plate diagram of the model">',
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L10 5L0 10z" fill="#33404f"/></marker></defs>',
        *(_plate(p) for p in diagram.plates),
        *(_arrow(diagram.nodes[a], diagram.nodes[b]) for a, b in diagram.arrows),
        *(_node(n) for n in diagram.nodes.values()),
        "</svg>",
    ]
    return Markup("".join(parts))


def words(likelihood: Likelihood) -> str:
    """How to read the diagram."""
    known = " Squares are given." if _known(likelihood) else ""
    if any(_kind(likelihood, p) == "partly" for p in likelihood.parameters):
        known += " A parameter that is half shaded is known in some of the components."
    z = {
        "unknown": " The group of a row, z, is observed in no row.",
        "partly": " The group of a row, z, is half shaded: it is known in the labelled rows only.",
        "observed": " The group of a row, z, is known in every row.",
    }[_group_kind(likelihood)]
    return "Open circles are unknown, shaded ones observed; a box repeats what is in it." + known + z


def _group_kind(likelihood: Likelihood) -> str:
    labelled = likelihood.data.labelled
    return "observed" if labelled.all() else "partly" if labelled.any() else "unknown"


def _known(likelihood: Likelihood) -> list[str]:
    """What is given besides the rows: labels, design vectors of predictors that differ between rows, parameters."""
    letters_ = letters(likelihood)
    return [
        *(p.name for p in likelihood.parameters if _kind(likelihood, p) == "known"),
        *(["a"] if likelihood.data.labelled.any() else []),
        *(letters_[n.name][0] for n in likelihood.linears if _varies(n)),
    ]


def _varies(linear: Linear) -> bool:
    return not linear.constant


def _unknowns(parameters: Sequence[Parameter]) -> list[Parameter]:
    return [p for p in parameters if p.prior]


def _kind(likelihood: Likelihood, p: Parameter) -> str:
    """Whether a parameter is known, as a whole or in some components."""
    if p.name not in likelihood.known:
        return "unknown"
    return "partly" if np.isnan(likelihood.known[p.name]).any() else "known"


def _letter(p: Parameter) -> tuple[str, str]:
    """The letter of a symbol and its subscript, in plain text."""
    letter, _, subscript = p.symbol.partition("_")
    return _greek(letter.removeprefix("\\")) if letter.startswith("\\") else letter, subscript


def _greek(name: str) -> str:
    """The letter that TeX calls so; in Unicode's names lambda has no b."""
    size = "CAPITAL" if name[0].isupper() else "SMALL"
    return unicodedata.lookup(f"GREEK {size} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")


def _diagram(likelihood: Likelihood) -> Diagram:
    """Weights -> z -> x <- components: the rows' plate in the middle, that of the components at the right."""
    of_x = _unknowns(likelihood.component.parameters)
    inside = [p for p in of_x if p.dims[:1] == ("component",)]
    outside = [p for p in of_x if p not in inside]
    gap = GAP if inside and outside else 0.0
    middle = MARGIN_ABOVE + (STEP * (len(of_x) - 1) + gap) / 2
    nodes = {"z": Node("z", "i", 150, middle, _group_kind(likelihood)), "x": Node("x", "i", 270, middle, "observed")}
    for j, p in enumerate(_unknowns(likelihood.weights.parameters)):
        nodes[p.name] = Node(*_letter(p), LEFT, middle + STEP * j, _kind(likelihood, p))
    for j, p in enumerate([*inside, *outside]):
        nodes[p.name] = Node(*_letter(p), 410, MARGIN_ABOVE + STEP * j + gap * (p in outside), _kind(likelihood, p))
    arrows = [(p.name, "z") for p in _unknowns(likelihood.weights.parameters)]
    arrows += [("z", "x"), *((p.name, "x") for p in of_x)]
    under = {"z": [n.name for n in likelihood.weights.linears if _varies(n)], "x": []}
    under["x"] = [n.name for n in likelihood.component.linears if _varies(n)]
    under["z"] = (["a"] if likelihood.data.labelled.any() else []) + under["z"]
    for target, names in under.items():
        for j, name in enumerate(names):
            at = nodes[target].x + 56 * (j - (len(names) - 1) / 2)
            letter = "a" if name == "a" else letters(likelihood)[name][0]
            nodes[f"{name} known"] = Node(letter, "i", at, middle + 68, "known")
            arrows.append((f"{name} known", target))
    bottom = middle + (104.0 if any(under.values()) else 52.0)
    plates = [Plate(f"i = 1, …, {len(likelihood.data)}", 100, middle - 38, 220, bottom - middle + 38)]
    if inside:
        label = f"k = 1, …, {len(likelihood.components)}"
        plates.append(Plate(label, 364, MARGIN_ABOVE - 34, 106, STEP * (len(inside) - 1) + 90))
    return Diagram(nodes, arrows, plates)


def _plate(plate: Plate) -> str:
    return (
        f'<rect x="{plate.x:g}" y="{plate.y:g}" width="{plate.width:g}" height="{plate.height:g}" rx="10" '
        'fill="none" stroke="#7a8797" stroke-width="1.2"/>'
        f'<text x="{plate.x + plate.width - 9:g}" y="{plate.y + plate.height - 8:g}" text-anchor="end" font-size="12" '
        f'fill="#4a5665">{plate.label}</text>'
    )


def _arrow(start: Node, end: Node) -> str:
    dx, dy = end.x - start.x, end.y - start.y
    length = hypot(dx, dy)
    ux, uy = dx / length, dy / length
    x1, y1 = start.x + ux * start.radius, start.y + uy * start.radius
    x2, y2 = end.x - ux * (end.radius + 2), end.y - uy * (end.radius + 2)
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#33404f" stroke-width="1.4" '
        'marker-end="url(#tip)"/>'
    )


def _node(node: Node) -> str:
    subscript = f'<tspan dy="5" font-size="12">{node.subscript}</tspan>' if node.subscript else ""
    letter = f'<tspan font-style="italic">{node.letter}</tspan>{subscript}'
    text = 'text-anchor="middle" font-size="18" font-family="Georgia, Cambria, serif" fill="#17202b"'
    if node.kind == "known":
        s = SQUARE
        x, y = (node.x, node.y - 15) if node.x == LEFT else (node.x + 26, node.y + 6)
        return (
            f'<rect x="{node.x - s:g}" y="{node.y - s:g}" width="{2 * s:g}" height="{2 * s:g}" fill="#33404f"/>'
            f'<text x="{x:g}" y="{y:g}" {text}>{letter}</text>'
        )
    fill = FILLS.get(node.kind, FILLS["unknown"])
    half = (
        f'<path d="M{node.x - RADIUS:g} {node.y:g}a{RADIUS:g} {RADIUS:g} 0 0 0 {2 * RADIUS:g} 0z" '
        f'fill="{FILLS["observed"]}"/>'
        if node.kind == "partly"
        else ""
    )
    circle = f'<circle cx="{node.x:g}" cy="{node.y:g}" r="{RADIUS:g}"'
    return (
        f'{circle} fill="{fill}"/>{half}{circle} fill="none" stroke="#33404f" stroke-width="1.4"/>'
        f'<text x="{node.x:g}" y="{node.y + 6:g}" {text}>{letter}</text>'
    )
