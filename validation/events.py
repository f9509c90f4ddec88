"""`validation.speed events`: the cost of a synaptic event from small to large networks."""

import argparse
import time

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

import biosnn as bs
from models.command_line import write_json

from . import markdown
from .markdown import Row, seconds

SIZES = (10**6, 3 * 10**6, 10**7, 3 * 10**7)  # synapses; up to 3e8 on request
OUT_DEGREE, RATE, TAU, DT, DELAY = 1000, 10.0, 20e-3, 0.1e-3, 1.5e-3
HEADINGS = (
    "synapses",
    "neurons",
    "events",
    "build (s)",
    "run (s)",
    "silent (s)",
    "ns per event",
    "ns per neuron and step",
)

#: A current that reaches threshold 1 once in 1 / RATE seconds.
CURRENT = 1 / (1 - np.exp(-1 / (RATE * TAU)))


def network(synapses: int, seed: int = 0) -> bs.Network:
    """Build neurons that project onto 1000 others each, with weights of (almost) nothing.

    So only the current decides how they fire.
    """
    net = bs.Network(DT)
    n = max(OUT_DEGREE + 1, round(synapses / OUT_DEGREE))
    e = net.population(n, bs.lif_delta(tau_mem=TAU), "excitatory", name="E")
    rule = bs.FixedOutDegree(OUT_DEGREE)
    net.connect(e, e, delay=DELAY, weights=1e-12, synapses=rule, seed=seed)
    return net


def phases(rng: np.random.Generator | None, n: int) -> np.ndarray:
    """Potentials of neurons that are spread evenly over the period between two of their spikes."""
    share = (np.arange(n) + 0.5) / n
    return (1 - np.exp(-share / (RATE * TAU))) / (1 - np.exp(-1 / (RATE * TAU)))


def simulate(net: bs.Network, current: float, duration: float, threads: int) -> bs.Simulation:
    """Drive all neurons with a constant current."""
    return bs.simulate(
        net,
        duration,
        background=[bs.Current("E", current)],
        initial={"E.U": phases},
        threads=threads,
        progress=False,
    )


def events_row(synapses: int, duration: float, threads: int, repeats: int = 3) -> Row:
    """Nanoseconds per synaptic event, and per update of a neuron.

    The events are those over the silent network with as much background. Of every network the
    fastest of some runs counts.
    """
    begin = time.perf_counter()
    net = network(synapses)
    build_s = time.perf_counter() - begin
    simulate(net, CURRENT, 20 * DT, threads)  # loads compiled code
    active, silent = (
        min((simulate(net, current, duration, threads) for _ in range(repeats)), key=_wall)
        for current in (CURRENT, 0.0)
    )
    events, updates = active.counts["E"] * OUT_DEGREE, net["E"].n * round(duration / DT)
    return {
        "synapses": net.synapses["E->E"].size,
        "neurons": net["E"].n,
        "events": int(events),
        "build_s": build_s,
        "run_s": active.wall,
        "silent_s": silent.wall,
        "silent_spikes": int(silent.counts["E"]),
        "ns_per_event": 1e9 * (active.wall - silent.wall) / events,
        "ns_per_update": 1e9 * silent.wall / updates,
        "threads": threads,
        "simulated_s": duration,
    }


def _wall(done: bs.Simulation) -> float:
    """Seconds that a simulation took."""
    return done.wall


def events(args: argparse.Namespace) -> None:
    """Measure all sizes; print the table, and write the figure."""
    console, rows = Console(stderr=True), []
    for synapses in args.sizes:
        console.print(f"{synapses:.0e} synapses …", highlight=False)
        rows.append(events_row(synapses, args.seconds, args.threads))
        if args.json:
            write_json(args.json, rows)
    print(markdown.table(HEADINGS, [_line(row) for row in rows], keys=0))
    if args.figure:
        figure(rows).savefig(args.figure, dpi=150)


def _line(row: Row) -> tuple[str, ...]:
    """A line of the table."""
    return (
        f"{row['synapses']:.3g}",
        str(row["neurons"]),
        f"{row['events']:.3g}",
        seconds(row["build_s"]),
        seconds(row["run_s"]),
        seconds(row["silent_s"]),
        f"{row['ns_per_event']:.3g}",
        f"{row['ns_per_update']:.3g}",
    )


def figure(rows: list[Row]) -> Figure:
    """Cost of an event, and of a neuron and step in the silent network, against the synapses."""
    result = Figure(figsize=(8, 3.5), layout="constrained")
    left, right = result.subplots(1, 2)
    for axis, key, label in (
        (left, "ns_per_event", "time per synaptic event (ns)"),
        (right, "ns_per_update", "silent: time per neuron and step (ns)"),
    ):
        axis.plot([r["synapses"] for r in rows], [r[key] for r in rows], "o-", color="black")
        axis.set(xscale="log", xlabel="synapses", ylabel=label, ylim=(0, None))
    return result
