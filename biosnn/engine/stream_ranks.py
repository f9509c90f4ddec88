"""One large network on several processes: what they send each other, and what all have at the end.

Each process has neighbouring parts of the network: their synapses, rings of arrivals and states.
All have the lists of recent spikes, since they tell each other what has spiked once per shortest
delay (kernels/others.py). What belongs to parts is put together where it is read.
"""

import ctypes
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..kernels.others import CALLED, CAME, FEWEST_WORDS, WORDS, Others
from ..kernels.random import ORNSTEIN_UHLENBECK
from ..network.network import Network
from ..support.fingerprint import digest, digest_of, plain
from ..support.ranks import Ranks
from .bundle_tables import first_parts
from .layout import Layout
from .plasticity import learning_projections
from .standing import Earlier

_SAME_CALL = (
    "Each of them must make the same call, with the same network and options: give a seed to "
    "everything that is drawn at random."
)


class Exchange:
    """Messages between the processes that run one network.

    Parameters
    ----------
    ranks
        The processes.
    tables
        The network.
    bounds
        (populations, parts + 1) neurons of each part.
    most
        Steps between two meetings, at most.
    dtype
        Of its states.

    Attributes
    ----------
    others
        As kernels read them.
    """

    def __init__(
        self,
        ranks: Ranks,
        tables: arrays.Tables,
        bounds: NDArray[np.int64],
        most: int,
        dtype: np.dtype,
    ):
        self.ranks, together = ranks, ranks.size > 1
        first = first_parts(bounds.shape[1] - 1, ranks.size)
        stage = np.zeros(tables.n_firing, np.int64)
        for k, pool in enumerate(tables.pools):
            stage[pool["population"]] = k + 1
        room = _longest_message(tables, bounds, first, most) if together else 0
        whole = np.dtype(f"i{dtype.itemsize}")
        sent, got = np.empty(room, whole), np.empty(room * ranks.size, whole)
        self._called = CALLED(self._swap)  # kept: kernels know its address alone
        self.others = Others(
            call=int(ctypes.cast(self._called, ctypes.c_void_p).value or 0) if together else 0,
            rank=ranks.rank,
            first=first,
            stage=stage,
            state=np.zeros(2, np.int64),
            sent=sent,
            got=got,
            sent_values=sent.view(dtype),
            got_values=got.view(dtype),
        )
        self.others.state[WORDS] = min(FEWEST_WORDS, room)
        self.others.state[CAME] = 1
        self._error: BaseException | None = None

    def _swap(self, words):
        """Send the first words of the message to all, and take theirs."""
        others = self.others
        try:
            self.ranks.swap(others.sent[:words], others.got[: words * self.ranks.size])
            others.state[CAME] = 1
        except BaseException as error:  # noqa: BLE001 - raised when the kernel has ended
            self._error = error

    def check(self) -> None:
        """Raise what has ended an exchange, if anything has."""
        if not self.others.state[CAME]:
            raise self._error or KeyboardInterrupt


def _longest_message(tables, bounds, first, most):
    """Words of the longest message that any process can send."""
    firing = bounds[: tables.n_firing]
    neurons = np.diff(firing[:, first]).sum(axis=0)
    counts = np.diff(first) * tables.n_firing
    return int(1 + most * np.max(counts + neurons * (1 + tables.shorts.size)))


# ------------------------------------------------------------------------------------- put together


class Owners(NamedTuple):
    """The process that each element, neuron, value and resource of `arrays.Standing` belongs to."""

    states: NDArray[np.int64]
    neurons: NDArray[np.int64]
    ou: NDArray[np.int64]
    resource: NDArray[np.int64]


def owners_of(
    layout: Layout,
    tables: arrays.Tables,
    sources: NDArray[Any],
    standing: arrays.Standing,
    bounds: NDArray[np.int64],
    ranks: Ranks,
) -> Owners:
    """Return what belongs to which process.

    Parameters
    ----------
    layout, tables
        The network.
    sources
        arrays.SOURCE rows of the background.
    standing
        Where it stands, as one trial.
    bounds
        (populations, parts + 1) neurons of each part.
    ranks
        The processes.
    """
    own = [np.zeros(array.shape[-1], np.int64) for array in standing]
    states, neurons, _, ou, resource = own
    for population in layout.order:
        owner = owner_of_neurons(layout, population.name, bounds, ranks)
        neurons[layout.neurons(population.name)] = owner
        for state in population.states:
            at, n = layout.state(population.name, state)
            states[at : at + n] = owner
    for source in sources[sources["kind"] == ORNSTEIN_UHLENBECK]:
        at, owner = source["ou"], neurons[layout.neurons(layout.order[source["population"]].name)]
        ou[at : at + owner.size] = owner
    names = list(layout.sources)
    for short in tables.shorts:
        source = tables.wires["source"][short["wire"]]
        if source >= tables.n_inputs:  # those of inputs all processes work out
            owner = neurons[layout.neurons(names[source])]
            rows = resource.reshape(3, -1)[:, short["resource"] :]
            rows[:, : owner.size] = owner
    return Owners(states, neurons, ou, resource)


def owner_of_neurons(
    layout: Layout, name: str, bounds: NDArray[np.int64], ranks: Ranks
) -> NDArray[np.int64]:
    """Return the process that each neuron of a population belongs to."""
    ends = bounds[layout.number[name], first_parts(bounds.shape[1] - 1, ranks.size)]
    return np.repeat(np.arange(ranks.size), np.diff(ends))


def complete(earlier: Earlier, owners: Owners, ranks: Ranks) -> None:
    """Give all processes the states of all parts."""
    standing = earlier.standing
    for array, owner in (
        (standing.states, owners.states),
        (standing.clock, owners.neurons),
        (standing.held, owners.neurons),
        (standing.ou, owners.ou),
        (standing.resource, owners.resource),
    ):
        ranks.complete(array, owner)


def complete_learned(
    layout: Layout, found: Mapping[str, NDArray], bounds: NDArray[np.int64], ranks: Ranks
) -> None:
    """Give all processes what projections have learned: the arrays of `plasticity.state_of`."""
    network = layout.network
    learning = learning_projections(network) if found else []
    owners = [owner_of_neurons(layout, p.post, bounds, ranks) for p in learning]
    for name in ("plastic/post_trace", "plastic/post_seen") if learning else ():
        ranks.complete(found[name], np.concatenate(owners))
    for projection, owner in zip(learning, owners):
        target = network.synapses[projection.name].target
        ranks.complete(found[f"weight/{projection.name}"], owner[target])


# ---------------------------------------------------------------------------------------- the same


def check_same(run: Any, setting: Any, recording: Any) -> None:
    """Raise a ValueError on all processes unless they run the same network in the same way.

    Parameters
    ----------
    run, setting, recording
        What a call of `simulate` has made of its arguments.
    """
    network, state = run.network, setting.state(run.trial)
    inputs, background, table = run.inputs, run.background.table, recording.table
    told = {
        "network and synapses": network.identity(),
        "weights": digest_of(_weights_of(network)),
        "duration": setting.steps,
        "seed": run.key,
        "state": state
        and f"{state.step} {digest_of(state.arrays[k] for k in sorted(state.arrays))}",
        "initial": digest_of(run.standpoint.standing()),
        "spikes": digest_of([inputs.events.pointers, inputs.events.units, [inputs.steps]]),
        "background": digest_of([background.sources, background.values, background.starts]),
        "perturbations": digest(plain(setting.change.perturbations)),
        "record": digest_of([table.element, table.column]) + f" {sorted(recording.columns)}",
        "record_spikes": recording.names,
        "every": table.every,
        "rate_bin": recording.bin_steps,
    }
    run.ranks.check_same(told, _SAME_CALL)


def _weights_of(network: Network) -> Iterator[NDArray[Any]]:
    """All weights of a network, or what draws them."""
    for projection in network.projections:
        drawn = network.weights.undrawn(projection.name)
        if drawn is None:
            yield np.asarray(network.weights[projection.name])
        else:
            text = digest([plain(drawn.values), drawn.size, str(drawn.key)])
            yield np.frombuffer(text.encode(), np.uint8)
