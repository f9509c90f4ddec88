"""Plastic projections: as arrays for the kernels of one large network, and in its state.

Short-term plasticity has one u and one x for each presynaptic neuron; the thread that finds a spike
writes its release where the spike lies in the list of recent spikes. Long-term plasticity changes
weights, which belong to the thread of their target; the presynaptic trace is needed by all threads,
and each keeps its own copy, since they would otherwise have to meet at every arrival.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..network.plasticity import InhibitorySTDP, TsodyksMarkram, check_plasticity
from ..support import schema
from .state import State
from .stream_layout import StreamLayout
from .stream_tables import Cells, RecentSpikes, Wires

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
    """Q projections with short-term plasticity, L with inhibitory plasticity.

    Times are steps, rates per step.
    """

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
    release: np.ndarray  # (slots, width) u x of recent spikes, in the order of RecentSpikes.units
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
    # the synapses onto neuron i are into_synapse[into_first[i] .. into_first[i+1] - 1] …
    into_first: np.ndarray
    into_synapse: np.ndarray
    into_source: np.ndarray  # … from these neurons


def _of_kind(network, kind):
    """(number, projection) of those with this kind of plasticity."""
    return [(k, p) for k, p in enumerate(network.projections) if isinstance(p.plasticity, kind)]


def starting_weights(network: Network, state: State | None) -> dict[str, NDArray]:
    """Return projection -> a copy of its weights, where a run may change them.

    There is one for each synapse, in their order; they are those of `state` if there is one.

    Raises
    ------
    ValueError
        If `state` has not just the weights of the projections that learn, or has impossible ones.
    """
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
    """ValueError unless a state has the weights of just those that learn, and they can be."""
    learned = learned_weights(state)
    learning = {p.name: p for _, p in _of_kind(network, InhibitorySTDP)}
    known = {
        f"weight/{name}": schema.Rule(network.dtype, (network.synapses[name].size,), 0)
        for name in learning
    }
    schema.check({f"weight/{name}": weights for name, weights in learned.items()}, known, "state")
    for name, p in learning.items():
        check_plasticity(network, p, learned[name])


def learned_weights(state: State) -> dict[str, NDArray]:
    """Return projection -> weights in the state of a simulation, in the order of the synapses."""
    return {
        key.removeprefix("weight/"): weights
        for key, weights in state.arrays.items()
        if key.startswith("weight/")
    }


def pack_plastic(layout: StreamLayout, threads: int, recent: RecentSpikes) -> Plastic:
    """Return the plastic projections of a network at rest: resources full, traces 0."""
    network, dt = layout.network, layout.network.dt
    short, learning = _of_kind(network, TsodyksMarkram), _of_kind(network, InhibitorySTDP)
    short_first, width = _firsts(layout, "pre", short)
    pre_first, n_pre = _firsts(layout, "pre", learning)
    post_first, n_post = _firsts(layout, "post", learning)
    # room for the spikes of each population
    lists = np.diff(np.append(recent.first[:, 0], recent.units.shape[1] - 1))
    releases = np.cumsum([0] + [lists[layout.number[p.pre]] for _, p in short])
    rate = _numbers(lambda p: dt / p.plasticity.tau, learning)
    size = min(_LONGEST, int(_TABLE / rate.min()) + 1) if rate.size else 1
    into_at, into_first, into_synapse, into_source = _transposed(
        network, [p.name for _, p in learning]
    )
    return Plastic(
        short=np.array([k for k, _ in short], np.int64),
        short_delayed=_numbers(lambda p: p.delay is None, short, bool),
        short_first=short_first,
        release_first=releases[:-1],
        utilization=_numbers(lambda p: p.plasticity.utilization, short),
        recovery=_numbers(lambda p: dt / p.plasticity.tau_rec, short),
        facilitation=_numbers(
            lambda p: dt / p.plasticity.tau_facil if p.plasticity.tau_facil else 0.0, short
        ),
        u=np.zeros(width),
        x=np.ones(width),
        used=np.zeros(width, np.int64),
        release=np.zeros((recent.mask + 1 if width else 0, releases[-1]), network.dtype),
        learning=np.array([k for k, _ in learning], np.int64),
        eta=_numbers(lambda p: p.plasticity.eta, learning),
        alpha=_numbers(lambda p: p.plasticity.alpha, learning),
        w_max=_numbers(lambda p: p.plasticity.w_max, learning),
        rate=rate,
        table=np.exp(-rate[:, None] * np.arange(size)),
        pre_first=pre_first,
        pre_trace=np.zeros((threads, n_pre)),
        pre_seen=np.zeros((threads, n_pre), np.int64),
        post_first=post_first,
        post_trace=np.zeros(n_post),
        post_seen=np.zeros(n_post, np.int64),
        into_at=into_at,
        into_first=into_first,
        into_synapse=into_synapse,
        into_source=into_source,
    )


def _numbers(value, projections, kind=float):
    """A number of every projection."""
    return np.array([value(p) for _, p in projections], kind)


def _firsts(layout, end, projections):
    """(first elements, total) of room for one number per neuron at an end of each projection."""
    rooms = [int(layout.room[layout.number[getattr(p, end)]]) for _, p in projections]
    ends = np.cumsum([0, *rooms]).astype(np.int64)
    return ends[:-1], int(ends[-1])


def _transposed(network, names):
    """into_at, into_first, into_synapse, into_source of these projections, one after the other."""
    from scipy.sparse import csr_matrix  # here: `import biosnn` stays quick

    at = [0]
    first = [np.empty(0, np.int64)]
    synapse = [np.empty(0, np.int32)]
    source = [np.empty(0, np.int32)]
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
    """Views of the releases of the spikes in these steps, by projection, step and neuron."""
    for q, k in enumerate(plastic.short):
        p = wires.pre[k]
        for slot in [n & recent.mask for n in steps]:
            for t in range(cells.bounds.shape[1] - 1):
                begin = plastic.release_first[q] + recent.first[p, t] - recent.first[p, 0]
                yield plastic.release[slot, begin : begin + recent.n_spikes[slot, t, p]]


def state_of(
    plastic: Plastic,
    wires: Wires,
    cells: Cells,
    recent: RecentSpikes,
    steps: range,
    learned: Mapping[str, NDArray],
) -> dict[str, NDArray]:
    """Return the arrays of a state: resources, traces, learned weights and releases.

    Releases are those of the spikes in `steps`, which may not have arrived yet.
    """
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


def restore(
    plastic: Plastic,
    wires: Wires,
    cells: Cells,
    recent: RecentSpikes,
    steps: range,
    state: State,
) -> None:
    """Put back what `state_of` wrote, for any number of threads.

    The recent spikes are in `recent` already.

    Raises
    ------
    ValueError
        If it does not fit; nothing is changed then.
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
