"""From a function that numba has compiled, or found on disk, to a C function: a few instructions that call its address.

``numba.cfunc`` would link and optimize all of the function's code once more, in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import from_dtype

from bayesmix.compiled.calls import FAILED, WRONG_SIZE, CFunction
from bayesmix.kernels.lanes import WORD


@dataclass(frozen=True)
class Shared:
    """An array that the record points to: what it is, and where in the record its address and its shape stand."""

    array: np.ndarray
    address_at: int
    shape_at: int


@dataclass(frozen=True)
class Output:
    """Where an output array goes: to which argument, how many numbers, and the code where one is not finite."""

    argument: int
    size: int
    not_finite: int | None = None


@global_compiler_lock
def adapt(function: Any, *, sizes: Sequence[int], shared: Sequence[Shared], outputs: Sequence[Output]) -> CFunction:
    """A C function of five words around ``function(x, *shared) -> outputs``, a numba dispatcher.

    The first words must equal ``sizes``, the number of coordinates first; x comes next; the last is the record.
    """
    context = cpu_target.target_context.subtarget(enable_nrt=True)
    arrays = [types.Array(types.float64, 1, "C")]
    arrays += [types.Array(from_dtype(s.array.dtype), s.array.ndim, "C") for s in shared]
    _, _, given, _ = function.get_call_template(tuple(arrays), {})
    compiled = function.overloads[tuple(given)]
    returned = compiled.signature.return_type
    library = context.codegen().create_library("bayesmix_adapter")
    module = library.create_ir_module("bayesmix_adapter")
    entry = ir.Function(module, ir.FunctionType(WORD, [WORD] * 5), f"bayesmix_{uuid4().hex}")
    builder = ir.IRBuilder(entry.append_basic_block())
    for argument, size in zip(entry.args, sizes, strict=False):
        _leave_unless(builder, builder.icmp_unsigned("==", argument, WORD(size)), WRONG_SIZE)
    values = [_array(context, builder, arrays[0], entry.args[len(sizes)], [WORD(sizes[0])])]
    values += [_held(context, builder, kind, entry.args[4], s) for kind, s in zip(arrays[1:], shared, strict=True)]
    if isinstance(given[0], types.BaseTuple):
        values = [context.make_tuple(builder, given[0], values)]
    callee = _by_address(module, context.call_conv.get_function_type(returned, given), compiled)
    status, out = context.call_conv.call_function(builder, callee, returned, given, values)
    _leave_unless(builder, builder.not_(status.is_error), FAILED)
    code = cgutils.alloca_once_value(builder, WORD(0))
    for i, output in enumerate(outputs):
        _copy(context, builder, returned[i], builder.extract_value(out, i), entry.args[output.argument], output, code)
    context.nrt.decref(builder, returned, out)
    builder.ret(builder.load(code))
    library.add_ir_module(module)
    library.add_linking_library(rtsys.library)
    library.finalize()
    return CFunction(library.get_pointer_to_function(entry.name), (library, function))


def _leave_unless(builder: Any, condition: Any, code: int) -> None:
    with builder.if_then(builder.not_(condition), likely=False):
        builder.ret(WORD(code))


def _by_address(module: Any, kind: Any, compiled: Any) -> Any:
    """A function of this module that jumps to the compiled one; its name could belong to another copy of it."""
    address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    callee = ir.Function(module, kind, f"bayesmix_{uuid4().hex}")
    callee.linkage = "internal"
    builder = ir.IRBuilder(callee.append_basic_block())
    builder.ret(builder.call(builder.inttoptr(WORD(address), kind.as_pointer()), callee.args))
    return callee


def _word(builder: Any, base: Any, offset: int) -> Any:
    """The word at this many bytes from an address."""
    return builder.load(builder.inttoptr(builder.add(base, WORD(offset)), WORD.as_pointer()))


def _held(context: Any, builder: Any, kind: Any, record: Any, shared: Shared) -> Any:
    """An array of the record."""
    shape = [_word(builder, record, shared.shape_at + 8 * i) for i in range(kind.ndim)]
    return _array(context, builder, kind, _word(builder, record, shared.address_at), shape)


def _array(context: Any, builder: Any, kind: Any, address: Any, shape: Sequence[Any]) -> Any:
    """A C-contiguous array over memory that is not numba's."""
    array = context.make_array(kind)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides = [WORD(item)] * kind.ndim
    for i in range(kind.ndim - 1, 0, -1):
        strides[i - 1] = builder.mul(strides[i], shape[i])
    data = builder.inttoptr(address, context.get_data_type(kind.dtype).as_pointer())
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=item, meminfo=None)
    return array._getvalue()


def _copy(context: Any, builder: Any, kind: Any, value: Any, address: Any, output: Output, code: Any) -> None:
    """Write an output array of at most one axis where the caller wants it."""
    if kind.dtype != types.float64 or kind.ndim > 1:
        raise NotImplementedError(f"an output of type {kind}")
    array = context.make_array(kind)(context, builder, value)
    _leave_unless(builder, builder.icmp_unsigned("==", array.nitems, WORD(output.size)), WRONG_SIZE)
    stride = builder.extract_value(array.strides, 0) if kind.ndim else WORD(8)
    begin = builder.ptrtoint(array.data, WORD)
    number = ir.DoubleType().as_pointer()
    with cgutils.for_range(builder, WORD(output.size)) as loop:
        x = builder.load(builder.inttoptr(builder.add(begin, builder.mul(loop.index, stride)), number))
        builder.store(x, builder.inttoptr(builder.add(address, builder.mul(loop.index, WORD(8))), number))
        if output.not_finite is not None:
            with builder.if_then(builder.fcmp_unordered("!=", builder.fsub(x, x), x.type(0.0)), likely=False):
                builder.store(WORD(output.not_finite), code)
