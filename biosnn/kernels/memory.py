"""Memory as kernels see it: parts of vectors, vectors at addresses, named tuples by their address.

Written in the intermediate language of LLVM; beside each stands the same in numpy, which runs where
compilation is off.
"""

import ctypes

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)
from numba.np.arrayobj import populate_array

from .jit import kernel


def _without_owner(context, builder, kind, value):
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        parts = [
            _without_owner(context, builder, each, builder.extract_value(value, k))
            for k, each in enumerate(kind)
        ]
        return context.make_tuple(builder, kind, parts)
    return value


@intrinsic
def _part(typing_context, array, first, size):
    def generate(context, builder, signature, arguments):
        whole, first, size = (
            context.cast(builder, value, given, wanted)
            for value, given, wanted in zip(
                arguments, signature.args, (array, types.intp, types.intp)
            )
        )
        data = context.make_array(array)(context, builder, whole).data
        view = context.make_array(flat)(context, builder)
        width = context.get_constant(
            types.intp, context.get_abi_sizeof(context.get_data_type(array.dtype))
        )
        populate_array(
            view,
            data=builder.gep(data, [first], inbounds=True),
            shape=[size],
            strides=[width],
            itemsize=width,
            meminfo=None,
        )
        return view._getvalue()

    flat = types.Array(array.dtype, 1, "C")
    return flat(array, first, size), generate


class _Lent(types.Type):
    """The address of a named tuple, whose fields are read one by one.

    A kernel hands it on as one word; the tuple itself is hundreds of words, which every kernel that
    gets it would take apart, and which take minutes to compile.
    """

    def __init__(self, fields):
        self.kind = fields
        super().__init__(name=f"Lent({fields})")


@register_model(_Lent)
class _LentModel(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, manager.lookup(kind.kind).get_value_type().as_pointer())


@infer_getattr
class _LentFields(AttributeTemplate):
    key = _Lent

    def generic_resolve(self, kind, name):
        if name not in kind.kind.fields:
            return None
        field = kind.kind[kind.kind.fields.index(name)]
        return _Lent(field) if isinstance(field, types.BaseNamedTuple) else field


@lower_getattr_generic(_Lent)
def _lent_field(context, builder, kind, address, name):
    place = kind.kind.fields.index(name)
    at = cgutils.gep_inbounds(builder, address, 0, place)
    field = kind.kind[place]
    if isinstance(field, types.BaseNamedTuple):
        return at
    return _without_owner(context, builder, field, builder.load(at))


@intrinsic
def _lent(typing_context, arrays):
    def generate(context, builder, signature, arguments):
        value = _without_owner(context, builder, arrays, arguments[0])
        return cgutils.alloca_once_value(builder, value)

    return _Lent(arrays)(arrays), generate


#: A named tuple of arrays by its address, and its arrays without reference counts, which threads
#: would fight over at every slice. For the entrance of a kernel: its caller keeps the arrays alive.
lent = (lambda arrays: arrays) if numba.config.DISABLE_JIT else _lent


def _plain_part(array, first, size):
    return array[first : first + size]


@kernel
def _checked_part(array, first, size):
    if size > 0 and (first < 0 or first + size > array.size):
        raise IndexError("a part of a vector that does not lie inside of it")
    return _part(array, first, size)


#: array[first:first + size] of a contiguous vector, without the clipping that makes slices slow: it
#: must lie inside.
part = (
    _plain_part
    if numba.config.DISABLE_JIT
    else _checked_part
    if numba.config.BOUNDSCHECK
    else _part
)


@intrinsic
def _at_address(typing_context, address, size, like):
    def generate(context, builder, signature, arguments):
        address, size = (
            context.cast(builder, value, given, types.intp)
            for value, given in zip(arguments[:2], signature.args[:2])
        )
        view = context.make_array(flat)(context, builder)
        width = context.get_constant(
            types.intp, context.get_abi_sizeof(context.get_data_type(like.dtype))
        )
        populate_array(
            view,
            data=builder.inttoptr(address, view.data.type),
            shape=[size],
            strides=[width],
            itemsize=width,
            meminfo=None,
        )
        return view._getvalue()

    flat = types.Array(like.dtype, 1, "C")
    return flat(address, size, like), generate


def _plain_at_address(address, size, like):
    whole = (ctypes.c_byte * (int(size) * like.dtype.itemsize)).from_address(int(address))
    found = np.frombuffer(whole, like.dtype)
    return found.view(np.recarray) if like.dtype.names else found


#: A vector of the element type of `like` in memory that somebody else keeps alive. Projections
#: differ in type and size, and
#: kernels cannot hold a list of such arrays.
at_address = _plain_at_address if numba.config.DISABLE_JIT else _at_address


def _fetch_line(builder, pointer):
    """Ask for the cache line of an address, for reading, into all caches."""
    word, byte = ir.IntType(32), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    builder.call(function, [pointer, word(0), word(3), word(1)])


@intrinsic
def _fetch(typing_context, address):
    def generate(context, builder, signature, arguments):
        _fetch_line(builder, builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def _fetch_element(typing_context, array, place):
    def generate(context, builder, signature, arguments):
        view = context.make_array(array)(context, builder, arguments[0])
        pointer = builder.gep(view.data, [arguments[1]])
        _fetch_line(builder, builder.bitcast(pointer, ir.IntType(8).as_pointer()))
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


#: Have what lies at an address brought to the cache, without waiting for it.
fetch = (lambda address: None) if numba.config.DISABLE_JIT else _fetch

#: Likewise an element of a contiguous vector.
fetch_element = (lambda array, place: None) if numba.config.DISABLE_JIT else _fetch_element


@intrinsic
def _copy_line(typing_context, source, target):
    def generate(context, builder, signature, arguments):
        line = ir.VectorType(ir.IntType(16), 32).as_pointer()
        source, target = (builder.inttoptr(each, line) for each in arguments)
        builder.store(builder.load(source, align=2), target, align=2)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


def _plain_copy_line(source, target):
    ctypes.memmove(int(target), int(source), 64)


#: Copy 64 bytes from an address to another one.
copy_line = _plain_copy_line if numba.config.DISABLE_JIT else _copy_line
