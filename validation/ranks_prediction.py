"""What the costs of `ranks.py` mean for 1 to 1024 nodes: times, memory, and how to share a node.

A node has C cores and two halves of memory (NUMA nodes). Its processes are one with C threads, two
with C / 2 each, or C with one each. What passes between nodes reaches all processes of a node once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rich.console import Console

from models import command_line
from models import potjans_diesmann_2014 as model

from .internals import parts_of
from .markdown import Row, seconds
from .ranks_model import (
    NETWORKS,
    Bytes,
    Circuit,
    Costs,
    Network,
    Shared,
    computing,
    memory,
    passing,
    total,
)

NODES = tuple(2**k for k in range(11))
#: What shrinks with nodes, what stays, what grows, and what passes between them.
KINDS = {
    "neurons and events": ("neuron", "event", "far"),
    "lookups, spikes, steps": ("step", "round", "lookup", "spike", "meeting"),
    "lists of all parts": ("list", "filled", "count"),
    "network": ("latency", "bandwidth"),
}


class Plan(NamedTuple):
    """A circuit on nodes: seconds for a simulated second by what takes them, bytes of a node."""

    nodes: int
    ranks: int
    threads: int
    seconds: dict[str, float]
    bytes: float

    @property
    def factor(self) -> float:
        """Seconds of the clock for a simulated second."""
        return total(self.seconds)

    def kind(self, name: str) -> float:
        """Seconds of one of KINDS."""
        return sum(self.seconds[each] for each in KINDS[name])


def choices(cores: int) -> dict[str, int]:
    """Processes of a node, by what they are called."""
    found = {f"1 × {cores}": 1}
    if cores > 2:
        found[f"2 × {cores // 2}"] = 2
    return found | {f"{cores} × 1": cores}


def full_circuit(measured: Circuit) -> Circuit:
    """Return the whole microcircuit, from what a smaller one has shown."""
    numbers = model.synapse_numbers()
    spikes = model.NEURONS * model.RATES
    return replace(
        measured,
        name="microcircuit",
        neurons=int(model.NEURONS.sum()),
        synapses=float(numbers.sum()),
        spikes=float(spikes.sum()),
        events=float((numbers.sum(axis=0) * model.RATES).sum()),
    )


def circuits(measured: Circuit) -> list[Circuit]:
    """Return the whole microcircuit, and larger ones of its structure."""
    full = full_circuit(measured)
    return [
        full,
        full.grown("10 ×", 10),
        full.grown("10 ×, 10 000 synapses", 10, 10_000),
        full.grown("100 ×, 10 000 synapses", 100, 10_000),
    ]


def plan(
    row: Row, circuit: Circuit, network: Network, nodes: int, processes: int, cores: int
) -> Plan:
    """Predict a circuit on nodes.

    Parameters
    ----------
    row
        What `ranks.measure` has found: costs and sizes.
    circuit, network
        Of which.
    nodes, processes, cores
        Nodes, and processes and cores of each.
    """
    ranks, threads = nodes * processes, cores // processes
    parts = parts_of(circuit.neurons, circuit.arriving * circuit.neurons, ranks, threads)
    shared = Shared(ranks, threads, parts)
    found = computing(circuit, shared, Costs(**row["costs"]))
    found = {name: value * row["slower"] for name, value in found.items()}
    passed = passing(circuit, shared, network)
    if nodes == 1:
        passed = dict.fromkeys(passed, 0.0)
    held = total(memory(circuit, shared, Bytes(**row["bytes"])))
    return Plan(nodes, ranks, threads, found | passed, held * processes)


def plans(row: Row, circuit: Circuit, network: Network, processes: int, cores: int) -> list[Plan]:
    """Predict a circuit on 1 to 1024 nodes."""
    return [plan(row, circuit, network, nodes, processes, cores) for nodes in NODES]


def show_table(
    title: str, headings: Sequence[str], lines: Iterable[Sequence[str]], keys: int = 1
) -> None:
    """Print a table as wide as its rows need, on a screen or into a file."""
    console = Console()
    console.width = max(console.width, 120)
    printed = command_line.table(title, headings, lines, keys=keys)
    console.print(printed, markup=False, highlight=False)


def show_prediction(row: Row, cores: int) -> None:
    """Print times and memory of all circuits, networks and choices."""
    lines: list[list[str]] = []
    shown = NODES[::2]
    for circuit in circuits(Circuit(**row["circuit"])):
        for network in NETWORKS:
            for choice, processes in choices(cores).items():
                found = plans(row, circuit, network, processes, cores)
                best = min(found, key=lambda each: each.factor)
                lines.append(
                    [
                        circuit.name,
                        network.name.split()[0],
                        choice,
                        *(seconds(each.factor) for each in found[::2]),
                        f"{best.nodes}: {seconds(best.factor)}",
                    ]
                )
    title = f"Predicted: seconds for a simulated second, nodes of {cores} cores"
    headings = ["circuit", "network", "a node", *map(str, shown), "best"]
    show_table(title, headings, lines, 3)
    _show_memory(row, cores, shown)


def _show_memory(row: Row, cores: int, shown: tuple[int, ...]) -> None:
    """Print memory of a node."""
    lines: list[Any] = []
    for circuit in circuits(Circuit(**row["circuit"])):
        for choice, processes in choices(cores).items():
            found = plans(row, circuit, NETWORKS[0], processes, cores)[::2]
            lines.append([circuit.name, choice, *(f"{each.bytes / 1e9:.3g}" for each in found)])
    print()
    show_table("Predicted: GB of a node", ["circuit", "a node", *map(str, shown)], lines, 2)
