"""One large network in parts, and the synapses of its sparse projections as bundles of records.

Targets are cut into parts. The synapses of a presynaptic neuron onto one part, through all
projections of a bundle, lie side by side, so that a spike touches one cold place in a part. How
many parts there are follows from the sizes of the network and of caches, never from the number of
threads. The order in which a target adds its inputs is that of batches of trials: a bundle has
neighbouring projections of one source, no two of which reach the same receptor.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..kernels.bundles import count_synapses, place_synapses, place_targets
from ..kernels.random import GRANULE
from ..support.threads import on_threads
from .layout import Layout, first_of
from .rows import table

# a part of fewer neurons costs more than another thread gains
_FEWEST_NEURONS = 700
# … and more parts than this are for the sake of caches only
_ENOUGH_PARTS = 16
# bytes of a part's ring of arrivals, which stay in the second-level cache
_RING_BYTES = 1.3e6
_MOST_NEURONS = 1 << 14  # in a part: targets have 16 bits
_LINE = 16  # numbers of a cache line


def number_of_parts(layout: Layout, ring_size: int) -> int:
    """Return how many parts a network has: a power of 2.

    Parameters
    ----------
    layout
        Layout of the network.
    ring_size
        Numbers in the ring of arrivals.
    """
    n_neurons = layout.n_neurons
    wanted = max(
        min(n_neurons / _FEWEST_NEURONS, _ENOUGH_PARTS),
        ring_size * layout.network.dtype.itemsize / _RING_BYTES,
        n_neurons / _MOST_NEURONS,
        1,
    )
    return 1 << int(np.ceil(np.log2(wanted)))


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
    elements: NDArray[np.int64]  # (wires, parts) element of each wire's first target of a part


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
    """

    def __init__(self, layout, columns, bounds):
        self.layout, self.network, self.bounds = layout, layout.network, bounds
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
        own = self.bounds[wire["post"], :-1]
        begins = self.column[self.place[wire["target"]]] if late else wire["target"] + own
        if self.bundles and self._fits(self.bundles[-1], row, begins, wire):
            last = self.bundles.pop()
            wires, elements = [*last.wires, (entry, wire)], np.vstack([last.elements, begins])
            self.bundles.append(last._replace(wires=wires, elements=elements))
        else:
            self.bundles.append(_Bundle(row, [(entry, wire)], begins[None]))

    def _fits(self, bundle, row, begins, wire):
        """Whether a projection can join a bundle."""
        same = all(bundle.row[key] == row[key] for key in row if key != "jump")
        if not same or row["short"] >= 0:
            return False
        if any(other["target"] == wire["target"] for _, other in bundle.wires):
            return False
        begins = np.vstack([bundle.elements, begins])
        return bool(np.all(np.ptp(begins, axis=0) < (1 << 16) - _MOST_NEURONS - GRANULE))

    def base(self, bundle):
        """(parts,) the element that targets of a bundle count from."""
        if bundle.row["late"]:
            return np.zeros(self.bounds.shape[1] - 1, np.int64)
        return bundle.elements.min(axis=0)


def pack_parts(
    layout: Layout,
    sparse: list[tuple[Any, dict[str, Any]]],
    columns: list[dict[str, Any]],
    bounds: NDArray[np.int64],
    slots: int,
    threads: int,
) -> tuple[arrays.Parts, list[NDArray]]:
    """Return the parts of a network, and the arrays that their addresses need to be kept alive.

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
    slots
        Steps of the ring.
    threads
        Number of threads that write the synapses, each those of some parts.
    """
    packer = _Packer(layout, columns, bounds)
    for entry, wire in sparse:
        packer.add(entry, wire)
    like = np.empty(0, arrays.synapse_type(layout.network.dtype))
    rows, starts, firsts, alive = [], [np.empty((bounds.shape[1] - 1, 0), np.uint32)], [], []
    at = 0
    for bundle in packer.bundles:
        own_starts, first, synapses = _filled(packer, bundle, like.dtype, threads)
        address, width = synapses.ctypes.data, synapses.itemsize
        rows.append(bundle.row | {"row_first": at, "address": address, "width": width})
        at += own_starts.shape[1]
        starts.append(own_starts)
        firsts.append(first)
        alive.append(synapses)
    n_parts = bounds.shape[1] - 1
    parts = arrays.Parts(
        bounds=bounds,
        bundles=table(arrays.BUNDLE, rows),
        starts=np.ascontiguousarray(np.concatenate(starts, axis=1)),
        first=np.array(firsts, np.int64).reshape(-1, n_parts),
        base=np.array([packer.base(b) for b in packer.bundles], np.int64).reshape(-1, n_parts),
        ring_first=first_of(slots * packer.ring_width)[:-1],
        ring_width=packer.ring_width,
        column=packer.column.reshape(-1, n_parts),
        like=like,
    )
    return parts, alive


def _filled(packer, bundle, dtype, threads):
    """(parts, n_pre + 1) starts, (parts,) first synapses, and the synapses of a bundle."""
    n_pre, n_parts = bundle.row["n_pre"], packer.bounds.shape[1] - 1
    edges = np.arange(threads + 1) * n_parts // threads
    jobs = [(a, b) for a, b in pairwise(edges) if a < b]
    counts = np.zeros((n_parts, n_pre), np.int64)
    wires = [
        (*_synapses_of(packer, entry), packer.bounds[wire["post"]]) for entry, wire in bundle.wires
    ]

    def count(a, b):
        """The synapses of some parts."""
        for synapses, _, _, bounds in wires:
            count_synapses(synapses.first, synapses.target, bounds[a : b + 1], counts[a:b])

    on_threads(count, jobs, threads)
    starts = np.zeros((n_parts, n_pre + 1), np.int64)
    np.cumsum(counts, axis=1, out=starts[:, 1:])
    if starts.size and starts[:, -1].max() >= 1 << 32:
        raise ValueError(
            f"a part of the network has {starts[:, -1].max():,} synapses of one population; there "
            "is room for 2^32. Split the population."
        )
    first = first_of(starts[:, -1])
    single = bundle.row["single"]
    synapses = np.empty(int(first[-1]) + 1, np.uint16 if single else dtype)
    cursor = starts[:, :-1] + first[:-1, None]
    base = packer.base(bundle)

    def place(a, b):
        """Write those of some parts, which this thread then touches first."""
        for (found, delay, weight, bounds), elements, (_, wire) in zip(
            wires, bundle.elements, bundle.wires
        ):
            offset = (elements - base - bounds[:-1])[a:b]
            own = found.first, found.target
            if single:
                place_targets(*own, bounds[a : b + 1], offset, cursor[a:b], synapses)
            else:
                jump = 1.0 if bundle.row["short"] >= 0 else float(wire["jump"])
                place_synapses(
                    *own, delay, weight, jump, bounds[a : b + 1], offset, cursor[a:b], synapses
                )

    on_threads(place, jobs, threads)
    return starts.astype(np.uint32), first[:-1], synapses


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
