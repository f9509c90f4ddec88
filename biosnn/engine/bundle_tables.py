"""One large network in parts, and the synapses of its sparse projections as bundles of records.

Targets are cut into parts, which threads take. The synapses of a presynaptic neuron onto one part,
through all projections of a bundle, lie side by side, so that a spike touches one cold place in a
part. The order in which a target adds its inputs is that of batches of trials for any number of
parts: a bundle has neighbouring projections of one source, no two of which reach the same receptor.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, room
from ..kernels.bundles import place_synapses, place_targets, split_rows
from ..kernels.random import GRANULE
from ..support.ranks import Ranks
from ..support.threads import on_threads
from .layout import Layout, first_of
from .part_tables import Places
from .rows import as_rows, table

_FEWEST_NEURONS = 1000  # in a part: with fewer, another thread gains nothing
_MOST_NEURONS = 1 << 15  # targets have 16 bits
_RING_BYTES = 8e6  # of a part's ring of arrivals, which is read and written all over
_LINE = 16  # numbers of a cache line
_GAP = 512  # numbers between the rings of two parts: more than processors fetch ahead


def number_of_parts(layout: Layout, ring_size: int, threads: int, processes: int = 1) -> int:
    """Return how many parts a network has: a multiple of the threads that share it.

    As few as caches and the 16 bits of a target allow: the fewer there are, the longer is a run of
    synapses. Their number changes no bit of the result.

    Parameters
    ----------
    layout
        Layout of the network.
    ring_size
        Numbers in the ring of arrivals.
    threads
        Number of threads of a process.
    processes
        Number of processes, each of which has a part at least.
    """
    ring_bytes = ring_size * layout.network.dtype.itemsize
    wanted = max(1, ring_bytes / _RING_BYTES, layout.n_neurons / _MOST_NEURONS)
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


class _Bundle(NamedTuple):
    """Projections of one source, each an entry with the row of its wire."""

    row: dict[str, Any]
    wires: list[tuple[Any, dict[str, Any]]]
    # (wires, parts) elements of each wire's first target in a part, and behind its last one
    elements: NDArray[np.int64]
    ends: NDArray[np.int64]


class _Packer:
    """Puts sparse projections into bundles.

    Parameters
    ----------
    layout
        Layout of the network.
    columns
        The rows of receptors in the ring of arrivals.
    bounds
        (populations, parts + 1) neurons of each part.
    places
        Where everything lies in memory.
    """

    def __init__(self, layout, columns, bounds, places):
        self.network, self.bounds, self.places = layout.network, bounds, places
        sizes = [np.diff(bounds[column["population"]]) for column in columns]
        ends = np.cumsum([np.zeros(bounds.shape[1] - 1, np.int64), *sizes], axis=0)
        self.column, self.ring_width = ends[:-1], -(-ends[-1] // _LINE) * _LINE
        self.place = {column["state"]: c for c, column in enumerate(columns)}
        self.bundles: list[_Bundle] = []

    def add(self, entry, wire):
        """A projection, into the last bundle if it fits there."""
        late, weight = wire["ring"] >= 0, self.network.weights[entry.name]
        row = {
            "source": wire["source"],
            "delay": wire["delay"],
            "late": late,
            "single": not late and wire["short"] < 0 and not np.ndim(weight),
            "short": wire["short"],
            "n_pre": wire["n_pre"],
            "jump": wire["jump"],
        }
        kind = self.network.dtype.type
        row["weight"] = float(kind(wire["jump"]) * kind(weight)) if row["single"] else 0.0
        own = self.bounds[wire["post"]]
        if late:
            begins = self.column[self.place[wire["target"]]]
        else:
            begins = self.places.of_element[wire["target"]] + own[:-1]
        one = _Bundle(row, [(entry, wire)], begins[None], (begins + np.diff(own))[None])
        both = self._both(self.bundles[-1], one) if self.bundles else None
        if both:
            self.bundles[-1] = both
        else:
            self.bundles.append(one)

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
        if np.any(ends.max(axis=0) - elements.min(axis=0) > 1 << 16):
            return None
        return _Bundle(bundle.row, wires, elements, ends)


def pack_parts(
    layout: Layout,
    sparse: list[tuple[Any, dict[str, Any]]],
    columns: list[dict[str, Any]],
    bounds: NDArray[np.int64],
    places: Places,
    slots: int,
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
        Rows of receptors in the ring of arrivals.
    bounds
        (populations, parts + 1) neurons of each part.
    places
        Where everything lies in memory.
    slots
        Steps of the ring.
    threads
        Number of threads that write the synapses, each those of some parts.
    ranks
        The processes: the parts of this one alone get synapses and rings.
    """
    n_parts = bounds.shape[1] - 1
    own = range(*first_parts(n_parts, ranks.size)[ranks.rank : ranks.rank + 2])
    packer = _Packer(layout, columns, bounds, places)
    for entry, wire in sparse:
        packer.add(entry, wire)
    like = np.empty(0, arrays.synapse_type(layout.network.dtype))
    rows, starts, firsts, alive = [], [np.empty((len(own), 0), np.uint32)], [], []
    at = 0
    for bundle in packer.bundles:
        own_starts, first, synapses = _filled(packer, bundle, like.dtype, threads, own)
        address, width = synapses.ctypes.data, synapses.itemsize
        rows.append(bundle.row | {"row_first": at, "address": address, "width": width})
        at += own_starts.shape[1]
        starts.append(own_starts)
        firsts.append(first)
        alive.append(synapses)
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
        base=np.array([b.elements.min(axis=0) for b in packer.bundles], np.int64).reshape(
            -1, n_parts
        ),
        ring_first=first_of((slots * packer.ring_width + _GAP) * is_own)[:-1],
        ring_width=packer.ring_width * is_own,
        ring_slots=slots,
        column=packer.column.reshape(-1, n_parts),
        like=like,
    )
    return parts, alive


def _filled(packer, bundle, dtype, threads, own):
    """(own parts, n_pre + 1) starts, (parts,) first synapses, and the synapses of a bundle."""
    n_pre, edges = bundle.row["n_pre"], np.arange(threads + 1) * len(own) // threads
    jobs = [(a, b) for a, b in pairwise(edges) if a < b]
    counts = np.zeros((len(own), n_pre), np.int64)
    wires = [
        (*_synapses_of(packer, entry), packer.bounds[wire["post"]][own.start : own.stop + 1])
        for entry, wire in bundle.wires
    ]

    def split(a, b):
        """Where the rows of each projection are cut for some parts."""
        found = [np.empty((n_pre, b - a + 1), np.int64) for _ in wires]
        for cuts, (synapses, _, _, bounds) in zip(found, wires):
            split_rows(synapses.first, synapses.target, bounds[a : b + 1], cuts)
            counts[a:b] += np.diff(cuts, axis=1).T
        return found

    cut = dict(zip(jobs, on_threads(split, jobs, threads)))
    starts = np.zeros((len(own), n_pre + 1), np.int64)
    np.cumsum(counts, axis=1, out=starts[:, 1:])
    if starts.size and starts[:, -1].max() >= 1 << 32:
        raise ValueError(
            f"a part of the network has {starts[:, -1].max():,} synapses of one population; there "
            "is room for 2^32. Split the population."
        )
    first = first_of(starts[:, -1])
    single = bundle.row["single"]
    synapses = as_rows(room.spacious(int(first[-1]) + 1, np.uint16 if single else dtype))
    cursor = starts[:, :-1] + first[:-1, None]
    elements = bundle.elements[:, own]
    base = elements.min(axis=0)

    def place(a, b):
        """Write those of some parts, which this thread then touches first."""
        for cuts, (found, delay, weight, bounds), element, (_, wire) in zip(
            cut[a, b], wires, elements, bundle.wires
        ):
            offset, free = (element - base - bounds[:-1])[a:b], cursor[a:b]
            if single:
                place_targets(cuts, found.target, offset, free, synapses)
            else:
                jump = 1.0 if bundle.row["short"] >= 0 else float(wire["jump"])
                place_synapses(cuts, found.target, delay, weight, jump, offset, free, synapses)

    on_threads(place, jobs, threads)
    firsts = np.zeros(packer.bounds.shape[1] - 1, np.int64)
    firsts[own] = first[:-1]
    return starts.astype(np.uint32), firsts, synapses


def _synapses_of(packer, entry):
    """The synapses of a projection, their delays and weights: one for all, or one for each."""
    network = packer.network
    synapses, weights = network.synapses[entry.name], network.weights[entry.name]
    if np.ndim(weights):
        weights = synapses.weight_of_each(weights)
    delay = np.atleast_1d(network.delay_steps(entry.projection))
    if delay.dtype != np.uint8:
        delay = delay.astype(np.uint16)
    return synapses, delay, np.ascontiguousarray(np.atleast_1d(weights), network.dtype)
