"""Columns of arrays (trial, step, column): which states, neurons and currents they hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..support.checks import instance, reals
from ..support.ranges import ranges
from .packed import Packed
from .recording import chosen_neurons


@dataclass(frozen=True)
class Layout:
    """Named columns of an array (trial, step, column).

    Parameters
    ----------
    blocks
        Which elements of the state vector they are, as kernels read it.
    columns
        Name -> its columns.
    width
        Number of columns.
    """

    blocks: arrays.Blocks
    columns: dict[str, slice]
    width: int


class _Block(NamedTuple):
    """Neighbouring elements of the state vector that are columns of one name."""

    name: str
    tag: int  # the moment of a step; of currents, the first neuron
    first: int
    size: int


def _layout(blocks):
    """The Layout of blocks side by side; those of one name follow each other."""
    columns, starts, at = {}, [], 0
    for block in blocks:
        begin = columns[block.name].start if block.name in columns else at
        columns[block.name] = slice(begin, at + block.size)
        starts.append(at)
        at += block.size
    return Layout(
        arrays.Blocks(
            tag=np.array([block.tag for block in blocks], np.int64),
            first=np.array([block.first for block in blocks], np.int64),
            column=np.array(starts, np.int64),
            size=np.array([block.size for block in blocks], np.int64),
        ),
        columns,
        at,
    )


def state_layout(packed: Packed, states: Iterable[str] | Mapping[str, Any]) -> Layout:
    """Return the columns for states.

    Parameters
    ----------
    packed
        The network as kernels read it.
    states
        Names, or a dict of name -> neurons (None: all). "E.U" and "E.I_exc" are values at the end
        of a step, "E.U_star" is U before threshold and reset.

    Raises
    ------
    ValueError
        If there is no such state.
    """
    chosen = states if isinstance(states, Mapping) else dict.fromkeys(states)
    blocks = []
    for name, neurons in chosen.items():
        population, _, state = str(name).partition(".")
        p = packed.network[population]
        if state not in [*(p.neuron.states if p.neuron else ()), *(["U_star"] if p.states else ())]:
            raise ValueError(
                f"there is no state {name!r}; {population} has {p.known_states('U_star')}."
            )
        moment = arrays.BEFORE_RESET if state == "U_star" else arrays.END_OF_STEP
        first, size = packed.state(population, "U" if state == "U_star" else state)
        if neurons is None:
            blocks.append(_Block(name, moment, first, size))
        else:
            units = chosen_neurons(neurons, size, name)
            blocks += [_Block(name, moment, first + a, b - a) for a, b in _runs(units)]
            if not units.size:
                blocks.append(_Block(name, moment, first, 0))
    return _layout(blocks)


def _runs(units):
    """(first, end) of the runs of neighbours in a list of neurons, in their order."""
    cuts = np.flatnonzero(np.diff(units) != 1) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(units, cuts) if run.size]


def all_states(packed: Packed) -> Layout:
    """Return the columns for every state at the end of a step, in the order of the state vector."""
    first = {
        f"{p.name}.{state}": packed.state(p.name, state)[0]
        for p in packed.order
        for state in p.states
    }
    return state_layout(packed, sorted(first, key=first.__getitem__))


def current_layout(packed: Packed, currents: Iterable[str]) -> Layout:
    """Return the columns for injected currents, by the names of populations.

    Raises
    ------
    ValueError
        If there is no such population of neurons.
    """
    names = [p.name for p in packed.order if p.states]
    for name in currents:
        if name not in names:
            raise ValueError(
                f"currents for {name!r}: there is no such population; there are {', '.join(names)}."
            )
    return _layout(
        [_Block(name, packed.neurons(name).start, *packed.state(name, "U")) for name in currents]
    )


def stack(
    layout: Layout,
    values: Mapping[str, NDArray],
    n_trials: int,
    steps: int,
    dtype: np.dtype,
    what: str,
) -> NDArray:
    """Return arrays (trial, step, neuron) side by side in the columns of a layout.

    Parameters
    ----------
    layout
        Layout of the result.
    values
        Name -> array that broadcasts to (trial, step, neuron).
    n_trials, steps, dtype
        Of the result.
    what
        What the arrays are, for messages.

    Raises
    ------
    ValueError
        If a shape does not broadcast.
    """
    if not layout.columns:
        return np.empty((n_trials, 0, 0), dtype)
    stacked = np.empty((n_trials, steps, layout.width), dtype)
    for name, columns in layout.columns.items():
        shape = (n_trials, steps, columns.stop - columns.start)
        try:
            stacked[..., columns] = np.broadcast_to(values[name], shape)
        except ValueError:
            raise ValueError(
                f"{what} {name!r} have shape {values[name].shape}; they must broadcast to (trial, "
                f"step, neuron) = {shape}."
            ) from None
    return stacked


def checked_arrays(given: Any, what: str, dtype: np.dtype, example: str) -> dict[str, NDArray]:
    """Return name -> array of finite numbers, of a dict or None."""
    instance({} if given is None else given, what, dict, f"a dict such as {example}")
    return {
        name: reals(values, f"{what} {name!r}", dtype=dtype)
        for name, values in (given or {}).items()
    }


def dense_spikes(packed: Packed, recording: arrays.Recording, name: str) -> NDArray:
    """Return the spikes of a population as an array (trial, step, neuron)."""
    spikes, n_trials = recording.spikes, recording.counts.shape[0]
    p, shape = packed.layout.number[name], (n_trials, -1, packed.tables.n_firing)
    own = spikes.pointers[:, spikes.before * packed.tables.n_firing :]
    first, last = (own[:, k : k + own.shape[1] - 1].reshape(shape)[..., p] for k in (0, 1))
    dense = np.zeros((*first.shape, packed.network[name].n), packed.network.dtype)
    count = (last - first).ravel()
    at = ranges(first.ravel(), count)
    where = np.repeat(np.arange(count.size), count)
    dense.reshape(count.size, -1)[where, spikes.units[at]] = (
        spikes.values[at] if spikes.values.size else 1
    )
    return dense
