"""Batches of trials with perturbations: cut where neurons are taken hold of and let go.

The pieces go on from each other as runs do that are given a state, with the bits of one long run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from . import chunks, events, standing
from .buffers import Wanted, new_recording, with_releases
from .finite import check_batch
from .layouts import Layout, all_states, current_layout, stack
from .packed import Packed
from .perturbed import Hold, Schedule, held_cells


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
    if tape and len(schedule.edges) > 2:
        raise ValueError(
            "tape=True with Silence or Clamp for a part of the run: the run is cut where neurons "
            "are taken hold of, and gradients do not flow from one part into the one before. Leave "
            "start and stop out, or run the parts with state=…, each with its tape."
        )
    if not schedule.held:
        return packed
    cells = held_cells(packed.tables, [packed.layout.number[name] for name in schedule.held])
    return replace(packed, tables=packed.tables._replace(cells=cells))


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


class Ran(NamedTuple):
    """What `forward_perturbed` did.

    Parameters
    ----------
    drive
        Its input; of a run in one piece, with the events before its first step.
    recording
        Of all pieces.
    tables
        Those that know where releases lie.
    end
        Returns where the trials stand at the end.
    """

    drive: arrays.Drive
    recording: arrays.Recording
    tables: arrays.Tables
    end: Callable[[], standing.Earlier]


def forward_perturbed(
    packed: Packed,
    drive: arrays.Drive,
    earlier: standing.Earlier | None,
    wanted: Wanted,
    schedule: Schedule,
    threads: int,
    recording: arrays.Recording | None = None,
) -> Ran:
    """Simulate a batch piece by piece.

    Parameters
    ----------
    packed
        The network, as `holding` returns it.
    drive
        Its input and currents, with those of the perturbations.
    earlier
        The run that it goes on from, or None.
    wanted
        What to record.
    schedule
        The perturbations.
    threads
        Number of threads.
    recording
        Is written where there is one piece. Default: a new one.

    """
    parts, pieces = [], list(pairwise(schedule.edges))
    start: Any = None
    for first, last in pieces:
        earlier = _taken(packed, drive, earlier, schedule.starting(first))
        piece = drive if len(pieces) == 1 else _piece(packed, drive, first, last)
        own = _knowing(packed, wanted, piece, earlier)
        steps, n_trials = last - first, drive.rows.size
        tables = with_releases(packed, steps, own)[0]
        into = recording
        if into is None or len(pieces) > 1 or earlier is not None:
            into = new_recording(packed, n_trials, steps, own)
        piece = chunks.begun(piece, into, earlier, tables, packed)
        chunks.forward(packed, piece, into, steps, threads, tables)
        check_batch(packed, piece, into, steps, all_states, own)
        start = piece if first == 0 else start
        parts.append(into)
        if last < schedule.steps:
            earlier = standing.after(packed.layout, packed.wires, tables, piece, into, steps)
    lengths = [last - first for first, last in pieces]
    whole = start if len(pieces) == 1 else drive._replace(first_step=start.first_step)

    def end():
        """Where the last piece ends."""
        return standing.after(packed.layout, packed.wires, tables, piece, into, steps)

    return Ran(whole, _stitched(parts, lengths, packed.tables.n_firing), tables, end)


def _knowing(packed, wanted, drive, earlier):
    """What to record, with the room that a run takes that goes on from another one."""
    inputs = 0
    if packed.tables.shorts.size:
        inputs = int(np.ptp(drive.inputs.pointers, axis=1).max(initial=0))
    if earlier is None:
        return wanted._replace(inputs=inputs)
    most = [
        int(np.ptp(e.pointers, axis=1).max(initial=0)) for e in (earlier.inputs, earlier.spikes)
    ]
    return wanted._replace(
        before=packed.layout.longest_delay, inputs=inputs + most[0], earlier=most[1]
    )


def _taken(packed, drive, earlier, holds):
    """The earlier run, with the U of neurons that are taken hold of and their clocks."""
    if not holds:
        return earlier
    if earlier is None:
        earlier = standing.at_rest(packed.layout, packed.wires, drive.start, drive.rows.size)
    now = earlier.standing
    states, clock, held = now.states.copy(), now.clock.copy(), now.held.copy()
    for hold in holds:
        place = packed.neurons(hold.population).start + hold.neurons
        states[:, packed.layout.membrane(hold.population) + hold.neurons] = hold.values
        held[:, place] = hold.values
        clock[:, place] = np.maximum(clock[:, place], hold.last - hold.first + 1)
    return earlier._replace(standing=now._replace(states=states, clock=clock, held=held))


def _piece(packed, drive, first, last):
    """The input and currents of some steps."""
    n = packed.tables.n_inputs
    pointers = drive.inputs.pointers[drive.rows, first * n : last * n + 1]
    return drive._replace(
        inputs=drive.inputs._replace(pointers=np.ascontiguousarray(pointers)),
        rows=np.arange(drive.rows.size),
        current=np.ascontiguousarray(drive.current[:, first:last]),
    )


def _stitched(parts, lengths, n_firing):
    """The recordings of all pieces as one."""
    whole = parts[0]
    if len(parts) == 1:
        return whole
    moments = whole.moments
    for k, part in enumerate(parts[1:], 1):
        moments = _joined_moments(moments, part.moments, sum(lengths[:k]), lengths[k])
    rows, cuts = np.arange(len(whole.counts)), []
    for k, part in enumerate(parts):
        given = part.spikes
        first = given.before * n_firing if k else 0
        cuts.append(events.cut(given, rows, first, given.pointers.shape[1] - 1))
    spikes = events.one_after_other(cuts)._replace(before=whole.spikes.before)
    return whole._replace(
        spikes=spikes,
        counts=np.sum([part.counts for part in parts], axis=0, dtype=whole.counts.dtype),
        states=np.concatenate([part.states for part in parts], axis=1),
        end=parts[-1].end,
        moments=moments,
    )


def _joined_moments(one, other, n_one, n_other):
    """Mean and sum of squared deviations of two parts together (Chan et al. 1979)."""
    n, apart = n_one + n_other, other[:, 0] - one[:, 0]
    mean = one[:, 0] + apart * (n_other / n)
    squares = one[:, 1] + other[:, 1] + apart**2 * (n_one * n_other / n)
    return np.stack([mean, squares], axis=1)
