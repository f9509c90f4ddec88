"""The constants of `ranks_model.py`, measured on one core.

One process of many is run alone: what the others send is played (played_ranks.py). Its seconds are
those of its core, so that what else runs on the machine does not count. Runs differ in the number
of processes and of parts of each; in some nothing fires, and in one there are no synapses. The
costs are those that fit all of them best: least squares of relative differences, none below 0.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import nnls

import biosnn as bs
from models import brunel_2000, potjans_diesmann_2014

from .internals import OneRank
from .markdown import Row
from .played_ranks import PlayedRanks
from .ranks_model import COSTS, Circuit, Costs, Shared, amounts

SEED = 1
WARM_UP = 0.2  # seconds that are not counted
SILENT = 1e-3  # times the weight of the background: no neuron fires
BUSY = 10.0  # times the rates of the others
#: (processes, parts of each, and what is simulated): the circuit; with a background that makes
#: nothing fire; with others that fire ten times as much; and these without synapses.
RUNS = (
    *((1, 1, "fires"), (1, 4, "fires"), (2, 1, "fires"), (4, 1, "fires"), (4, 4, "fires")),
    *((16, 1, "fires"), (64, 1, "fires"), (256, 1, "fires")),
    *((1, 1, "silent"), (1, 4, "silent"), (16, 1, "silent"), (64, 1, "silent")),
    *((256, 1, "silent"), (16, 1, "unconnected"), (4, 4, "silent")),
    *((4, 4, "busy"), (16, 1, "busy"), (64, 1, "busy")),
)


@dataclass(frozen=True)
class Given:
    """A circuit of models/, and what it is simulated with.

    Attributes
    ----------
    build, background
        Of a scale; the second also of a factor of its weights.
    initial
        States, or None.
    """

    build: Callable[[float], bs.Network]
    background: Callable[[float, float], list[Any]]
    initial: Any


def _weaker(sources: list[Any], factor: float) -> list[Any]:
    """A background with other weights; constant currents go."""
    if factor == 1:
        return sources
    poisson = [source for source in sources if isinstance(source, bs.PoissonInput)]
    return [replace(source, weight=source.weight * factor) for source in poisson]


CIRCUITS = {
    "brunel": Given(
        lambda scale: brunel_2000.build(5.0, scale, SEED),
        lambda scale, factor: _weaker(brunel_2000.background(2.0), factor),
        None,
    ),
    "microcircuit": Given(
        lambda scale: potjans_diesmann_2014.build(scale, SEED),
        lambda scale, factor: _weaker(potjans_diesmann_2014.background(scale), factor),
        potjans_diesmann_2014.initial_state(),
    ),
}


def unconnected(network: bs.Network) -> bs.Network:
    """Return its populations without synapses."""
    result = bs.Network(network.dt, network.dtype)
    for p in network.spiking:
        result.population(p.n, p.neuron, p.sign, name=p.name)
    return result


def measure_costs(name: str, scale: float, seconds: float, repeats: int) -> Row:
    """Run one process of many; returns costs, sizes and the circuit, and a row for each run.

    Parameters
    ----------
    name, scale
        The circuit.
    seconds
        To simulate in a run.
    repeats
        Of each run, of which the fastest counts.
    """
    given = CIRCUITS[name]
    network = given.build(scale)
    circuit, rates = measure_circuit(name, given, network, scale, seconds)
    measured = _Measured(given, network, circuit, rates, scale, seconds)
    runs = [_Run(measured, *which) for which in RUNS]
    for _ in range(repeats):  # in turn
        for run in runs:
            run.again()
    rows = [run.row() for run in runs]
    costs = fitted(rows)
    for row in rows:
        row["fitted_s"] = sum(row["amounts"][k] * getattr(costs, k) for k in COSTS)
    return {
        "circuit": asdict(circuit),
        "costs": asdict(costs),
        "bytes": sizes_of(rows, circuit),
        "rates": rates,
        "runs": rows,
    }


def measure_circuit(
    name: str, given: Given, network: bs.Network, scale: float, seconds: float
) -> tuple[Circuit, dict[str, float]]:
    """Run all of it; returns the circuit and the rates of its populations in hertz."""
    whole = OneRank(network, given.background(scale, 1.0), given.initial)
    steps = 1 / network.dt
    whole.run(round(WARM_UP * steps))
    _, spikes = whole.run(round(seconds * steps))
    rates = {p.name: spikes[p.name] / (p.n * seconds) for p in network.spiking}
    circuit = Circuit(
        name=name,
        spikes=sum(spikes.values()) / seconds,
        events=events_of(network, rates),
        steps=steps,
        **whole.numbers,
    )
    return circuit, rates


def events_of(network: bs.Network, rates: dict[str, float]) -> float:
    """Synaptic events in a second, at these rates of the populations (Hz)."""
    return sum(rates[p.pre] * network.synapses[p.name].size for p in network.projections)


@dataclass(frozen=True)
class _Measured:
    """A circuit, its rates (Hz), its scale, and the seconds of each run."""

    given: Given
    network: bs.Network
    circuit: Circuit
    rates: dict[str, float]
    scale: float
    seconds: float


class _Run:
    """One process of many: (processes, parts of each, whether it fires and has synapses)."""

    def __init__(self, measured, ranks, own, kind):
        self.measured, self.ranks, self.own, self.kind = measured, ranks, own, kind
        given, network, fires = measured.given, measured.network, kind != "silent"
        self.network = unconnected(network) if kind == "unconnected" else network
        factor = BUSY if kind in ("busy", "unconnected") else float(fires)
        sent = {name: rate * network.dt * factor for name, rate in measured.rates.items()}
        self.others = PlayedRanks(ranks, sent) if ranks > 1 else None
        background = given.background(measured.scale, 1.0 if fires else SILENT)
        initial = given.initial if fires else None
        self.one = OneRank(self.network, background, initial, self.others, own)
        if self.others:
            self.others.know(self.one.names, self.one.bounds, self.one.first)
        self.one.run(round(WARM_UP / network.dt))
        self.found = []

    def again(self):
        """Run once more: seconds of the core, and how much of each of `Costs` it did."""
        seconds, network = self.measured.seconds, self.network
        if self.others:
            self.others.reset()
        core_s, spikes = self.one.run(round(seconds / network.dt))
        rates = {p.name: spikes[p.name] / (p.n * seconds) for p in network.spiking}
        total, events = sum(spikes.values()) / seconds, events_of(network, rates)
        now = replace(self.measured.circuit, spikes=total, events=events)
        shared = Shared(self.ranks, 1, self.one.bounds.shape[1] - 1)
        done = {name: amount * seconds for name, amount in amounts(now, shared).items()}
        if not network.projections:
            done |= dict.fromkeys(("round", "lookup", "list", "filled"), 0.0)
        done["meeting"] = self.others.meetings if self.others else 0
        self.found.append((core_s - (self.others.seconds if self.others else 0.0), done))

    def row(self) -> Row:
        """The fastest."""
        core_s, done = min(self.found, key=lambda found: found[0])
        return {
            "ranks": self.ranks,
            "parts": self.own,
            "kind": self.kind,
            "core_s": core_s,
            "amounts": done,
            "bytes": self.one.bytes(),
        }


def fitted(rows: list[Row]) -> Costs:
    """Return the costs that fit the seconds of all runs best, by relative differences.

    Examples
    --------
    >>> rows = [
    ...     {
    ...         "core_s": 2.0 * 10**k,
    ...         "amounts": {name: 10.0**k * (name == one) for name in COSTS},
    ...     }
    ...     for k, one in enumerate(COSTS)
    ... ]
    >>> round(fitted(rows).event, 12), round(fitted(rows).meeting, 12)
    (2.0, 2.0)
    """
    matrix = np.array([[row["amounts"][name] for name in COSTS] for row in rows])
    matrix /= np.array([row["core_s"] for row in rows])[:, None]
    scale = np.abs(matrix).max(axis=0)
    scale[scale == 0] = 1.0
    found, _ = nnls(matrix / scale, np.ones(len(rows)))
    return Costs(**dict(zip(COSTS, (found / scale).tolist())))


def sizes_of(rows: list[Row], circuit: Circuit) -> dict[str, float]:
    """Return bytes of each neuron, part and projection of a part, from two of the runs."""
    one, many = (
        next(r for r in rows if r["ranks"] == ranks and r["kind"] == "fires") for ranks in (1, 64)
    )
    parts = many["ranks"] * many["parts"] - one["parts"]
    states = [run["bytes"]["all states"] for run in (one, many)]
    of_part = (states[1] - states[0]) / parts
    wires = circuit.projections * many["ranks"] * many["parts"]
    return {
        "neuron": (states[0] - of_part) / circuit.neurons,
        "part": of_part,
        "wire": many["bytes"]["tables of parts"] / wires,
    }
