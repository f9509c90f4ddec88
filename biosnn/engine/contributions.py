"""What each step adds to the gradient of the weights of a projection: `gradient(…, per_step=…)`.

A spike of neuron j that arrives at step n, D steps after it was fired, adds W_ji to the receptor
state of neuron i. So

    dL/dW_ji = sum over n of G_ji[n]
    G_ji[n] = jump * sum over trials b of S_j[b, n - D] dL/dI_i[b, n]
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..network.projection import Projection
from ..support.ranges import ranges
from .packed import Packed


def by_step(
    packed: Packed,
    drive: arrays.Drive,
    recording: arrays.Recording,
    projection: Projection,
    adjoint: NDArray,
) -> Iterator[NDArray]:
    """Yield G[n] for every step, in the shape of the weights.

    Spikes from before the run count at the step in which they arrive.

    Parameters
    ----------
    packed, drive, recording
        The run.
    projection
        The one with the weights.
    adjoint
        (trial, step, neuron) dL/dI of its receptor.
    """
    from scipy.sparse import csr_array  # here: `import biosnn` stays quick

    network = packed.network
    neuron: Any = network[projection.post].neuron
    jump = neuron.receptors[projection.receptor].jump
    steps, trial, unit, value = _spikes(packed, drive, recording, network[projection.pre])
    rows = network.synapses.get(projection.name)
    n_trials, n_steps, _ = adjoint.shape
    delays = network.delay_steps(projection)
    for n in range(n_steps):
        total = np.zeros(np.shape(network.weights[projection.name]))
        for delay in np.unique(delays).astype(int):
            now = slice(*np.searchsorted(steps, [n - delay, n - delay + 1]))
            j = unit[now]
            b = trial[now]
            s = jump * value[now]
            if rows is None:
                arrived = csr_array((s, (j, b)), shape=(len(total), n_trials))
                total += arrived @ adjoint[:, n].astype(float)
                continue
            count = rows.first[j + 1] - rows.first[j]
            at = ranges(rows.first[j], count)
            b, s = np.repeat(b, count), np.repeat(s, count)
            if np.ndim(delays):
                chosen = rows.delay[at] == delay
                at = at[chosen]
                b = b[chosen]
                s = s[chosen]
            places = np.broadcast_to(
                rows.weight_places(network.weights[projection.name]), rows.size
            )
            np.add.at(total.reshape(-1), places[at], s * adjoint[b, n, rows.target[at]])
        yield total


def norms(contributions: Iterable[NDArray]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each."""
    return np.array([np.sqrt(np.sum(total**2)) for total in contributions])


def _spikes(packed, drive, recording, population):
    """(step, trial, unit, value) of all spikes of a source, by step; negative before the run."""
    inputs = [p.name for p in packed.network.inputs]
    spiking = [p.name for p in packed.order if p.kind != "readout"]  # and what pools their spikes
    if population.name in inputs:
        source = inputs.index(population.name)
        n_sources = len(inputs)
        now = drive.inputs
        rows = drive.rows
    else:
        source = spiking.index(population.name)
        n_sources = len(spiking)
        now = recording.spikes
        rows = np.arange(drive.rows.size)
    parts, earlier = [_of_source(now, rows, source, n_sources, 0)], drive.earlier
    if earlier is not None and earlier.steps:
        before = earlier.inputs if population.name in inputs else earlier.spikes
        parts.append(
            _of_source(before, np.arange(drive.rows.size), source, n_sources, -earlier.steps)
        )
    step, trial, unit, value = (np.concatenate([part[k] for part in parts]) for k in range(4))
    order = np.lexsort((unit, trial, step))
    return step[order], trial[order], unit[order], value[order]


def _of_source(events, rows, source, n_sources, first_step):
    """The spikes of one source among all events."""
    pointers = events.pointers[rows]
    first, last = pointers[:, source:-1:n_sources], pointers[:, source + 1 :: n_sources]
    count = (last - first).ravel()
    at = ranges(first.ravel(), count)
    trial, step = (np.repeat(each.ravel(), count) for each in np.indices(first.shape))
    return (
        step + first_step,
        trial,
        events.units[at],
        events.values[at].astype(float) if events.values.size else np.ones(at.size),
    )
