"""Weights that learn in a long run, as arrays for its kernels and in its state.

Long-term plasticity changes weights, which belong to the part of their target; the presynaptic
trace is needed by all parts, and each keeps its own copy, since they would otherwise have to meet
at every arrival.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..network.plasticity import InhibitorySTDP, check_plasticity
from ..support import schema
from .layout import first_of
from .state import State

_TABLE = 40  # time constants for which decay is tabulated; after that it is computed
_LONGEST = 1 << 15  # steps in the table at most
#: Parts of a state, and what they are.
PARTS = {"post_trace": "trace", "post_seen": "step", "pre_trace": "trace", "pre_seen": "step"}
_OWN = ("pre_trace", "pre_seen")  # of which each part has a copy


class Plastic(NamedTuple):
    """L projections with inhibitory plasticity. Times are steps, rates per step."""

    eta: np.ndarray
    alpha: np.ndarray
    w_max: np.ndarray
    rate: np.ndarray  # (L,) dt / tau
    table: np.ndarray  # (L, steps) exp(-rate steps)
    pre_first: np.ndarray  # (L,) first element in a row of pre_trace, pre_seen
    pre_trace: np.ndarray  # (parts, presynaptic neurons) just after the last arrival
    pre_seen: np.ndarray  # step of the last arrival
    post_first: np.ndarray
    post_trace: np.ndarray  # (postsynaptic neurons,) just after the last spike
    post_seen: np.ndarray
    into_at: np.ndarray  # (L,) first element in into_first
    # the synapses onto neuron i are into_synapse[into_first[i] .. into_first[i+1] - 1] …
    into_first: np.ndarray
    into_synapse: np.ndarray
    into_source: np.ndarray  # … from these neurons


def learning_projections(network: Network) -> list[Any]:
    """Return the projections whose weights learn."""
    return [p for p in network.projections if isinstance(p.plasticity, InhibitorySTDP)]


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
        for p in learning_projections(network)
    }


def _check_learned(network, state):
    """ValueError unless a state has the weights of just those that learn, and they can be."""
    learned = learned_weights(state)
    learning = {p.name: p for p in learning_projections(network)}
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


def pack_plastic(network: Network, names: Sequence[str], parts: int) -> Plastic:
    """Return the learning projections of a network at rest: traces 0.

    Parameters
    ----------
    network
        The network.
    names
        Of the projections, in the order of kernels.
    parts
        Number of parts of the targets.
    """
    rules: list[Any] = [network.projection(name).plasticity for name in names]
    ends = [
        [network[getattr(network.projection(name), end)].n for name in names]
        for end in ("pre", "post")
    ]
    pre_first, post_first = (first_of(each) for each in ends)
    rate = np.array([network.dt / rule.tau for rule in rules], float)
    size = min(_LONGEST, int(_TABLE / rate.min()) + 1) if rate.size else 1
    into_at, into_first, into_synapse, into_source = _transposed(network, names)
    return Plastic(
        eta=np.array([rule.eta for rule in rules], float),
        alpha=np.array([rule.alpha for rule in rules], float),
        w_max=np.array([rule.w_max for rule in rules], float),
        rate=rate,
        table=np.exp(-rate[:, None] * np.arange(size)),
        pre_first=pre_first[:-1],
        pre_trace=np.zeros((parts, pre_first[-1])),
        pre_seen=np.zeros((parts, pre_first[-1]), np.int64),
        post_first=post_first[:-1],
        post_trace=np.zeros(post_first[-1]),
        post_seen=np.zeros(post_first[-1], np.int64),
        into_at=into_at,
        into_first=into_first,
        into_synapse=into_synapse,
        into_source=into_source,
    )


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


def state_of(plastic: Plastic, learned: Mapping[str, NDArray], part: int = 0) -> dict[str, NDArray]:
    """Return the arrays of a state: traces and learned weights; none where nothing learns.

    Parameters
    ----------
    plastic
        The learning projections.
    learned
        Projection -> its weights.
    part
        One whose presynaptic traces are right.
    """
    if not learned:
        return {}
    arrays = {
        f"plastic/{name}": (
            getattr(plastic, name)[part] if name in _OWN else getattr(plastic, name)
        ).copy()
        for name in PARTS
    }
    return arrays | {f"weight/{name}": weights.copy() for name, weights in learned.items()}


def restore(plastic: Plastic, state: State) -> None:
    """Put back the traces of a state."""
    for name in PARTS:
        if f"plastic/{name}" in state.arrays:
            getattr(plastic, name)[:] = state.arrays[f"plastic/{name}"]


def learning_rules(network: Network, step: int) -> dict[str, schema.Rule]:
    """Return the schema of traces and learned weights in a state of a network after some steps."""
    learning = learning_projections(network)
    if not learning:
        return {}
    sizes = {end: sum(network[getattr(p, end)].n for p in learning) for end in ("pre", "post")}
    known = {}
    for name, kind in PARTS.items():
        shape = (sizes[name.partition("_")[0]],)
        rule = schema.Rule(np.float64, shape, 0)
        known[f"plastic/{name}"] = schema.Rule(np.int64, shape, 0, step) if kind == "step" else rule
    for p in learning:
        rule = schema.Rule(network.dtype, (network.synapses[p.name].size,), 0)
        known[f"weight/{p.name}"] = rule
    return known


def any_rules(arrays: Mapping[str, NDArray], number: np.dtype) -> dict[str, schema.Rule]:
    """Return the schema of traces and learned weights in a state of any network."""
    known = {name: schema.Rule(number, (None,)) for name in arrays if name.startswith("weight/")}
    if not known:
        return {}
    for name, kind in PARTS.items():
        known[f"plastic/{name}"] = schema.Rule(
            np.int64 if kind == "step" else np.float64, (None,), 0
        )
    return known
