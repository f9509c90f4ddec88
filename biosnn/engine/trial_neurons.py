"""From populations to the arrays that kernels of batches read: step matrices, thresholds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.arrays import (
    RESET_BY_SUBTRACTION,
    RESET_TO_VALUE,
    Bounds,
    Jumps,
    Model,
    Pools,
    Terms,
    aligned_copy,
)
from ..network.network import Network
from ..network.population import Population
from ..network.step_matrix import linear_step, step_pattern
from .stream_layout import first_of


def groups_of(network: Network) -> list[list[Population]]:
    """Return spiking populations, those that pool, then readouts, in groups.

    Kernels can treat the populations of a group as one.
    """
    groups: dict[tuple, list] = {}
    for population in network.firing + network.readouts:
        neuron: Any = population.neuron
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


def pack_model(network: Network) -> Model:
    """Return the populations as arrays, with the time constants as they are now."""
    groups, dtype, dt = groups_of(network), network.dtype, network.dt
    order = [population for group in groups for population in group]
    spiking = [group for group in groups if group[0].kind != "readout"]
    # the neuron models of groups and of populations; only inputs and pools have none
    models: list[Any] = [group[0].neuron for group in groups]
    neurons: list[Any] = [p.neuron for p in order]
    surrogates: list[Any] = [group[0].surrogate for group in spiking]
    sizes = np.array([sum(p.n for p in group) for group in groups])
    n_states = np.array([len(model.states) for model in models])
    state_first = first_of(sizes * n_states)
    matrices = _Matrices(network, groups)
    subtracts = [model.reset == "subtract" for model in models]
    resets = [0.0 if neuron.reset == "subtract" else neuron.reset for neuron in neurons]
    return Model(
        n_spiking=len(spiking),
        neuron_first=first_of(sizes),
        state_first=state_first,
        row_first=first_of(n_states),
        rows=_joined(matrices.rows),
        columns=_joined(matrices.columns),
        coefficient=aligned_copy(np.concatenate(matrices.coefficient).astype(dtype)),
        drive=np.concatenate(matrices.drive).astype(dtype),
        bias=pack_bias(network, order),
        initial=_initial(groups).astype(dtype),
        threshold=aligned_copy(_per_neuron(order, [neuron.threshold for neuron in neurons], dtype)),
        reset=_per_neuron(order, resets, dtype),
        reset_kind=np.where(subtracts, RESET_BY_SUBTRACTION, RESET_TO_VALUE).astype(np.int64),
        clamped_steps=np.array(
            [max(0, model.refractory_steps(dt) - 1) for model in models], np.int64
        ),
        surrogate=np.array([each._code for each in surrogates], np.int64),
        steepness=np.array([each.steepness for each in surrogates], dtype),
        cutoff=np.array([each.support for each in surrogates], dtype),
        population_first=first_of([p.n for group in spiking for p in group]),
        group=np.repeat(np.arange(len(spiking)), [len(g) for g in spiking]).astype(np.int64),
        conducting=np.array([bool(model.reversal) for model in models]),
        reversal=np.array(
            [model.reversal.get(state, np.nan) for model in models for state in model.states],
            dtype,
        ),
        rate=np.concatenate(matrices.rate).astype(dtype),
        jumps=_pack_jumps(network, groups, state_first),
        bounds=_pack_bounds(spiking, dtype),
        pools=_pack_pools(network, order),
    )


def pack_bias(network: Network, order: Sequence[Population]) -> NDArray:
    """Return the constant currents of all neurons as they are now.

    Its size is 0 where no population has any.
    """
    if not any(p.bias for p in order):
        return np.empty(0, network.dtype)
    return np.concatenate([network.bias(p) for p in order]).astype(network.dtype)


class _Matrices:
    """Step matrices of all groups, entry by entry, with gains and rates of all neurons."""

    def __init__(self, network, groups):
        self.coefficient, self.drive, self.rate, self.rows, self.columns = [], [], [], [], []
        at = 0
        for group in groups:
            at = self._add(network, group, at)

    def _add(self, network, group, at):
        """Add a group whose coefficients begin at `at`. Returns where they end."""
        size, pattern = sum(p.n for p in group), step_pattern(group[0].neuron)
        steps = [linear_step(p.neuron, network.dt, network.time_constants(p)) for p in group]
        for row, column in pattern:
            self.coefficient += [
                np.broadcast_to(matrix[..., row, column], p.n)
                for p, (matrix, *_) in zip(group, steps)
            ]
        self.drive += [np.broadcast_to(gain[..., 0], p.n) for p, (_, gain, _) in zip(group, steps)]
        self.rate += [np.broadcast_to(each[..., 0], p.n) for p, (*_, each) in zip(group, steps)]
        firsts = [at + size * e for e in range(len(pattern))]
        self.rows.append(_terms(pattern, firsts))
        self.columns.append(_terms([(column, row) for row, column in pattern], firsts))
        return at + size * len(pattern)


def _terms(pattern, firsts):
    """Sparse sums by the first index of sorted pairs (state, other), and their coefficients."""
    order = sorted(range(len(pattern)), key=lambda e: pattern[e])
    counts = np.bincount([pattern[e][0] for e in order])
    return counts, [pattern[e][1] for e in order], [firsts[e] for e in order]


def _joined(parts):
    """The sparse sums of all groups."""
    counts, other, at = (
        np.concatenate([part[k] for part in parts]).astype(np.int64) for k in range(3)
    )
    return Terms(first=first_of(counts), other=other, at=at)


def _per_neuron(order: Sequence[Population], values: Sequence[Any], dtype: np.dtype) -> NDArray:
    """A number per population, for every neuron."""
    return np.repeat(np.array(values, dtype), np.array([p.n for p in order]))


def _initial(groups):
    """The state vector at the start: U as the populations say, all else 0."""
    parts = []
    for group in groups:
        parts.append(np.repeat([p.initial for p in group], [p.n for p in group]))
        parts.append(np.zeros(sum(p.n for p in group) * (len(group[0].neuron.states) - 1)))
    return np.concatenate(parts)


def _pack_bounds(spiking, dtype):
    """Between which values U* is held."""

    def of_each(value: Callable) -> NDArray:
        """A number of the neuron model, for every spiking neuron."""
        populations = [p for group in spiking for p in group]
        numbers = np.array([value(p.neuron) for p in populations], dtype)
        return np.repeat(numbers, [p.n for p in populations])

    return Bounds(
        used=np.array([group[0].neuron.bounded for group in spiking], bool),
        low=of_each(lambda neuron: neuron.low),
        high=of_each(lambda neuron: neuron.high),
    )


def _pack_jumps(network, groups, state_first):
    """Jumps of the spiking populations; state_first: of every group, in the state vector."""
    population, target, delay, first, sizes, p, at = [], [], [], [], [], 0, 0
    for group, begin in zip(groups, state_first):
        width, offset = sum(each.n for each in group), 0
        for each in group:
            for state, jump in network.spike_jumps(each).items():
                row = list(each.neuron.states).index(state)
                population.append(p)
                target.append(begin + row * width + offset)
                delay.append(each.neuron.jump_delay_steps(network.dt))
                first.append(at)
                sizes.append(np.broadcast_to(jump, each.n))
                at += each.n
            offset, p = offset + each.n, p + 1
    return Jumps(
        population=np.array(population, np.int64),
        target=np.array(target, np.int64),
        delay=np.array(delay, np.int64),
        first=np.array(first, np.int64),
        size=np.concatenate([np.empty(0), *sizes]).astype(network.dtype),
    )


def _pack_pools(network, order):
    """What pools, as it was added to the network: after what it pools."""
    names, first = [p.name for p in order], np.cumsum([0, *(p.n for p in order)])
    windows = [first[names.index(p.source)] + p.pooling.windows for p in network.pooling]
    places = [names.index(p.name) for p in network.pooling]
    ends = np.cumsum([0, *(each.size for each in windows)], dtype=np.int64)
    return Pools(
        population=np.array(places, np.int64),
        target=np.array([first[k] for k in places], np.int64),
        units=np.array([each.shape[0] for each in windows], np.int64),
        size=np.array([each.shape[1] for each in windows], np.int64),
        first=ends[:-1],
        member=np.concatenate([np.empty(0), *map(np.ravel, windows)]).astype(np.int32),
    )
