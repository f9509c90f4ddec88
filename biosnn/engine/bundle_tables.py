"""One large network in parts, and the synapses of its sparse projections as bundles of records.

Targets are cut into parts, which threads take. The synapses of a presynaptic neuron onto one part,
through all projections of a bundle, lie side by side, so that a spike touches one cold place in a
part. The order in which a target adds its inputs is that of batches of trials for any number of
parts: a bundle has neighbouring projections of one source, no two of which reach the same receptor.
"""

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, room
from ..kernels.random import GRANULE
from ..support.memory import check_room
from ..support.progress import progress_bar
from ..support.ranks import Ranks
from .bundle_records import MOST_TARGETS, Bundle, filled, keep_few
from .layout import Layout, first_of
from .part_tables import Places
from .rows import table

_MANY_SYNAPSES = 1 << 26  # from here on a bar shows how they are written
_FEWEST_NEURONS = 1000  # in a part: with fewer, another thread gains nothing
_MOST_NEURONS = 60_000  # in a part: targets have 16 bits, and parts are of granules
_ROW_BYTES = 5e5  # of a part's numbers for what arrives: of the second-level cache
_LONG_BLOCK = 48  # words of a block, with room for those of rare delays
_LINE = 16  # numbers of a cache line
_GAP = 512  # numbers between two parts: more than processors fetch ahead


def number_of_parts(layout: Layout, width: int, threads: int, processes: int = 1) -> int:
    """Return how many parts a network has: a multiple of the threads that share it.

    As few as caches and the 16 bits of a target allow: the fewer there are, the longer is a run of
    synapses. Their number changes no bit of the result.

    Parameters
    ----------
    layout
        Layout of the network.
    width
        Targets of synapses with delays of their own: receptors of neurons.
    threads
        Number of threads of a process.
    processes
        Number of processes, each of which has a part at least.
    """
    row_bytes = width * layout.network.dtype.itemsize
    wanted = max(1, row_bytes / _ROW_BYTES, layout.n_neurons / _MOST_NEURONS)
    most = max(1, layout.n_neurons // (_FEWEST_NEURONS * processes))
    workers = processes * min(threads, most)
    return workers * int(np.ceil(wanted / workers))


def first_parts(n_parts: int, processes: int) -> NDArray[np.int64]:
    """Return (processes + 1,) the first part of each process, which has neighbouring ones."""
    return np.arange(processes + 1) * n_parts // processes


def part_bounds(layout: Layout, parts: int) -> NDArray[np.int64]:
    """Return (populations, parts + 1) contiguous parts of every population, in granules.

    What rounding takes from one population, it gives to the next.
    """
    bounds = np.zeros((len(layout.order), parts + 1), np.int64)
    bounds[:, -1] = [p.n for p in layout.order]
    for t in range(1, parts):
        carry = 0.0
        for p, population in enumerate(layout.order):
            granules = -(-population.n // GRANULE)
            wanted = granules * t / parts + carry
            given = min(max(round(wanted), -(-bounds[p, t - 1] // GRANULE)), granules)
            bounds[p, t] = min(given * GRANULE, population.n)
            carry = wanted - given
    return bounds


class _Packer:
    """Puts sparse projections into bundles.

    Parameters
    ----------
    layout
        Layout of the network.
    columns
        The rows of receptors that synapses with delays of their own reach.
    bounds
        (populations, parts + 1) neurons of each part.
    places
        Where everything lies in memory.
    """

    def __init__(self, layout, columns, bounds, places):
        self.network, self.bounds, self.places = layout.network, bounds, places
        sizes = [np.diff(bounds[column["population"]]) for column in columns]
        ends = np.cumsum([np.zeros(bounds.shape[1] - 1, np.int64), *sizes], axis=0)
        self.column, self.width = ends[:-1], -(-ends[-1] // _LINE) * _LINE
        self.place = {column["state"]: c for c, column in enumerate(columns)}
        self.bundles: list[Bundle] = []

    def add(self, entry, wire):
        """A projection, into the last bundle if it fits there."""
        late, one_weight = wire["ring"] >= 0, self.network.has_one_weight(entry.name)
        row = {
            "source": wire["source"],
            "delay": wire["delay"],
            "late": late,
            "single": wire["short"] < 0 and one_weight,
            "short": wire["short"],
            "n_pre": wire["n_pre"],
            "jump": wire["jump"],
        }
        kind = self.network.dtype.type
        row["weight"] = 0.0
        if row["single"]:
            row["weight"] = float(kind(wire["jump"]) * kind(self.network.weights[entry.name]))
        own = self.bounds[wire["post"]]
        if late:
            begins = self.column[self.place[wire["target"]]]
        else:
            begins = self.places.of_element[wire["target"]] + own[:-1]
        one = Bundle(row, [(entry, wire)], begins[None], (begins + np.diff(own))[None])
        both = self._both(self.bundles[-1], one) if self.bundles else None
        if both:
            self.bundles[-1] = both
        else:
            self.bundles.append(one)

    def completed(self, dtype):
        """The bundles, with the width of a synapse and the range of delays."""
        for bundle in self.bundles:
            row = dict(bundle.row)
            row["width"] = (2 if row["single"] else dtype.itemsize) // 2
            delays = 0
            if row["late"]:
                ranges = [
                    self.network.delay_range(entry.projection)
                    for entry, _ in bundle.wires
                    if self.network.synapses[entry.name].size
                ] or [(0, 0)]
                row["delay"] = min(shortest for shortest, _ in ranges)
                delays = max(longest for _, longest in ranges) - row["delay"] + 1
            yield bundle._replace(row=row, delays=delays)

    def _both(self, bundle, other):
        """Two bundles as one, or None if they do not fit together."""
        same = all(bundle.row[key] == other.row[key] for key in bundle.row if key != "jump")
        if not same or bundle.row["short"] >= 0:
            return None
        wires = bundle.wires + other.wires
        if len({wire["target"] for _, wire in wires}) < len(wires):
            return None
        elements = np.vstack([bundle.elements, other.elements])
        ends = np.vstack([bundle.ends, other.ends])
        if np.any(ends.max(axis=0) - elements.min(axis=0) > MOST_TARGETS):
            return None
        return Bundle(bundle.row, wires, elements, ends)


def pack_parts(
    layout: Layout,
    sparse: list[tuple[Any, dict[str, Any]]],
    columns: list[dict[str, Any]],
    bounds: NDArray[np.int64],
    places: Places,
    threads: int,
    ranks: Ranks,
) -> tuple[arrays.Parts, list[NDArray]]:
    """Return the parts of a network, and the arrays that their addresses need to be kept alive.

    Rows of populations and projections are still missing: they differ between runs.

    Parameters
    ----------
    layout
        Layout of the network.
    sparse
        Sparse projections in the order of kernels, each with the row of its wire.
    columns
        Rows of receptors that synapses with delays of their own reach.
    bounds
        (populations, parts + 1) neurons of each part.
    places
        Where everything lies in memory.
    threads
        Number of threads that write the synapses, each those of some parts.
    ranks
        The processes: the parts of this one alone get synapses.
    """
    n_parts = bounds.shape[1] - 1
    own = range(*first_parts(n_parts, ranks.size)[ranks.rank : ranks.rank + 2])
    packer = _Packer(layout, columns, bounds, places)
    keep_few(layout.network, [entry.name for entry, _ in sparse], ranks)
    for entry, wire in sparse:
        packer.add(entry, wire)
    like = np.empty(0, arrays.synapse_type(layout.network.dtype))
    rows, starts, firsts, alive = [], [np.empty((len(own), 0), np.uint32)], [], []
    at = 0
    for bundle, (own_starts, first, words) in _all_filled(packer, like.dtype, threads, own):
        block = words.size / max(1, own_starts.size * bundle.delays)
        alone = bundle.row["short"] >= 0 or block > _LONG_BLOCK
        rows.append(bundle.row | {"row_first": at, "address": words.ctypes.data, "alone": alone})
        at += own_starts.shape[1]
        starts.append(own_starts)
        firsts.append(first)
        alive.append(words)
    none = np.empty((0, 0), np.int64)
    is_own = np.isin(np.arange(n_parts), own)
    parts = arrays.Parts(
        bounds=bounds,
        cells=none,
        populations=none,
        jumps=none,
        wires=none,
        columns=none,
        sources=none,
        bundles=table(arrays.BUNDLE, rows),
        starts=np.ascontiguousarray(np.concatenate(starts, axis=1)),
        first=np.array(firsts, np.int64).reshape(-1, n_parts),
        base=np.array([b.base for b in packer.bundles], np.int64).reshape(-1, n_parts),
        arriving_first=first_of((packer.width + _GAP) * is_own)[:-1],
        arriving_width=packer.width * is_own,
        column=packer.column.reshape(-1, n_parts),
        like=like,
    )
    return parts, alive


def _all_filled(packer, dtype, threads, own):
    """The bundles, each with what `filled` returns, and a bar where that takes long."""
    sizes = [packer.network.synapses[e.name].size for b in packer.bundles for e, _ in b.wires]
    share = sum(sizes) * len(own) // (packer.bounds.shape[1] - 1)
    check_room("the neurons of this process", share, np.dtype(np.uint16).itemsize)  # at least
    many = sum(sizes) > _MANY_SYNAPSES
    bar = progress_bar(sum(sizes), "synapses") if many else nullcontext(lambda size: None)
    with bar as advance:
        for bundle in packer.completed(dtype):
            yield bundle, filled(packer, bundle, dtype, threads, own, advance)
            if many:
                room.give_back()  # the targets of the bundle
