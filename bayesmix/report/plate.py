"""The model as a plate diagram: an inline SVG with a small layout of its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from markupsafe import Markup

from bayesmix.families.gaussian.maths import Gaussian
from bayesmix.likelihood.likelihood import Family

RADIUS = 22.0
SQUARE = 8.0
STYLE = {"unknown": "#ffffff", "observed": "#cfd8e3"}


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


def plate_svg(family: Family) -> Markup:
    """The plate diagram of a model."""
    diagram = _gaussian(family) if isinstance(family, Gaussian) else _zero_inflated_poisson(family)
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


def words(family: Family) -> str:
    """How to read the diagram."""
    known = " Squares are given." if _known(family) else ""
    z = {
        "unknown": " The group of a row, z, is unknown in every row.",
        "partly": " The group of a row, z, is half shaded: it is known in the labelled rows only.",
        "observed": " The group of a row, z, is known in every row.",
    }[_group_kind(family)]
    return "Open circles are unknown, shaded ones observed; a box repeats what is in it." + known + z


def _group_kind(family: Family) -> str:
    labelled = family.data.labelled
    return "observed" if labelled.all() else "partly" if labelled.any() else "unknown"


def _known(family: Family) -> list[str]:
    constant = getattr(family, "constant", {"rate": True, "zero": True})
    return [*(["a"] if family.data.labelled.any() else []), *(p for p in ("zero", "rate") if not constant[p])]


def _gaussian(family: Gaussian) -> Diagram:
    """W -> z -> x <- (mu, sigma, R): the rows' plate in the middle, the components' at the right."""
    parameters = [("mu", "μ"), ("sigma", "\N{GREEK SMALL LETTER SIGMA}")]
    parameters += [("R", "R")] if family.has_correlations else []
    shared = {"sigma", "R"} if family.kind.shared else set()
    inside = [p for p in parameters if p[0] not in shared]
    outside = [p for p in parameters if p[0] in shared]
    top, step = 48.0, 62.0
    gap = 26.0 if outside else 0.0
    middle = top + (step * (len(parameters) - 1) + gap) / 2
    nodes = {
        "w": Node("w", "", 40, middle),
        "z": Node("z", "i", 150, middle, _group_kind(family)),
        "x": Node("x", "i", 270, middle, "observed"),
    }
    for j, (name, letter) in enumerate(inside):
        nodes[name] = Node(letter, "k", 410, top + step * j)
    for j, (name, letter) in enumerate(outside, start=len(inside)):
        nodes[name] = Node(letter, "", 410, top + step * j + gap)
    arrows = [("w", "z"), ("z", "x"), *((name, "x") for name, _ in parameters)]
    bottom = middle + 52.0
    if family.data.labelled.any():
        nodes["a"] = Node("a", "i", 150, middle + 68, "known")
        arrows.append(("a", "z"))
        bottom = middle + 104.0
    plates = [
        Plate(f"i = 1, …, {len(family.data)}", 100, middle - 38, 220, bottom - middle + 38),
        Plate(f"k = 1, …, {family.K}", 364, top - 34, 106, step * (len(inside) - 1) + 90),
    ]
    return Diagram(nodes, arrows, plates)


def _zero_inflated_poisson(family: Family) -> Diagram:
    """Gamma -> z -> x <- beta; covariates and labels are given, under the nodes that they enter."""
    nodes = {
        "gamma": Node("\N{GREEK SMALL LETTER GAMMA}", "", 40, 48),
        "z": Node("z", "i", 160, 48, _group_kind(family)),
        "x": Node("x", "i", 300, 48, "observed"),
        "beta": Node("β", "", 424, 48),
    }
    arrows = [("gamma", "z"), ("z", "x"), ("beta", "x")]
    known = _known(family)
    under_z = [name for name in known if name != "rate"]
    letters = {"a": "a", "zero": "g", "rate": "f"}
    for j, name in enumerate(under_z):
        nodes[name] = Node(letters[name], "i", 160 + 56 * (j - (len(under_z) - 1) / 2), 122, "known")
        arrows.append((name, "z"))
    if "rate" in known:
        nodes["rate"] = Node("f", "i", 300, 122, "known")
        arrows.append(("rate", "x"))
    height = 152.0 if known else 88.0
    return Diagram(nodes, arrows, [Plate(f"i = 1, …, {len(family.data)}", 98, 10, 254, height)])


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
        return (
            f'<rect x="{node.x - s:g}" y="{node.y - s:g}" width="{2 * s:g}" height="{2 * s:g}" fill="#33404f"/>'
            f'<text x="{node.x + 26:g}" y="{node.y + 6:g}" {text}>{letter}</text>'
        )
    fill = STYLE.get(node.kind, STYLE["unknown"])
    half = (
        f'<path d="M{node.x - RADIUS:g} {node.y:g}a{RADIUS:g} {RADIUS:g} 0 0 0 {2 * RADIUS:g} 0z" '
        f'fill="{STYLE["observed"]}"/>'
        if node.kind == "partly"
        else ""
    )
    circle = f'<circle cx="{node.x:g}" cy="{node.y:g}" r="{RADIUS:g}"'
    return (
        f'{circle} fill="{fill}"/>{half}{circle} fill="none" stroke="#33404f" stroke-width="1.4"/>'
        f'<text x="{node.x:g}" y="{node.y + 6:g}" {text}>{letter}</text>'
    )
