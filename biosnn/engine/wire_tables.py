"""From projections to rows: wires, in one order for batches of trials and one large network.

In batches of trials, dense projections of one source with neighbouring targets share a wire, and
sparse ones that are not very sparse run as dense ones. In one large network every projection is a
wire; the synapses of sparse ones lie in bundles (bundle_tables.py), but of those that learn.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..kernels.simd import BLOCK_BYTES, SPAN_BYTES
from ..kernels.synapse_records import split_rows
from ..support.ranks import ALONE, Ranks
from .bundle_tables import number_of_parts, pack_parts, part_bounds
from .layout import Layout
from .part_tables import Places, places_of
from .plasticity import learning_projections
from .rows import table
from .wire_order import Entry, Filled, is_short, ordered

# of weights whose gradient stays in the first-level cache: their events are not collected
_SMALL_BYTES = 32e3
_FAR = 1 << 40  # steps: longer than any run

#: Projection -> (slice of the vector of weights, columns within the wire; None if it is sparse).
WeightPlaces = dict[str, tuple[slice, slice | None]]


class WireTables(NamedTuple):
    """The tables of projections, by the names that they have in arrays.Tables; and what goes along.

    places: where the weights of each projection lie; n_weights: how many there are; filled: those
    that are filled up; kept: columns of arrays.Scratch.arrived; panels: elements of the panels of
    transposed weights; alive: arrays that kernels read by their addresses; shortest: delay.
    """

    wires: NDArray
    columns: NDArray
    ring_width: int
    ring_slots: int
    split: NDArray
    shorts: NDArray
    places: WeightPlaces
    n_weights: int
    filled: Any
    kept: arrays.Blocks
    gathered: int
    panels: int
    releases: int
    resources: int
    shortest: int
    alive: list[NDArray]


class _Wires:
    """The rows of a network, wire by wire.

    Parameters
    ----------
    layout
        Layout of the network.
    adjoint
        First element of U -> where the adjoints of what arrives at U are set aside.
    learned
        Projection -> weights that a run may change, in place of those of the network.
    """

    def __init__(self, layout, adjoint, learned):
        self.layout, self.network = layout, layout.network
        self.adjoint, self.learned = adjoint, learned
        self.rows: list[dict] = []
        self.shorts: list[dict] = []
        self.places: WeightPlaces = {}
        self.alive: list[NDArray] = []
        self.splits: list[NDArray] = []
        self.fills: list[tuple[Entry, dict, int]] = []  # of each the wire, and its first column
        self.columns: dict[tuple[str, str], dict] = {}
        self.n_weights = self.n_rows = self.ring_width = self.releases = self.resources = 0
        self.learning = [p.name for p in learning_projections(self.network)]
        self.slots, self.shortest = 1, _FAR

    def row_of(self, entry, n_pre):
        """What all wires have."""
        source, delay, jump, _, trained, pulled, *_ = entry.key
        post = entry.projection.post
        row = {
            "source": source,
            "post": self.layout.number[post],
            "target": entry.target,
            "adjoint": self.adjoint.get(entry.target, entry.target),
            "delay": max(delay, 0),
            "n_pre": n_pre,
            "n_post": entry.n_post,
            "dense": entry.dense,
            "mode": arrays.OWN_WEIGHTS,
            "jump": jump,
            "trained": trained,
            "pulled": pulled,
            "gathered": -1,
            "kept": -1,
            "ring": -1,
            "short": -1,
            "learns": -1,
        }
        self.shortest = min(self.shortest, self._shortest(entry.projection))
        if is_short(entry.projection):
            row["short"] = self._short(entry, n_pre)
        elif entry.projection.plasticity is not None:
            row["learns"] = self.learning.index(entry.name)
        if entry.projection.delay is None:
            row["ring"] = self._column(entry)
        return row

    def _shortest(self, projection):
        """Its shortest delay in steps."""
        synapses = self.network.synapses.get(projection.name)
        if projection.delay is None and synapses is not None and not synapses.size:
            return _FAR
        return self.network.delay_range(projection)[0]

    def _short(self, entry, n_pre):
        """The number of its short-term plasticity."""
        plasticity, dt = entry.projection.plasticity, self.network.dt
        fade = plasticity.tau_facil
        self.shorts.append(
            {
                "wire": len(self.rows),
                "n_pre": n_pre,
                "resource": self.resources,
                "utilization": plasticity.utilization,
                "recovery": dt / plasticity.tau_rec,
                "facilitation": dt / fade if fade else 0.0,
            }
        )
        self.resources += n_pre
        return len(self.shorts) - 1

    def _column(self, entry):
        """The first column of its receptor in the ring of arrivals."""
        post = entry.projection.post
        key = post, entry.target
        if key not in self.columns:
            self.columns[key] = {
                "population": self.layout.number[post],
                "n": entry.n_post,
                "state": entry.target,
                "at": self.ring_width,
            }
            self.ring_width += entry.n_post
        longest = self.network.delay_range(entry.projection)[1]
        self.slots = max(self.slots, 1 << longest.bit_length())
        return self.columns[key]["at"]

    def add_synapses(self, entry, row):
        """The synapses of a sparse wire: targets, delays, and its rows."""
        synapses = self.network.synapses[entry.name]
        row |= {"row_first": self.n_rows, "n_synapses": synapses.size}
        self.n_rows += synapses.n_pre
        split = np.stack([synapses.first[:-1], synapses.first[1:]], axis=1)
        self.splits.append(np.ascontiguousarray(split, np.int64))
        row["target_address"] = self._address(synapses.target.astype(np.int32))
        delay = np.asarray(self.network.delay_steps(entry.projection), np.uint16)
        if delay.ndim:
            row["delay_address"] = self._address(delay)

    def _address(self, array):
        """The address of an array that is kept alive."""
        array = np.ascontiguousarray(array)
        self.alive.append(array)
        return array.ctypes.data

    # ------------------------------------------------------------------ one large network

    def add_own(self, entry):
        """A projection as a wire of one large network; its weights stay where they are."""
        network, name = self.network, entry.name
        dense = name not in network.synapses
        row = self.row_of(entry, network[entry.projection.pre].n)
        if dense and row["source"] < len(network.inputs) and row["short"] < 0:
            row["gathered"] = 0
        row["dense"] = dense
        self.rows.append(row)
        if name in self.learned:
            self.add_synapses(entry, row)
        if name in self.learned or dense:
            weights = self.learned[name] if name in self.learned else network.weights[name]
            weights = np.ascontiguousarray(np.atleast_1d(weights), network.dtype)
            row |= {"n_weights": weights.size, "weight_address": self._address(weights)}

    def split_among(self, bounds, order):
        """Split the rows of wires that learn among the parts of their targets."""
        self.splits = []
        for entry in [e for e in order if e.name in self.learned]:
            synapses = self.network.synapses[entry.name]
            own = bounds[self.layout.number[entry.projection.post]]
            self.splits.append(np.empty((synapses.n_pre, own.size), np.int64))
            split_rows(synapses.first, synapses.target, own, self.splits[-1])

    # ------------------------------------------------------------------ batches of trials

    def add_dense(self, entries):
        """Neighbouring dense projections as one wire, whose weights share rows."""
        network, first = self.network, entries[0]
        n_pre = network[first.projection.pre].n
        row = self.row_of(first, n_pre)
        row["n_post"] = sum(entry.n_post for entry in entries)
        row["n_weights"] = n_pre * row["n_post"]
        if first.name in network.synapses:
            at = 0
            for entry in entries:
                self.fills.append((entry, row, at))
                at += entry.n_post
        else:
            row["weight_first"] = self.n_weights
            place = slice(self.n_weights, self.n_weights + row["n_weights"])
            at = 0
            for entry in entries:
                self.places[entry.name] = place, slice(at, at + entry.n_post)
                at += entry.n_post
            self.n_weights += row["n_weights"]
        self.rows.append(row)

    def add_sparse(self, entry):
        """A sparse projection as a wire of its own."""
        network, name = self.network, entry.name
        weights, synapses = network.weights[name], network.synapses[name]
        row = self.row_of(entry, synapses.n_pre)
        place = self._place_of(name)
        row |= {"weight_first": place.start, "n_weights": place.stop - place.start}
        if not np.ndim(weights):
            row["mode"] = arrays.ONE_WEIGHT
        elif synapses.weight_index is not None:
            row["mode"] = arrays.SHARED_WEIGHTS
            row["index_address"] = self._address(synapses.weight_index.astype(np.uint32))
        self.add_synapses(entry, row)
        self.rows.append(row)

    def _place_of(self, name):
        """Where the weights of a sparse projection lie, behind all others."""
        size = int(np.size(self.network.weights[name]))
        self.places[name] = slice(self.n_weights, self.n_weights + size), None
        self.n_weights += size
        return self.places[name][0]

    def filled(self):
        """The sparse projections that run as dense ones; their wires get their places."""
        place, source = [], []
        for entry, *_ in self.fills:
            self._place_of(entry.name)
        size = self.n_weights
        for entry, row, at in self.fills:
            if at == 0:
                row["weight_first"], size = size, size + row["n_weights"]
            synapses = self.network.synapses[entry.name]
            rows = synapses.sources.astype(np.int64) * row["n_post"]
            place.append(row["weight_first"] + rows + at + synapses.target)
            weights = self.network.weights[entry.name]
            source.append(self.places[entry.name][0].start + synapses.weight_places(weights))
        if not place:
            return None
        return Filled(size=size, place=np.concatenate(place), source=np.concatenate(source))

    def columns_of_inputs(self, dtype):
        """Give dense wires from inputs their columns in Scratch.arriving; returns how many."""
        span, at = SPAN_BYTES // dtype.itemsize, 0
        for row in self.rows:
            external = row["source"] < len(self.network.inputs)
            if row["dense"] and external and row["short"] < 0:
                row["gathered"] = at
                at += -(-row["n_post"] // span) * span
        return at

    def kept_columns(self, dtype):
        """Give large dense wires their columns in Scratch.arrived; returns the blocks of these.

        Columns are whole spans; wires with the same targets share them.
        """
        span, at, firsts = SPAN_BYTES // dtype.itemsize, 0, {}
        for row in self.rows:
            key = row["adjoint"], row["n_post"]
            if not row["dense"] or row["short"] >= 0:
                continue
            if row["n_pre"] * row["n_post"] * dtype.itemsize > _SMALL_BYTES and key not in firsts:
                firsts[key] = at
                at += -(-row["n_post"] // span) * span
            row["kept"] = firsts.get(key, -1)
        return arrays.Blocks(
            tag=np.zeros(len(firsts), np.int64),
            first=np.array([first for first, _ in firsts], np.int64),
            column=np.array(list(firsts.values()), np.int64),
            size=np.array([size for _, size in firsts], np.int64),
        )

    def panel_places(self, dtype):
        """Give dense wires whose source gets gradients their panels; returns all elements."""
        width, at = BLOCK_BYTES // dtype.itemsize, 0
        for row in self.rows:
            row["panel_first"] = at
            external = row["source"] < len(self.network.inputs)
            if row["dense"] and row["pulled"] and not external and row["short"] < 0:
                at += -(-row["n_pre"] // width) * width * row["n_post"]
        return at

    def tables(self, parts, filled, kept, gathered, panels):
        """All of them as arrays."""
        return WireTables(
            wires=table(arrays.WIRE, self.rows),
            columns=table(arrays.COLUMN, list(self.columns.values())),
            ring_width=max(self.ring_width, 1),
            ring_slots=self.slots if self.columns else 0,
            split=np.concatenate([np.empty((0, parts + 1), np.int64), *self.splits]),
            shorts=table(arrays.SHORT, self.shorts),
            places=self.places,
            n_weights=self.n_weights,
            filled=filled,
            kept=kept,
            gathered=gathered,
            panels=panels,
            releases=self.releases,
            resources=self.resources,
            shortest=self.shortest,
            alive=self.alive,
        )


def pack_trial_wires(layout: Layout, adjoint: Mapping[int, int]) -> WireTables:
    """Return the projections as batches of trials read them.

    Parameters
    ----------
    layout
        Layout of the network.
    adjoint
        First element of U -> where the adjoints of what arrives at U are set aside, of populations
        with delta synapses.

    Raises
    ------
    ValueError
        If there are too many weights.
    """
    wires, dtype = _Wires(layout, adjoint, {}), layout.network.dtype
    order = ordered(layout)
    together: list[Entry] = []
    for entry in [e for e in order if e.dense]:
        last = together[-1] if together else None
        if last and (last.key != entry.key or last.target + last.n_post != entry.target):
            wires.add_dense(together)
            together = []
        together.append(entry)
    if together:
        wires.add_dense(together)
    for entry in [e for e in order if not e.dense]:
        wires.add_sparse(entry)
    filled = wires.filled()
    if wires.n_weights >= 1 << 32:
        raise ValueError(
            f"the network has {wires.n_weights} weights; batches of trials and training take "
            "fewer than 2^32. Use simulate."
        )
    gathered, kept = wires.columns_of_inputs(dtype), wires.kept_columns(dtype)
    return wires.tables(1, filled, kept, gathered, wires.panel_places(dtype))


def pack_stream_wires(
    layout: Layout, learned: Mapping[str, NDArray], threads: int, ranks: Ranks = ALONE
) -> tuple[WireTables, arrays.Parts, Places]:
    """Return the projections of one large network, its parts with their synapses, and their places.

    Parameters
    ----------
    layout
        Layout of the network.
    learned
        Projection -> weights that a run may change, in place of those of the network.
    threads, ranks
        Number of threads of this process that share the network, and the processes that do.
    """
    wires, order = _Wires(layout, {}, learned), ordered(layout)
    for entry in order:
        wires.add_own(entry)
    most = max(ranks.exchange(threads))
    bounds = part_bounds(layout, number_of_parts(layout, wires.ring_width, most, ranks.size))
    wires.split_among(bounds, order)
    columns = list(wires.columns.values())
    sparse = [
        (entry, row)
        for entry, row in zip(order, wires.rows)
        if not row["dense"] and entry.name not in learned
    ]
    places = places_of(layout, bounds)
    n_parts = bounds.shape[1] - 1
    parts, alive = pack_parts(layout, sparse, columns, bounds, places, threads, ranks)
    wires.alive += alive
    return wires.tables(n_parts, None, arrays.NO_BLOCKS, 0, 0), parts, places
