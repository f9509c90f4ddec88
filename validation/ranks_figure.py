"""The figure of what `ranks.py` predicts for 1 to 1024 nodes."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .markdown import Row
from .ranks_model import NETWORKS, Circuit
from .ranks_prediction import KINDS, NODES, choices, circuits, plans

_COLOURS = ("#000000", "#0072B2", "#009E73", "#D55E00")
_MARKS = ("o", "s", "^", "D")


def figure(row: Row, cores: int) -> Figure:
    """Draw times of all circuits, what takes them, choices of processes, and memory of a node."""
    result = Figure(figsize=(9.0, 7.2), layout="constrained")
    ((times, kinds), (chosen, held)) = result.subplots(2, 2)
    two = min(2, cores)
    _times(times, row, cores, two)
    _kinds(kinds, row, cores, two)
    _choices(chosen, row, cores)
    _memory(held, row, cores, two)
    for axis, letter in zip((times, kinds, chosen, held), "abcd"):
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks(NODES[::2], [str(nodes) for nodes in NODES[::2]])
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_xlabel(f"nodes of {cores} cores")
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#DDDDDD", linewidth=0.6)
        axis.set_axisbelow(True)
        axis.set_title(f"{letter}  {axis.get_title()}", loc="left", fontsize=10)
        axis.set_title("")
    return result


def _real_time(axis: Axes) -> None:
    """A line where a simulated second takes a second."""
    axis.axhline(1.0, color="#999999", lw=1)
    axis.annotate(
        "real time",
        (NODES[-1], 1),
        (0, 2),
        textcoords="offset points",
        color="#666666",
        size=8,
        ha="right",
    )
    axis.set_ylabel("seconds for a simulated second")


def _times(axis: Axes, row: Row, cores: int, processes: int) -> None:
    """All circuits on both networks."""
    styles = zip(circuits(Circuit(**row["circuit"])), _COLOURS, _MARKS)
    for circuit, colour, mark in styles:
        for network, line in zip(NETWORKS, ("-", "--")):
            factors = [p.factor for p in plans(row, circuit, network, processes, cores)]
            axis.plot(NODES, factors, mark + line, color=colour, ms=3.5, lw=1.3)
    _real_time(axis)
    for network, line in zip(NETWORKS, ("-", "--")):
        axis.plot([], [], line, color="#666666", label=network.name.split()[0])
    axis.legend(
        frameon=False, fontsize=8, loc="upper center", title="colours as in d", title_fontsize=8
    )
    axis.set_title("Time")


def _kinds(axis: Axes, row: Row, cores: int, processes: int) -> None:
    """What takes the time of one circuit on the first network."""
    circuit = circuits(Circuit(**row["circuit"]))[1]
    found = plans(row, circuit, NETWORKS[0], processes, cores)
    axis.plot(NODES, [p.factor for p in found], "-", color="#000000", lw=2, label="all")
    for name, colour, mark in zip(KINDS, ("#0072B2", "#E69F00", "#D55E00", "#CC79A7"), _MARKS):
        values = [p.kind(name) or float("nan") for p in found]
        axis.plot(NODES, values, mark + "-", color=colour, ms=3.5, lw=1.2, label=name)
    axis.axhline(1.0, color="#999999", lw=1)
    axis.set_ylabel("seconds for a simulated second")
    axis.set_ylim(min(p.kind("neurons and events") for p in found) / 30, None)
    axis.legend(frameon=False, fontsize=8, loc="lower left")
    axis.set_title(f"What takes it: {circuit.name}, InfiniBand")


def _choices(axis: Axes, row: Row, cores: int) -> None:
    """How processes and threads share a node."""
    circuit = circuits(Circuit(**row["circuit"]))[1]
    styles = zip(
        choices(cores).items(), ("#000000", "#0072B2", "#D55E00"), _MARKS, ("-", "--", ":")
    )
    for (name, processes), colour, mark, line in styles:
        factors = [p.factor for p in plans(row, circuit, NETWORKS[0], processes, cores)]
        axis.plot(NODES, factors, mark + line, color=colour, ms=3.5, lw=1.3, label=name)
    _real_time(axis)
    axis.legend(frameon=False, fontsize=8, title="processes × threads of a node", title_fontsize=8)
    axis.set_title(f"Processes and threads: {circuit.name}, InfiniBand")


def _memory(axis: Axes, row: Row, cores: int, processes: int) -> None:
    """Of a node."""
    styles = zip(circuits(Circuit(**row["circuit"])), _COLOURS, _MARKS)
    for circuit, colour, mark in styles:
        held = [p.bytes / 1e9 for p in plans(row, circuit, NETWORKS[0], processes, cores)]
        axis.plot(NODES, held, mark + "-", color=colour, ms=3.5, lw=1.3, label=circuit.name)
    axis.set_ylabel("GB of a node")
    axis.legend(frameon=False, fontsize=8)
    axis.set_title("Memory")
