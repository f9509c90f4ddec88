"""`validation.speed simulation`: build and run times of whole circuits beside other simulators."""

import argparse
import json

import numpy as np
from rich.console import Console

from models.command_line import write_json

from . import measure, report
from .markdown import Row

MODELS = ("brunel", "cuba", "coba", "plasticity", "microcircuit", "wang")
STATES = ("brunel-regular", "brunel-fast", "brunel-slow")


def simulation(args: argparse.Namespace) -> None:
    """Run every model in every program, each in a process of its own; print the table.

    What is missing or fails is left out with a line.
    """
    console = Console(stderr=True, highlight=False, markup=False)
    rows: list[Row] = []
    for model in args.models:
        runs: dict[tuple[str, int], list[Row]] = {}
        for repeat in range(args.repeats):
            for implementation, threads in programs(model, args, console, repeat == 0):
                console.print(f"{model}: {implementation}, {threads} threads …")
                try:
                    done = run_alone(model, implementation, threads, args)
                except RuntimeError as error:
                    console.print(f"  left out: {error}")
                    continue
                runs.setdefault((implementation, threads), []).append(done)
                if args.json:
                    write_json(args.json, [*rows, *map(median, runs.values())])
        rows += map(median, runs.values())
    print(report.simulation(rows))


def scale_of(model: str, args: argparse.Namespace) -> float:
    """--scale, for the models that have one."""
    return 1.0 if model in ("cuba", "coba", "wang") else args.scale


def programs(
    model: str, args: argparse.Namespace, console: Console, say_what_is_absent: bool
) -> list[tuple[str, int]]:
    """(program, threads) of all that can run a model here."""
    from .simulation_peers import IMPLEMENTATIONS, absent

    found = []
    for implementation in IMPLEMENTATIONS:
        missing = absent(implementation, model, scale_of(model, args))
        if missing is None:
            found += [(implementation, threads) for threads in args.threads]
        elif say_what_is_absent:
            console.print(f"{implementation} is left out of {model}: {missing}")
    return found


def run_alone(model: str, implementation: str, threads: int, args: argparse.Namespace) -> Row:
    """One row, of a process of its own."""
    from .simulation_peers import environment

    return measure.in_own_process(
        ["simulate-one", model, implementation, threads, args.seconds, scale_of(model, args)],
        environment(implementation, threads),
        args.timeout,
    )


def median(runs: list[Row]) -> Row:
    """One row of several repeats: median times, and the shortest and longest run.

    Examples
    --------
    >>> median([{"build_s": 1.0, "run_s": s} for s in (4.0, 2.0, 3.0)])["run_s"]
    3.0
    """
    times = [row["run_s"] for row in runs]
    return runs[0] | {
        "build_s": float(np.median([row["build_s"] for row in runs])),
        "run_s": float(np.median(times)),
        "run_min_s": min(times),
        "run_max_s": max(times),
        "repeats": len(runs),
    }


def simulate_one(args: argparse.Namespace) -> None:
    """Print one row, as JSON in the last line."""
    from .simulation_peers import run

    row = run(args.model, args.implementation, args.threads, args.seconds, args.scale)
    print("\n" + json.dumps(row))
