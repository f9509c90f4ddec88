"""The records of a bundle: the synapses of its projections, written part by part of the targets.

Threads take pieces of a projection, those of neighbouring sources, which are drawn where no arrays
hold them; so beside the records there are the targets and delays of one bundle, and weights of one
piece a thread. Where synapses have delays of their own, the records of a neuron are sorted by them.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import room
from ..kernels.synapse_records import place_synapses, room_for, sort_by_delay, split_rows
from ..kernels.underway import SHORT
from ..network.drawn_synapses import DrawnSynapses
from ..network.network import Network
from ..network.pieces import Piece
from ..network.synapses import Synapses
from ..support.ranks import Ranks
from ..support.threads import on_threads
from .layout import first_of
from .rows import as_rows

_KEPT_BYTES = 1 << 30  # of drawn synapses and weights that are kept, so that others find them
MOST_TARGETS = 1 << 16  # of the synapses of a bundle in a part: they have 16 bits
_LEAST, _MOST = 1 << 16, 1 << 20  # synapses of a piece
_PAGE = 4096


class Bundle(NamedTuple):
    """Projections of one source, each an entry with the row of its wire.

    delays: how many there are from the shortest to the longest one, where each synapse has its own.
    """

    row: dict[str, Any]
    wires: list[tuple[Any, dict[str, Any]]]
    # (wires, parts) elements of each wire's first target in a part, and behind its last one
    elements: NDArray[np.int64]
    ends: NDArray[np.int64]
    delays: int = 0

    @property
    def base(self) -> NDArray[np.int64]:
        """(parts,) the element that is target 0: one for all late bundles where 16 bits allow."""
        common = self.row["late"] & (self.ends.max(axis=0) <= MOST_TARGETS)
        return np.where(common, 0, self.elements.min(axis=0))


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
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint16]]:
    """Return starts (own parts, n_pre + 1), first words (parts,), and the words of a bundle.

    Parameters
    ----------
    packer
        What has the network, and the bounds of all parts.
    bundle
        Its projections.
    dtype
        Of a synapse that has a weight.
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
    rows = _Rows(counts, bundle)
    words = room.spacious(int(rows.first[-1]) + SHORT, np.uint16)
    _touch(words, rows.first, threads)
    records = _Records(words, np.empty(0, dtype), rows, bundle, int(counts.sum()))
    base = bundle.base[own]
    for wire, pieces in zip(wires, cuts):
        records.place(wire, pieces, wire.elements - base - wire.own[:-1], threads)
        advance(wire.synapses.size)
    if bundle.delays:
        records.sort(threads)
    firsts = np.zeros(packer.bounds.shape[1] - 1, np.int64)
    firsts[own] = rows.first[:-1]
    return rows.starts.astype(np.uint32), firsts, words


class _Rows:
    """Where the synapses of each neuron lie in each own part.

    Parameters
    ----------
    counts
        (own parts, n_pre) numbers of synapses.
    bundle
        Whose they are.

    Attributes
    ----------
    starts
        (own parts, n_pre + 1) first word of each row, from the first of its part.
    first
        (own parts + 1,) first word of each part.
    place
        (own parts, n_pre + 1) first synapse of each row.
    extra
        (own parts, n_pre) words before a row in addition to those of the synapses before it.

    Raises
    ------
    ValueError
        If a part has too many synapses.
    """

    def __init__(self, counts, bundle):
        width, flat = bundle.row["width"], counts.reshape(-1)
        sizes = counts * width
        if bundle.delays:
            room_for(counts, bundle.delays, width, sizes)
        self.starts = np.zeros((counts.shape[0], counts.shape[1] + 1), np.int64)
        np.cumsum(sizes, axis=1, out=self.starts[:, 1:])
        self.first = first_of(self.starts[:, -1])
        if self.starts.size and self.starts[:, -1].max() >= 1 << 32:
            raise ValueError(
                f"a part of the network has {counts.sum(axis=1).max():,} synapses of one "
                f"population; there is room for {(1 << 32) // width:,} at most. Split the "
                "population."
            )
        firsts = first_of(flat)
        rows = np.arange(counts.shape[0])[:, None] * counts.shape[1]
        self.place = firsts[rows + np.arange(counts.shape[1] + 1)]
        self.extra = self.starts[:, :-1] + self.first[:-1, None] - self.place[:, :-1] * width


class _Records:
    """The words of a bundle, as they are written.

    Parameters
    ----------
    words
        Room for them.
    like
        (0,) of the type of a synapse with a weight.
    rows
        Where the synapses of each neuron lie.
    bundle
        Whose they are.
    size
        Number of synapses.
    """

    def __init__(self, words, like, rows, bundle, size):
        self.words, self.like, self.rows, self.bundle = words, as_rows(like), rows, bundle
        self.cursor = rows.place[:, :-1].copy()
        self.delays = np.empty(size if bundle.delays else 0, np.uint16)

    def place(self, wire, cuts, offset, threads):
        """Write the synapses of a projection."""
        single, timed = self.bundle.row["single"], self.bundle.delays > 0
        none = np.empty(0, self.like.dtype["weight"])

        def place(piece, split):
            ends = piece.begin, piece.end
            delay = wire.synapses.delays_of(*ends) if timed else np.empty(0, np.uint16)
            weight = none if single else wire.weights(*ends)
            shift = piece.which - piece.first[:-1] - piece.begin
            place_synapses(
                split,
                _fixed(piece.target),
                shift,
                _fixed(delay),
                _fixed(weight),
                wire.jump,
                piece.row,
                offset,
                self.cursor,
                self.rows.extra,
                self.words.ctypes.data,
                self.like,
                self.delays,
            )

        on_threads(place, cuts, threads)

    def sort(self, threads):
        """Sort the synapses of each neuron by their delays."""
        place, extra = self.rows.place, self.rows.extra
        most = int(np.diff(place, axis=1).max(initial=0)) * self.bundle.row["width"]

        def sort(t, begin, end):
            numbers = np.zeros((2, self.bundle.delays), np.int64)
            copy = np.empty(most, np.uint16)
            sort_by_delay(
                begin,
                end,
                place[t],
                extra[t],
                self.delays,
                self.bundle.row["delay"],
                self.bundle.row["width"],
                self.words.ctypes.data,
                copy,
                numbers[0],
                numbers[1],
            )

        rows = np.linspace(0, extra.shape[1], 4 * threads + 1).astype(int).tolist()
        parts = range(extra.shape[0])
        on_threads(sort, [(t, *ends) for t in parts for ends in pairwise(rows)], threads)


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


def _touch(words, first, threads):
    """Let each part be touched by the thread that reads it: that is where its memory lies then."""
    pages = words.view(np.uint8)

    def touch(begin, end):
        pages[begin:end:_PAGE] = 0

    ends = (first * words.itemsize).tolist()
    on_threads(touch, list(pairwise(ends)), threads)


def _fixed(array):
    """An array as kernels take it: they are compiled once for what can be changed and what not."""
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array
