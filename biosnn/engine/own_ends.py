"""Trials that end before the longest of a batch: what they do after their end does not count."""

import numpy as np
from numpy.typing import NDArray

from ..data.spike_base import in_trial
from ..kernels import arrays
from ..support.ranges import ranges
from .packed import Packed


def counts_within(
    packed: Packed, recording: arrays.Recording, own_steps: NDArray[np.int64] | None
) -> NDArray[np.floating]:
    """Return (trial, spiking neuron) the spikes of each trial until its end.

    Parameters
    ----------
    packed, recording
        A forward pass, whose own counts go on to the end of the longest trial.
    own_steps
        (trial,) steps of each trial, or None where all have as many.
    """
    if own_steps is None or not packed.n_spiking:
        return recording.counts
    spikes, populations = recording.spikes, [p for p in packed.order if p.kind != "readout"]
    own = spikes.pointers[:, spikes.before * len(populations) :]
    sizes = np.diff(own, axis=1).reshape(own_steps.size, -1, len(populations))
    late = np.where(in_trial(own_steps, sizes.shape[1])[..., None], 0, sizes)
    count = late.sum(axis=(1, 2))
    at = ranges(spikes.pointers[:, -1] - count, count)
    first = np.array([packed.neurons(p.name).start for p in populations])
    neuron = np.repeat(np.broadcast_to(first, late.shape).ravel(), late.ravel()) + spikes.units[at]
    trial = np.repeat(np.arange(own_steps.size), count)
    counts = recording.counts.copy()
    np.subtract.at(counts, (trial, neuron), spikes.values[at] if spikes.values.size else 1)
    return counts


def by_spike(
    by_count: NDArray[np.floating], own_steps: NDArray[np.int64], n_steps: int
) -> NDArray[np.floating]:
    """Return the derivative with respect to each spike of derivatives for counts within trials.

    Parameters
    ----------
    by_count
        (trial, neuron).
    own_steps, n_steps
        Steps of each trial, and of the longest.

    Returns
    -------
    (trial, step, neuron): that of the count, and 0 after the end of a trial.
    """
    return np.where(
        in_trial(own_steps, n_steps)[..., None], by_count[:, None], by_count.dtype.type(0)
    )
