"""The records of a bundle: the synapses of its projections, written part by part of the targets.

Threads take pieces of a projection, those of neighbouring sources, which are drawn where no arrays
hold them; so beside the records there are the targets of one bundle, and weights and delays of one
piece a thread.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import room
from ..kernels.bundles import place_synapses, place_targets, split_rows
from ..network.drawn_synapses import DrawnSynapses
from ..network.network import Network
from ..network.pieces import Piece
from ..network.synapses import Synapses
from ..support.ranks import Ranks
from ..support.threads import on_threads
from .layout import first_of
from .rows import as_rows

_KEPT_BYTES = 1 << 30  # of drawn synapses and weights that are kept, so that others find them
_LEAST, _MOST = 1 << 16, 1 << 20  # synapses of a piece
_PAGE = 4096


class Bundle(NamedTuple):
    """Projections of one source, each an entry with the row of its wire."""

    row: dict[str, Any]
    wires: list[tuple[Any, dict[str, Any]]]
    # (wires, parts) elements of each wire's first target in a part, and behind its last one
    elements: NDArray[np.int64]
    ends: NDArray[np.int64]


def keep_few(network: Network, names: list[str], ranks: Ranks) -> None:
    """Draw synapses and weights of projections for good, if they take little memory.

    The next run finds them then. Processes that share a network never do.
    """
    lists = [network.synapses[name] for name in names]
    drawn = [each for each in lists if isinstance(each, DrawnSynapses)]
    weights = [(name, w) for name in names if (w := network.weights.undrawn(name))]
    size = sum(w.size for _, w in weights) * network.dtype.itemsize
    size += sum(each.nbytes_of_all for each in drawn)
    if size <= _KEPT_BYTES and ranks.size == 1:
        for each in drawn:
            each.keep()
        for name, _ in weights:
            _ = network.weights[name]  # who looks, draws


class _Wire(NamedTuple):
    """A projection of a bundle, from which pieces are taken.

    own: the bounds of the parts of this process; weights: those of the synapses begin .. end - 1,
    or the one of all; elements: (own parts,) where the first target of each lies.
    """

    synapses: Synapses
    own: NDArray[np.int64]
    weights: Callable[[int, int], NDArray]
    jump: float
    elements: NDArray[np.int64]


class _Cut(NamedTuple):
    """A piece, and (rows, own parts + 1) where its rows are cut."""

    piece: Piece
    split: NDArray[np.int64]


def filled(
    packer: Any,
    bundle: Bundle,
    dtype: np.dtype,
    threads: int,
    own: range,
    advance: Callable[[int], None],
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray]:
    """Return starts (own parts, n_pre + 1), first synapses (parts,), and records of a bundle.

    Parameters
    ----------
    packer
        What has the network, and the bounds of all parts.
    bundle
        Its projections.
    dtype
        Of a record that has weight and delay.
    threads
        Number of threads.
    own
        The parts of this process.
    advance
        Is told of synapses that have been written.
    """
    wires = [_wire(packer, bundle, own, k) for k in range(len(bundle.wires))]
    cuts = [_cuts(wire, threads) for wire in wires]
    counts = np.zeros((len(own), bundle.row["n_pre"]), np.int64)
    for piece, split in (cut for each in cuts for cut in each):
        counts[:, piece.row : piece.row + len(split)] += np.diff(split, axis=1).T
    starts = np.zeros((len(own), bundle.row["n_pre"] + 1), np.int64)
    np.cumsum(counts, axis=1, out=starts[:, 1:])
    if starts.size and starts[:, -1].max() >= 1 << 32:
        raise ValueError(
            f"a part of the network has {starts[:, -1].max():,} synapses of one population; there "
            "is room for 2^32. Split the population."
        )
    first = first_of(starts[:, -1])
    single = bundle.row["single"]
    kind = np.dtype(np.uint16) if single else dtype
    records = as_rows(room.spacious(int(first[-1]) + 1, kind))
    _touch(records, first, threads)
    cursor = starts[:, :-1] + first[:-1, None]
    base = bundle.elements[:, own].min(axis=0)
    for wire, pieces in zip(wires, cuts):
        _place(wire, pieces, wire.elements - base - wire.own[:-1], cursor, records, single, threads)
        advance(wire.synapses.size)
    firsts = np.zeros(packer.bounds.shape[1] - 1, np.int64)
    firsts[own] = first[:-1]
    return starts.astype(np.uint32), firsts, records


def _wire(packer, bundle, own, k):
    """A projection of a bundle."""
    network, (entry, wire) = packer.network, bundle.wires[k]
    synapses = network.synapses[entry.name]
    return _Wire(
        synapses=synapses,
        own=packer.bounds[wire["post"]][own.start : own.stop + 1],
        weights=_weights_of(network, entry.name, synapses),
        jump=1.0 if bundle.row["short"] >= 0 else float(wire["jump"]),
        elements=bundle.elements[k, own],
    )


def _weights_of(network, name, synapses):
    """The function that gives the weights of a range of synapses."""
    drawn = network.weights.undrawn(name)
    if drawn is not None:
        return drawn.part
    weights = network.weights[name]
    if not np.ndim(weights):
        one = np.atleast_1d(np.asarray(weights, network.dtype))
        return lambda begin, end: one
    each = np.ravel(weights)
    if synapses.weight_index is not None:
        return lambda begin, end: each[synapses.weight_index[begin:end]]
    return lambda begin, end: each[begin:end]


def _cuts(wire, threads):
    """The pieces of a projection."""
    onto = wire.synapses.onto(int(wire.own[0]), int(wire.own[-1]))

    def cut(begin, end):
        piece = onto.piece(begin, end)
        split = np.empty((end - begin, wire.own.size), np.int64)
        split_rows(_fixed(piece.first), _fixed(piece.target), wire.own, split)
        return _Cut(piece, split)

    size = int(np.clip(wire.synapses.size // (4 * threads), _LEAST, _MOST))
    return on_threads(cut, wire.synapses.row_parts(size), threads)


def _touch(records, first, threads):
    """Let each part be touched by the thread that reads it: that is where its memory lies then."""
    pages = records.view(np.uint8)

    def touch(begin, end):
        pages[begin:end:_PAGE] = 0

    ends = (first * records.itemsize).tolist()
    on_threads(touch, list(pairwise(ends)), threads)


def _place(wire, cuts, offset, cursor, records, single, threads):
    """Write the records of a projection."""

    def place(piece, split):
        if single:
            place_targets(split, _fixed(piece.target), piece.row, offset, cursor, records)
            return
        delay = wire.synapses.delays_of(piece.begin, piece.end)
        weight = wire.weights(piece.begin, piece.end)
        shift = piece.which - piece.first[:-1] - piece.begin
        values = _fixed(delay), _fixed(weight), wire.jump
        target = _fixed(piece.target)
        place_synapses(split, target, shift, *values, piece.row, offset, cursor, records)

    on_threads(place, cuts, threads)


def _fixed(array):
    """An array as kernels take it: they are compiled once for what can be changed and what not."""
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array
