"""Working memory of a batch: recordings, scratch of a thread, and panels of transposed weights."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..kernels.batch_adjoint import ROWS
from ..kernels.batch_forward import AHEAD
from ..kernels.simd import BLOCK_BYTES, BLOCK_ROWS, SPAN_BYTES
from .layouts import Layout
from .packed import Packed

_MANY_TRIALS = 24
_NEAR_BYTES = 256e3  # about half of a second-level cache


def tile_size(packed: Packed) -> int:
    """Return the trials that kernels take side by side, a multiple of BLOCK_ROWS.

    There are few, so that their states stay in the first-level cache; but many where the weights of
    `pull_dense` must be read from further away.
    """
    far = packed.wiring.panel_first[-1] * packed.weight.itemsize > _NEAR_BYTES and np.any(
        packed.model.cutoff == np.inf
    )
    return _MANY_TRIALS if far else BLOCK_ROWS


def _rows_of_events(n_trials, pointers, room, dtype, values=0):
    """Empty events with room for that many in every trial."""
    events = arrays.Events(
        pointers=np.zeros((n_trials, pointers), np.int64),
        units=np.empty(n_trials * room, np.int32),
        values=np.empty(values, dtype),
    )
    events.pointers[:, 0] = np.arange(n_trials) * room
    return events


def new_recording(
    packed: Packed,
    n_trials: int,
    steps: int,
    blocks: arrays.Blocks,
    width: int,
    tape: bool = False,
    smooth: bool = False,
    end: bool = False,
    moments: Layout | None = None,
) -> arrays.Recording:
    """Return the arrays that a forward pass fills.

    Parameters
    ----------
    packed, n_trials, steps
        What is run.
    blocks, width
        States to record.
    tape
        Whether to keep what the adjoint needs, too.
    smooth
        Whether it is for the smooth twin.
    end
        Whether to keep where the trials stand at the end, for another run (`trial_state.after`).
    moments
        States of which to keep mean and variance.
    """
    dtype, n, model = packed.network.dtype, packed.n_spiking, packed.model
    shortest = 1 if smooth else packed.shortest_interval
    # the most spikes that a trial can have; memory is taken only when touched
    room = n * -(-steps // shortest) + 1
    pointers = steps * model.group.size + 1
    listed = tape and not smooth and bool(np.any(model.cutoff < np.inf))
    near = (pointers, n * steps + 1) if listed else (1, 0)
    recording = arrays.Recording(
        spikes=_rows_of_events(n_trials, pointers, room, dtype, n_trials * room if smooth else 0),
        near=_rows_of_events(n_trials, near[0], near[1], dtype),
        counts=np.zeros((n_trials, n), dtype),
        margin=arrays.aligned((n_trials, steps if tape else 1, n), dtype),
        blocks=blocks,
        states=np.empty((n_trials, steps if width else 0, width), dtype),
        end=np.empty((n_trials if end else 0, model.initial.size), dtype),
        clock=np.empty((n_trials if end else 0, n), np.int32),
    )
    if moments is None or not moments.columns:
        return recording
    return recording._replace(
        moment_blocks=moments.blocks, moments=np.zeros((n_trials, 2, moments.width))
    )


def first_trials(recording: arrays.Recording, n_trials: int) -> arrays.Recording:
    """Return the recording of the first trials of a larger one, in the same memory."""
    spikes, near = (
        events._replace(pointers=events.pointers[:n_trials])
        for events in (recording.spikes, recording.near)
    )
    return arrays.Recording(
        spikes=spikes,
        near=near,
        counts=recording.counts[:n_trials],
        margin=recording.margin[:n_trials],
        blocks=recording.blocks,
        states=recording.states[:n_trials],
        end=recording.end[:n_trials],
        clock=recording.clock[:n_trials],
    )


def _padded(n):
    """A size of which every row begins at a cache line."""
    return -(-n // 16) * 16


def new_scratch(packed: Packed, events: int | None = None) -> arrays.Scratch:
    """Return the working memory of one thread; it takes memory only when touched.

    Parameters
    ----------
    packed
        The network.
    events
        For the adjoint: the most events that a source has in a window of steps and a tile of
        trials. It needs as many steps of adjoints as the delays say, a forward pass only two.
    """
    dtype, model, wiring = packed.weight.dtype, packed.model, packed.wiring
    tile, span = tile_size(packed), SPAN_BYTES // dtype.itemsize
    longest = int(max(wiring.delay, default=0))
    farthest = max([longest, *map(int, wiring.sparse.delay), *map(int, model.jumps.delay)])
    if events is None:
        steps, ahead, window, most = 2, AHEAD // tile, 0, 0
    else:
        steps, ahead, window = farthest + 2, 0, ROWS // tile + longest + 1
        most = int(max(wiring.n_pre, default=0)) if events else 0
    driven = wiring.n_post * (wiring.source < wiring.n_inputs)
    inputs = int(np.max(wiring.input_column + driven, initial=0))
    kept = int(np.max(wiring.kept.column + wiring.kept.size, initial=0))
    return arrays.Scratch(
        states=arrays.aligned((steps, tile, _padded(model.initial.size)), dtype),
        clock=arrays.aligned((tile, _padded(model.threshold.size)), np.int32),
        # + 16: zeros of the last panel
        grad_spikes=arrays.aligned((tile, _padded(packed.n_spiking) + 16), dtype),
        kept=arrays.aligned((tile, _padded(packed.n_spiking)), dtype),
        arriving=arrays.aligned((ahead, tile, -(-inputs // span) * span), dtype),
        arrived=arrays.aligned((-(-kept // span), window, tile, span), dtype),
        sums=arrays.aligned(span, dtype),
        sorting=arrays.Sorting(
            rows=np.empty(tile, np.int64),
            ends=np.empty(most + 1, np.int64),
            places=np.empty(events or 0, np.int32),
            factors=np.empty(events or 0, dtype),
        ),
    )


def most_events(packed: Packed, inputs: arrays.Events | None = None) -> int:
    """Return the most events that a source can have in a window of steps and a tile of trials.

    That is one of a unit in a step, unless `inputs` has more.
    """
    most = ROWS * int(max(packed.wiring.n_pre, default=0))
    if inputs is None:
        return most
    return max(most, tile_size(packed) * int(np.ptp(inputs.pointers, axis=1).max()))


class Workspace(NamedTuple):
    """What one thread needs to take gradients of a chunk; kept between batches."""

    recording: arrays.Recording
    forward: arrays.Scratch
    adjoint: arrays.Scratch


def workspace(
    spare: list[Workspace],
    packed: Packed,
    n_trials: int,
    steps: int,
    blocks: arrays.Blocks,
    width: int,
) -> Workspace:
    """Return one that fits from the list `spare`, or a new one."""
    while spare:
        try:
            known = spare.pop()
        except IndexError:  # another thread was faster
            break
        if known.recording.counts.shape[0] >= n_trials and known.recording.margin.shape[1] == steps:
            return known
    return Workspace(
        recording=new_recording(packed, n_trials, steps, blocks, width, tape=True, end=True),
        forward=new_scratch(packed),
        adjoint=new_scratch(packed, most_events(packed)),
    )


def panels_of(weights: NDArray) -> Iterator[NDArray]:
    """Yield a matrix (pre, post) transposed and cut into panels (post, neurons of a panel).

    A panel has BLOCK_BYTES of presynaptic neurons; the last one is filled up with zeros.
    """
    width = BLOCK_BYTES // weights.itemsize
    for first in range(0, len(weights), width):
        part = weights[first : first + width]
        panel = np.zeros((weights.shape[1], width), weights.dtype)
        panel[:, : len(part)] = part.T
        yield panel


def all_panels(packed: Packed, weight: NDArray) -> NDArray:
    """Return the panels of the bundles that `pull_dense` reads, side by side."""
    wiring = packed.wiring
    panels = arrays.aligned(wiring.panel_first[-1], weight.dtype)
    for k, at in enumerate(wiring.panel_first[:-1]):
        n_pre, n_post, first = wiring.n_pre[k], wiring.n_post[k], wiring.weight_first[k]
        if wiring.panel_first[k + 1] > at:
            for panel in panels_of(weight[first : first + n_pre * n_post].reshape(n_pre, n_post)):
                panels[at : at + panel.size] = panel.ravel()
                at += panel.size
    return panels
