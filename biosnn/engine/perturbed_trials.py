"""Batches of trials with perturbations: cut where neurons are taken hold of and let go.

The pieces go on from each other as runs do that are given a state, with the bits of one long run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from . import chunks, trial_state
from .buffers import new_recording
from .finite import check_batch
from .layouts import Layout, all_states, current_layout, stack
from .packed import Packed
from .perturbed import Hold, Schedule, looked_at


def holding(packed: Packed, schedule: Schedule, tape: bool = False) -> Packed:
    """Return the network such that kernels look at the clocks of populations that can be held.

    Parameters
    ----------
    packed
        The network.
    schedule
        The perturbations.
    tape
        Whether gradients are wanted.

    Raises
    ------
    ValueError
        If a batch of trials cannot do what the schedule says.
    """
    _check_held(packed, schedule, tape)
    if not schedule.held:
        return packed
    first = [packed.neurons(name).start for name in schedule.held]
    groups = np.searchsorted(packed.model.neuron_first, first, side="right") - 1
    clamped = looked_at(packed.model.clamped_steps, groups)
    return replace(packed, model=packed.model._replace(clamped_steps=clamped))


def _check_held(packed, schedule, tape):
    """ValueError where a batch of trials cannot do what a schedule says."""
    for name in sorted(schedule.held):
        neuron = packed.network[name].neuron
        if neuron is not None and neuron.has_delta_synapses:
            raise ValueError(
                f"population {name!r} has delta synapses, and spikes that arrive at a U that is "
                "held are lost. Batches of trials do not do that; use simulate(network, duration, "
                "…) for Silence, Clamp and Lesion."
            )
    if tape and len(schedule.edges) > 2:
        raise ValueError(
            "tape=True with Silence or Clamp for a part of the run: the run is cut where neurons "
            "are taken hold of, and gradients do not flow from one part into the one before. Leave "
            "start and stop out, or run the parts with state=…, each with its tape."
        )


def injected(
    packed: Packed,
    currents: Mapping[str, NDArray],
    pulses: Sequence[Hold],
    n_trials: int,
    steps: int,
) -> tuple[Layout, NDArray]:
    """Return the injected currents (trial, step, column), those of stimuli among them.

    Parameters
    ----------
    packed
        The network.
    currents
        Population -> array that broadcasts to (trial, step, neuron).
    pulses
        The stimuli.
    n_trials, steps
        Of the run.

    Returns
    -------
    Their layout, and the currents.
    """
    dtype = packed.network.dtype
    currents = {pulse.population: np.zeros((), dtype) for pulse in pulses} | dict(currents)
    layout = current_layout(packed, currents)
    current = stack(layout, currents, n_trials, steps, dtype, "currents")
    for pulse in pulses:
        columns = layout.columns[pulse.population].start + pulse.neurons
        at = np.arange(pulse.first, pulse.last)[:, None]
        current[:, at, columns] += pulse.values.astype(dtype)
    return layout, current


def forward_perturbed(
    packed: Packed,
    drive: arrays.Drive,
    recording: arrays.Recording,
    schedule: Schedule,
    threads: int,
    moments: Layout | None = None,
) -> tuple[arrays.Drive, arrays.Recording]:
    """Simulate a batch piece by piece.

    Parameters
    ----------
    packed
        The network, as `holding` returns it.
    drive
        Its input and currents, with those of the perturbations.
    recording
        Is written where there is one piece; otherwise it says what to record.
    schedule
        The perturbations.
    threads
        Number of threads.
    moments
        Layout of the states of which to keep mean and variance.

    Returns
    -------
    The input as the first piece has it, with where it starts; and the recording of all.
    """
    earlier, parts = drive.earlier, []
    pieces = list(pairwise(schedule.edges))
    for first, last in pieces:
        earlier = _taken(packed, earlier, schedule.starting(first), drive.rows.size)
        piece = drive if len(pieces) == 1 else _piece(packed, drive, first, last)
        piece = piece._replace(earlier=earlier)
        if len(pieces) > 1:
            parts.append(_like(packed, recording, last - first, moments))
        into = parts[-1] if parts else recording
        chunks.forward(packed, piece, into, last - first, threads)
        check_batch(packed, piece, into, last - first, all_states)
        if first == 0:
            start = piece.earlier
        if last < schedule.steps:
            earlier = trial_state.after(packed, piece, into, last - first)
    lengths = [last - first for first, last in pieces]
    return drive._replace(earlier=start), _stitched(recording, parts, lengths)


def _taken(packed, earlier, holds, n_trials):
    """The earlier run, with the U of neurons that are taken hold of and their clocks."""
    if not holds:
        return earlier
    if earlier is None or not earlier.states.shape[0]:
        earlier = trial_state.at_rest(packed, n_trials)
    states, clock = earlier.states.copy(), earlier.clock.copy()
    for hold in holds:
        at = packed.state(hold.population, packed.network[hold.population].states[0])[0]
        states[:, at + hold.neurons] = hold.values
        place = packed.neurons(hold.population).start + hold.neurons
        clock[:, place] = np.maximum(clock[:, place], hold.last - hold.first)
    return earlier._replace(states=states, clock=clock)


def _piece(packed, drive, first, last):
    """The input and currents of some steps."""
    n = packed.wiring.n_inputs
    pointers = drive.inputs.pointers[drive.rows, first * n : last * n + 1]
    return drive._replace(
        inputs=drive.inputs._replace(pointers=np.ascontiguousarray(pointers)),
        rows=np.arange(drive.rows.size),
        current=np.ascontiguousarray(drive.current[:, first:last]),
    )


def _like(packed, recording, steps, moments):
    """A recording of the same states in fewer steps."""
    return new_recording(
        packed,
        len(recording.counts),
        steps,
        recording.blocks,
        recording.states.shape[2],
        end=True,
        moments=moments,
    )


def _stitched(recording, parts, lengths):
    """The recordings of all pieces as one."""
    if not parts:
        return recording
    moments = parts[0].moments
    for k, part in enumerate(parts[1:], 1):
        moments = _joined_moments(moments, part.moments, sum(lengths[:k]), lengths[k])
    return recording._replace(
        spikes=trial_state.in_a_row([part.spikes for part in parts]),
        counts=np.sum([part.counts for part in parts], axis=0, dtype=recording.counts.dtype),
        states=np.concatenate([part.states for part in parts], axis=1),
        end=parts[-1].end,
        clock=parts[-1].clock,
        moments=moments,
    )


def _joined_moments(one, other, n_one, n_other):
    """Mean and sum of squared deviations of two parts together (Chan et al. 1979)."""
    n, apart = n_one + n_other, other[:, 0] - one[:, 0]
    mean = one[:, 0] + apart * (n_other / n)
    squares = one[:, 1] + other[:, 1] + apart**2 * (n_one * n_other / n)
    return np.stack([mean, squares], axis=1)
