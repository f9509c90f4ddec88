"""From the description of a network to the arrays that the kernels of one large network see (stream.py).

Every population has room for a multiple of 64 neurons. All states lie in one vector: population by population, state by state. None of
this depends on the number of threads, except `bounds`, `split`, and where the spikes of a step lie in their list.
"""

from dataclasses import astuple
from typing import NamedTuple

import numpy as np

from ..kernels import random as random_kernels
from ..kernels import stream as kernels
from ..kernels.stream_neurons import BLOCK
from ..kernels.arrays import aligned
from ..network.step_matrix import step_matrix, step_pattern
from .background import pack_background

_FAR = 1 << 40  # steps: longer than any run


class Cells(NamedTuple):
    """P populations in the order of the network, inputs among them; a row is a state of a population."""

    n: np.ndarray  # (P,) neurons
    padded: np.ndarray  # (P,) room for them
    neuron_first: np.ndarray  # (P,) first element in arrays of one number per neuron
    state_first: np.ndarray  # (P,) first element in the state vector; U comes first
    row_first: np.ndarray  # (P+1,) first row
    term_first: np.ndarray  # (rows+1,) first term of each row of the step matrix
    term_other: np.ndarray  # (terms,) the state that is multiplied
    term_at: np.ndarray  # (terms,) first coefficient
    term_step: (
        np.ndarray
    )  # (terms,) 1 if there is one for each neuron; 0 if BLOCK equal ones serve all
    coefficient: np.ndarray
    drive_at: np.ndarray  # (P,) first gain of an injected current
    drive_step: np.ndarray  # (P,)
    threshold: np.ndarray  # (P,)
    reset: np.ndarray  # (P,) value that U takes after a spike
    subtracts: np.ndarray  # (P,) or U loses the threshold
    clamped_steps: np.ndarray  # (P,) updates that a spike clamps
    spiking: np.ndarray  # (P,)
    input_number: np.ndarray  # (P,) which input it is, or -1
    jumps: np.ndarray  # (P,) whether a spike adds to states of its own neuron
    jump_delay: np.ndarray  # (P,) steps
    jump_at: np.ndarray  # (rows,) first of what it adds
    jump_step: np.ndarray
    bounded: np.ndarray  # (P,) whether U* is held between two values
    low: np.ndarray  # (P,)
    high: np.ndarray  # (P,)
    reversal: np.ndarray  # (rows,) reversal potential of a conductance; NaN where the state is none
    conducting: np.ndarray  # (P,) whether there are conductances
    rate_at: np.ndarray  # (P,) first of dt / tau_mem
    rate_step: np.ndarray
    nonlinear: np.ndarray  # (P,) whether U drives itself beyond the linear part
    nonlinear_drive: np.ndarray  # (P, 4) square, constant, slope, onset
    bounds: np.ndarray  # (P, threads+1) neurons of each thread


class Wires(NamedTuple):
    """K projections in order of creation."""

    pre: np.ndarray
    post: np.ndarray
    dense: np.ndarray
    wide: np.ndarray  # targets are int32, else uint16
    long: np.ndarray  # delays of synapses are uint16, else uint8
    delay: np.ndarray  # steps, of projections with one delay
    jump: np.ndarray
    target: (
        np.ndarray
    )  # first element of the receptor's state in the state vector, or in a row of the ring
    size: np.ndarray  # synapses
    target_address: np.ndarray
    weight_address: np.ndarray
    weight_size: np.ndarray  # 1 where all synapses share one
    delay_address: np.ndarray
    row_first: np.ndarray  # first row in `split`
    split: (
        np.ndarray
    )  # (rows, threads+1) first synapse of each thread in the row of each presynaptic neuron
    direct: (
        np.ndarray
    )  # projections without plasticity, with one delay: they add from the lists of past spikes
    delayed: np.ndarray  # and with a delay for every synapse: they add to the ring
    shortest: int  # delay in steps
    ring_mask: int
    ring_width: int
    ring_population: np.ndarray  # (columns,) of the ring: a state of a population each
    ring_at: np.ndarray
    ring_state: np.ndarray  # first element in the state vector
    uint8: np.ndarray  # empty arrays that stand for their types
    uint16: np.ndarray
    int32: np.ndarray
    pools: "Pools"


class Pools(NamedTuple):
    """Units that pool spikes: K populations in order of creation, each after what it pools."""

    population: np.ndarray
    source: np.ndarray
    row_first: np.ndarray  # first row in `first`
    first: np.ndarray  # units that look at neuron j of the source: unit[first[row_first + j] : first[row_first + j + 1]]
    unit: np.ndarray
    seen_first: np.ndarray  # first unit in `seen`
    seen: np.ndarray  # the last step in which a neuron of the window spiked


class Noise(NamedTuple):
    """Background sources: currents and Ornstein-Uhlenbeck sources by population, then Poisson ones."""

    first: np.ndarray  # (P+1,) first source of each population
    kind: np.ndarray
    population: np.ndarray
    stream: np.ndarray  # place in the list of the background
    start_first: np.ndarray
    segments: np.ndarray
    per_neuron: np.ndarray
    value_first: np.ndarray
    width: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    ou_first: np.ndarray
    decay: np.ndarray
    starts: np.ndarray  # steps from which segments hold
    values: np.ndarray
    table: np.ndarray
    ou: np.ndarray  # values of Ornstein-Uhlenbeck sources
    key: np.uint64


class Drive(NamedTuple):
    """Spikes of the inputs during this run, as arrays.Events of one trial."""

    n_inputs: int
    first_step: int
    steps: int
    pointers: np.ndarray
    units: np.ndarray


class RecentSpikes(NamedTuple):
    """Spikes of the last steps; step n is at n & mask."""

    mask: int
    first: np.ndarray  # (P, threads) where each thread lists the spikes of its neurons
    units: np.ndarray  # (slots, spikes of a step + 1)
    count: np.ndarray  # (slots, threads, P)


class Record(NamedTuple):
    """Chosen states, every so many steps."""

    every: int
    index: np.ndarray  # in the state vector
    owner: np.ndarray  # thread
    clamped_by: np.ndarray  # neuron whose clock holds it, or -1
    values: np.ndarray  # (rows, chosen)


class Memory(NamedTuple):
    """The state of all neurons and of what is on its way."""

    x: np.ndarray
    clock: np.ndarray  # clamped updates that remain, and one more
    held: np.ndarray  # U that is kept while clamped
    ring: np.ndarray  # arrivals of the next steps


class Words(NamedTuple):
    unsigned: np.ndarray
    normal: np.ndarray
    counts: np.ndarray


class Scratch(NamedTuple):
    """Working memory of a thread."""

    old: np.ndarray
    fresh: np.ndarray
    margin: np.ndarray
    current: np.ndarray
    words: Words


class Place:
    """Where populations and states lie."""

    def __init__(self, network):
        self.network, self.populations = network, network.populations
        self.number = {p.name: k for k, p in enumerate(self.populations)}
        self.n = np.array([p.n for p in self.populations], np.int64)
        self.room = -(-self.n // random_kernels.GRANULE) * random_kernels.GRANULE
        self.n_rows = np.array(
            [len(p.neuron.states) if p.neuron else 0 for p in self.populations], np.int64
        )
        self.neuron_first = np.concatenate([[0], np.cumsum(self.room)]).astype(np.int64)
        self.state_first = np.concatenate([[0], np.cumsum(self.room * self.n_rows)]).astype(
            np.int64
        )

    def __call__(self, name):
        population = self.network[name if isinstance(name, str) else name.name]
        if not isinstance(name, str) and population is not name:
            raise ValueError(
                f"{name.name!r} is a population of another network; this one has one of the same name. Give the name, or its own."
            )
        if population.kind in ("input", "pooling"):
            what = "is an input" if population.kind == "input" else "pools spikes"
            raise ValueError(
                f"{population.name!r} {what}; background reaches populations of neurons only."
            )
        return self.number[population.name], population

    def padded(self, name):
        return int(self.room[self(name)[0]])

    def state(self, name, state):
        """First element of a state of a population in the state vector."""
        p, population = self(name)
        return int(self.state_first[p] + list(population.neuron.states).index(state) * self.room[p])


def list_bounds(place, bounds, most):
    """(P, threads + 1) parts of the lists of spikes of a step. bounds: those of the neurons; most: (P,) spikes that one of them can have."""
    return (
        bounds * most[:, None] + np.concatenate([[0], np.cumsum(place.room * most)[:-1]])[:, None]
    )


def part_bounds(place, threads):
    """(P, threads + 1) contiguous parts of every population, in granules; what rounding takes from one, it gives to the next."""
    granules, bounds = (
        place.room // random_kernels.GRANULE,
        np.zeros((place.room.size, threads + 1), np.int64),
    )
    bounds[:, -1] = place.room
    for t in range(1, threads):
        carry = 0.0
        for p, count in enumerate(granules):
            wanted = count * t / threads + carry
            given = min(max(round(wanted), bounds[p, t - 1] // random_kernels.GRANULE), count)
            bounds[p, t], carry = given * random_kernels.GRANULE, wanted - given
    return bounds


class _Coefficients:
    """Numbers for every neuron of a population, or BLOCK equal ones."""

    def __init__(self, dtype):
        self.parts, self.size, self.known, self.dtype = [], 0, {}, dtype

    def add(self, value, room):
        """(first element, step)."""
        value = np.asarray(value, float)
        if value.ndim == 0:
            if float(value) not in self.known:
                self.known[float(value)] = self._append(np.full(BLOCK, value))
            return self.known[float(value)], 0
        return self._append(np.concatenate([value, np.zeros(room - value.size)])), 1

    def _append(self, array):
        self.parts.append(array)
        self.size += array.size
        return self.size - array.size

    def joined(self):
        result = aligned(max(self.size, BLOCK), self.dtype)
        result[: self.size] = np.concatenate(self.parts) if self.parts else 0
        return result


def pack_cells(place, threads):
    """The populations as arrays, with the time constants as they are now."""
    network, coefficients, dt = place.network, _Coefficients(place.network.dtype), place.network.dt
    terms, term_counts, drives, rates, jumps, reversal = [], [], [], [], [], []
    for p, population in enumerate(place.populations):
        neuron, room = population.neuron, int(place.room[p])
        if neuron is None:
            drives.append((0, 0))
            rates.append((0, 0))
            continue
        matrix, drive = step_matrix(neuron, dt, network.time_constants(population))
        for row in range(len(neuron.states)):
            pattern = [(r, c) for r, c in step_pattern(neuron) if r == row]
            term_counts.append(len(pattern))
            terms += [
                (column, *coefficients.add(matrix[..., row, column], room)) for _, column in pattern
            ]
        drives.append(coefficients.add(drive[..., 0], room))
        rates.append(
            coefficients.add(
                dt
                / np.asarray(
                    network.time_constants(population)[next(iter(neuron.states.values()))]
                ),
                room,
            )
        )
        own = network.spike_jumps(population)
        jumps += [coefficients.add(own.get(state, 0.0), room) for state in neuron.states]
        reversal += [neuron.reversal.get(state, np.nan) for state in neuron.states]
    neurons, dtype = [p.neuron for p in place.populations], network.dtype

    def each(value, kind):
        return np.array([value(neuron) if neuron else 0 for neuron in neurons], kind)

    inputs = [p.name for p in network.inputs]
    return Cells(
        place.n,
        place.room,
        place.neuron_first[:-1],
        place.state_first[:-1],
        np.concatenate([[0], np.cumsum(place.n_rows)]),
        np.concatenate([[0], np.cumsum(term_counts, dtype=np.int64)]),
        *np.array(terms, np.int64).reshape(-1, 3).T.copy(),
        coefficients.joined(),
        *np.array(drives, np.int64).T.copy(),
        each(lambda x: x.threshold, dtype),
        each(lambda x: 0 if x.reset == "subtract" else x.reset, dtype),
        each(lambda x: x.reset == "subtract", bool),
        each(lambda x: max(0, x.refractory_steps(dt) - 1), np.int64),
        np.array([p.kind == "spiking" for p in place.populations]),
        np.array(
            [inputs.index(p.name) if p.kind == "input" else -1 for p in place.populations], np.int64
        ),
        each(lambda x: bool(x.spike_jumps), bool),
        each(lambda x: x.jump_delay_steps(dt), np.int64),
        *np.array(jumps, np.int64).reshape(-1, 2).T.copy(),
        each(lambda x: x.bounded, bool),
        each(lambda x: x.low, dtype),
        each(lambda x: x.high, dtype),
        np.array(reversal, dtype),
        each(lambda x: bool(x.reversal), bool),
        *np.array(rates, np.int64).T.copy(),
        each(lambda x: x.nonlinear_drive is not None, bool),
        np.array(
            [
                astuple(neuron.nonlinear_drive) if neuron and neuron.nonlinear_drive else (0,) * 4
                for neuron in neurons
            ],
            dtype,
        ),
        part_bounds(place, threads),
    )


def _ring_columns(place, network):
    """(population, state) -> first element in a row of the ring, for receptors of projections with delays of their own."""
    columns, width = {}, 0
    for projection in network.projections:
        if projection.delay is None:
            key = (
                projection.post,
                network[projection.post].neuron.receptors[projection.receptor].state,
            )
            if key not in columns:
                columns[key] = width
                width += place.padded(projection.post)
    return columns, width


def pack_wires(place, cells, learned):
    """(Wires, arrays that must be kept alive). learned: weights that a run may change, by projection, in place of the network's."""
    network, keep, rows, splits, at = place.network, [], [], [], 0
    columns, width = _ring_columns(place, network)
    longest = [0]
    for projection in network.projections:
        synapses, weights = network.synapses.get(projection.name), network.weights[projection.name]
        if projection.name in learned:
            weights = learned[projection.name]
        elif synapses is not None and synapses.weight_index is not None and np.ndim(weights):
            weights = synapses.weight_of_each(weights)
        weights = np.ascontiguousarray(np.atleast_1d(weights), network.dtype)
        receptor = network[projection.post].neuron.receptors[projection.receptor]
        pre, post = place.number[projection.pre], place.number[projection.post]
        own = projection.delay is None
        target = (
            columns[projection.post, receptor.state]
            if own
            else place.state(projection.post, receptor.state)
        )
        delays = network.delay_steps(projection)
        if own and delays.size:
            longest.append(int(delays.max()))
        first = 0
        if synapses is not None:
            first, at = at, at + synapses.n_pre
            splits.append(np.empty((synapses.n_pre, cells.bounds.shape[1]), np.int64))
            kernels.split_rows(
                synapses.first, synapses.target, np.minimum(cells.bounds[post], 1 << 31), splits[-1]
            )
        target_array = synapses.target if synapses is not None else np.empty(0, np.uint16)
        delay_array = delays if own else np.empty(0, np.uint8)
        keep += [weights, target_array, delay_array]
        shortest = (int(delays.min()) if delays.size else _FAR) if own else delays
        rows.append(
            (
                pre,
                post,
                synapses is None,
                target_array.dtype == np.int32,
                delay_array.dtype == np.uint16,
                0 if own else delays,
                receptor.jump,
                target,
                target_array.size,
                target_array.ctypes.data,
                weights.ctypes.data,
                weights.size,
                delay_array.ctypes.data,
                first,
                shortest,
                own,
            )
        )
    kinds = (
        [np.int64, np.int64, bool, bool, bool, np.int64, network.dtype] + [np.int64] * 8 + [bool]
    )
    table = [np.array([row[c] for row in rows], kind) for c, kind in enumerate(kinds)]
    *table, shortest, own = table
    split = np.concatenate([np.empty((0, cells.bounds.shape[1]), np.int64), *splits])
    slots = 1 << max(longest).bit_length() if columns else 1
    fixed = np.array(
        [p.plasticity is None for p in network.projections], bool
    )  # the others have loops of their own
    names = list(columns)
    wires = Wires(
        *table,
        split,
        np.flatnonzero(~own & fixed),
        np.flatnonzero(own & fixed),
        int(shortest.min(initial=_FAR)),
        slots - 1,
        width,
        np.array([place.number[post] for post, _ in names], np.int64),
        np.array(list(columns.values()), np.int64),
        np.array([place.state(*name) for name in names], np.int64),
        np.empty(0, np.uint8),
        np.empty(0, np.uint16),
        np.empty(0, np.int32),
        pack_pools(place),
    )
    return wires, keep


def pack_pools(place):
    """What pools, with the windows by neuron of the source."""
    names, firsts, units, rows = place.number, [], [], []
    for p in place.network.pooling:
        windows, n_source = p.pooling.windows, place.network[p.source].n
        order = np.argsort(windows.ravel(), kind="stable")
        rows.append(
            (
                names[p.name],
                names[p.source],
                sum(map(len, firsts)),
                sum(q.n for q in place.network.pooling[: len(rows)]),
            )
        )
        firsts.append(
            sum(map(len, units))
            + np.concatenate([[0], np.cumsum(np.bincount(windows.ravel(), minlength=n_source))])
        )
        units.append(order // windows.shape[1])
    population, source, row_first, seen_first = np.array(rows, np.int64).reshape(-1, 4).T.copy()
    first, unit = (
        np.concatenate([np.empty(0), *parts]).astype(np.int64) for parts in (firsts, units)
    )
    return Pools(
        population,
        source,
        row_first,
        first,
        unit,
        seen_first,
        np.full(sum(p.n for p in place.network.pooling), -1),
    )


def pack_noise(place, background, key):
    """The background as arrays."""
    columns, arrays = pack_background(background, place.network, place, key)
    current = [
        p
        for kind, p in zip(columns["kind"], columns["population"])
        if kind < random_kernels.POISSON
    ]
    first = np.searchsorted(current, np.arange(place.n.size + 1)).astype(np.int64)
    kinds = {"per_neuron": bool, "weight": place.network.dtype, "decay": place.network.dtype}
    return Noise(
        first,
        **{name: np.array(values, kinds.get(name, np.int64)) for name, values in columns.items()},
        **arrays,
        key=np.uint64(key),
    )


def new_scratch(place):
    """Working memory of one thread."""
    dtype, most = place.network.dtype, max(1, int(place.n_rows.max()))
    words = Words(
        np.empty(random_kernels.GRANULE, np.uint32),
        np.empty(random_kernels.GRANULE),
        np.empty(random_kernels.GRANULE, np.int32),
    )
    return Scratch(
        aligned(BLOCK, dtype),
        aligned(most * BLOCK, dtype),
        aligned(BLOCK, dtype),
        aligned(BLOCK, dtype),
        words,
    )
