"""Eight doubles that numba holds in registers: arithmetic on them is what it says, on any processor.

LLVM's own vectorizer decides by a processor's name how wide to work, whether to gather and where to test for overlap;
and the order in which it adds depends on that. Loops over :data:`LANES` rows at a time are written out instead: a
processor with narrower registers takes two or four for one value. Arrays are flat: the offsets are the caller's care.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.core.extending import register_model
from numba.core.imputils import lower_builtin, lower_cast
from numba.core.typeconv import Conversion
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic

LANES = 8
DOUBLE, WORD, INDEX = ir.DoubleType(), ir.IntType(64), ir.IntType(32)
VECTOR, WORD_VECTOR = ir.VectorType(DOUBLE, LANES), ir.VectorType(WORD, LANES)
FUSED = ("contract",)
"""A product and a sum may become one instruction; nothing is put in another order."""


class Lanes(types.Type):
    """The type of such a value; a double stands for eight of it."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")

    def can_convert_from(self, typing_context: Any, other: Any) -> Any:
        """From a double."""
        return Conversion.safe if other == types.float64 else None


lanes = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """One LLVM vector."""

    def __init__(self, data_model_manager: Any, kind: Any) -> None:
        super().__init__(data_model_manager, kind, VECTOR)


def _spread(builder: Any, x: Any) -> Any:
    return builder.shuffle_vector(
        builder.insert_element(ir.Constant(VECTOR, ir.Undefined), x, INDEX(0)),
        ir.Constant(VECTOR, ir.Undefined),
        ir.Constant(ir.VectorType(INDEX, LANES), [0] * LANES),
    )


@intrinsic
def spread(typing_context: Any, x: Any) -> Any:
    """Eight times the same double."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        return _spread(builder, *given)

    return (lanes(x), generate) if x == types.float64 else None


@lower_cast(types.float64, Lanes)
def _from_double(context: Any, builder: Any, given: Any, wanted: Any, x: Any) -> Any:
    return _spread(builder, x)


def _operator(symbol: Callable, instruction: str) -> None:
    @infer_global(symbol)
    class Arithmetic(ConcreteTemplate):
        cases = [signature(lanes, lanes, lanes)]  # noqa: RUF012  # numba's own name and kind

    @lower_builtin(symbol, Lanes, Lanes)
    def lower(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments, flags=FUSED)


for _symbol, _instruction in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _operator(_symbol, _instruction)
_operator(operator.truediv, "fdiv")


def _address(context: Any, builder: Any, kind: Any, array: Any, at: Any, pointee: Any = None) -> Any:
    base = context.make_array(kind)(context, builder, array).data
    pointer = builder.gep(base, [at])
    return pointer if pointee is None else builder.bitcast(pointer, pointee.as_pointer())


def _flat(a: Any) -> bool:
    return isinstance(a, types.Array) and a.dtype == types.float64 and a.layout == "C"


def _whole(a: Any) -> bool:
    return isinstance(a, types.Array) and a.dtype == types.int64 and a.layout == "C"


@intrinsic
def load(typing_context: Any, a: Any, at: Any) -> Any:
    """The numbers a[at], ..., a[at + 7] of a contiguous array of doubles or integers, counted in its memory."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        array, at = given
        kind = WORD_VECTOR if _whole(a) else VECTOR
        value = builder.load(_address(context, builder, sig.args[0], array, at, kind), align=8)
        return builder.sitofp(value, VECTOR) if _whole(a) else value

    return (lanes(a, types.intp), generate) if _flat(a) or _whole(a) else None


@intrinsic
def store(typing_context: Any, a: Any, at: Any, x: Any) -> Any:
    """a[at], ..., a[at + 7] = x."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        array, at, x = given
        builder.store(x, _address(context, builder, sig.args[0], array, at, VECTOR), align=8)
        return context.get_dummy_value()

    return (types.void(a, types.intp, lanes), generate) if _flat(a) else None


@intrinsic
def collect(typing_context: Any, a: Any, at: Any, step: Any) -> Any:
    """a[at], a[at + step], ..., a[at + 7 step]."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        array, at, step = given
        out = ir.Constant(VECTOR, ir.Undefined)
        for lane in range(LANES):
            value = builder.load(_address(context, builder, sig.args[0], array, at))
            value = builder.sitofp(value, DOUBLE) if _whole(a) else value
            out, at = builder.insert_element(out, value, INDEX(lane)), builder.add(at, step)
        return out

    return (lanes(a, types.intp, types.intp), generate) if _flat(a) or _whole(a) else None


@intrinsic
def number(typing_context: Any, a: Any, at: Any) -> Any:
    """The number a[at], as a double."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        value = builder.load(_address(context, builder, sig.args[0], *given))
        return builder.sitofp(value, DOUBLE) if _whole(a) else value

    return (types.float64(a, types.intp), generate) if _flat(a) or _whole(a) else None


def _alike(builder: Any, kinds: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Doubles among vectors spread out; doubles alone stay doubles."""
    if lanes not in kinds:
        return list(values)
    return [x if kind == lanes else _spread(builder, x) for kind, x in zip(kinds, values, strict=True)]


def _widest(*kinds: Any) -> Any:
    known = all(kind in (lanes, types.float64) for kind in kinds)
    return (lanes if lanes in kinds else types.float64) if known else None


@intrinsic
def where_less(typing_context: Any, x: Any, y: Any, a: Any, b: Any) -> Any:
    """``a`` where x < y, else ``b`` (also where x or y is NaN); for doubles too."""
    kind = _widest(x, y, a, b)

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        left, right, yes, no = _alike(builder, sig.args, given)
        return builder.select(builder.fcmp_ordered("<", left, right), yes, no)

    return (kind(x, y, a, b), generate) if kind else None


@intrinsic
def times_power_of_2(typing_context: Any, p: Any, n: Any) -> Any:
    """p 2^m where m stands in the lowest bits of n, and p 2^m is no subnormal; for doubles too."""
    kind = _widest(p, n)

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        words, doubles = (WORD_VECTOR, VECTOR) if kind == lanes else (WORD, DOUBLE)
        bits, exponent = (builder.bitcast(x, words) for x in given)
        return builder.bitcast(builder.add(bits, builder.shl(exponent, ir.Constant(words, _all(words, 52)))), doubles)

    return (kind(p, n), generate) if kind and p == n else None


@intrinsic
def split(typing_context: Any, x: Any, half_root: Any) -> Any:
    """(e, m) with x = 2^e m and m not below the double whose bits are ``half_root``, sqrt(1/2); for doubles too."""
    kind = _widest(x)

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        words, doubles = (WORD_VECTOR, VECTOR) if kind == lanes else (WORD, DOUBLE)
        bits, fifty_two = builder.bitcast(given[0], words), ir.Constant(words, _all(words, 52))
        low = ir.Constant(words, _all(words, half_root.literal_value))
        e = builder.ashr(builder.sub(bits, low), fifty_two)
        m = builder.bitcast(builder.sub(bits, builder.shl(e, fifty_two)), doubles)
        return context.make_tuple(builder, sig.return_type, [builder.sitofp(e, doubles), m])

    known = kind and isinstance(half_root, types.IntegerLiteral)
    return (types.UniTuple(kind, 2)(x, half_root), generate) if known else None


def _all(words: Any, value: int) -> Any:
    return [value] * LANES if words is WORD_VECTOR else value


@intrinsic
def differing(typing_context: Any, bits: Any, x: Any) -> Any:
    """``bits`` or the bits of x: zero, for :func:`nothing`, as long as every x so far was +0."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        left, right = (builder.bitcast(v, WORD_VECTOR) for v in given)
        return builder.bitcast(builder.or_(left, right), VECTOR)

    return (lanes(lanes, lanes), generate) if (bits, x) == (lanes, lanes) else None


@intrinsic
def nothing(typing_context: Any, bits: Any) -> Any:
    """Whether no bit is set."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        words = builder.bitcast(given[0], WORD_VECTOR)
        some = builder.extract_element(words, INDEX(0))
        for lane in range(1, LANES):
            some = builder.or_(some, builder.extract_element(words, INDEX(lane)))
        return builder.icmp_unsigned("==", some, WORD(0))

    return (types.boolean(lanes), generate) if bits == lanes else None


def _halves(builder: Any, vectors: list[Any]) -> list[Any]:
    """Of every two vectors one: neighbours within each added, the first one's sums in the lower half of a block.

    After three rounds lane j of the one that is left is the sum of vector j.
    """
    width, out = LANES // len(vectors), []
    for a, b in zip(vectors[::2], vectors[1::2], strict=True):
        blocks = [range(s, s + 2 * width, 1) for s in range(0, LANES, 2 * width)]
        low = [i for block in blocks for i in (*block[:width], *(LANES + j for j in block[:width]))]
        high = [i for block in blocks for i in (*block[width:], *(LANES + j for j in block[width:]))]
        mask = ir.VectorType(INDEX, LANES)
        parts = [builder.shuffle_vector(a, b, ir.Constant(mask, lanes_)) for lanes_ in (low, high)]
        out.append(builder.fadd(*parts, flags=FUSED))
    return out


@intrinsic
def sums(typing_context: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Any:
    """The eight sums over the lanes of eight values, in one."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        vectors = list(given)
        while len(vectors) > 1:
            vectors = _halves(builder, vectors)
        return vectors[0]

    given = (a, b, c, d, e, f, g, h)
    return (lanes(*given), generate) if all(x == lanes for x in given) else None


@intrinsic
def add_halves(typing_context: Any, a: Any, at: Any, other: Any, x: Any) -> Any:
    """Add the first four doubles to a[at], ..., a[at + 3] and the others to a[other], ..., a[other + 3]."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        array, *offsets, value = given
        half = ir.VectorType(DOUBLE, LANES // 2)
        for first, offset in zip((0, LANES // 2), offsets, strict=True):
            mask = ir.Constant(ir.VectorType(INDEX, LANES // 2), list(range(first, first + LANES // 2)))
            pointer = _address(context, builder, sig.args[0], array, offset, half)
            some = builder.shuffle_vector(value, value, mask)
            builder.store(builder.fadd(builder.load(pointer, align=8), some), pointer, align=8)
        return context.get_dummy_value()

    return (types.void(a, types.intp, types.intp, lanes), generate) if _flat(a) else None


@intrinsic
def lane(typing_context: Any, x: Any, j: Any) -> Any:
    """One of the eight doubles."""

    def generate(context: Any, builder: Any, sig: Any, given: Any) -> Any:
        return builder.extract_element(given[0], INDEX(j.literal_value))

    return (types.float64(lanes, j), generate) if x == lanes and isinstance(j, types.IntegerLiteral) else None
