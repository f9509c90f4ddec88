"""Passes over a batch of trials: chunks of trials on threads, working memory, and sums that do not depend on the threads."""

from threading import Lock
from typing import NamedTuple

import numpy as np

from ..kernels import arrays
from ..kernels import batch_adjoint, batch_forward
from ..kernels.batch_adjoint import ROWS
from ..kernels.batch_forward import AHEAD
from ..kernels.simd import BLOCK_BYTES, BLOCK_ROWS, SPAN_BYTES
from ..support.threads import checked_threads, default_threads, on_threads  # noqa: F401 (callers find the first two here)
from . import state as past

_MANY_TRIALS, _NEAR_BYTES = 24, 256e3  # about half of a second-level cache
_MOST_CHUNKS, _FEWEST_CHUNKS, _CHUNK_BYTES = (
    32,
    4,
    128e6,
)  # a batch has as many chunks as fit, whatever the number of threads
_LEAST_WORK = 1e6  # trials times steps times states of a chunk: a millisecond or two, beside which calls from Python are short


def _in_chunks(work, bounds, threads):
    """work(c, first, last, stop) for every chunk of trials, on several threads. stop: tells kernels to end early (on_threads)."""
    stop = np.zeros(1, np.int64)
    on_threads(
        work,
        [
            (c, int(first), int(last), stop)
            for c, (first, last) in enumerate(zip(bounds[:-1], bounds[1:]))
        ],
        threads,
        stop,
    )


def _tile(packed):
    """Trials that kernels take side by side, a multiple of BLOCK_ROWS: few, whose states stay in the first-level cache; many where
    reading the weights that `pull_dense` needs from further away is what costs."""
    far = packed.wiring.panel_first[-1] * packed.weight.itemsize > _NEAR_BYTES and np.any(
        packed.model.cutoff == np.inf
    )
    return _MANY_TRIALS if far else BLOCK_ROWS


def _chunk_bounds(n_trials, packed, steps):
    """Chunks depend on the work alone, never on the number of threads. The last are smaller, so that all threads end at about
    the same time."""
    most, tile = (
        int(np.clip(_CHUNK_BYTES / max(packed.weight.nbytes, 1), _FEWEST_CHUNKS, _MOST_CHUNKS)),
        _tile(packed),
    )
    size = max(
        -(-n_trials // most),
        int(min(n_trials / _FEWEST_CHUNKS, _LEAST_WORK / (steps * packed.model.initial.size))),
        1,
    )
    size = -(-size // tile) * tile
    n_whole = max(0, int(np.ceil((n_trials - 1.5 * size) / size)))
    rest = (
        -(-(n_trials - size * n_whole) // (4 * BLOCK_ROWS)) * BLOCK_ROWS
    )  # a quarter, in whole blocks of `pull_dense`
    return np.concatenate(
        [size * np.arange(n_whole), np.arange(size * n_whole, n_trials, max(rest, 1)), [n_trials]]
    )


class _OrderedSum:
    """Sums the parts of chunks in the order of the chunks, whichever thread ends first; few parts exist at a time."""

    def __init__(self, sizes, dtype):
        self.total = [np.zeros(size, dtype) for size in sizes]
        self._waiting, self._next, self._spare, self._lock = {}, 0, [], Lock()

    def buffer(self):
        """Zeros for the parts of one chunk."""
        with self._lock:
            parts = (
                self._spare.pop()
                if self._spare
                else [arrays.aligned(total.shape, total.dtype) for total in self.total]
            )
        for part in parts:
            part[:] = 0
        return parts

    def add(self, chunk, parts):
        with self._lock:
            self._waiting[chunk] = parts
            while self._next in self._waiting:
                self._spare.append(self._waiting.pop(self._next))
                for total, part in zip(self.total, self._spare[-1]):
                    total += part
                self._next += 1


# ----------------------------------------------------------------------------------- working memory


def new_recording(packed, n_trials, steps, blocks, width, tape=False, smooth=False, end=False):
    """Arrays that a forward pass fills. blocks, width: states to record. tape: also what the adjoint needs.

    smooth: for the smooth twin. end: also where the trials stand at the end, for another run (past.after).
    """
    dtype, n, model = packed.network.dtype, packed.n_spiking, packed.model
    shortest = 1 if smooth or not n else int(model.clamped_steps[: model.n_spiking].min()) + 1
    room = (
        n * -(-steps // shortest) + 1
    )  # the most spikes that a trial can have; memory is taken only when touched
    pointers = np.zeros((n_trials, steps * model.group.size + 1), np.int64)
    pointers[:, 0] = np.arange(n_trials) * room
    spikes = arrays.Events(
        pointers,
        np.empty(n_trials * room, np.int32),
        np.empty(n_trials * room if smooth else 0, dtype),
    )
    listed = tape and not smooth and bool(np.any(model.cutoff < np.inf))
    room = (n * steps + 1) * listed
    near = arrays.Events(
        np.zeros((n_trials, steps * model.group.size + 1 if listed else 1), np.int64),
        np.empty(n_trials * room, np.int32),
        np.empty(0, dtype),
    )
    near.pointers[:, 0] = np.arange(n_trials) * room
    return arrays.Recording(
        spikes,
        near,
        np.zeros((n_trials, n), dtype),
        arrays.aligned((n_trials, steps if tape else 1, n), dtype),
        blocks,
        np.empty((n_trials, steps if width else 0, width), dtype),
        end=np.empty((n_trials if end else 0, model.initial.size), dtype),
        clock=np.empty((n_trials if end else 0, n), np.int32),
    )


def _first_trials(recording, n_trials):
    """The recording of as many trials, in the first rows of a larger one."""
    spikes, near = (
        events._replace(pointers=events.pointers[:n_trials])
        for events in (recording.spikes, recording.near)
    )
    return arrays.Recording(
        spikes,
        near,
        recording.counts[:n_trials],
        recording.margin[:n_trials],
        recording.blocks,
        recording.states[:n_trials],
        end=recording.end[:n_trials],
        clock=recording.clock[:n_trials],
    )


def _scratch(packed, events=None):
    """Working memory of one thread: two steps of states or, for the adjoint, as many as the delays need.

    events: for the adjoint, the most events that a source has in a window of steps and a tile of trials.
    """
    dtype, model, wiring, tile = packed.weight.dtype, packed.model, packed.wiring, _tile(packed)
    longest, span = int(max(wiring.delay, default=0)), SPAN_BYTES // packed.weight.dtype.itemsize
    farthest = max([longest, *map(int, wiring.sparse.delay), *map(int, model.jumps.delay)])
    steps, ahead, window = (
        (2, AHEAD // tile, 0)
        if events is None
        else (farthest + 2, 0, ROWS // tile + longest + 1)
    )
    most = int(max(wiring.n_pre, default=0)) if events else 0

    def rows(n):
        return -(-n // 16) * 16  # so that the row of every trial begins at a cache line

    inputs, kept = (
        int(np.max(first + size, initial=0))
        for first, size in (
            (wiring.input_column, wiring.n_post * (wiring.source < wiring.n_inputs)),
            (wiring.kept.column, wiring.kept.size),
        )
    )
    return arrays.Scratch(
        arrays.aligned((steps, tile, rows(model.initial.size)), dtype),
        arrays.aligned((tile, rows(model.threshold.size)), np.int32),
        arrays.aligned((tile, rows(packed.n_spiking) + 16), dtype),  # + 16: zeros of the last panel
        arrays.aligned((tile, rows(packed.n_spiking)), dtype),
        arrays.aligned((ahead, tile, -(-inputs // span) * span), dtype),
        arrays.aligned((-(-kept // span), window, tile, span), dtype),
        arrays.aligned(span, dtype),
        arrays.Sorting(
            np.empty(tile, np.int64),
            np.empty(most + 1, np.int64),
            np.empty(events or 0, np.int32),
            np.empty(events or 0, dtype),
        ),
    )  # taken only when touched


def _most_events(packed, inputs=None):
    """The most that a source can have in a window of steps and a tile of trials: one of a unit in a step, unless `inputs` has more."""
    most = ROWS * int(max(packed.wiring.n_pre, default=0))
    return (
        most
        if inputs is None
        else max(most, _tile(packed) * int(np.ptp(inputs.pointers, axis=1).max()))
    )


class Workspace(NamedTuple):
    """What one thread needs to take gradients of a chunk; kept between batches."""

    recording: arrays.Recording
    forward: arrays.Scratch
    adjoint: arrays.Scratch


def _workspace(spare, packed, n_trials, steps, blocks, width):
    """One that fits from the list `spare`, or a new one."""
    while spare:
        try:
            known = spare.pop()
        except IndexError:  # another thread was faster
            break
        if known.recording.counts.shape[0] >= n_trials and known.recording.margin.shape[1] == steps:
            return known
    return Workspace(
        new_recording(packed, n_trials, steps, blocks, width, tape=True, end=True),
        _scratch(packed),
        _scratch(packed, _most_events(packed)),
    )


# ------------------------------------------------------------------------------------------- passes


def needs_extras(packed, chance, others=False):
    """True, or None if a network and its batch have nothing of what most do not have: conductances, bounds of U, jumps by own spikes,
    pooling, sparse projections, biases, random spikes, or others: injected currents, moments of states, gradients by the step
    matrix, adjoints of states that are kept, a past."""
    model = packed.model
    sizes = (
        model.jumps.population.size
        + model.bias.size
        + packed.wiring.sparse.source.size
        + chance.kind.size
        + chance.silent.size
    )
    sizes += model.pools.units.size
    return (
        True if others or sizes or np.any(model.conducting) or np.any(model.bounds.used) else None
    )


def forward(packed, drive, recording, steps, threads):
    """Simulate a batch; writes `recording`."""
    n_trials, drive = drive.rows.size, with_past(drive, packed)
    extras = needs_extras(
        packed,
        drive.chance,
        drive.current.shape[1] or recording.moments.shape[2] or drive.earlier.states.shape[0],
    )
    recording.counts[:], weight = 0, _weights(packed)
    bounds = np.linspace(0, n_trials, min(n_trials, 4 * threads) + 1).astype(int)
    _in_chunks(
        lambda c, first, last, stop: batch_forward.forward(
            packed.model,
            packed.wiring,
            weight,
            drive,
            recording,
            _scratch(packed),
            steps,
            first,
            last,
            extras,
            stop,
        ),
        bounds,
        threads,
    )


def with_past(drive, packed):
    """An arrays.Drive as kernels read it: with a past, be it none."""
    return (
        drive if drive.earlier is not None else drive._replace(earlier=past.nothing(packed.weight.dtype))
    )


def adjoint(
    packed,
    drive,
    recording,
    loss,
    threads,
    differentiate_reset=False,
    currents=False,
    coefficients=False,
    kept=arrays.NO_BLOCKS,
):
    """Gradients of a recorded batch (arrays.Gradient) from the derivatives of its loss. kept: states whose adjoints to keep."""
    drive, dtype = with_past(drive, packed), packed.weight.dtype
    states = np.zeros(
        (drive.rows.size, recording.margin.shape[1] if kept.size.size else 0, int(kept.size.sum())),
        dtype,
    )
    sums, grad_current = (
        _sums(packed, coefficients),
        np.zeros(drive.current.shape if currents else (drive.rows.size, 0, 0), dtype),
    )
    weight = _weights(packed)
    panels, events = _panels(packed, weight), _most_events(packed, drive.inputs)
    extras = needs_extras(
        packed,
        drive.chance,
        drive.current.shape[1] or coefficients or states.shape[2] or drive.earlier.states.shape[0],
    )

    def work(c, first, last, stop):
        parts = sums.buffer()
        batch_adjoint.adjoint(
            packed.model,
            packed.wiring,
            weight,
            panels,
            drive,
            recording,
            loss,
            arrays.Gradient(*parts, grad_current, kept, states),
            _scratch(packed, events),
            differentiate_reset,
            first,
            last,
            extras,
            stop,
        )
        sums.add(c, parts)

    _in_chunks(work, _chunk_bounds(drive.rows.size, packed, recording.margin.shape[1]), threads)
    return arrays.Gradient(*_totals(packed, sums), grad_current, kept, states)


def chunked_gradient(
    packed,
    inputs,
    n_trials,
    steps,
    blocks,
    width,
    derive,
    check,
    threads,
    spare,
    differentiate_reset=False,
    coefficients=False,
    chance=arrays.Chance(),
    before=None,
):
    """Forward pass, loss and adjoint of a batch, chunk by chunk: what the adjoint reads has just been written.

    inputs          (first, last) -> (arrays.Events, their rows) of those trials of the batch
    blocks, width   states to record
    derive          (recording, first, last) -> (anything, arrays.LossGradient) of those trials
    check           (packed, arrays.Drive, recording, first) looks at the end of a forward pass of the trials from `first` on
    spare           list of Workspaces, kept between calls
    chance          what is random in the spikes of the batch
    before          arrays.EarlierRun that the batch goes on from, or None
    Returns (what `derive` returned by chunk, arrays.Gradient, the past of a batch that goes on from this one, or None), the same bits as
    `forward`, the loss and `adjoint` in turn.
    """
    weight, dtype = _weights(packed), packed.weight.dtype
    sums, panels = _sums(packed, coefficients), _panels(packed, weight)
    bounds = _chunk_bounds(n_trials, packed, steps)
    results, ends, extras = (
        [None] * (bounds.size - 1),
        [None] * (bounds.size - 1),
        needs_extras(packed, chance, coefficients or before is not None),
    )
    nowhere, no_past = np.empty((0, 0, 0), dtype), past.nothing(dtype)

    def work(c, first, last, stop):
        n = last - first
        space = _workspace(spare, packed, n, steps, blocks, width)
        recording = _first_trials(space.recording, n)
        recording.counts[:] = 0
        drive = arrays.Drive(
            *inputs(first, last),
            arrays.NO_BLOCKS,
            np.empty((n, 0, 0), dtype),
            chance._replace(trial=chance.trial[first:last]),
            no_past if before is None else past.rows(before, first, last),
        )
        parts = sums.buffer()
        batch_forward.forward(
            packed.model,
            packed.wiring,
            weight,
            drive,
            recording,
            space.forward,
            steps,
            0,
            n,
            extras,
            stop,
        )
        if stop[0]:
            return
        check(packed, drive, recording, first)
        ends[c] = None if before is None else past.after(packed, drive, recording, steps)
        results[c], loss = derive(recording, first, last)
        batch_adjoint.adjoint(
            packed.model,
            packed.wiring,
            weight,
            panels,
            drive,
            recording,
            loss,
            arrays.Gradient(*parts, drive.current, arrays.NO_BLOCKS, nowhere),
            space.adjoint,
            differentiate_reset,
            0,
            n,
            extras,
            stop,
        )
        sums.add(c, parts)
        spare.append(space)

    _in_chunks(work, bounds, threads)
    gradient = arrays.Gradient(*_totals(packed, sums), nowhere, arrays.NO_BLOCKS, nowhere)
    return results, gradient, None if before is None else past.joined(ends)


def _weights(packed):
    """The vector of weights that kernels read."""
    return packed.filled.weights(packed) if packed.filled else packed.weight


def _totals(packed, sums):
    """The parts of arrays.Gradient, by Packed.weight."""
    weight, *others = sums.total
    return [packed.filled.gradient(packed, weight) if packed.filled else weight, *others]


def _sums(packed, coefficients):
    model = packed.model
    learned = (model.coefficient.size, model.drive.size, model.rate.size, model.jumps.size.size)
    size = packed.filled.size if packed.filled else packed.weight.size
    return _OrderedSum(
        (size, *(size * coefficients for size in learned), model.bias.size), packed.weight.dtype
    )


def panels_of(weights):
    """A matrix (pre, post) transposed and cut into panels of BLOCK_BYTES of presynaptic neurons each, filled up with zeros:
    yields arrays (post, neurons of a panel)."""
    width = BLOCK_BYTES // weights.itemsize
    for first in range(0, len(weights), width):
        part = weights[first : first + width]
        panel = np.zeros((weights.shape[1], width), weights.dtype)
        panel[:, : len(part)] = part.T
        yield panel


def _panels(packed, weight):
    """Panels of the bundles that `pull_dense` reads, side by side."""
    wiring = packed.wiring
    panels = arrays.aligned(wiring.panel_first[-1], weight.dtype)
    for k, at in enumerate(wiring.panel_first[:-1]):
        n_pre, n_post, first = wiring.n_pre[k], wiring.n_post[k], wiring.weight_first[k]
        if wiring.panel_first[k + 1] > at:
            for panel in panels_of(weight[first : first + n_pre * n_post].reshape(n_pre, n_post)):
                panels[at : at + panel.size] = panel.ravel()
                at += panel.size
    return panels
