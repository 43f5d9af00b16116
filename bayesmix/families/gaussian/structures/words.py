"""Covariance structures in words and LaTeX."""

from __future__ import annotations

from bayesmix.families.gaussian.structures.structure import Structure

IN_UNITS = "it depends on the units of the columns, which may have to be standardized"
"""What is said of axes that are those of no column: another unit of one column is another model."""


def words_of_structure(structure: Structure) -> str:
    """What components share of their covariance matrices, as the end of a sentence."""
    kinds = {"volume": structure.volume, "shape": structure.shape, "orientation": structure.orientation}
    shared, own = (" and ".join(name for name, kind in kinds.items() if kind == which) for which in "EV")
    diagonal = "" if structure.correlated else "diagonal "
    units = f"; {IN_UNITS}" if structure.turned else ""
    return f"whose {diagonal}covariance matrices share their {shared} and differ in {own} ({structure.name}{units})"


def formula_of(structure: Structure) -> str:
    """Sigma_k, in LaTeX."""
    subscript = {"E": "", "V": "_k"}
    size, shape = rf"\sigma{subscript[structure.volume]}^2", rf"\delta{subscript[structure.shape]}"
    diagonal = rf"\operatorname{{diag}}({shape})"
    if structure.orientation == "I":
        return rf"\Sigma_k = {size} \, {diagonal}^2"
    turn = subscript[structure.orientation]
    if structure.turned:
        return rf"\Sigma_k = {size} \, D{turn} \, {diagonal}^2 \, D{turn}^{{\top}}"
    return rf"\Sigma_k = {size} \, \frac{{{diagonal} \, R{turn} \, {diagonal}}}{{|R{turn}|^{{1/d}}}}"


def laws_of(structure: Structure) -> list[tuple[str, str]]:
    """What holds of the shapes, and the law of axes, which have no parameter of their own."""
    k = "_k" if structure.shape == "V" else ""
    shape = rf"\delta{k}"
    lines = [("where the shape has the product 1,", rf"\prod_{{j=1}}^{{d}} {shape.replace('_k', '')}_{{{k[1:]}j}} = 1")]
    if structure.turned:
        turn = "_k" if structure.orientation == "V" else ""
        lines.append(("and the axes may point anywhere alike:", rf"D{turn} \; \sim \; \operatorname{{Uniform}}(O(d))"))
    return lines
