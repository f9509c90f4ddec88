"""Vector units: sums that stay in registers, and comparisons as bits, which numba cannot express.

Written in the intermediate language of LLVM, for vectors of 32 or 64 bytes on any processor; beside
each stands the same in numpy, which runs where compilation is off.
"""

from math import factorial, log

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

#: Rows (trials) and bytes of a row that one `multiply_block` computes: as many sums as fit into 16
#: vector registers.
BLOCK_ROWS, BLOCK_BYTES = 6, 64


def _pointer(context, builder, kind, array, *at):
    """Address of an element of a C-contiguous array."""
    view = context.make_array(kind)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, kind, view, list(at))


def _vector(kind, n):
    return ir.VectorType(ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType(), n)


def _repeat(builder, value, vector):
    """A vector with one value in all places."""
    single = builder.insert_element(
        ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
    )
    return builder.shuffle_vector(
        single,
        ir.Constant(vector, ir.Undefined),
        ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count),
    )


def _vectors_at(builder, pointer, vector, n):
    """Addresses of n neighbouring vectors."""
    first = builder.bitcast(pointer, vector.as_pointer())
    return [builder.gep(first, [ir.Constant(ir.IntType(32), k)]) for k in range(n)]


def _multiply_loop(builder, vector, a_rows, b, n):
    """Sums over i < n of a_row[i] b[i], for every row of a; b[i] is two vectors.

    Returns them, row by row.
    """
    contract = ("contract",)
    size = n.type
    width = vector.count
    before = builder.block
    loop = builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    zero = ir.Constant(vector, [0.0] * width)
    builder.cbranch(builder.icmp_signed(">", n, size(0)), loop, after)
    builder.position_at_end(loop)
    i, sums = builder.phi(size), [builder.phi(vector) for _ in range(2 * len(a_rows))]
    columns = [
        builder.load(p, align=4)
        for p in _vectors_at(builder, builder.gep(b, [builder.mul(i, size(2 * width))]), vector, 2)
    ]
    new = []
    for k, row in enumerate(a_rows):
        factor = _repeat(builder, builder.load(builder.gep(row, [i])), vector)
        new += [
            builder.fadd(
                sums[2 * k + h], builder.fmul(factor, columns[h], flags=contract), flags=contract
            )
            for h in (0, 1)
        ]
    following = builder.add(i, size(1))
    builder.cbranch(builder.icmp_signed("<", following, n), loop, after)
    i.add_incoming(size(0), before), i.add_incoming(following, loop)
    builder.position_at_end(after)
    results = [builder.phi(vector) for _ in sums]
    for total, each, result in zip(sums, new, results):
        total.add_incoming(zero, before), total.add_incoming(each, loop)
        result.add_incoming(zero, before), result.add_incoming(each, loop)
    return results


@intrinsic
def _multiply_block(typing_context, a, row, column, n, b, first, scale, c, column_c):
    def generate(context, builder, signature, arguments):
        a_, row, column, n, b_, first, scale, c_, column_c = (
            context.cast(builder, value, given, wanted)
            for value, given, wanted in zip(
                arguments,
                signature.args,
                (a, types.intp, types.intp, types.intp, b, types.intp, c.dtype, c, types.intp),
            )
        )
        vector = _vector(c, BLOCK_BYTES // 2 // (c.dtype.bitwidth // 8))
        rows = [builder.add(row, row.type(k)) for k in range(BLOCK_ROWS)]
        sums = _multiply_loop(
            builder,
            vector,
            [_pointer(context, builder, a, a_, r, column) for r in rows],
            _pointer(context, builder, b, b_, first),
            n,
        )
        factor = _repeat(builder, scale, vector)
        for k, r in enumerate(rows):
            for half, p in enumerate(
                _vectors_at(builder, _pointer(context, builder, c, c_, r, column_c), vector, 2)
            ):
                term = builder.fmul(factor, sums[2 * k + half], flags=("contract",))
                builder.store(
                    builder.fadd(builder.load(p, align=4), term, flags=("contract",)), p, align=4
                )
        return context.get_dummy_value()

    return types.void(a, row, column, n, b, first, scale, c, column_c), generate


def _multiply_block_python(a, row, column, n, b, first, scale, c, column_c):
    width, rows = BLOCK_BYTES // c.itemsize, slice(row, row + BLOCK_ROWS)
    c[rows, column_c : column_c + width] += scale * (
        a[rows, column : column + n] @ b[first : first + n * width].reshape(n, width)
    )


#: c[row + k, column_c + h] += scale * sum over i < n of a[row + k, column + i] b[first + i * width
#: + h], for BLOCK_ROWS rows k and
#: width = BLOCK_BYTES / itemsize columns h; i ascends. The innermost loop of a matrix product whose
#: sums stay in registers.
multiply_block = _multiply_block_python if numba.config.DISABLE_JIT else _multiply_block

#: The most bytes of neighbouring numbers that one `sum_rows` adds: more sums than hide the time of
#: an addition, all in registers.
SPAN_BYTES = 256


def _sum_loop(builder, vector, n, base, stride, units, first, last, out):
    """out[h] = sum over e in first .. last - 1 of base[units[e] * stride + h], h < n vectors."""
    before = builder.block
    loop = builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    zero = ir.Constant(vector, [0.0] * vector.count)
    builder.cbranch(builder.icmp_signed("<", first, last), loop, after)
    builder.position_at_end(loop)
    e, sums = builder.phi(first.type), [builder.phi(vector) for _ in range(n)]
    unit = builder.sext(builder.load(builder.gep(units, [e])), first.type)
    row = _vectors_at(builder, builder.gep(base, [builder.mul(unit, stride)]), vector, n)
    new = [builder.fadd(total, builder.load(p, align=4)) for total, p in zip(sums, row)]
    following = builder.add(e, e.type(1))
    builder.cbranch(builder.icmp_signed("<", following, last), loop, after)
    for phi, start, each in zip([e, *sums], [first] + [zero] * n, [following, *new]):
        phi.add_incoming(start, before), phi.add_incoming(each, loop)
    builder.position_at_end(after)
    totals = [builder.phi(vector) for _ in range(n)]
    for total, each in zip(totals, new):
        total.add_incoming(zero, before), total.add_incoming(each, loop)
    for total, p in zip(totals, _vectors_at(builder, out, vector, n)):
        builder.store(total, p, align=4)


@intrinsic
def _sum_rows(typing_context, rows, offset, stride, size, index, first, last, out, at):
    def generate(context, builder, signature, arguments):
        rows_, offset, stride, size, index_, first, last, out_, at = (
            context.cast(builder, value, given, wanted)
            for value, given, wanted in zip(
                arguments,
                signature.args,
                (
                    rows,
                    types.intp,
                    types.intp,
                    types.intp,
                    index,
                    types.intp,
                    types.intp,
                    out,
                    types.intp,
                ),
            )
        )
        vector, n = _vector(rows, 32 // (rows.dtype.bitwidth // 8)), SPAN_BYTES // 32
        base = _pointer(context, builder, rows, rows_, offset)
        units = _pointer(context, builder, index, index_, first.type(0))
        place = _pointer(context, builder, out, out_, at)
        with builder.if_else(builder.icmp_signed(">", size, size.type(n // 2 * vector.count))) as (
            wide,
            narrow,
        ):
            with wide:
                _sum_loop(builder, vector, n, base, stride, units, first, last, place)
            with narrow:
                _sum_loop(builder, vector, n // 2, base, stride, units, first, last, place)
        return context.get_dummy_value()

    return types.void(rows, offset, stride, size, index, first, last, out, at), generate


def _sum_rows_python(rows, offset, stride, size, index, first, last, out, at):
    half = SPAN_BYTES // 2 // rows.itemsize
    span = 2 * half if size > half else half
    out[at : at + span] = 0
    for unit in index[first:last]:
        row = rows[offset + int(unit) * stride :][:span]  # the last one may end before
        out[at : at + row.size] += row


#: out[at + h] = sum over e in first .. last - 1 of rows[offset + index[e] * stride + h], for h <
#: size (at most SPAN_BYTES / itemsize)
#: and up to the next half of a span; e ascends. The sums stay in registers. `rows`, a vector, must
#: have a whole span after the
#: beginning of the last row (room.aligned has it).
sum_rows = _sum_rows_python if numba.config.DISABLE_JIT else _sum_rows

#: Elements that one `at_least` compares.
LANES = 32


@intrinsic
def _at_least(typing_context, array, first, bound):
    def generate(context, builder, signature, arguments):
        whole, first, bound = (
            context.cast(builder, value, given, wanted)
            for value, given, wanted in zip(
                arguments, signature.args, (array, types.intp, array.dtype)
            )
        )
        vector = _vector(array, LANES)
        (pointer,) = _vectors_at(
            builder, _pointer(context, builder, array, whole, first), vector, 1
        )
        found = builder.fcmp_ordered(
            ">=", builder.load(pointer, align=4), _repeat(builder, bound, vector)
        )
        return builder.zext(builder.bitcast(found, ir.IntType(LANES)), ir.IntType(64))

    return types.int64(array, first, bound), generate


@intrinsic
def _lowest_bit(typing_context, bits):
    def generate(context, builder, signature, arguments):
        found = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return context.cast(builder, found, bits, types.int64)

    return types.int64(bits), generate


def _at_least_python(array, first, bound):
    return int(sum(1 << int(k) for k in np.flatnonzero(array[first : first + LANES] >= bound)))


def _lowest_bit_python(bits):
    bits = int(bits)
    return (bits & -bits).bit_length() - 1


#: Bits that say whether array[first + k] >= bound, k < LANES; the memory of a vector must not end
#: before (room.aligned).
at_least = _at_least_python if numba.config.DISABLE_JIT else _at_least

#: Position of the lowest 1.
lowest_bit = _lowest_bit_python if numba.config.DISABLE_JIT else _lowest_bit


#: Of the exponential, by bytes of a number: the integer of that size, bits of the mantissa, bias of
#: the exponent, ln 2 in two parts (the
#: first has zeros at its end, so that a whole multiple of it is exact), the range, and the degree
#: of the polynomial.
_EXP = {
    4: (ir.IntType(32), 23, 127, 0.693359375, -2.12194440e-4, -87.0, 88.0, 7),
    8: (ir.IntType(64), 52, 1023, 0.693145751953125, 1.42860682030941723212e-6, -708.0, 709.0, 13),
}


@intrinsic
def _exp(typing_context, x):
    def generate(context, builder, signature, arguments):
        (value,), (integer, mantissa, bias, ln2, rest, low, high, degree) = (
            arguments,
            _EXP[x.bitwidth // 8],
        )
        kind = value.type
        add = builder.fadd
        multiply = builder.fmul
        for bound, order in ((kind(low), "<"), (kind(high), ">")):  # NaN stays
            value = builder.select(builder.fcmp_ordered(order, value, bound), bound, value)
        magic = kind(1.5 * 2.0**mantissa)  # a sum with it has a whole number in its lowest bits
        shifted = add(multiply(value, kind(1 / log(2))), magic)
        n = builder.fsub(shifted, magic)
        r = builder.fsub(builder.fsub(value, multiply(n, kind(ln2))), multiply(n, kind(rest)))
        series = kind(1 / factorial(degree))
        for k in reversed(range(degree)):
            series = add(multiply(series, r), kind(1 / factorial(k)))
        power = builder.shl(
            builder.add(builder.bitcast(shifted, integer), integer(bias)), integer(mantissa)
        )
        return multiply(series, builder.bitcast(power, kind))

    return x(x), generate


#: exp(x) = 2^n exp(r), |r| <= ln 2 / 2, the latter a polynomial: to 2 units in the last place, and
#: in loops with vector units, other than
#: np.exp. x is held between -708 and 709 (single precision: -87 and 88).
exp = np.exp if numba.config.DISABLE_JIT else _exp
