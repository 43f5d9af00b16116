"""What may stand in a formula: columns, numbers, arithmetic, and functions that are allowed by name.

Formulas come from strangers (a model folder, a saved fit), and formulaic evaluates them as Python. So an expression is
parsed, every part of it is allowed by name, and it is written anew with names of ours for all that it names: no column
can stand where a function is meant, nor the reverse, and nothing that was not allowed can be reached.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from formulaic.transforms import TRANSFORMS, C, contrasts

from bayesmix.formulas.vocabulary import (
    CHOICES,
    CONSTANTS,
    CONTRASTS,
    FUNCTIONS,
    NO_ATTRIBUTES,
    SETTINGS,
    Names,
    NotAllowedError,
    factor_of_values,
)
from bayesmix.inputs.covariates import level_text

DEEPEST = 50
"""Brackets and operations within one another."""
LARGEST_NUMBER = 100
"""The largest constant exponent, degree or number of degrees of freedom."""
OPERATIONS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
TOKENS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|`((?:\\.|[^`\\])*)`|([^\W\d]\w*)""", re.DOTALL)


@dataclass(frozen=True)
class Expression:
    """A piece of Python in a formula, parsed, with what was quoted in it by backticks."""

    text: str
    tree: ast.expr
    quoted: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Expression:
        """ValueError where it is no expression, or too deep a one."""
        mark, quoted = "_q", dict[str, str]()
        while mark in text:
            mark += "q"

        def replace(match: re.Match[str]) -> str:
            text, name, word = match.groups()
            if text is not None or (word is not None and word.isascii()):  # Python would normalize µ to another letter
                return match[0]
            new = f"{mark}{len(quoted)}_"
            quoted[new] = word if word is not None else unescaped(name)
            return f" {new} "

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python's own, of odd code that is refused below
                tree = ast.parse(TOKENS.sub(replace, text).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise NotAllowedError(text, "is no expression") from None
        if _depth(tree) > DEEPEST:
            raise NotAllowedError(text, f"goes deeper than {DEEPEST} operations")
        return cls(text, tree, quoted)

    def offset(self) -> ast.expr | None:
        """What stands in ``offset(...)``, where the piece is an offset."""
        if not (isinstance(self.tree, ast.Call) and _called(self.tree) == "offset"):
            return None
        if len(self.tree.args) != 1 or self.tree.keywords:
            raise NotAllowedError(self.text, "offset takes one argument")
        return self.tree.args[0]

    def rewrite(self, names: Names, node: ast.expr | None = None) -> str:
        """The same expression in names of ours; ValueError naming what is not allowed in it."""
        node = self.tree if node is None else node
        try:
            if isinstance(node, ast.Call) and _called(node) == "C":
                return ast.unparse(self._factor(node, names))
            return ast.unparse(self._arithmetic(node, names))
        except NotAllowedError as error:
            told = re.sub("|".join(self.quoted) or "$^", lambda match: f"`{self.quoted[match[0]]}`", str(error))
            raise ValueError(told) from None

    def _arithmetic(self, node: ast.expr, names: Names) -> ast.expr:
        match node:
            case ast.Constant(value=bool() | complex()):
                pass
            case ast.Constant(value=int() | float() as number):
                return _value(names, "number", node, _float(node, number))
            case ast.Name(id=name):
                return _named(names.column(self.quoted.get(name, name)))
            case ast.Attribute() if ast.unparse(node) in CONSTANTS:
                return _value(names, "number", node, CONSTANTS[ast.unparse(node)])
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=operand):
                return ast.UnaryOp(sign, self._arithmetic(operand, names))
            case ast.BinOp(left=left, op=operation, right=right) if isinstance(operation, OPERATIONS):
                if isinstance(operation, ast.Pow):
                    _check_exponent(right)
                return ast.BinOp(self._arithmetic(left, names), operation, self._arithmetic(right, names))
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if isinstance(sign, COMPARISONS):
                return ast.Compare(self._arithmetic(left, names), [sign], [self._arithmetic(right, names)])
            case ast.Call():
                return self._call(node, names)
        raise _refused(node, _why(node))

    def _call(self, node: ast.Call, names: Names) -> ast.expr:
        name = _called(node)
        plain = name.removeprefix("np.")
        if name == "Q":
            return _named(names.column(_quoted_name(node)))
        if name in ("C", "offset"):
            raise _refused(node, f"{name}(...) is a term of its own, not part of another")
        if plain in FUNCTIONS and name != "np.I":
            function, counts = FUNCTIONS[plain]
            if len(node.args) not in counts or node.keywords:
                raise _refused(node, f"{name} takes {' or '.join(map(str, counts))} argument(s), unnamed")
            arguments = [self._arithmetic(argument, names) for argument in node.args]
            return ast.Call(_named(names.value("function", name, function)), arguments, [])
        if name not in SETTINGS:
            raise _refused(node, f"{name or 'this'} is no function for formulas; there are {CHOICES}")
        if not node.args:
            raise _refused(node, f"{name} needs a column")
        values, *settings = node.args
        checked = _settings(node, settings, SETTINGS[name])
        given = [_value(names, "literal", n, v) for _, n, v in checked[: len(settings)]]
        named = [ast.keyword(k, _value(names, "literal", n, v)) for k, n, v in checked[len(settings) :]]
        transform = _named(names.value("function", name, TRANSFORMS[name]))
        return ast.Call(transform, [self._arithmetic(values, names), *given], named)

    def _factor(self, node: ast.Call, names: Names) -> ast.expr:
        """``C(column or expression, contrasts, levels=...)``; levels are text everywhere."""
        if not 1 <= len(node.args) <= 2:
            raise _refused(node, "C takes a column and, if wanted, contrasts")
        values, *given = node.args
        keywords = []
        for keyword in node.keywords:
            if keyword.arg not in ("contrasts", "levels", "spans_intercept"):
                raise _refused(node, "C takes contrasts, levels, spans_intercept")
            read = _contrast if keyword.arg == "contrasts" else _literal
            value = read(keyword.value)
            value = [level_text(level) for level in value] if isinstance(value, list | tuple) else value
            keywords.append(ast.keyword(keyword.arg, _value(names, keyword.arg, keyword.value, value)))
        arguments = [_value(names, "contrasts", c, _contrast(c)) for c in given]
        if isinstance(values, ast.Name):
            column = names.column(self.quoted.get(values.id, values.id), as_factor=True)
        elif isinstance(values, ast.Call) and _called(values) == "Q":
            column = names.column(_quoted_name(values), as_factor=True)
        else:
            function = _named(names.value("factor of values", "C", factor_of_values))
            return ast.Call(function, [self._arithmetic(values, names), *arguments], keywords)
        return ast.Call(_named(names.value("factor", "C", C)), [_named(column), *arguments], keywords)


def unescaped(name: str) -> str:
    """A name from between backticks, where a backtick in it is written with a backslash."""
    return name.replace("\\`", "`")


def _named(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _value(names: Names, kind: str, node: ast.expr, value: Any) -> ast.expr:
    """A name that stands for a value, as it was written."""
    return _named(names.value(kind, ast.unparse(node), value))


def _refused(node: ast.AST, why: str) -> NotAllowedError:
    return NotAllowedError(ast.unparse(node), why)


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""


def _depth(tree: ast.AST) -> int:
    level, depth = [tree], 0
    while level:
        level, depth = [child for node in level for child in ast.iter_child_nodes(node)], depth + 1
    return depth


def _float(node: ast.expr, number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        raise _refused(node, "is too large a number") from None


def _check_exponent(node: ast.expr) -> None:
    """A constant exponent is a number of modest size: 9**9**9 would never end."""
    if any(isinstance(part, ast.Name) for part in ast.walk(node)):
        return
    value = node.operand if isinstance(node, ast.UnaryOp) else node
    if not (isinstance(value, ast.Constant) and isinstance(value.value, int | float) and value.value <= LARGEST_NUMBER):
        raise _refused(node, f"an exponent is a column, or a number up to {LARGEST_NUMBER}")


def _why(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return NO_ATTRIBUTES.format(ast.unparse(node))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "text is allowed only in contrasts, levels and Q"
    return "only columns, numbers, arithmetic, comparisons and functions are allowed"


def _quoted_name(node: ast.Call) -> str:
    match node:
        case ast.Call(args=[ast.Constant(value=str() as name)], keywords=[]):
            return name
    raise _refused(node, "Q takes the name of a column, in quotes")


def _literal(node: ast.expr) -> Any:
    """Numbers, text, True, False, None, and lists, tuples and dicts of them."""
    parts = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.UnaryOp, ast.USub, ast.UAdd, ast.Load)
    plain = all(isinstance(part, parts) for part in ast.walk(node))
    values = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    if plain and all(isinstance(value, str | bool | int | float | None) for value in values):
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError):  # -"a", **{}
            pass
    raise _refused(node, "must be a number, a text, or a list of them")


def _settings(node: ast.Call, given: Sequence[ast.expr], known: Iterable[str]) -> list[tuple[str, ast.expr, Any]]:
    """The further arguments of a transform: name, node and value of each."""
    known = tuple(known)
    pairs = [*zip(known, given, strict=False), *((k.arg, k.value) for k in node.keywords)]
    names = [name for name, _ in pairs]
    if len(given) > len(known) or not set(names) <= set(known) or len(set(names)) < len(names):
        raise _refused(node, f"takes a column and {', '.join(known) or 'nothing else'}")
    checked = [(str(name), value, _literal(value)) for name, value in pairs]
    for name, value, number in checked:
        whole = isinstance(number, int) and not isinstance(number, bool) and abs(number) <= LARGEST_NUMBER
        if name in ("degree", "df", "ddof", "k") and not whole and number is not None:
            raise _refused(value, f"{name} must be a whole number up to {LARGEST_NUMBER}")
    return checked


def _contrast(node: ast.expr) -> Any:
    """Contrasts by name, called or not, or a matrix written out; levels named in them are text."""
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    name = _called(call)
    if name not in CONTRASTS:
        if isinstance(node, ast.Dict | ast.List):
            return contrasts.CustomContrasts(_literal(node))
        raise _refused(node, f"is not among the contrasts; there are {', '.join(CONTRASTS)}")
    given = [_base(_literal(argument)) for argument in call.args]
    named = {str(k.arg): _literal(k.value) for k in call.keywords}
    named |= {key: _base(named[key]) for key in ("base", "reference") if key in named}
    try:
        return CONTRASTS[name](*given, **named)
    except (TypeError, ValueError) as error:
        raise _refused(node, str(error)) from None


def _base(value: Any) -> Any:
    return value if isinstance(value, list | tuple | dict | bool | None) else level_text(value)
