"""Plastic projections as arrays for the kernels of one large network (stream.py), and as part of the state of a simulation.

Short-term plasticity has one u and one x for each presynaptic neuron; the thread that finds a spike writes its release where the spike
lies in the list of past spikes. Long-term plasticity changes weights, which belong to the thread of their target; the presynaptic
trace is needed by all threads, and each keeps its own copy, since they would otherwise have to meet at every arrival.
"""

from typing import NamedTuple

import numpy as np

from ..network.plasticity import InhibitorySTDP, TsodyksMarkram, check_plasticity
from ..support import schema

_TABLE = 40  # time constants for which decay is tabulated; after that it is computed
_LONGEST = 1 << 15  # steps in the table at most
#: Parts of a state: share of 1, step or trace.
PARTS = {
    "u": "share",
    "x": "share",
    "used": "step",
    "post_trace": "trace",
    "post_seen": "step",
    "pre_trace": "trace",
    "pre_seen": "step",
}
_ROUNDING = 1e-9
_OWN = ("pre_trace", "pre_seen")  # of which each thread has a copy


class Plastic(NamedTuple):
    """Q projections with short-term plasticity, L with inhibitory plasticity. Times are steps, rates per step."""

    short: np.ndarray  # (Q,) which projection
    short_delayed: np.ndarray  # (Q,) whether every synapse has a delay
    short_first: np.ndarray  # (Q,) first element in u, x, used
    release_first: np.ndarray  # (Q,) first element in a row of `release`
    utilization: np.ndarray
    recovery: np.ndarray  # (Q,) dt / tau_rec
    facilitation: np.ndarray  # (Q,) dt / tau_facil, or 0 where there is none
    u: np.ndarray  # after the last spike
    x: np.ndarray
    used: np.ndarray  # step of the last spike
    release: np.ndarray  # (slots, width) u x of past spikes, in the order of RecentSpikes.units
    learning: np.ndarray  # (L,) which projection
    eta: np.ndarray
    alpha: np.ndarray
    w_max: np.ndarray
    rate: np.ndarray  # (L,) dt / tau
    table: np.ndarray  # (L, steps) exp(-rate steps)
    pre_first: np.ndarray  # (L,) first element in a row of pre_trace, pre_seen
    pre_trace: np.ndarray  # (threads, presynaptic neurons) just after the last arrival
    pre_seen: np.ndarray  # step of the last arrival
    post_first: np.ndarray
    post_trace: np.ndarray  # (postsynaptic neurons,) just after the last spike
    post_seen: np.ndarray
    into_at: np.ndarray  # (L,) first element in into_first
    into_first: (
        np.ndarray
    )  # the synapses onto neuron i are into_synapse[into_first[i] .. into_first[i+1] - 1] …
    into_synapse: np.ndarray
    into_source: np.ndarray  # … from these neurons


def _of_kind(network, kind):
    return [(k, p) for k, p in enumerate(network.projections) if isinstance(p.plasticity, kind)]


def starting_weights(network, state):
    """Projection -> a copy of its weights, one for each synapse in their order, where a run may change them; those of `state` if there
    is one."""
    if state is not None:
        _check_learned(network, state)
        return {name: weights.copy() for name, weights in learned_weights(state).items()}
    return {
        p.name: np.array(
            network.synapses[p.name].weight_of_each(network.weights[p.name]), network.dtype
        )
        for _, p in _of_kind(network, InhibitorySTDP)
    }


def _check_learned(network, state):
    """ValueError unless a state has the weights of just the projections that learn, and they can be."""
    learned, learning = (
        learned_weights(state),
        dict((p.name, p) for _, p in _of_kind(network, InhibitorySTDP)),
    )
    known = {
        f"weight/{name}": schema.Rule(network.dtype, (network.synapses[name].size,), 0)
        for name in learning
    }
    schema.check({f"weight/{name}": weights for name, weights in learned.items()}, known, "state")
    for name, p in learning.items():
        check_plasticity(network, p, learned[name])


def learned_weights(state):
    """Projection -> weights in the state of a simulation, in the order of the synapses."""
    return {
        key.removeprefix("weight/"): weights
        for key, weights in state.arrays.items()
        if key.startswith("weight/")
    }


def pack_plastic(place, threads, recent):
    """Plastic of a network at rest: resources full, traces 0."""
    network, dt = place.network, place.network.dt
    short, learning = _of_kind(network, TsodyksMarkram), _of_kind(network, InhibitorySTDP)

    def numbers(value, projections, kind=float):
        return np.array([value(p) for _, p in projections], kind)

    def firsts(name, projections):
        """(first elements, total) of room for one number per neuron at an end of each projection."""
        ends = np.cumsum(
            [0] + [int(place.room[place.number[getattr(p, name)]]) for _, p in projections]
        ).astype(np.int64)
        return ends[:-1], int(ends[-1])

    short_first, width = firsts("pre", short)
    lists = np.diff(
        np.append(recent.first[:, 0], recent.units.shape[1] - 1)
    )  # room for the spikes of each population
    releases = np.cumsum([0] + [lists[place.number[p.pre]] for _, p in short])
    (pre_first, n_pre), (post_first, n_post) = firsts("pre", learning), firsts("post", learning)
    rate = numbers(lambda p: dt / p.plasticity.tau, learning)
    size = min(_LONGEST, int(_TABLE / rate.min()) + 1) if rate.size else 1
    return Plastic(
        np.array([k for k, _ in short], np.int64),
        numbers(lambda p: p.delay is None, short, bool),
        short_first,
        releases[:-1],
        numbers(lambda p: p.plasticity.utilization, short),
        numbers(lambda p: dt / p.plasticity.tau_rec, short),
        numbers(lambda p: dt / p.plasticity.tau_facil if p.plasticity.tau_facil else 0.0, short),
        np.zeros(width),
        np.ones(width),
        np.zeros(width, np.int64),
        np.zeros((recent.mask + 1 if width else 0, releases[-1]), network.dtype),
        np.array([k for k, _ in learning], np.int64),
        numbers(lambda p: p.plasticity.eta, learning),
        numbers(lambda p: p.plasticity.alpha, learning),
        numbers(lambda p: p.plasticity.w_max, learning),
        rate,
        np.exp(-rate[:, None] * np.arange(size)),
        pre_first,
        np.zeros((threads, n_pre)),
        np.zeros((threads, n_pre), np.int64),
        post_first,
        np.zeros(n_post),
        np.zeros(n_post, np.int64),
        *_transposed(network, [p.name for _, p in learning]),
    )


def _transposed(network, names):
    """into_at, into_first, into_synapse, into_source of these projections, one after the other."""
    from scipy.sparse import csr_matrix  # here: `import biosnn` stays quick

    at, first, synapse, source = (
        [0],
        [np.empty(0, np.int64)],
        [np.empty(0, np.int32)],
        [np.empty(0, np.int32)],
    )
    filled = 0
    for name in names:
        rows = network.synapses[name]
        columns = csr_matrix(
            (np.arange(rows.size), rows.target, rows.first), (rows.n_pre, rows.n_post)
        ).tocsc()
        first.append(columns.indptr + np.int64(filled))
        synapse.append(columns.data.astype(np.int32 if rows.size < 1 << 31 else np.int64))
        source.append(columns.indices.astype(np.int32))
        at.append(at[-1] + rows.n_post + 1)
        filled += rows.size
    return (
        np.array(at[:-1], np.int64),
        np.concatenate(first),
        np.concatenate(synapse),
        np.concatenate(source),
    )


# -------------------------------------------------------------------------------------------- state


def _releases(plastic, wires, cells, recent, steps):
    """Views of the releases of the spikes in these steps, in the order of projection, step and neuron."""
    for q, k in enumerate(plastic.short):
        p = wires.pre[k]
        for slot in [n & recent.mask for n in steps]:
            for t in range(cells.bounds.shape[1] - 1):
                begin = plastic.release_first[q] + recent.first[p, t] - recent.first[p, 0]
                yield plastic.release[slot, begin : begin + recent.count[slot, t, p]]


def state_of(plastic, wires, cells, recent, steps, learned):
    """The arrays of a state: resources, traces, learned weights, and the releases of spikes that may not have arrived yet."""
    arrays = {
        f"plastic/{name}": (
            getattr(plastic, name)[0] if name in _OWN else getattr(plastic, name)
        ).copy()
        for name in PARTS
    }
    arrays["plastic/released"] = np.concatenate(
        [np.empty(0, plastic.release.dtype), *_releases(plastic, wires, cells, recent, steps)]
    )
    return arrays | {f"weight/{name}": weights.copy() for name, weights in learned.items()}


def restore(plastic, wires, cells, recent, steps, state):
    """Put what state_of wrote back, for any number of threads; the recent spikes are in `recent` already.

    ValueError unless it fits, before anything is changed.
    """
    releases = list(_releases(plastic, wires, cells, recent, steps))
    known = {
        "plastic/released": schema.Rule(
            plastic.release.dtype, (sum(part.size for part in releases),), 0
        )
    }
    for name, kind in PARTS.items():
        here = getattr(plastic, name)
        low, high = {
            "share": (-_ROUNDING, 1 + _ROUNDING),
            "step": (0, state.step),
            "trace": (0, None),
        }[kind]
        known[f"plastic/{name}"] = schema.Rule(here.dtype, here.shape[-1:], low, high)
    schema.check(
        {name: array for name, array in state.arrays.items() if name.startswith("plastic/")},
        known,
        "state",
    )
    for name in PARTS:
        getattr(plastic, name)[:] = state.arrays[f"plastic/{name}"]
    at = 0
    for part in releases:
        part[:] = state.arrays["plastic/released"][at : at + part.size]
        at += part.size
