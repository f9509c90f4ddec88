"""Build and run times of whole circuits beside other simulators, and the cost of a synaptic event from small to large networks."""

import argparse
import json
import os
import time

import numpy as np
from rich.console import Console

import biosnn as bs

from . import measure
from .report import _table as markdown_table
from .report import choices, seconds

THREADS = (1, 2)
SIZES = (10**6, 3 * 10**6, 10**7, 3 * 10**7)  # synapses; up to 3e8 on request
OUT_DEGREE, RATE, TAU, DT, DELAY = 1000, 10.0, 20e-3, 0.1e-3, 1.5e-3
HEADINGS = (
    "model",
    "scale",
    "program",
    "threads",
    "build (s)",
    "run (s)",
    "simulated (s)",
    "rate (Hz)",
    "times biosnn",
)


# ----------------------------------------------------------------------------------------- circuits


def simulation(args):
    """Every model in every program, each in a process of its own; what is missing or fails is left out with a line."""
    from .simulation_peers import IMPLEMENTATIONS, absent, environment

    console, rows = Console(stderr=True), []
    for model in args.models:
        scale = 1.0 if model in ("cuba", "coba") else args.scale
        for implementation in IMPLEMENTATIONS:
            missing = absent(implementation, model, scale)
            if missing:
                console.print(
                    f"{implementation} is left out of {model}: {missing}",
                    highlight=False,
                    markup=False,
                )
                continue
            for threads in args.threads:
                console.print(f"{model}: {implementation}, {threads} threads …", highlight=False)
                try:
                    rows.append(
                        measure.in_own_process(
                            ["simulate-one", model, implementation, threads, args.seconds, scale],
                            environment(implementation, threads),
                            args.timeout,
                        )
                    )
                except RuntimeError as error:
                    console.print(f"  left out: {error}", highlight=False, markup=False)
                if args.json:
                    _write(args.json, rows)
    print(table(rows))


def simulate_one(args):
    """One row, as JSON in the last line."""
    from .simulation_peers import run

    print(
        "\n"
        + json.dumps(run(args.model, args.implementation, args.threads, args.seconds, args.scale))
    )


def table(rows):
    """Markdown, with the run time beside the fastest one of biosnn for the same circuit."""
    if not rows:
        return "(no program could run)"
    lines = []
    for row in rows:
        same = [
            r["run_s"]
            for r in rows
            if (r["model"], r["scale"], r["implementation"])
            == (row["model"], row["scale"], "biosnn")
        ]
        lines.append(
            (
                row["model"],
                f"{row['scale']:g}",
                row["implementation"],
                str(row["threads"]),
                seconds(row["build_s"]),
                seconds(row["run_s"]),
                f"{row['simulated_s']:g}",
                f"{row['rate_hz']:.2f}",
                f"{row['run_s'] / min(same):.3g}" if same else "",
            )
        )
    return markdown_table(HEADINGS, lines) + choices(rows)


# ---------------------------------------------------------------------------------- synaptic events


def network(synapses, seed=0):
    """Neurons that project onto 1000 others each with weights of (almost) nothing: only the current decides how they fire."""
    net = bs.Network(DT)
    e = net.population(
        max(OUT_DEGREE + 1, round(synapses / OUT_DEGREE)),
        bs.lif_delta(tau_mem=TAU),
        "excitatory",
        name="E",
    )
    net.connect(e, e, delay=DELAY, weights=1e-12, synapses=bs.FixedOutDegree(OUT_DEGREE), seed=seed)
    return net


def events_row(synapses, duration, threads, repeats=3):
    """Nanoseconds per synaptic event, over those of the silent network with as much background, and per update of a neuron.

    Of every network the fastest of some runs counts.
    """
    begin = time.perf_counter()
    net = network(synapses)
    build_s = time.perf_counter() - begin
    threshold = 1 / (
        1 - np.exp(-1 / (RATE * TAU))
    )  # a current that reaches threshold 1 once in 1 / RATE seconds

    def run(current, seconds=duration):
        return bs.simulate(
            net,
            seconds,
            background=[bs.Current("E", current)],
            initial={"E.U": phases},
            threads=threads,
            progress=False,
        )

    run(threshold, 20 * DT)  # loads compiled code
    active, silent = (
        min((run(current) for _ in range(repeats)), key=lambda done: done.wall)
        for current in (threshold, 0.0)
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


def phases(rng, n):
    """Potentials of neurons that are spread evenly over the period between two of their spikes."""
    share = (np.arange(n) + 0.5) / n
    return (1 - np.exp(-share / (RATE * TAU))) / (1 - np.exp(-1 / (RATE * TAU)))


def events(args):
    console, rows = Console(stderr=True), []
    for synapses in args.sizes:
        console.print(f"{synapses:.0e} synapses …", highlight=False)
        rows.append(events_row(synapses, args.seconds, args.threads))
        if args.json:
            _write(args.json, rows)
    print(
        markdown_table(
            (
                "synapses",
                "neurons",
                "events",
                "build (s)",
                "run (s)",
                "silent (s)",
                "ns per event",
                "ns per neuron and step",
            ),
            [
                (
                    f"{r['synapses']:.3g}",
                    str(r["neurons"]),
                    f"{r['events']:.3g}",
                    seconds(r["build_s"]),
                    seconds(r["run_s"]),
                    seconds(r["silent_s"]),
                    f"{r['ns_per_event']:.3g}",
                    f"{r['ns_per_update']:.3g}",
                )
                for r in rows
            ],
        )
    )
    if args.figure:
        events_figure(rows).savefig(args.figure, dpi=150)


def events_figure(rows):
    """Cost of an event, and of a neuron and step in the silent network, against the number of synapses."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axis, key, label in (
        (left, "ns_per_event", "time per synaptic event (ns)"),
        (right, "ns_per_update", "silent: time per neuron and step (ns)"),
    ):
        axis.plot([r["synapses"] for r in rows], [r[key] for r in rows], "o-", color="black")
        axis.set(xscale="log", xlabel="synapses", ylabel=label, ylim=(0, None))
    return figure


# ------------------------------------------------------------------------------------- command line


def _write(path, rows):
    with open(path, "w") as file:
        json.dump(rows, file, indent=1)


def _positive(text):
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not (np.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0.")
    return value


def _count(text):
    return round(_positive(text))


def add_commands(commands):
    models = ("brunel", "cuba", "coba", "plasticity", "microcircuit")
    states = ("brunel-regular", "brunel-fast", "brunel-slow")
    one = commands.add_parser(
        "simulation", help="build and run times of circuits beside Brian2 (C++) and NEST"
    )
    one.add_argument(
        "--models",
        nargs="+",
        choices=models + states,
        default=list(models),
        metavar="MODEL",
        help=f"{' '.join(models)} (default: these), and Brunel's other states: {' '.join(states)}",
    )
    one.add_argument("--seconds", type=_positive, default=1.0, help="to simulate (default 1)")
    one.add_argument(
        "--scale",
        type=_positive,
        default=1.0,
        help="of brunel, plasticity and microcircuit, 0.01 .. 1 (default 1)",
    )
    one.add_argument(
        "--threads", nargs="+", type=_count, default=list(THREADS), help="default: 1 2"
    )
    one.add_argument(
        "--timeout",
        type=_positive,
        default=1800.0,
        help="seconds that one program may take (default 1800)",
    )
    one.add_argument("--json", help="file for the rows")
    two = commands.add_parser(
        "events", help="cost of a synaptic event against the number of synapses"
    )
    two.add_argument(
        "--sizes",
        nargs="+",
        type=_count,
        default=list(SIZES),
        help="numbers of synapses (default 1e6 3e6 1e7 3e7)",
    )
    two.add_argument("--seconds", type=_positive, default=0.5, help="to simulate (default 0.5)")
    two.add_argument("--threads", type=_count, default=min(2, os.cpu_count()))
    two.add_argument("--json", help="file for the rows")
    two.add_argument("--figure", help="PNG to write")
    child = commands.add_parser("simulate-one")
    for argument, kind in (
        ("model", str),
        ("implementation", str),
        ("threads", int),
        ("seconds", float),
        ("scale", float),
    ):
        child.add_argument(argument, type=kind)


COMMANDS = {"simulation": simulation, "events": events, "simulate-one": simulate_one}
