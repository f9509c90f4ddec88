"""Time and memory of a process that shares a network with others: the equations of `ranks.py`.

R processes with T threads each share N neurons, cut into P parts (`internals.parts_of`); the
busiest thread has q = ceil(P / (R T)) of them. One simulated second of n steps takes each process

    time = c_neuron N n q / P           integrate, threshold, background
         + c_event E q / P              add what arrives: E synaptic events
         + c_far E q / P f              more for the share f that goes to places beyond a cache
         + c_step n q A                 go through A populations of a part
         + c_round q n (1 - exp(-S/n))  begin with the synapses of a step, where there are spikes
         + c_lookup S q                 find the run of a spike in a part: S spikes, of all neurons
         + c_list n B P q               look whether a part has spikes: B bundles of synapses
         + c_filled F q                 more where it has some: F such lists
         + c_spike S                    tell own spikes, take those of others
         + c_count n P A                and how many each part has
         + M (c_meeting + network)      meet M times

where the first four shrink with R T; lookups do so until each thread has one part; spikes never
do, and lists and counts grow. The last three are of several processes, and of one thread of each.
A network passes messages of b bytes from each to all in log2(R) latency + R b / bandwidth.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

_ROOM = 1 << 23  # neurons times steps of the lists of recent spikes
_FEWEST_WORDS = 256  # of a message
_HEADER, _TARGET, _DELAY, _WEIGHT = 4, 2, 1, 4  # bytes of a synapse of a list
_MOST_KEPT = 1 << 30  # bytes of the lists of drawn synapses that one process keeps
FIRST_LEVEL, SECOND_LEVEL = 1 << 15, 1 << 20  # bytes of the caches of a core
WORD = 4  # bytes of a state, and of a word of a message


@dataclass(frozen=True)
class Circuit:
    """What the cost of a network depends on; rates are numbers in a simulated second.

    Attributes
    ----------
    neurons, populations
        Numbers of them.
    synapses, projections
        Numbers of all.
    spikes, events
        Rates: spikes of all neurons, and synapses that they reach.
    bundles
        Lists of synapses that are looked up: one for each population, as a rule.
    steps
        Rate of time steps.
    shortest, longest
        Delays in steps.
    record
        Bytes of a synapse: 6, or 2 where all of a projection have one weight.
    arriving
        Bytes for what arrives in a step at a neuron through synapses with delays of their own; 0
        where no synapse has one.
    """

    name: str
    neurons: int
    populations: int
    synapses: float
    projections: int
    spikes: float
    events: float
    bundles: int
    steps: float
    shortest: int
    longest: int
    record: int
    arriving: float

    @property
    def delays(self) -> int:
        """How many delays the synapses of a neuron may have."""
        return self.longest - self.shortest + 1 if self.arriving else 1

    @property
    def meetings(self) -> float:
        """How often processes meet in a simulated second."""
        return self.steps / (self.shortest + 1)

    def grown(self, name: str, times: float, synapses_each: float | None = None) -> "Circuit":
        """Return more of the same: so many times the neurons, with these synapses for each."""
        before = self.synapses / self.neurons
        share = 1.0 if synapses_each is None else synapses_each / before
        return replace(
            self,
            name=name,
            neurons=round(self.neurons * times),
            synapses=self.synapses * times * share,
            spikes=self.spikes * times,
            events=self.events * times * share,
        )


@dataclass(frozen=True)
class Costs:
    """Seconds of a core for one of each."""

    neuron: float
    event: float
    far: float
    step: float
    round: float
    lookup: float
    list: float
    filled: float
    spike: float
    count: float
    meeting: float


COSTS = tuple(field.name for field in fields(Costs))


@dataclass(frozen=True)
class Network:
    """Between nodes: seconds until a message arrives, and bytes a second."""

    name: str
    latency: float
    bandwidth: float


NETWORKS = (
    Network("InfiniBand (1.5 µs, 12 GB/s)", 1.5e-6, 12e9),
    Network("Ethernet (25 µs, 10 Gbit/s)", 25e-6, 1.25e9),
)


@dataclass(frozen=True)
class Shared:
    """How a network is shared: processes, threads of each, and parts of the network."""

    ranks: int
    threads: int
    parts: int

    @property
    def own(self) -> int:
        """Parts of a process."""
        return -(-self.parts // self.ranks)

    @property
    def busiest(self) -> int:
        """Parts of the busiest thread."""
        return -(-self.own // self.threads)


def amounts(circuit: Circuit, shared: Shared) -> dict[str, float]:
    """Return how much of each of `Costs` a process does in a simulated second.

    Examples
    --------
    >>> circuit = Circuit("a", 1000, 2, 1e5, 4, 5000, 5e5, 2, 1e4, 15, 15, 2, 0)
    >>> amounts(circuit, Shared(ranks=2, threads=1, parts=4))["event"]
    250000.0
    """
    q, parts, several = shared.busiest, shared.parts, shared.ranks > 1
    return {
        "neuron": circuit.neurons * circuit.steps * q / parts,
        "event": circuit.events * q / parts,
        "far": circuit.events * q / parts * beyond_cache(circuit, shared),
        "step": circuit.steps * q * circuit.populations,
        "round": filled(circuit.steps, circuit.spikes) * q,
        "lookup": circuit.spikes * q * blocks(circuit, parts),
        "list": circuit.steps * circuit.bundles * parts * q,
        "filled": filled(circuit.steps * circuit.populations * parts, circuit.spikes) * q,
        "spike": circuit.spikes * several,
        "count": circuit.steps * parts * circuit.populations * several,
        "meeting": circuit.meetings * several,
    }


def blocks(circuit: Circuit, parts: int) -> float:
    """Return how many delays the synapses have that a spike reaches in a part."""
    if not circuit.arriving or not circuit.spikes:
        return 1.0
    return filled(circuit.delays, circuit.events / circuit.spikes / parts)


def beyond_cache(circuit: Circuit, shared: Shared) -> float:
    """Return the share of the places that events add to for which the nearest cache has no room.

    They are what arrives in a step at a part, or its states.
    """
    part = circuit.neurons / shared.parts
    return max(0.0, 1 - FIRST_LEVEL / (max(WORD, circuit.arriving) * part))


def filled(places: float, spikes: float) -> float:
    """Return how many of some places have one of these spikes at least.

    Examples
    --------
    >>> round(filled(10.0, 5.0), 2)
    3.93
    """
    return -places * math.expm1(-spikes / places)


def computing(circuit: Circuit, shared: Shared, costs: Costs) -> dict[str, float]:
    """Return the seconds of each for one simulated second, without messages between processes."""
    done = amounts(circuit, shared)
    return {name: done[name] * getattr(costs, name) for name in COSTS}


def message_bytes(circuit: Circuit, shared: Shared) -> float:
    """Bytes that each process sends in a meeting: twice what the longest message had lately."""
    if shared.ranks == 1:
        return 0.0
    counts = (circuit.shortest + 1) * shared.own * circuit.populations
    spikes = circuit.spikes / circuit.meetings / shared.ranks
    longest = spikes + math.sqrt(2 * spikes * math.log(shared.ranks))  # of Poisson numbers
    return WORD * max(_FEWEST_WORDS, 2 * (1 + counts + longest))


def passing(circuit: Circuit, shared: Shared, network: Network) -> dict[str, float]:
    """Return the seconds that messages are on their way in a simulated second, of both kinds."""
    ranks, meetings = shared.ranks, circuit.meetings
    sent = ranks * message_bytes(circuit, shared)
    return {
        "latency": meetings * math.log2(ranks) * network.latency,
        "bandwidth": meetings * sent / network.bandwidth,
    }


def seconds(circuit: Circuit, shared: Shared, costs: Costs, network: Network) -> dict[str, float]:
    """Return the seconds of each for one simulated second, network and all."""
    return computing(circuit, shared, costs) | passing(circuit, shared, network)


# ------------------------------------------------------------------------------------------- memory


def slots(circuit: Circuit, ranks: int) -> int:
    """Steps of the lists of recent spikes, which every process has of all neurons."""
    most = min(max(_ROOM // (circuit.neurons * ranks), 32), 480)
    return 1 << (most + circuit.longest + min(circuit.shortest, most) + 2).bit_length()


@dataclass(frozen=True)
class Bytes:
    """Of what is not a list of numbers: an interpreter with all it has loaded, rows of tables.

    Attributes
    ----------
    fixed
        Bytes of a process that simulates next to nothing.
    neuron
        Bytes that every process has of each neuron: states, and where they lie.
    part, wire
        Bytes of each part of the network, and of each projection in it.
    """

    fixed: float
    neuron: float
    part: float
    wire: float


def memory(circuit: Circuit, shared: Shared, sizes: Bytes) -> dict[str, float]:
    """Return the bytes of a process, by what takes them."""
    n, parts = circuit.neurons, shared.parts
    sixteen = -(-circuit.populations // 16) * 16  # numbers of a cache line
    return {
        "fixed": sizes.fixed,
        "own synapses": circuit.record * circuit.synapses / shared.ranks
        + _headers(circuit, shared),
        "kept synapses": _kept(circuit) if shared.ranks == 1 else 0.0,
        "where runs start": 4.0 * (n + circuit.bundles) * shared.own,
        "own arrivals": circuit.arriving * n / shared.ranks,
        "recent spikes": slots(circuit, shared.ranks) * (4.0 * n + 4.0 * sixteen * parts),
        "all states": sizes.neuron * n + sizes.part * parts,
        "tables of parts": sizes.wire * circuit.projections * parts,
        "messages": shared.ranks * message_bytes(circuit, shared),
    }


def _headers(circuit, shared):
    """Bytes of the headers of blocks of one delay."""
    each = circuit.synapses / circuit.neurons / shared.parts
    rows = circuit.neurons * shared.own
    return _HEADER * rows * (min(each, circuit.delays) + 1) if circuit.arriving else 0.0


def _kept(circuit):
    """Bytes of the drawn synapses that one process keeps for the next run, if they are few."""
    each = _TARGET if circuit.record == _TARGET else _TARGET + _DELAY + _WEIGHT
    return each * circuit.synapses if each * circuit.synapses <= _MOST_KEPT else 0.0


def total(found: Mapping[str, float]) -> float:
    """Return the sum of all."""
    return math.fsum(found.values())
