"""Formulas, parsed: what formulaic may evaluate, and the offsets, which it does not know."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from formulaic import Formula as Terms
from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import ASTNode, Token

from bayesmix.formulas.expression import DEEPEST, LARGEST_NUMBER, Expression, unescaped
from bayesmix.formulas.vocabulary import NO_ATTRIBUTES, Names, NotAllowedError, quoted

LONGEST = 10_000
MOST_TERMS = 2_000
SIGNS = re.compile(r"[+\-*/:^]+|in")
LITERAL = re.compile(r"\d+\.?\d*|\.\d+")


@dataclass(frozen=True)
class Formula:
    """The right-hand side of a formula, every part of it allowed by name.

    Attributes
    ----------
    text : str
        As it was written.
    terms : str
        The same without its offsets, in names of ours, for formulaic.
    offsets : tuple of str
        The expressions whose sum is added to the linear predictor with the coefficient 1, in names of ours.
    dots : tuple of int
        Where in the text a dot stands for all columns: such a formula is first written out by :meth:`over`.
    names : Names

    Examples
    --------
    >>> formula = Formula.parse("1 + age + offset(log(effort))")
    >>> formula.columns, formula.names.restore(formula.offsets[0])
    (('age', 'effort'), 'log(effort)')
    """

    text: str
    terms: str
    offsets: tuple[str, ...]
    dots: tuple[int, ...]
    names: Names = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Of a text; ValueError naming the piece that is not allowed, before anything is evaluated."""
        _check_size(text)
        try:
            tokens = list(tokenize(text))
        except FormulaicError as error:
            raise ValueError(_not_a_formula(text, error)) from None
        names, pieces, offsets = Names(), list[str](), dict[int, str]()
        dots = tuple(token.source_start or 0 for token in tokens if _is_dot(token))
        for number, token in enumerate(tokens):
            expression = _offset(token)
            if expression is None:
                pieces.append(_rewritten(token, text, names))
            else:
                offsets[number] = expression.rewrite(names, expression.offset())
                pieces.append(f"{{{offsets[number]}}}")
        formula = cls(text, " ".join(_without(pieces, offsets, tokens)), tuple(offsets.values()), dots, names)
        formula._check_terms()
        return formula

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it uses, in the order of their first use."""
        return tuple(dict.fromkeys(name for name, _ in self.names.columns.values()))

    def over(self, columns: Sequence[str]) -> Formula:
        """The same formula with a dot written out as all of these columns."""
        if not self.dots:
            return self
        all_of_them = f"({' + '.join(map(quoted, columns)) or '1'})"
        text = self.text
        for place in reversed(self.dots):
            text = f"{text[:place]}{all_of_them}{text[place + 1 :]}"
        return Formula.parse(text)

    def _check_terms(self) -> None:
        """It has a structure, and not too many terms: (a + b + c)**20 would never end."""
        terms = f" {self.terms} ".replace(" . ", " 1 ")
        try:
            tree = DefaultFormulaParser().get_ast(terms)
            if isinstance(tree, ASTNode):
                self._check_powers(tree)
            Terms(terms)
        except (FormulaicError, SyntaxError, TypeError, ValueError, RecursionError) as error:
            if isinstance(error, NotAllowedError):
                raise
            raise ValueError(_not_a_formula(self.text, error, self.names)) from None

    def _check_powers(self, tree: ASTNode) -> None:
        nodes = [tree]
        for node in nodes:  # parents before their arguments
            nodes.extend(child for child in node.args if isinstance(child, ASTNode))
        most: dict[int, int] = {}
        for node in reversed(nodes):
            counts = [most[id(child)] if isinstance(child, ASTNode) else 1 for child in node.args]
            symbol = node.operator.symbol
            if symbol in ("**", "^"):
                power = int(node.args[1].token) if str(getattr(node.args[1], "token", "")).isdigit() else 0
                if counts[0] == 1:
                    base, exponent = (self.names.restore(str(child)) for child in node.args)
                    why = f"a power of one term is that term; write I({base}**{exponent})"
                    raise NotAllowedError(f"{base}{symbol}{exponent}", why)
                count = counts[0] ** min(power, LARGEST_NUMBER)
            elif symbol == "*":
                count = sum(counts) + counts[0] * counts[1]
            else:
                count = counts[0] * counts[-1] if symbol == ":" else sum(counts)
            most[id(node)] = count
            if count > MOST_TERMS:
                raise NotAllowedError(self.text, f"makes more than {MOST_TERMS} terms")


def _check_size(text: str) -> None:
    if not isinstance(text, str):
        raise ValueError(f"must be the right-hand side of a formula, such as '1 + age'; got {text!r}")
    if len(text) > LONGEST:
        raise NotAllowedError(text, f"is longer than {LONGEST} characters")
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise NotAllowedError(text, f"goes deeper than {DEEPEST} brackets")


def _not_a_formula(text: str, error: Exception, names: Names | None = None) -> str:
    told = first_line(error)
    told = told if names is None else names.restore(told)
    return f"not a formula: {text if len(text) <= 80 else f'{text[:77]}...'!r} ({told[:200]})"


def first_line(error: Exception) -> str:
    """The first line of a library's message; its class where it says nothing."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _is_dot(token: Token) -> bool:
    return token.token == "." and token.kind is not Token.Kind.NAME


def _offset(token: Token) -> Expression | None:
    """The piece, where it is ``offset(...)``."""
    if token.kind is not Token.Kind.PYTHON or not token.token.startswith("offset"):
        return None
    piece = Expression.parse(token.token)
    return None if piece.offset() is None else piece


def _rewritten(token: Token, text: str, names: Names) -> str:
    """A token in names of ours."""
    kind, written = token.kind, token.token
    if kind is Token.Kind.OPERATOR and set(written) & set("~|"):
        raise ValueError(f"must be the right-hand side of a formula, such as '1 + age'; got {text!r}")
    if _is_dot(token):
        return "."
    if kind is Token.Kind.CONTEXT and written in "()":
        return written
    if kind is Token.Kind.OPERATOR and SIGNS.fullmatch(written):
        return f"%{written}%" if written == "in" else written
    if kind is Token.Kind.NAME:
        if "._" in written and token.source_start is not None and text[token.source_start] != "`":
            raise NotAllowedError(written, NO_ATTRIBUTES.format(written))
        return names.column(unescaped(written))
    if kind is Token.Kind.VALUE and LITERAL.fullmatch(written):
        return written
    if kind is Token.Kind.PYTHON:
        return f"{{{Expression.parse(written).rewrite(names)}}}"
    raise NotAllowedError(written, "is no part of a formula: columns, numbers, + - * / : ^ ( ) and functions are")


def _without(pieces: list[str], offsets: dict[int, str], tokens: Sequence[Token]) -> list[str]:
    """The pieces without the offsets, each of which is added, and stands outside of all brackets."""
    depth, drop = 0, set[int]()
    for number, token in enumerate(tokens):
        depth += (token.token == "(") - (token.token == ")")
        if number in offsets:
            before = tokens[number - 1].token if number else "+"
            after = tokens[number + 1].token if number + 1 < len(tokens) else "+"
            if depth or before != "+" or after not in ("+", "-"):
                raise NotAllowedError(token.token, "an offset is added to the other terms: ... + offset(log(effort))")
            drop |= {number - 1, number} if number else {number, number + 1} if after == "+" else {number}
    return [piece for number, piece in enumerate(pieces) if number not in drop]
