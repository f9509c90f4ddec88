"""Chunks of trials on threads, forward and backward; sums that do not depend on the threads."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, batch_adjoint, batch_forward
from ..kernels.simd import BLOCK_ROWS
from ..support.threads import on_threads
from . import trial_state
from .buffers import (
    Workspace,
    all_panels,
    first_trials,
    most_events,
    new_scratch,
    tile_size,
    workspace,
)
from .gradient_sum import GradientSum
from .packed import Packed

# a batch has as many chunks as fit, whatever the number of threads
_MOST_CHUNKS = 32
_FEWEST_CHUNKS = 4
_CHUNK_BYTES = 128e6
# trials times steps times states of a chunk: a millisecond or two, beside which calls from Python
# are short
_LEAST_WORK = 1e6


# ------------------------------------------------------------------------------------------- chunks


def _in_chunks(work, bounds, threads):
    """Do work(c, first, last, stop) for every chunk of trials, on several threads.

    stop: tells kernels to end early (on_threads).
    """
    stop = np.zeros(1, np.int64)
    on_threads(
        work,
        [(c, int(bounds[c]), int(bounds[c + 1]), stop) for c in range(bounds.size - 1)],
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
    busy = int(min(n_trials / _FEWEST_CHUNKS, _LEAST_WORK / (steps * packed.model.initial.size)))
    size = max(-(-n_trials // most), busy, 1)
    size = -(-size // tile) * tile
    n_whole = max(0, int(np.ceil((n_trials - 1.5 * size) / size)))
    # a quarter, in whole blocks of `pull_dense`
    rest = -(-(n_trials - size * n_whole) // (4 * BLOCK_ROWS)) * BLOCK_ROWS
    return np.concatenate(
        [size * np.arange(n_whole), np.arange(size * n_whole, n_trials, max(rest, 1)), [n_trials]]
    )


# ----------------------------------------------------------------------- forward and backward


def needs_extras(packed: Packed, chance: arrays.Chance, others: Any = False) -> bool | None:
    """Return True if a batch has something that most do not have, else None.

    These are conductances, bounds of U, jumps by own spikes, pooling, sparse projections, biases,
    random spikes, or others: injected currents, moments of states, gradients of the step matrix,
    adjoints of states that are kept, an earlier run.
    """
    model = packed.model
    sizes = (
        model.jumps.population.size
        + model.bias.size
        + packed.wiring.sparse.source.size
        + chance.kind.size
        + chance.silent.size
        + model.pools.units.size
    )
    found = others or sizes or np.any(model.conducting) or np.any(model.bounds.used)
    return True if found else None


def _weights(packed):
    """The vector of weights that kernels read."""
    return packed.filled.weights(packed) if packed.filled else packed.weight


def with_earlier(drive: arrays.Drive, packed: Packed) -> arrays.Drive:
    """Return the drive as kernels read it: with an earlier run, even if that has no trials."""
    if drive.earlier is not None:
        return drive
    return drive._replace(earlier=trial_state.nothing(packed.weight.dtype))


def _n_earlier(drive):
    """Number of trials of the earlier run."""
    return drive.earlier.states.shape[0]


def forward(
    packed: Packed, drive: arrays.Drive, recording: arrays.Recording, steps: int, threads: int
) -> None:
    """Simulate a batch; writes `recording`."""
    n_trials, drive = drive.rows.size, with_earlier(drive, packed)
    others = drive.current.shape[1] or recording.moments.shape[2] or _n_earlier(drive)
    extras = needs_extras(packed, drive.chance, others)
    recording.counts[:] = 0
    weight = _weights(packed)
    bounds = np.linspace(0, n_trials, min(n_trials, 4 * threads) + 1).astype(int)

    def work(c, first, last, stop):
        """Trials first .. last - 1."""
        batch_forward.forward(
            packed.model,
            packed.wiring,
            weight,
            drive,
            recording,
            new_scratch(packed),
            steps,
            first,
            last,
            extras,
            stop,
        )

    _in_chunks(work, bounds, threads)


def adjoint(
    packed: Packed,
    drive: arrays.Drive,
    recording: arrays.Recording,
    loss: arrays.LossGradient,
    threads: int,
    differentiate_reset: bool = False,
    currents: bool = False,
    coefficients: bool = False,
    kept: arrays.Blocks = arrays.NO_BLOCKS,
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
    currents, coefficients
        Whether to compute gradients with respect to injected currents, and to the step matrix.
    kept
        States whose adjoints to keep.
    """
    drive, dtype, n_trials = with_earlier(drive, packed), packed.weight.dtype, drive.rows.size
    kept_steps = recording.margin.shape[1] if kept.size.size else 0
    states = np.zeros((n_trials, kept_steps, int(kept.size.sum())), dtype)
    current = np.zeros(drive.current.shape if currents else (n_trials, 0, 0), dtype)
    others = drive.current.shape[1] or coefficients or states.shape[2]
    extras = needs_extras(packed, drive.chance, others or _n_earlier(drive))
    sums, weight = GradientSum(packed, coefficients), _weights(packed)
    panels, events = all_panels(packed, weight), most_events(packed, drive.inputs)

    def work(c, first, last, stop):
        """Trials first .. last - 1."""
        buffer = sums.buffer(current, kept, states)
        batch_adjoint.adjoint(
            packed.model,
            packed.wiring,
            weight,
            panels,
            drive,
            recording,
            loss,
            buffer,
            new_scratch(packed, events),
            differentiate_reset,
            first,
            last,
            extras,
            stop,
        )
        sums.add(c, buffer)

    _in_chunks(work, chunk_bounds(n_trials, packed, recording.margin.shape[1]), threads)
    return sums.total(current, kept, states)


class _ChunkPass:
    """Forward pass, loss and adjoint of the chunks of one batch, each on one thread."""

    def __init__(self, packed, steps, blocks, width, coefficients, spare, differentiate_reset):
        self.packed, self.steps, self.blocks, self.width = packed, steps, blocks, width
        self.spare, self.differentiate_reset = spare, differentiate_reset
        self.weight = _weights(packed)
        self.panels = all_panels(packed, self.weight)
        self.sums = GradientSum(packed, coefficients)
        self.nowhere = np.empty((0, 0, 0), self.weight.dtype)

    def forward(self, space, drive, recording, extras, stop):
        """Simulate the trials of a chunk."""
        recording.counts[:] = 0
        batch_forward.forward(
            self.packed.model,
            self.packed.wiring,
            self.weight,
            drive,
            recording,
            space.forward,
            self.steps,
            0,
            drive.rows.size,
            extras,
            stop,
        )

    def adjoint(self, c, buffer, space, drive, recording, loss, extras, stop):
        """Take the gradients of the trials of a chunk, and add them to the sum."""
        batch_adjoint.adjoint(
            self.packed.model,
            self.packed.wiring,
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
            extras,
            stop,
        )
        self.sums.add(c, buffer)
        self.spare.append(space)


def chunked_gradient(
    packed: Packed,
    inputs: Callable,
    n_trials: int,
    steps: int,
    blocks: arrays.Blocks,
    width: int,
    derive: Callable,
    check: Callable,
    threads: int,
    spare: list[Workspace],
    differentiate_reset: bool = False,
    coefficients: bool = False,
    chance: arrays.Chance | None = None,
    before: arrays.EarlierRun | None = None,
) -> tuple[list, arrays.Gradient, arrays.EarlierRun | None]:
    """Forward pass, loss and adjoint of a batch, chunk by chunk.

    What the adjoint reads has just been written, and is still in a cache.

    Parameters
    ----------
    packed, n_trials, steps
        What is run.
    inputs
        (first, last) -> (arrays.Events, their rows) of those trials of the batch.
    blocks, width
        States to record.
    derive
        (recording, first, last) -> (anything, arrays.LossGradient) of those trials.
    check
        (packed, arrays.Drive, recording, first) looks at the end of a forward pass of the trials
        from `first` on.
    threads
        Number of threads.
    spare
        Workspaces, kept between calls.
    differentiate_reset, coefficients
        As for `adjoint`.
    chance
        What is random in the spikes of the batch. Default: nothing.
    before
        The earlier run that the batch goes on from, or None.

    Returns
    -------
    What `derive` returned by chunk, the gradients, and the earlier run of a batch that goes on from
    this one, or None: the same bits as `forward`, the loss and `adjoint` in turn.
    """
    chance = arrays.Chance() if chance is None else chance
    extras = needs_extras(packed, chance, coefficients or before is not None)
    bounds = chunk_bounds(n_trials, packed, steps)
    results: list[Any] = [None] * (bounds.size - 1)
    ends: list[Any] = [None] * (bounds.size - 1)
    chunk = _ChunkPass(packed, steps, blocks, width, coefficients, spare, differentiate_reset)
    no_run, nowhere = trial_state.nothing(packed.weight.dtype), chunk.nowhere

    def work(c, first, last, stop):
        """Trials first .. last - 1."""
        space = workspace(spare, packed, last - first, steps, blocks, width)
        recording = first_trials(space.recording, last - first)
        events, rows = inputs(first, last)
        drive = arrays.Drive(
            inputs=events,
            rows=rows,
            blocks=arrays.NO_BLOCKS,
            current=np.empty((last - first, 0, 0), nowhere.dtype),
            chance=chance._replace(trial=chance.trial[first:last]),
            earlier=no_run if before is None else trial_state.rows(before, first, last),
        )
        buffer = chunk.sums.buffer(drive.current, arrays.NO_BLOCKS, nowhere)
        chunk.forward(space, drive, recording, extras, stop)
        if stop[0]:
            return
        check(packed, drive, recording, first)
        ends[c] = None if before is None else trial_state.after(packed, drive, recording, steps)
        results[c], loss = derive(recording, first, last)
        chunk.adjoint(c, buffer, space, drive, recording, loss, extras, stop)

    _in_chunks(work, bounds, threads)
    gradient = chunk.sums.total(nowhere, arrays.NO_BLOCKS, nowhere)
    return results, gradient, None if before is None else trial_state.joined(ends)
