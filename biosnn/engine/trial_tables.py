"""From the description of a network to the arrays that kernels see (arrays.py): groups, bundles, and where things lie."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..kernels.arrays import (
    RESET_BY_SUBTRACTION,
    RESET_TO_VALUE,
    Blocks,
    Bounds,
    Jumps,
    Model,
    Pools,
    Sparse,
    Terms,
    Wiring,
    aligned,
    aligned_copy,
)
from ..kernels.simd import BLOCK_BYTES, SPAN_BYTES
from ..network import dale
from ..network.network import Network
from ..network.step_matrix import linear_step, step_pattern

_FILLED = 0.05  # share of connected pairs from which on a sparse projection runs as a dense one …
_FILLED_BYTES = (
    1 << 27
)  # … unless it is so large that zeros would take memory that synapses do not (several times: gradients of each thread)
_SMALL_BYTES = (
    32e3  # of weights whose gradient stays in the first-level cache: their events are not collected
)


class Filled(NamedTuple):
    """Sparse projections that are dense enough for the loops of dense ones to be faster: kernels read them filled up with zeros, behind
    all other weights. Only here are there weights for pairs without a synapse; they stay 0, and their gradient is dropped."""

    size: int  # of the vector of weights that kernels read
    place: np.ndarray  # (synapses,) where each lies in it
    source: np.ndarray  # (synapses,) where it lies in Packed.weight

    def weights(self, packed):
        """Of Packed.weight, the vector that kernels read; several synapses of one pair add up."""
        full = aligned(self.size, packed.weight.dtype)
        full[packed.weight.size :] = 0
        full[: packed.weight.size] = packed.weight
        np.add.at(full, self.place, packed.weight[self.source])
        return full

    def gradient(self, packed, full):
        """Of what the adjoint adds up by that vector, the gradient by Packed.weight."""
        full[self.source] = full[self.place]
        return full[: packed.weight.size]


@dataclass(frozen=True, eq=False)
class Packed:
    """A network as the arrays that kernels see, and where to find things in them.

    order       populations in kernel order: spiking ones, then readouts, those of one group side by side
    weight      all weights in one vector: dense ones bundle by bundle, then those of sparse projections
    places      projection -> (slice of the vector that its bundle fills, columns of the bundle that are its own; None if sparse)
    filled      Filled, or None where no sparse projection is filled up
    """

    network: Network
    order: list
    model: Model
    wiring: Wiring
    weight: np.ndarray
    places: dict
    filled: Filled | None = None

    def neurons(self, name):
        """Where the neurons of a population lie."""
        names = [population.name for population in self.order]
        ends = np.cumsum([population.n for population in self.order])
        p = names.index(name)
        return slice(int(ends[p]) - self.order[p].n, int(ends[p]))

    def state(self, name, state):
        """First element and size of a state of a population in the state vector."""
        neurons, population = self.neurons(name), self.network[name]
        g = int(np.searchsorted(self.model.neuron_first, neurons.start, side="right")) - 1
        first, stop = self.model.neuron_first[g : g + 2]
        row = list(population.neuron.states).index(state)
        return int(
            self.model.state_first[g] + row * (stop - first) + neurons.start - first
        ), population.n

    @property
    def n_spiking(self):
        """Number of spiking neurons."""
        return int(self.model.neuron_first[self.model.n_spiking])

    @property
    def needs_states(self):
        """Whether the adjoint reads the states at the end of every step: for learned time constants, and where conductances act."""
        return any(p.learn or p.neuron.reversal for p in self.order)

    @property
    def non_negative(self):
        """Slices of the weight vector that Dale's law keeps >= 0: a bundle is so as a whole, or not at all."""
        return self.slices(p for p in self.network.projections if p.non_negative)

    def slices(self, projections):
        """The slices of the weight vector that hold these projections: whole bundles, each once."""
        found = (self.places[p.name][0] for p in projections)
        return list({(place.start, place.stop): place for place in found}.values())

    def weight_matrix(self, name, vector=None):
        """View of a projection's weights in a vector like `weight`: (pre, post), or the shape of sparse ones (network.weights)."""
        bundle, columns = self.places[name]
        rows = (self.weight if vector is None else vector)[bundle]
        if columns is None:
            return rows.reshape(np.shape(self.network.weights[name]))
        return rows.reshape(self.network[self.network.projection(name).pre].n, -1)[:, columns]


def pack(network):
    """Check a network and pack it into arrays."""
    if not network.spiking + network.readouts:
        raise ValueError(
            "the network has no populations to simulate; add one with net.population(...) or net.readout(...)."
        )
    missing = [p.name for p in network.projections if p.name not in network.weights]
    if missing:
        raise ValueError(
            f"projections without weights: {', '.join(missing)}. Give them to connect or set_weights, or call "
            "fluctuation_driven(net, …)."
        )
    for population in network.spiking:
        if population.neuron.nonlinear_drive:
            raise ValueError(
                f"population {population.name!r}: batches of trials and training do not take {population.neuron.model}; "
                "use simulate(network, duration, …)."
            )
        if (
            population.neuron.refractory_steps(network.dt) > 1
            and population.neuron.has_delta_synapses
        ):
            raise ValueError(
                f"population {population.name!r} has delta synapses and a refractory period, during which spikes that "
                "arrive are lost. Batches of trials and training do not do that; use simulate(network, duration, …), "
                "or refractory=0."
            )
    if plastic := [p.name for p in network.projections if p.plasticity is not None]:
        raise ValueError(
            f"plastic projections: {', '.join(plastic)}. Batches of trials and training do not take them; use simulate."
        )
    for projection in network.projections:
        dale.check_weights(
            projection.name, network.weights[projection.name], projection.non_negative
        )
    order = [population for group in _groups(network) for population in group]
    packed = Packed(network, order, pack_model(network), None, None, {})
    wiring, places, n_weights, filled = _pack_wiring(packed)
    packed = Packed(
        network, order, packed.model, wiring, aligned(n_weights, network.dtype), places, filled
    )
    for projection in network.projections:
        packed.weight_matrix(projection.name)[...] = network.weights[projection.name]
    return packed


def check_differentiable(network):
    """ValueError if the adjoint does not know a part of the network: delta synapses change the U that the reset then sees."""
    for population in network.spiking:
        if population.neuron.has_delta_synapses:
            raise ValueError(
                f"population {population.name!r} has delta synapses ({population.neuron.model}), through which there are no "
                "gradients yet. To train, use lif(...) with a short tau_syn."
            )


def check_reset_is_differentiable(network):
    """ValueError if spikes are drawn at random: how far U was from threshold at the reset is then not kept."""
    if noisy := [p.name for p in network.spiking if p.noise]:
        raise ValueError(
            f"populations with escape noise: {', '.join(noisy)}. There is no gradient through their reset; leave out "
            "differentiate_reset."
        )


def _groups(network):
    """Spiking populations, those that pool, then readouts, in lists of those that kernels can treat as one."""
    groups = {}
    for population in network.firing + network.readouts:
        neuron = population.neuron
        key = (
            population.kind,
            tuple(neuron.states),
            tuple(step_pattern(neuron)),
            neuron.reset == "subtract",
            neuron.refractory_steps(network.dt),
            population.surrogate,
            tuple(neuron.reversal.items()),
            neuron.bounded,
        )
        groups.setdefault(key, []).append(population)
    return list(groups.values())


def _terms(pattern, firsts):
    """Sparse sums by the first index of sorted pairs (state, other) and their first coefficients."""
    order = sorted(range(len(pattern)), key=lambda e: pattern[e])
    counts = np.bincount([pattern[e][0] for e in order])
    return counts, [pattern[e][1] for e in order], [firsts[e] for e in order]


def _joined(parts):
    counts, other, at = (
        np.concatenate([part[k] for part in parts]).astype(np.int64) for k in range(3)
    )
    return Terms(np.concatenate([[0], np.cumsum(counts)]), other, at)


def _pack_jumps(network, groups, state_first):
    """Jumps of the spiking populations; `state_first`: of every group, its first element in the state vector."""
    rows, sizes, p, at = [], [], 0, 0
    for group, first in zip(groups, state_first):
        width, offset = sum(population.n for population in group), 0
        for population in group:
            for state, jump in network.spike_jumps(population).items():
                row = list(population.neuron.states).index(state)
                rows.append(
                    (
                        p,
                        first + row * width + offset,
                        population.neuron.jump_delay_steps(network.dt),
                        at,
                    )
                )
                sizes.append(np.broadcast_to(jump, population.n))
                at += population.n
            offset, p = offset + population.n, p + 1
    return Jumps(
        *np.array(rows, np.int64).reshape(-1, 4).T.copy(),
        np.concatenate([np.empty(0), *sizes]).astype(network.dtype),
    )


def _pack_pools(network, order):
    """What pools, as it was added to the network: after what it pools."""
    names, first = [p.name for p in order], np.cumsum([0, *(p.n for p in order)])
    windows = [first[names.index(p.source)] + p.pooling.windows for p in network.pooling]
    places = [names.index(p.name) for p in network.pooling]
    rows = [(k, first[k], *each.shape) for k, each in zip(places, windows)]
    return Pools(
        *np.array(rows, np.int64).reshape(-1, 4).T.copy(),
        np.cumsum([0, *(each.size for each in windows)], dtype=np.int64)[:-1],
        np.concatenate([np.empty(0), *map(np.ravel, windows)]).astype(np.int32),
    )


def pack_model(network):
    """The populations as arrays, with the time constants as they are now."""
    groups, dtype, dt = _groups(network), network.dtype, network.dt
    order = [population for group in groups for population in group]
    n = np.array([p.n for p in order])
    sizes = np.array([sum(p.n for p in group) for group in groups])
    n_states = np.array([len(group[0].neuron.states) for group in groups])
    coefficient, drive, rate, rows, columns, initial, at = [], [], [], [], [], [], 0
    for group, size in zip(groups, sizes):
        pattern = step_pattern(group[0].neuron)
        steps = [linear_step(p.neuron, dt, network.time_constants(p)) for p in group]
        for row, column in pattern:
            coefficient += [
                np.broadcast_to(matrix[..., row, column], p.n)
                for p, (matrix, *_) in zip(group, steps)
            ]
        drive += [np.broadcast_to(gain[..., 0], p.n) for p, (_, gain, _) in zip(group, steps)]
        rate += [np.broadcast_to(each[..., 0], p.n) for p, (*_, each) in zip(group, steps)]
        firsts = [at + size * e for e in range(len(pattern))]
        rows.append(_terms(pattern, firsts))
        columns.append(_terms([(column, row) for row, column in pattern], firsts))
        initial += [
            np.repeat([p.initial for p in group], [p.n for p in group]),
            np.zeros(size * (len(group[0].neuron.states) - 1)),
        ]
        at += size * len(pattern)
    spiking = [group for group in groups if group[0].kind != "readout"]

    def first_of(counts):
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def per_neuron(values):
        return np.repeat(np.array(values, dtype), n)

    def of_spiking(value):
        return np.repeat(
            np.array([value(p.neuron) for group in spiking for p in group], dtype),
            [p.n for group in spiking for p in group],
        )

    state_first = first_of(sizes * n_states)
    return Model(
        len(spiking),
        first_of(sizes),
        state_first,
        first_of(n_states),
        _joined(rows),
        _joined(columns),
        aligned_copy(np.concatenate(coefficient).astype(dtype)),
        np.concatenate(drive).astype(dtype),
        pack_bias(network, order),
        np.concatenate(initial).astype(dtype),
        aligned_copy(per_neuron([p.neuron.threshold for p in order])),
        per_neuron([0.0 if p.neuron.reset == "subtract" else p.neuron.reset for p in order]),
        np.array(
            [
                RESET_BY_SUBTRACTION if g[0].neuron.reset == "subtract" else RESET_TO_VALUE
                for g in groups
            ],
            np.int64,
        ),
        np.array([max(0, g[0].neuron.refractory_steps(dt) - 1) for g in groups], np.int64),
        np.array([g[0].surrogate._code for g in spiking], np.int64),
        np.array([g[0].surrogate.steepness for g in spiking], dtype),
        np.array([g[0].surrogate.support for g in spiking], dtype),
        first_of([p.n for group in spiking for p in group]),
        np.repeat(np.arange(len(spiking)), [len(group) for group in spiking]).astype(np.int64),
        np.array([bool(g[0].neuron.reversal) for g in groups]),
        np.array(
            [
                g[0].neuron.reversal.get(state, np.nan)
                for g in groups
                for state in g[0].neuron.states
            ],
            dtype,
        ),
        np.concatenate(rate).astype(dtype),
        _pack_jumps(network, groups, state_first),
        Bounds(
            np.array([g[0].neuron.bounded for g in spiking], bool),
            of_spiking(lambda x: x.low),
            of_spiking(lambda x: x.high),
        ),
        _pack_pools(network, order),
    )


def pack_bias(network, order):
    """Constant currents of all neurons as they are now; size 0 where no population has any."""
    if not any(p.bias for p in order):
        return np.empty(0, network.dtype)
    return np.concatenate([network.bias(p) for p in order]).astype(network.dtype)


def _fills_up(network, projection):
    """Whether a sparse projection runs as a dense one: with one delay, and weights of their own for so many pairs that it is faster, and
    which the machine holds easily."""
    synapses = network.synapses[projection.name]
    if (
        projection.delay is None
        or synapses.shares_weights
        or not np.ndim(network.weights[projection.name])
    ):
        return False
    pairs = synapses.n_pre * synapses.n_post
    return synapses.size >= _FILLED * pairs and pairs * network.dtype.itemsize <= _FILLED_BYTES


def _pack_wiring(packed):
    """(Wiring, places, number of weights, Filled): dense projections of one source, delay and kind of receptor with neighbouring targets
    share a bundle."""
    network = packed.network
    sources = [p.name for p in network.inputs] + [
        p.name for p in packed.order if p.kind != "readout"
    ]
    found = []
    fills = {name for name in network.synapses if _fills_up(network, network.projection(name))}
    for k, projection in enumerate(
        p for p in network.projections if p.name not in network.synapses or p.name in fills
    ):
        receptor = network[projection.post].neuron.receptors[projection.receptor]
        target, size = packed.state(projection.post, receptor.state)
        key = (
            sources.index(projection.pre),
            network.delay_steps(projection),
            float(receptor.jump),
            projection.non_negative,
            not projection.frozen,
            projection.gradient_to_source,
            projection.name in fills,
        )
        found.append((key, target, k, size, projection))
    bundles = []
    for key, target, _, size, projection in sorted(found, key=lambda each: each[:3]):
        if not bundles or bundles[-1][0] != key or bundles[-1][1] + bundles[-1][2] != target:
            bundles.append([key, target, 0, []])
        bundles[-1][3].append((projection.name, slice(bundles[-1][2], bundles[-1][2] + size)))
        bundles[-1][2] += size
    n_pre = np.array(
        [([*network.inputs] + packed.order)[key[0]].n for key, *_ in bundles], np.int64
    )
    n_post = np.array([size for _, _, size, _ in bundles], np.int64)

    def column(k, kind=np.int64):
        return np.array([bundle[0][k] for bundle in bundles], kind)

    own = n_pre * n_post * ~column(6, bool)
    ends = np.cumsum(own)
    places = {
        name: (slice(int(ends[k] - own[k]), int(ends[k])), columns)
        for k, bundle in enumerate(bundles)
        for name, columns in bundle[3]
        if name not in fills
    }
    sparse, sparse_places, n_weights = _pack_sparse(packed, sources, int(sum(own)), fills)
    first, filled = _fill(network, bundles, ends - own, n_pre, n_post, sparse_places, n_weights)
    pulled = column(5, bool)
    wiring = Wiring(
        len(network.inputs),
        column(0),
        np.array([bundle[1] for bundle in bundles], np.int64),
        column(2, network.dtype),
        column(1),
        n_pre,
        n_post,
        first,
        _panel_firsts(n_pre * pulled * (column(0) >= len(network.inputs)), n_post, network.dtype),
        *_columns(
            [bundle[1] for bundle in bundles],
            n_pre,
            n_post,
            column(0) < len(network.inputs),
            network.dtype,
        ),
        column(4, bool),
        pulled,
        sparse,
    )
    return wiring, places | sparse_places, n_weights, filled


def _fill(network, bundles, first, n_pre, n_post, places, n_weights):
    """(first weight of every bundle, Filled); `n_weights` come before those that are filled up."""
    first, size, place, source = first.astype(np.int64), n_weights, [], []
    for k, (key, *_, members) in enumerate(bundles):
        if key[6]:
            first[k], size = size, size + int(n_pre[k] * n_post[k])
            for name, columns in members:
                synapses = network.synapses[name]
                place.append(
                    first[k]
                    + synapses.sources.astype(np.int64) * n_post[k]
                    + columns.start
                    + synapses.target
                )
                source.append(places[name][0].start + synapses.weight_places(network.weights[name]))
    return first, Filled(size, np.concatenate(place), np.concatenate(source)) if place else None


def _pack_sparse(packed, sources, n_weights, fills):
    """(Sparse, places, number of all weights); `n_weights` dense ones come before. Synapses are taken apart by their delays; those of
    `fills` have places alone."""
    network, places, rows, firsts, posts, ats, row, synapse = (
        packed.network,
        {},
        [],
        [],
        [],
        [],
        0,
        0,
    )
    for projection in network.projections:
        if projection.name not in network.synapses:
            continue
        synapses, delays = network.synapses[projection.name], network.delay_steps(projection)
        size = int(np.size(network.weights[projection.name]))
        places[projection.name], before = (slice(n_weights, n_weights + size), None), n_weights
        n_weights += size
        if projection.name in fills:
            continue
        at = np.broadcast_to(
            synapses.weight_places(network.weights[projection.name]), synapses.size
        )
        receptor = network[projection.post].neuron.receptors[projection.receptor]
        target, n_post = packed.state(projection.post, receptor.state)
        for delay in np.unique(delays):
            chosen = slice(None) if np.ndim(delays) == 0 else np.flatnonzero(delays == delay)
            first = (
                synapses.first if np.ndim(delays) == 0 else np.searchsorted(chosen, synapses.first)
            )
            rows.append(
                (
                    sources.index(projection.pre),
                    target,
                    receptor.jump,
                    delay,
                    synapses.n_pre,
                    n_post,
                    not projection.frozen,
                    projection.gradient_to_source,
                    row,
                )
            )
            firsts.append(first + synapse)
            posts.append(synapses.target[chosen])
            ats.append(before + at[chosen])
            row, synapse = row + first.size, synapse + posts[-1].size
    if n_weights >= 1 << 32:
        raise ValueError(
            f"the network has {n_weights} weights; batches of trials and training take fewer than 2^32. Use simulate."
        )

    def joined(parts, kind):
        return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)

    kinds = [np.int64, np.int64, network.dtype, np.int64, np.int64, np.int64, bool, bool, np.int64]
    table = [np.array([each[c] for each in rows], kind) for c, kind in enumerate(kinds)]
    # unsigned: kernels then need no test for negative places
    return (
        Sparse(*table, joined(firsts, np.int64), joined(posts, np.uint32), joined(ats, np.uint32)),
        places,
        n_weights,
    )


def _columns(targets, n_pre, sizes, driven, dtype):
    """Where each bundle finds its columns in Scratch.arriving (of those that inputs drive) and Scratch.arrived, and the columns of the
    latter: in whole spans; bundles with the same targets share them."""
    itemsize = np.dtype(dtype).itemsize
    span = SPAN_BYTES // itemsize
    widths = -(-sizes // span) * span
    firsts, at = {}, 0
    for target, n, size, width in zip(targets, n_pre, sizes, widths):
        if n * size * itemsize > _SMALL_BYTES and (target, int(size)) not in firsts:
            firsts[target, int(size)] = at
            at += int(width)
    kept = (
        np.array([(target, column, size) for (target, size), column in firsts.items()], np.int64)
        .reshape(-1, 3)
        .T.copy()
    )
    return (
        np.cumsum(widths * driven) - widths * driven,
        np.array([firsts.get((t, int(n)), -1) for t, n in zip(targets, sizes)], np.int64),
        Blocks(np.zeros(kept.shape[1], np.int64), *kept),
    )


def _panel_firsts(n_pre, n_post, dtype):
    """First element of the panels of each bundle, and the end: whole panels of as many presynaptic neurons as a block has."""
    width = BLOCK_BYTES // dtype.itemsize
    return np.concatenate([[0], np.cumsum(-(-n_pre // width) * width * n_post)]).astype(np.int64)
