"""`validation.speed training`: time and memory of a training step, all programs in turn."""

import argparse
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

import biosnn as bs
from models.command_line import write_json

from . import measure, report
from .markdown import Row
from .networks import Size, describe, load, save_start, start, start_from
from .programs import CHOSEN, PROGRAMS, Program, gradient_difference

_CHECKED_TRIALS = 8  # of which gradients are compared, in float64


def training(args: argparse.Namespace) -> None:
    """Measure all sizes; print the tables."""
    console = Console(stderr=True, highlight=False, markup=False)
    rows: list[Row] = []
    for program in PROGRAMS:
        if program.absent:
            console.print(f"{program.name} is left out: {program.absent}")
    for k, size in enumerate(args.sizes):
        console.print(f"{size} …")
        with tempfile.TemporaryDirectory() as folder:
            weights = Path(folder, "start.npz")
            rows += measure_size(size, weights, args, k == 0 or args.first_calls, console)
        if args.json:
            write_json(args.json, rows)
    print(report.training(rows))


def measure_size(
    size: Size,
    weights: Path,
    args: argparse.Namespace,
    with_first_calls: bool,
    console: Console,
) -> list[Row]:
    """Rows of all programs that can run at a size.

    What fails or takes too long in a process of its own is left out. weights: a file to write, from
    which all programs start.
    """
    data = load(args.data, max(size.batch, 64))
    save_start(start(describe(size, data.n_units), data), weights)
    known, jobs = {}, {}
    for program in PROGRAMS:
        if program.absent or (size.dalian and not program.dalian):
            continue
        console.print(f"  {program.key}: memory{' and first calls' * with_first_calls} …")
        try:
            known[program] = alone(program, size, weights, args, with_first_calls)
        except RuntimeError as error:
            console.print(f"  {program.key} is left out: {error}")
            continue
        net = start_from(describe(size, data.n_units, surrogate=program.surrogate), weights)
        jobs[program] = program.job(net, data[: size.batch], args.threads)
        jobs[program].step()  # warm-up
    console.print(f"  times, {args.repeats} in turn …")
    times = in_turn(jobs, args.repeats)
    for program, job in jobs.items():
        known[program] |= {"data_s": job.data_s, "data": "file" if args.data else "Poisson"}
    jobs.clear()
    console.print("  gradients …")
    few = data[:_CHECKED_TRIALS]
    return [
        row(program, size, each, next(iter(times.values())))
        | known[program]
        | system(program)
        | {
            "threads": args.threads,
            "gradient_difference": gradient_difference(program, size, few),
        }
        for program, each in times.items()
    ]


def in_turn(jobs: dict[Program, Any], repeats: int) -> dict[Program, np.ndarray]:
    """Times (repeat, part of the step) of all programs, each repeat of all before the next."""
    times: dict[Program, list] = {program: [] for program in jobs}
    for _ in range(repeats):
        for program, job in jobs.items():
            times[program].append(job.step())
    return {program: np.array(each) for program, each in times.items()}


def row(program: Program, size: Size, times: np.ndarray, reference: np.ndarray) -> Row:
    """Medians over the repeats; `reference`: times of the first program, taken in turn."""
    medians = np.median(times, axis=0).tolist()
    forward, adjoint, optimizer, step = (None if np.isnan(t) else t for t in medians)
    steps = times[:, 3]
    return {
        "size": str(size),
        "implementation": program.name,
        "surrogate": type(program.surrogate).__name__,
        "forward_s": forward,
        "adjoint_s": adjoint,
        "optimizer_s": optimizer,
        "step_s": step,
        "step_min_s": float(steps.min()),
        "step_max_s": float(steps.max()),
        "spread_s": float(np.subtract(*np.percentile(steps, [75, 25]))),
        "repeats": len(times),
        "chosen": CHOSEN[program.name],
        "times_biosnn": float(np.median(steps / reference[:, 3])),
    }


def system(program: Program) -> Row:
    """What it was measured on."""
    return {
        "versions": program.versions() | {"python": platform.python_version()},
        "system": platform.system(),
        "processor": platform.machine(),
    }


# -------------------------------------------------------------------------- processes of their own


def alone(
    program: Program,
    size: Size,
    weights: Path,
    args: argparse.Namespace,
    with_first_calls: bool,
) -> Row:
    """What is measured in processes of their own."""
    which = program.key, size, args.threads, args.data or "", weights
    result = {"peak_memory_mb": measure.in_own_process(["memory", *which], timeout=args.timeout)}
    return result | (measure.first_calls(which, args.timeout) if with_first_calls else {})


def memory(args: argparse.Namespace) -> None:
    """Print the memory of a step of one program."""
    make_job, data = _job(args)
    measure.step_memory(make_job, data)


def first_step(args: argparse.Namespace) -> None:
    """Print the seconds of the first step of one program."""
    make_job, data = _job(args)
    measure.first_step(lambda: make_job(data))


def _job(args: argparse.Namespace) -> tuple[Callable[[bs.SpikeTrains], Any], bs.SpikeTrains]:
    """What makes the training step of a program on some trials, and the batch."""
    data = load(args.path, args.size.batch)
    program = next(p for p in PROGRAMS if p.key == args.key)
    net = start_from(describe(args.size, data.n_units, surrogate=program.surrogate), args.weights)
    return lambda part: program.job(net, part, args.threads), data
