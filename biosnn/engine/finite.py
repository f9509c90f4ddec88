"""States that are no longer finite: found after a batch or a slice, and named."""

from collections.abc import Callable

import numpy as np

from ..kernels import arrays
from ..network.network import Network
from .buffers import Wanted, new_recording, with_releases
from .chunks import forward
from .layout import Layout
from .packed import Packed


class NotFinite(ValueError):
    """A state is no longer a finite number."""


def check_batch(
    packed: Packed,
    drive: arrays.Drive,
    recording: arrays.Recording,
    steps: int,
    all_states: Callable,
    wanted: Wanted,
    trials: np.ndarray | None = None,
) -> None:
    """Raise NotFinite unless all states of a batch are finite at its end (Recording.end).

    An infinity, once there, stays until then. The message names population, state, trial and the
    first step, for which that trial is run once more with all states recorded.

    Parameters
    ----------
    packed, drive, recording, steps
        The batch.
    all_states
        packed -> the columns of all states.
    wanted
        What it records.
    trials
        What the trials of the batch are called, if not as the rows of the data.

    Raises
    ------
    NotFinite
        A ValueError.
    """
    wrong = np.flatnonzero(~np.isfinite(recording.end.states).all(axis=1))
    if not wrong.size:
        return
    trial, layout = int(wrong[0]), all_states(packed)
    states = _again(packed, drive, recording, trial, steps, layout, wanted)
    beyond = {name: ~np.isfinite(states[:, columns]) for name, columns in layout.columns.items()}
    first = {
        name: int(np.argmax(where.any(axis=1))) for name, where in beyond.items() if where.any()
    }
    name = min(first, key=first.__getitem__)
    step, unit = first[name], int(np.argmax(beyond[name][first[name]]))
    value = states[step, layout.columns[name]][unit]
    called = int((drive.rows if trials is None else trials)[trial])
    seconds = (drive.first_step + step) * packed.network.dt
    when = f"from {seconds:.6g} s on (step {step}) in trial {called}"
    _refuse(packed.network, name, unit, value, when)


def _again(packed, drive, recording, trial, steps, layout, wanted):
    """(step, column) all states of one trial of a batch."""
    one, start = slice(trial, trial + 1), drive.start
    own = {name: getattr(drive, name)[one] for name in ("rows", "current", "key", "trial")}
    if len(start.states) > 1:
        own["start"] = arrays.Standing(*(array[one] for array in start))
    wanted = wanted._replace(
        blocks=layout.blocks, width=layout.width, tape=False, end=False, moments=None
    )
    again, tables = (
        new_recording(packed, 1, steps, wanted),
        with_releases(packed, steps, wanted)[0],
    )
    before = recording.spikes.before * tables.n_firing + 1
    known = recording.spikes.pointers[trial, :before]
    again.spikes.pointers[0, :before] = known - known[0]
    again.spikes.units[: known[-1] - known[0]] = recording.spikes.units[known[0] : known[-1]]
    again.release[:] = recording.release[one, : again.release.shape[1]]
    forward(packed, drive._replace(**own), again, steps, 1, tables)
    return again.states[0]


def check_slice(network: Network, layout: Layout, x: np.ndarray, first: int, last: int) -> None:
    """Raise NotFinite unless the states `x` are finite after the steps first .. last - 1."""
    if np.isfinite(x).all():
        return
    for population in network.spiking + network.readouts:
        for state in population.states:
            at, _ = layout.state(population.name, state)
            wrong = np.flatnonzero(~np.isfinite(x[at : at + population.n]))
            if wrong.size:
                _refuse(
                    network,
                    f"{population.name}.{state}",
                    int(wrong[0]),
                    x[at + wrong[0]],
                    f"between {first * network.dt:.6g} and {last * network.dt:.6g} s (steps "
                    f"{first} to {last - 1})",
                )


def _refuse(network, state, unit, value, when):
    """NotFinite: which state, of which neuron, when, and what may help."""
    name, _, state = state.partition(".")
    other = " or Network(dtype=np.float64)" if network.dtype == np.float32 else ""
    raise NotFinite(
        f"population {name!r}: {state} of neuron {unit} is {value} {when}; {network.dtype} holds "
        f"numbers up to {np.finfo(network.dtype).max:.3g}. Smaller weights, currents and "
        f"input{other} keep states finite."
    )
