"""Where a simulation starts: states, spikes still on their way, random numbers, and its inputs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.arrays import aligned
from ..kernels.random import ORNSTEIN_UHLENBECK
from ..network.drawing import draw, is_random
from ..network.families import refuse_family
from ..network.network import Network
from ..support.checks import instance, reals
from ..support.seeds import stream, whole_seed
from . import stream_state
from .inputs import Inputs, bin_inputs
from .perturbed import Hold, silenced
from .state import State
from .stream_layout import StreamLayout
from .stream_tables import Cells, Drive, Memory, Noise, RecentSpikes, Wires

_RECENT = ("recent_steps", "recent_populations", "recent_units")


def check_start(
    network: Network, layout: StreamLayout, state: State | None, initial: Any, longest: int
) -> None:
    """Raise a ValueError unless a simulation of the network can go on from `state`, if any.

    longest: steps that a spike may be on its way.
    """
    if state is None:
        return
    if not isinstance(state, State):
        raise ValueError(
            f"state is a {type(state).__name__}; it must be the state of a simulation, "
            "simulation.state."
        )
    if state.fingerprint != network.fingerprint():
        raise ValueError(
            "this state is of another network: sizes, neurons, projections, dt and dtype must "
            "agree."
        )
    if not state.of_simulation:
        raise ValueError(
            "this is the state of a run; simulate goes on from the state of a simulation (use run)."
        )
    stream_state.check_spikes(state, layout, longest)
    if initial is not None:
        raise ValueError(
            "give initial or state, not both: the state says where every neuron stands."
        )


def random_key(seed: Any, state: State | None) -> tuple[int | None, int]:
    """Return the whole seed and the key of random numbers.

    The seed is None where the random numbers go on from `state`; a seed in addition to a state
    makes a branch.
    """
    if state is not None and seed is None:
        return None, int(state.arrays["key"])
    seed = whole_seed(0 if seed is None else seed)
    if state is None:
        rng = np.random.default_rng(seed)
    else:
        rng = stream(seed, "branch", str(state.step))
    return seed, int(rng.integers(2**64, dtype=np.uint64))


def find_state(layout: StreamLayout, name: Any) -> tuple[int, int, bool]:
    """Return the first element and the size of a state such as "E.U", and whether it is a membrane.

    Raises
    ------
    ValueError
        If there is no such state.
    """
    example = "a text, such as 'E.U'"
    population, _, state = instance(name, "a state", str, example).partition(".")
    p = layout.network[population]
    if state not in p.states:
        raise ValueError(f"there is no state {name!r}; {population} has {p.known_states()}.")
    return layout.state(population, state), p.n, state == p.states[0]


def noise_sources(noise: Noise) -> NDArray[np.int64]:
    """Return (sources, 2) population and place of every Ornstein-Uhlenbeck source."""
    chosen = noise.kind == ORNSTEIN_UHLENBECK
    return np.stack([noise.population[chosen], noise.ou_first[chosen]], axis=1)


def new_memory(
    layout: StreamLayout,
    cells: Cells,
    wires: Wires,
    noise: Noise,
    state: State | None,
    initial: Mapping[str, Any] | None,
    seed: int | None,
) -> Memory:
    """Return the states of all neurons at the start, of `state`, `initial` or the populations.

    Raises
    ------
    ValueError
        If what is given does not fit the network.
    """
    sizes = {
        "x": layout.state_first[-1],
        "clock": layout.neuron_first[-1],
        "held": layout.neuron_first[-1],
        "ring": (wires.ring_mask + 1) * wires.ring_width,
    }
    dtype = layout.network.dtype
    arrays = {
        name: aligned(int(size), np.int32 if name == "clock" else dtype)
        for name, size in sizes.items()
    }
    for array in arrays.values():
        array[:] = 0
    if state is None:
        _put_initial(layout, arrays["x"], initial, seed)
        return Memory(**arrays)
    limits = np.repeat(cells.clamped_steps + 1, layout.room)
    stream_state.check_memory(state, arrays, limits, noise.ou, noise_sources(noise))
    for name, array in arrays.items():
        array[:] = state.arrays[name]
    noise.ou[:] = state.arrays["ou"]
    return Memory(**arrays)


def _put_initial(layout, x, initial, seed):
    """Membranes as the populations say, and then the states that are given."""
    network = layout.network
    for p in network.spiking + network.readouts:
        first = layout.state(p.name, next(iter(p.neuron.states)))
        x[first : first + p.n] = p.initial
    example = "a dict of states, such as {'E.U': 0.5}"
    instance({} if initial is None else initial, "initial", dict, example)
    for name, values in (initial or {}).items():
        first, n, _ = find_state(layout, name)
        refuse_family(values, f"initial {name!r}")
        if is_random(values):
            values = draw(values, stream(seed, name, "initial"), n)
        values = reals(values, f"initial {name!r}", dtype=network.dtype)
        if values.shape not in ((), (n,)):
            raise ValueError(
                f"initial {name!r} has shape {values.shape}; it must be one number, or {n}, one "
                "per neuron."
            )
        x[first : first + n] = values


def input_drive(
    network: Network,
    spikes: Inputs | None,
    merge: bool,
    first: int,
    steps: int,
    silent: Sequence[Hold] = (),
) -> Drive:
    """Return the spikes of the inputs, by step, as far as the run goes, but of silent ones.

    Raises
    ------
    ValueError
        If they do not fit the network, or are not of one trial.
    """
    n_inputs = len(network.inputs)
    if spikes is not None and not n_inputs:
        raise ValueError("the network has no inputs: give spikes=None.")
    if spikes is None:
        nothing = np.empty(0, np.int32)
        return Drive(n_inputs, first, steps=0, pointers=np.zeros(1, np.int64), units=nothing)
    events, given = bin_inputs(network, spikes, merge, steps)
    if events.pointers.shape[0] != 1:
        raise ValueError(
            f"simulate runs one trial; spikes have {events.pointers.shape[0]}. Choose one: "
            "spikes[0]."
        )
    events = silenced(network, events, silent)
    pointers = np.ascontiguousarray(events.pointers[0])
    return Drive(n_inputs, first, steps=given, pointers=pointers, units=events.units)


def most_spikes(
    layout: StreamLayout, drive: Drive, merge: bool, state: State | None
) -> NDArray[np.int64]:
    """Return (populations,) the most spikes that a unit has in one step.

    There are several only where spikes of inputs are not merged, now or before `state`.
    """
    most = np.ones(layout.n.size, np.int64)
    inputs = [layout.number[p.name] for p in layout.network.inputs]
    lists = []
    if not merge and inputs:
        counts = np.diff(drive.pointers)
        step, number = np.divmod(np.repeat(np.arange(counts.size), counts), len(inputs))
        lists += [(step[number == q], p, drive.units[number == q]) for q, p in enumerate(inputs)]
    if state is not None:
        steps, populations, units = (state.arrays[name] for name in _RECENT)
        lists += [(steps[populations == p], p, units[populations == p]) for p in inputs]
    for steps, p, units in lists:
        _, times = np.unique(steps * layout.n[p] + units, return_counts=True)
        most[p] = max(most[p], times.max(initial=1))
    return most


def new_recent_spikes(
    layout: StreamLayout, cells: Cells, lists: NDArray, slots: int, state: State | None
) -> RecentSpikes:
    """Return the lists of spikes of the last `slots` steps, with those of `state` that may arrive.

    lists: (populations, threads + 1) of `list_bounds`.
    """
    size, threads = int(lists[-1, -1]), cells.bounds.shape[1] - 1
    recent = RecentSpikes(
        mask=slots - 1,
        first=np.ascontiguousarray(lists[:, :-1]),
        units=np.empty((slots, size + 1), np.int32),
        n_spikes=np.zeros((slots, threads, layout.n.size), np.int32),
    )
    if state is not None:
        for n, p, unit in zip(*(state.arrays[name] for name in _RECENT)):
            slot = n & recent.mask
            t = int(np.searchsorted(cells.bounds[p], unit, side="right")) - 1
            recent.units[slot, recent.first[p, t] + recent.n_spikes[slot, t, p]] = unit
            recent.n_spikes[slot, t, p] += 1
    return recent
