"""Chunks of trials on threads, forward and backward; sums that do not depend on the threads."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, trials, trials_adjoint
from ..kernels.simd import BLOCK_ROWS
from ..support.ranks import ALONE, Ranks
from ..support.threads import on_threads
from . import events, standing
from .buffers import (
    Wanted,
    Workspace,
    all_panels,
    first_trials,
    most_events,
    new_scratch,
    tile_size,
    with_releases,
    workspace,
)
from .gradient_sum import GradientSum
from .packed import Packed

# a batch has as many chunks as fit, whatever the number of threads
_MOST_CHUNKS = 64
_FEWEST_CHUNKS = 4
_CHUNK_BYTES = 1e9  # of gradients that may wait for each other, should the first chunk be the last
# trials times steps times states of a chunk: a millisecond or two, beside which calls from Python
# are short
_LEAST_WORK = 1e6


# ------------------------------------------------------------------------------------------- chunks


def _in_chunks(work, bounds, threads, own=None):
    """Do work(c, first, last, stop) for every chunk of trials, or `own` ones, on several threads.

    stop: tells kernels to end early (on_threads).
    """
    own = range(bounds.size - 1) if own is None else own
    stop = np.zeros(1, np.int64)
    on_threads(
        work,
        [(c, int(bounds[c]), int(bounds[c + 1]), stop) for c in own],
        threads,
        stop,
    )


def chunk_bounds(n_trials: int, packed: Packed, steps: int) -> NDArray[np.int64]:
    """Return (chunks + 1,) where the chunks of a batch begin and end.

    They depend on the work alone, never on the number of threads. The last are smaller, so that all
    threads end at about the same time.
    """
    tile = tile_size(packed)
    fitting = _CHUNK_BYTES / max(packed.weight.nbytes, 1)
    most = int(np.clip(fitting, _FEWEST_CHUNKS, _MOST_CHUNKS))
    busy = int(
        min(n_trials / _FEWEST_CHUNKS, _LEAST_WORK / (steps * max(packed.layout.n_elements, 1)))
    )
    size = max(-(-n_trials // most), busy, 1)
    size = -(-size // tile) * tile
    n_whole = max(0, int(np.ceil((n_trials - 1.5 * size) / size)))
    # a quarter, in whole blocks of `pull_dense`
    rest = -(-(n_trials - size * n_whole) // (4 * BLOCK_ROWS)) * BLOCK_ROWS
    return np.concatenate(
        [size * np.arange(n_whole), np.arange(size * n_whole, n_trials, max(rest, 1)), [n_trials]]
    )


def own_chunks(bounds: NDArray[np.int64], ranks: Ranks) -> range:
    """Return the chunks of this process: neighbours, with about as many trials as others have."""
    owner = (bounds[:-1] + bounds[1:]) * ranks.size // (2 * bounds[-1])
    return range(*np.searchsorted(owner, [ranks.rank, ranks.rank + 1]).tolist())


# ----------------------------------------------------------------------- forward and backward


def begun(
    drive: arrays.Drive,
    recording: arrays.Recording,
    earlier: standing.Earlier | None,
    tables: arrays.Tables,
    packed: Packed,
) -> arrays.Drive:
    """Return the drive of a batch that goes on from an earlier run, if there is one.

    The events before its first step come before its own, in `drive` and in `recording`.
    """
    if earlier is None:
        return drive
    inputs = events.after_each_other(earlier.inputs, drive.inputs, drive.rows)
    own, given = recording.spikes, earlier.spikes
    width = given.pointers.shape[1]
    starts = own.pointers[:, 0] - given.pointers[:, 0]
    own.pointers[:, :width] = given.pointers + starts[:, None]
    for b, (first, last) in enumerate(given.pointers[:, [0, -1]]):
        at = own.pointers[b, 0]
        own.units[at : at + last - first] = given.units[first:last]
        if own.values.size:
            own.values[at : at + last - first] = 1
    rows = np.arange(drive.rows.size)
    standing.put_releases(recording.release, earlier, tables, packed.wires, inputs, rows, own)
    return drive._replace(
        inputs=inputs, rows=rows, start=earlier.standing, first_step=earlier.first_step
    )


def has_currents(packed: Packed, drive: arrays.Drive) -> bool:
    """Return whether anything flows into membranes but synaptic currents."""
    found = drive.current.shape[1] or drive.background.n_currents
    return bool(found or np.any(packed.tables.cells["biased"]))


def forward(
    packed: Packed,
    drive: arrays.Drive,
    recording: arrays.Recording,
    steps: int,
    threads: int,
    tables: arrays.Tables | None = None,
) -> None:
    """Simulate a batch; writes `recording`. tables: those that know where releases lie."""
    n_trials, weight = drive.rows.size, packed.kernel_weights()
    tables = packed.tables if tables is None else tables
    recording.counts[:] = 0
    bounds = np.linspace(0, n_trials, min(n_trials, 4 * threads) + 1).astype(int)
    currents, n_ou = has_currents(packed, drive), drive.start.ou.shape[1]

    def work(c, first, last, stop):
        """Trials first .. last - 1."""
        scratch = new_scratch(packed, currents, n_ou)
        trials.forward(tables, weight, drive, recording, scratch, steps, first, last, stop)

    _in_chunks(work, bounds, threads)


def adjoint(
    packed: Packed,
    drive: arrays.Drive,
    recording: arrays.Recording,
    loss: arrays.LossGradient,
    threads: int,
    differentiate_reset: bool = False,
    currents: bool = False,
    kept: arrays.Blocks = arrays.NO_BLOCKS,
    tables: arrays.Tables | None = None,
) -> arrays.Gradient:
    """Return the gradients of a recorded batch from the derivatives of its loss.

    Parameters
    ----------
    packed, drive, recording
        A batch with a tape.
    loss
        Where the adjoint starts from.
    threads
        Number of threads.
    differentiate_reset
        Whether gradients flow through the reset.
    currents
        Whether to compute gradients with respect to injected currents.
    kept
        States whose adjoints to keep.
    tables
        Those that know where releases lie.
    """
    dtype, n_trials = packed.weight.dtype, drive.rows.size
    tables = packed.tables if tables is None else tables
    kept_steps = recording.margin.shape[1] if kept.size.size else 0
    states = np.zeros((n_trials, kept_steps, int(kept.size.sum())), dtype)
    current = np.zeros(drive.current.shape if currents else (n_trials, 0, 0), dtype)
    sums, weight = GradientSum(packed), packed.kernel_weights()
    panels, most = all_panels(packed, weight), most_events(packed, drive.inputs)
    any_current = has_currents(packed, drive)

    def work(c, first, last, stop):
        """Trials first .. last - 1."""
        buffer = sums.buffer(current, kept, states)
        scratch = new_scratch(packed, any_current, 0, most)
        trials_adjoint.adjoint(
            tables,
            weight,
            panels,
            drive,
            recording,
            loss,
            buffer,
            scratch,
            differentiate_reset,
            first,
            last,
            stop,
        )
        sums.add(c, buffer)

    _in_chunks(work, chunk_bounds(n_trials, packed, recording.margin.shape[1]), threads)
    return sums.total(current, kept, states)


class Batch(NamedTuple):
    """Of a batch, what its chunks read.

    Parameters
    ----------
    inputs
        (first, last) -> (arrays.Events, their rows) of those trials.
    derive
        (recording, first, last) -> (anything, arrays.LossGradient) of those trials.
    check
        (packed, arrays.Drive, recording, first) looks at the end of a forward pass of the trials
        from `first` on.
    background
        Background sources.
    blocks, currents
        Columns of injected currents, and (first, last) -> these currents of those trials.
    key, trial
        (trials,) keys of the random numbers, and rows of a background that differs between trials.
    start
        Where all trials stand at the start, one row or one for each.
    earlier
        The earlier run that the batch goes on from, or None.
    random
        Whether spikes are drawn.
    """

    inputs: Callable
    derive: Callable
    check: Callable
    background: arrays.Background
    blocks: arrays.Blocks
    currents: Callable
    key: NDArray
    trial: NDArray
    start: arrays.Standing
    earlier: standing.Earlier | None
    random: bool


class _ChunkPass:
    """Forward pass, loss and adjoint of the chunks of one batch, each on one thread."""

    def __init__(self, packed, steps, wanted, spare, differentiate_reset, ranks):
        self.packed, self.steps, self.wanted = packed, steps, wanted
        self.spare, self.differentiate_reset = spare, differentiate_reset
        self.tables = with_releases(packed, steps, wanted)[0]
        self.weight = packed.kernel_weights()
        self.panels = all_panels(packed, self.weight)
        self.sums = GradientSum(packed, waits=not ranks.is_first)
        self.nowhere = np.empty((0, 0, 0), self.weight.dtype)

    def drive(self, batch, recording, first, last):
        """What the forward pass of the trials first .. last - 1 reads."""
        inputs, rows = batch.inputs(first, last)
        start, earlier = batch.start, batch.earlier
        if len(start.states) > 1:
            start = arrays.Standing(*(array[first:last] for array in start))
        drive = arrays.Drive(
            inputs=inputs,
            rows=rows,
            blocks=batch.blocks,
            current=batch.currents(first, last),
            background=batch.background,
            key=batch.key[first:last],
            trial=batch.trial[first:last],
            start=start,
            first_step=0,
            random=batch.random,
        )
        if earlier is not None:
            earlier = standing.rows(earlier, first, last, self.tables, self.packed.wires)
        return begun(drive, recording, earlier, self.tables, self.packed)

    def forward(self, space, drive, recording, stop):
        """Simulate the trials of a chunk."""
        recording.counts[:] = 0
        trials.forward(
            self.tables,
            self.weight,
            drive,
            recording,
            space.forward,
            self.steps,
            0,
            drive.rows.size,
            stop,
        )

    def adjoint(self, c, buffer, space, drive, recording, loss, stop):
        """Take the gradients of the trials of a chunk, and add them to the sum."""
        trials_adjoint.adjoint(
            self.tables,
            self.weight,
            self.panels,
            drive,
            recording,
            loss,
            buffer,
            space.adjoint,
            self.differentiate_reset,
            0,
            drive.rows.size,
            stop,
        )
        self.sums.add(c, buffer)
        self.spare.append(space)


def chunked_gradient(
    packed: Packed,
    batch: Batch,
    n_trials: int,
    steps: int,
    wanted: Wanted,
    threads: int,
    spare: list[Workspace],
    differentiate_reset: bool = False,
    ranks: Ranks = ALONE,
) -> tuple[list, arrays.Gradient, standing.Earlier | None]:
    """Forward pass, loss and adjoint of a batch, chunk by chunk.

    What the adjoint reads has just been written, and is still in a cache.

    Parameters
    ----------
    packed, batch, n_trials, steps
        What is run.
    wanted
        What is recorded.
    threads
        Number of threads.
    spare
        Workspaces, kept between calls.
    differentiate_reset
        As for `adjoint`.
    ranks
        The processes that share the chunks.

    Returns
    -------
    What `derive` returned by chunk, the gradients, and the earlier run of a batch that goes on from
    this one, or None: the same bits as `forward`, the loss and `adjoint` in turn.
    """
    bounds = chunk_bounds(n_trials, packed, steps)
    results: list[Any] = [None] * (bounds.size - 1)
    ends: list[Any] = [None] * (bounds.size - 1)
    chunk = _ChunkPass(packed, steps, wanted, spare, differentiate_reset, ranks)
    own = own_chunks(bounds, ranks)
    nowhere, goes_on = chunk.nowhere, batch.earlier is not None

    def work(c, first, last, stop):
        """Trials first .. last - 1."""
        space = workspace(spare, packed, last - first, steps, wanted)
        recording = first_trials(space.recording, last - first)
        drive = chunk.drive(batch, recording, first, last)
        buffer = chunk.sums.buffer(nowhere, arrays.NO_BLOCKS, nowhere)
        chunk.forward(space, drive, recording, stop)
        if stop[0]:
            return
        batch.check(packed, drive, recording, first)
        if goes_on:
            ends[c] = standing.after(
                packed.layout, packed.wires, chunk.tables, drive, recording, steps
            )
        results[c], loss = batch.derive(recording, first, last)
        chunk.adjoint(c, buffer, space, drive, recording, loss, stop)

    _in_chunks(work, bounds, threads, own)
    shares = ranks.exchange((results[own.start : own.stop], ends[own.start : own.stop]))
    chunk.sums.join(ranks)
    results, ends = ([each for part in parts for each in part] for parts in zip(*shares))
    gradient = chunk.sums.total(nowhere, arrays.NO_BLOCKS, nowhere)
    return results, gradient, standing.joined(ends) if goes_on else None
