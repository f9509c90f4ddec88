"""Working memory of a batch: recordings, scratch of a thread, and panels of transposed weights."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, room
from ..kernels.random import GRANULE
from ..kernels.simd import BLOCK_BYTES, BLOCK_ROWS, SPAN_BYTES
from ..kernels.trials import AHEAD
from ..kernels.trials_adjoint import ROWS
from .layouts import Layout
from .packed import Packed
from .standing import new_standing, sizes_of

_MANY_TRIALS = 24
_NEAR_BYTES = 256e3  # about half of a second-level cache


def tile_size(packed: Packed) -> int:
    """Return the trials that kernels take side by side, a multiple of BLOCK_ROWS.

    There are few, so that their states stay in the first-level cache; but many where the weights of
    `pull_dense` must be read from further away.
    """
    cutoff = packed.tables.cells["cutoff"][packed.tables.cells["spiking"] != 0]
    far = packed.wires.panels * packed.weight.itemsize > _NEAR_BYTES and np.any(cutoff == np.inf)
    return _MANY_TRIALS if far else BLOCK_ROWS


class Wanted(NamedTuple):
    """What a forward pass is to record.

    Parameters
    ----------
    blocks, width
        States, and the number of their columns.
    tape
        Whether to keep what the adjoint needs, too.
    smooth
        Whether it is for the smooth twin.
    end
        Whether to keep where the trials stand at the end, for another run.
    moments
        States of which to keep mean and variance, or None.
    currents
        Whether there are currents.
    before
        Steps before the run whose events are known.
    earlier
        The most spikes that a trial has in them.
    n_ou
        Values of Ornstein-Uhlenbeck sources.
    inputs
        The most input events of a trial, where synapses from inputs have short-term plasticity.
    """

    blocks: arrays.Blocks
    width: int
    tape: bool = False
    smooth: bool = False
    end: bool = False
    moments: Layout | None = None
    currents: bool = False
    before: int = 0
    earlier: int = 0
    n_ou: int = 0
    inputs: int = 0


def _rows_of_events(n_trials, pointers, capacity, dtype, values=0, before=0):
    """Empty events with room for that many in every trial."""
    events = arrays.Events(
        pointers=np.zeros((n_trials, pointers), np.int64),
        units=np.empty(n_trials * capacity, np.int32),
        values=np.empty(values, dtype),
        before=before,
    )
    events.pointers[:, 0] = np.arange(n_trials) * capacity
    return events


def _room(packed, steps, wanted):
    """The most spikes that a trial can have; memory is taken only when touched."""
    if wanted.smooth:
        return packed.n_spiking * steps + 1 + wanted.earlier
    return int(packed.layout.most_spikes(steps).sum()) + 1 + wanted.earlier


def with_releases(packed: Packed, steps: int, wanted: Wanted) -> tuple[arrays.Tables, int]:
    """Return the tables that say where the releases of a trial lie, and how many there are."""
    tables, total = packed.tables, 0
    if not tables.shorts.size:
        return tables, 0
    shorts, capacity = tables.shorts.copy(), _room(packed, steps, wanted)
    for k, short in enumerate(tables.shorts):
        shorts["release"][k] = total
        external = tables.wires["source"][short["wire"]] < tables.n_inputs
        total += wanted.inputs if external else capacity
    return tables._replace(shorts=shorts), total


def new_recording(packed: Packed, n_trials: int, steps: int, wanted: Wanted) -> arrays.Recording:
    """Return the arrays that a forward pass fills.

    Parameters
    ----------
    packed, n_trials, steps
        What is run.
    wanted
        What to record.
    """
    dtype, n, tables = packed.network.dtype, packed.n_spiking, packed.tables
    capacity, n_firing = _room(packed, steps, wanted), tables.n_firing
    cutoff = tables.cells["cutoff"]
    listed = wanted.tape and not wanted.smooth and bool(np.any(cutoff < np.inf))
    near = (steps * n_firing + 1, n * steps + 1) if listed else (1, 0)
    taped = steps if wanted.tape else 0
    needs_currents = wanted.currents and packed.needs_states
    resources, moments = packed.wires.resources, wanted.moments
    return arrays.Recording(
        spikes=_rows_of_events(
            n_trials,
            (steps + wanted.before) * n_firing + 1,
            capacity,
            dtype,
            n_trials * capacity if wanted.smooth else 0,
            wanted.before,
        ),
        near=_rows_of_events(n_trials, near[0], near[1], dtype),
        counts=np.zeros((n_trials, n), dtype),
        margin=room.aligned((n_trials, steps if wanted.tape else 1, n), dtype),
        ready=np.empty((n_trials, taped if packed.has_delta_synapses else 0, n), dtype),
        resources=np.empty(
            (n_trials, taped + 1 if taped and resources else 0, 2 * resources), dtype
        ),
        currents=np.empty(
            (n_trials, taped if needs_currents else 0, packed.layout.n_neurons), dtype
        ),
        release=np.empty((n_trials, with_releases(packed, steps, wanted)[1]), dtype),
        blocks=wanted.blocks,
        states=np.empty((n_trials, steps if wanted.width else 0, wanted.width), dtype),
        moment_blocks=moments.blocks if moments else arrays.NO_BLOCKS,
        moments=np.zeros((n_trials, 2, moments.width if moments else 0)),
        end=new_standing(
            n_trials if wanted.end else 0, sizes_of(packed.layout, packed.wires, wanted.n_ou), dtype
        ),
    )


def first_trials(recording: arrays.Recording, n_trials: int) -> arrays.Recording:
    """Return the recording of the first trials of a larger one, in the same memory."""
    spikes, near = (
        events._replace(pointers=events.pointers[:n_trials])
        for events in (recording.spikes, recording.near)
    )
    own = {
        name: getattr(recording, name)[:n_trials]
        for name in (
            "counts",
            "margin",
            "ready",
            "resources",
            "currents",
            "release",
            "states",
            "moments",
        )
    }
    end = arrays.Standing(*(array[:n_trials] for array in recording.end))
    return recording._replace(spikes=spikes, near=near, end=end, **own)


def _padded(n):
    """A size of which every row begins at a cache line."""
    return -(-n // 16) * 16


def new_words() -> arrays.Words:
    """Return room for random words."""
    return arrays.Words(
        unsigned=np.empty(GRANULE, np.uint32),
        normal=np.empty(GRANULE),
        counts=np.empty(GRANULE, np.int32),
    )


def new_scratch(
    packed: Packed, currents: bool, n_ou: int = 0, events: int | None = None
) -> arrays.Scratch:
    """Return the working memory of one thread; it takes memory only when touched.

    Parameters
    ----------
    packed
        The network.
    currents
        Whether there are currents.
    n_ou
        Values of Ornstein-Uhlenbeck sources.
    events
        For the adjoint: the most events that a source has in a window of steps and a tile of
        trials. It needs as many steps of adjoints as the delays say, a forward pass none.
    """
    dtype, wires = packed.weight.dtype, packed.wires.wires
    tile, span = tile_size(packed), SPAN_BYTES // dtype.itemsize
    sizes = sizes_of(packed.layout, packed.wires, n_ou)
    backward = events is not None
    widest = int(max(wires["n_pre"], default=0))
    steps, window, rows = 0, 0, tile
    if backward:
        steps = packed.layout.longest_delay + 2
        window = ROWS // tile + int(max(wires["delay"], default=0)) + 1
        rows = 0
    kept = packed.wires.kept
    columns = int(np.max(kept.column + kept.size, initial=0))
    most_states = int(max(packed.tables.cells["n_states"], default=1))
    resources = sizes.resources
    return arrays.Scratch(
        x=room.aligned((rows, _padded(sizes.states)), dtype),
        clock=room.aligned((rows, _padded(sizes.neurons)), np.int32),
        held=room.aligned((rows, _padded(sizes.neurons)), dtype),
        ring=room.aligned((rows, packed.wires.ring_slots * packed.wires.ring_width), dtype),
        ou=room.aligned((rows, sizes.ou), dtype),
        resource=room.aligned((rows, 3 * resources), np.float64),
        current=room.aligned(sizes.neurons if currents else 0, dtype),
        fresh=room.aligned((6 if backward else most_states + 4) * arrays.BLOCK, dtype),
        words=new_words(),
        adjoints=room.aligned((steps, tile, _padded(packed.cells.n_adjoints)), dtype),
        # + 16: zeros of the last panel
        grad_spikes=room.aligned((tile, _padded(packed.n_spiking) + 16), dtype),
        grad_resource=np.empty((tile, 2 * resources if backward else 0), dtype),
        grad_release=np.empty(2 * widest if resources and backward else 0, dtype),
        arriving=room.aligned(
            (0 if backward else AHEAD // tile, tile, packed.wires.gathered), dtype
        ),
        arrived=room.aligned((-(-columns // span), window, tile, span), dtype),
        sums=room.aligned(span, dtype),
        sorting=arrays.Sorting(
            rows=np.empty(tile, np.int64),
            ends=np.empty(widest + 1 if backward else 0, np.int64),
            places=np.empty(events or 0, np.int32),
            factors=np.empty(events or 0, dtype),
        ),
        kept=kept,
    )


def most_events(packed: Packed, inputs: arrays.Events | None = None) -> int:
    """Return the most events that a source can have in a window of steps and a tile of trials.

    That is one of a unit in a step, unless `inputs` has more.
    """
    most = ROWS * int(max(packed.wires.wires["n_pre"], default=0))
    if inputs is None:
        return most
    return max(most, tile_size(packed) * int(np.ptp(inputs.pointers, axis=1).max()))


class Workspace(NamedTuple):
    """What one thread needs to take gradients of a chunk; kept between batches."""

    recording: arrays.Recording
    forward: arrays.Scratch
    adjoint: arrays.Scratch


def workspace(
    spare: list[Workspace], packed: Packed, n_trials: int, steps: int, wanted: Wanted
) -> Workspace:
    """Return one that fits from the list `spare`, or a new one."""
    while spare:
        try:
            known = spare.pop()
        except IndexError:  # another thread was faster
            break
        recording = known.recording
        fits = recording.counts.shape[0] >= n_trials and recording.margin.shape[1] == steps
        if fits and not (wanted.earlier or wanted.inputs):
            return known
    return Workspace(
        recording=new_recording(packed, n_trials, steps, wanted),
        forward=new_scratch(packed, wanted.currents, wanted.n_ou),
        adjoint=new_scratch(packed, wanted.currents, wanted.n_ou, most_events(packed)),
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
    """Return the panels of the wires that `pull_dense` reads, side by side."""
    wires, end = packed.wires.wires, packed.wires.panels
    panels = room.aligned(end, weight.dtype)
    ends = np.append(wires["panel_first"][1:], end)
    for wire, last in zip(wires, ends):
        at, n_pre, n_post = int(wire["panel_first"]), int(wire["n_pre"]), int(wire["n_post"])
        if last > at:
            first = int(wire["weight_first"])
            for panel in panels_of(weight[first : first + n_pre * n_post].reshape(n_pre, n_post)):
                panels[at : at + panel.size] = panel.ravel()
                at += panel.size
    return panels
