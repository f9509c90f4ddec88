"""From projections to the tables that kernels of one large network read (stream_tables.Wires)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.stream import split_rows
from ..network.network import Network
from ..network.projection import Projection
from .stream_layout import StreamLayout
from .stream_tables import Cells, Pools, Wires

_FAR = 1 << 40  # steps: longer than any run


def pack_wires(
    layout: StreamLayout, cells: Cells, learned: Mapping[str, NDArray]
) -> tuple[Wires, list[NDArray]]:
    """Return the projections as arrays, and arrays that must be kept alive.

    Parameters
    ----------
    layout, cells
        Of the populations.
    learned
        Projection -> weights that a run may change, in place of those of the network.
    """
    network, ring, rows = layout.network, _Ring(layout), _Rows(layout, cells)
    packed = [_Projection(layout, ring, rows, p, learned) for p in network.projections]

    def each(name, kind=np.int64):
        """A number of every projection."""
        return np.array([getattr(projection, name) for projection in packed], kind)

    own = each("own_delays", bool)
    # the others have loops of their own
    fixed = np.array([p.plasticity is None for p in network.projections], bool)
    wires = Wires(
        pre=each("pre"),
        post=each("post"),
        dense=each("dense", bool),
        wide=np.array([p.targets.dtype == np.int32 for p in packed], bool),
        long=np.array([p.delays.dtype == np.uint16 for p in packed], bool),
        delay=each("delay"),
        jump=each("jump", network.dtype),
        target=each("target"),
        size=np.array([p.targets.size for p in packed], np.int64),
        target_address=np.array([p.targets.ctypes.data for p in packed], np.int64),
        weight_address=np.array([p.weights.ctypes.data for p in packed], np.int64),
        weight_size=np.array([p.weights.size for p in packed], np.int64),
        delay_address=np.array([p.delays.ctypes.data for p in packed], np.int64),
        row_first=each("row_first"),
        split=rows.joined(),
        direct=np.flatnonzero(~own & fixed),
        delayed=np.flatnonzero(own & fixed),
        shortest=int(each("shortest").min(initial=_FAR)),
        ring_mask=ring.slots([p.delays for p in packed if p.own_delays]) - 1,
        ring_width=ring.width,
        ring_population=np.array([layout.number[post] for post, _ in ring.columns], np.int64),
        ring_at=np.array(list(ring.columns.values()), np.int64),
        ring_state=np.array([layout.state(*column) for column in ring.columns], np.int64),
        uint8=np.empty(0, np.uint8),
        uint16=np.empty(0, np.uint16),
        int32=np.empty(0, np.int32),
        pools=pack_pools(layout),
    )
    return wires, [array for p in packed for array in (p.weights, p.targets, p.delays)]


class _Ring:
    """Columns of the ring of arrivals: receptors of projections with delays of their own."""

    def __init__(self, layout):
        self.columns, self.width = {}, 0
        for projection in layout.network.projections:
            key = self.key(layout.network, projection)
            if projection.delay is None and key not in self.columns:
                self.columns[key] = self.width
                self.width += layout.padded(projection.post)

    @staticmethod
    def key(network: Network, projection: Projection) -> tuple[str, str]:
        """The population and state that a projection adds to."""
        neuron: Any = network[projection.post].neuron
        return projection.post, neuron.receptors[projection.receptor].state

    def slots(self, delays):
        """Steps in the ring: a power of two beyond the longest delay."""
        longest = max([0, *(int(each.max()) for each in delays if each.size)])
        return 1 << longest.bit_length() if self.columns else 1


class _Rows:
    """Rows of sparse projections, split among the threads."""

    def __init__(self, layout, cells):
        self.layout, self.cells, self.splits, self.size = layout, cells, [], 0

    def add(self, synapses, post):
        """The first row of a projection onto population number `post`."""
        first, bounds = self.size, self.cells.bounds
        self.size += synapses.n_pre
        self.splits.append(np.empty((synapses.n_pre, bounds.shape[1]), np.int64))
        limits = np.minimum(bounds[post], 1 << 31)
        split_rows(synapses.first, synapses.target, limits, self.splits[-1])
        return first

    def joined(self):
        """(rows, threads + 1) the first synapse of each thread in each row."""
        return np.concatenate([np.empty((0, self.cells.bounds.shape[1]), np.int64), *self.splits])


class _Projection:
    """What kernels need to know of one projection."""

    def __init__(
        self,
        layout: StreamLayout,
        ring: _Ring,
        rows: _Rows,
        projection: Projection,
        learned: Mapping[str, NDArray],
    ):
        network, synapses = layout.network, layout.network.synapses.get(projection.name)
        weights, delays = network.weights[projection.name], network.delay_steps(projection)
        if projection.name in learned:
            weights = learned[projection.name]
        elif synapses is not None and synapses.weight_index is not None and np.ndim(weights):
            weights = synapses.weight_of_each(weights)
        key = ring.key(network, projection)
        self.own_delays = projection.delay is None
        self.pre, self.post = layout.number[projection.pre], layout.number[projection.post]
        self.dense = synapses is None
        neuron: Any = network[projection.post].neuron
        self.jump = neuron.receptors[projection.receptor].jump
        self.target = ring.columns[key] if self.own_delays else layout.state(*key)
        self.row_first = 0 if synapses is None else rows.add(synapses, self.post)
        self.weights = np.ascontiguousarray(np.atleast_1d(weights), network.dtype)
        self.targets = np.empty(0, np.uint16) if synapses is None else synapses.target
        if self.own_delays:
            self.delay, self.delays = 0, delays
            self.shortest = int(delays.min()) if delays.size else _FAR
        else:
            self.delay, self.delays = delays, np.empty(0, np.uint8)
            self.shortest = delays


def pack_pools(layout: StreamLayout) -> Pools:
    """Return what pools spikes, with the windows by neuron of the source."""
    network, number = layout.network, layout.number
    pools: list[Any] = network.pooling
    firsts, units, row_first, n_rows, n_units = [], [], [], 0, 0
    for p in pools:
        windows = p.pooling.windows
        order = np.argsort(windows.ravel(), kind="stable")
        counts = np.bincount(windows.ravel(), minlength=network[p.source].n)
        row_first.append(n_rows)
        firsts.append(n_units + np.concatenate([[0], np.cumsum(counts)]))
        units.append(order // windows.shape[1])
        n_rows += firsts[-1].size
        n_units += order.size
    sizes = [p.n for p in pools]
    return Pools(
        population=np.array([number[p.name] for p in pools], np.int64),
        source=np.array([number[p.source] for p in pools], np.int64),
        row_first=np.array(row_first, np.int64),
        first=_joined(firsts),
        unit=_joined(units),
        seen_first=np.cumsum([0, *sizes], dtype=np.int64)[:-1],
        seen=np.full(sum(sizes), -1),
    )


def _joined(parts):
    """Whole numbers as one array."""
    return np.concatenate([np.empty(0), *parts]).astype(np.int64)
