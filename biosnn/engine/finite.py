"""States that leave the numbers: found once at the end of a batch of trials or of a slice of a simulation, and named."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import chunks as passes
from . import state as past


class NotFinite(ValueError):
    """A state is no finite number any more."""


def check_batch(
    packed: Any,
    drive: Any,
    recording: Any,
    steps: int,
    all_states: Callable,
    trials: np.ndarray | None = None,
) -> None:
    """ValueError unless all states of a batch are finite at its end (Recording.end), where an infinity, once there, still is.

    It names population, state, trial and the first step, for which that trial is run once more with all states recorded
    (all_states: packed -> their columns). trials: what the trials of the batch are called, if not as the rows of the data.
    """
    wrong = np.flatnonzero(~np.isfinite(recording.end).all(axis=1))
    if wrong.size:
        trial, layout = int(wrong[0]), all_states(packed)
        states = _again(packed, drive, trial, steps, layout)
        beyond = {
            name: ~np.isfinite(states[:, columns]) for name, columns in layout.columns.items()
        }
        first = {
            name: int(np.argmax(where.any(axis=1))) for name, where in beyond.items() if where.any()
        }
        name = min(first, key=first.get)
        unit = int(np.argmax(beyond[name][first[name]]))
        value = states[first[name], layout.columns[name]][unit]
        start = 0 if drive.earlier is None else drive.earlier.first
        _refuse(
            packed.network,
            name,
            unit,
            value,
            f"from {(start + first[name]) * packed.network.dt:.6g} s on (step {first[name]}) in trial "
            f"{int((drive.rows if trials is None else trials)[trial])}",
        )


def _again(packed, drive, trial, steps, layout):
    """(step, column) all states of one trial of a batch."""
    one, chance = slice(trial, trial + 1), drive.chance
    before = drive.earlier
    drive = drive._replace(
        rows=drive.rows[one],
        current=drive.current[one],
        chance=chance._replace(trial=chance.trial[one]),
        earlier=before
        if before is None or not before.states.shape[0]
        else past.rows(before, trial, trial + 1),
    )
    recording = passes.new_recording(packed, 1, steps, layout.blocks, layout.width)
    passes.forward(packed, drive, recording, steps, 1)
    return recording.states[0]


def check_slice(network: Any, place: Any, x: np.ndarray, first: int, last: int) -> None:
    """ValueError unless the states `x` of a simulation are finite after the steps first .. last - 1."""
    if np.isfinite(x).all():
        return
    for population in network.spiking + network.readouts:
        for state in population.states:
            at = place.state(population.name, state)
            wrong = np.flatnonzero(~np.isfinite(x[at : at + population.n]))
            if wrong.size:
                _refuse(
                    network,
                    f"{population.name}.{state}",
                    int(wrong[0]),
                    x[at + wrong[0]],
                    f"between {first * network.dt:.6g} and {last * network.dt:.6g} s (steps {first} to {last - 1})",
                )


def _refuse(network, state, unit, value, when):
    name, _, state = state.partition(".")
    other = " or Network(dtype=np.float64)" if network.dtype == np.float32 else ""
    raise NotFinite(
        f"population {name!r}: {state} of neuron {unit} is {value} {when}; {network.dtype} holds numbers up to "
        f"{np.finfo(network.dtype).max:.3g}. Smaller weights, currents and input{other} keep states finite."
    )
