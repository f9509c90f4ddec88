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
    source, n_inputs = packed.layout.sources[population.name], packed.tables.n_inputs
    if source < n_inputs:
        step, trial, unit, value = _of_source(drive.inputs, drive.rows, source, n_inputs)
    else:
        step, trial, unit, value = _of_source(
            recording.spikes,
            np.arange(drive.rows.size),
            source - n_inputs,
            packed.tables.n_firing,
        )
    order = np.lexsort((unit, trial, step))
    return step[order], trial[order], unit[order], value[order]


def _of_source(events, rows, source, n_sources):
    """The spikes of one source among all events."""
    pointers = events.pointers[rows]
    first, last = pointers[:, source:-1:n_sources], pointers[:, source + 1 :: n_sources]
    count = (last - first).ravel()
    at = ranges(first.ravel(), count)
    trial, step = (np.repeat(each.ravel(), count) for each in np.indices(first.shape))
    return (
        step - events.before,
        trial,
        events.units[at],
        events.values[at].astype(float) if events.values.size else np.ones(at.size),
    )
