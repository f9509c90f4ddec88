"""Time and memory of a training step: biosnn, PyTorch and packages for spiking networks, in one interleaved run.

python -m validation.speed training [--sizes 128+32@400 …] [--repeats 5] [--threads 2] [--data FILE] [--json FILE]
python -m validation.speed report FILE [--figure PNG]
python -m validation.speed scaling [--quick] [--threads 2] [--json FILE] [--figure PNG]
python -m validation.speed simulation [--models brunel cuba coba microcircuit] [--seconds 1] [--scale 1] [--json FILE]
python -m validation.speed events [--sizes 1e6 …] [--json FILE] [--figure PNG]
"""

import argparse
import json
import platform
import sys

import numpy as np
from rich.console import Console

from biosnn.support.threads import default_threads

from . import measure, programs, report, scaling, simulations
from .programs import CHOSEN, PROGRAMS, parse_size

SIZES = ("128+32@400", "512+128@200", "1024+256@200", "3x128@400", "128+32@1", "r128@400")
_CHECKED_TRIALS = 8  # of which gradients are compared, in float64


def by_key(key):
    return next(p for p in PROGRAMS if p.key == key)


# ----------------------------------------------------------------------------------------- training


def training(args):
    console, rows = Console(stderr=True), []
    for program in PROGRAMS:
        if program.absent:
            console.print(
                f"{program.name} is left out: {program.absent}", highlight=False, markup=False
            )
    for k, size in enumerate(args.sizes):
        console.print(f"{size} …", highlight=False)
        rows += measure_size(size, args, k == 0 or args.first_calls, console)
        if args.json:
            with open(args.json, "w") as file:
                json.dump(rows, file, indent=1)
    print(report.markdown(rows))


def measure_size(size, args, with_first_calls, console):
    """Rows of all programs that can run at a size; what fails or takes too long in a process of its own is left out."""
    data, known, jobs = programs.load(args.data, max(size.batch, 64)), {}, {}
    for program in PROGRAMS:
        if program.absent or (size.dalian and not program.dalian):
            continue
        console.print(
            f"  {program.key}: memory{' and first calls' * with_first_calls} …", highlight=False
        )
        try:
            known[program] = alone(program, size, args, with_first_calls)
        except RuntimeError as error:
            console.print(f"  {program.key} is left out: {error}", highlight=False, markup=False)
            continue
        jobs[program] = make_job(program, size, data, args.threads)
        jobs[program].step()  # warm-up
    times = {program: [] for program in jobs}
    console.print(f"  times, {args.repeats} in turn …", highlight=False)
    for _ in range(args.repeats):
        for program, job in jobs.items():
            times[program].append(job.step())
    data_seconds = {program: job.data_s for program, job in jobs.items()}
    jobs.clear()
    console.print("  gradients …")
    reference = np.array(times[next(iter(times))]) if times else None
    return [
        row(program, size, np.array(each), reference)
        | known[program]
        | system(program)
        | {
            "data_s": data_seconds[program],
            "threads": args.threads,
            "data": "file" if args.data else "Poisson",
            "gradient_difference": programs.gradient_difference(
                program, size, data[:_CHECKED_TRIALS]
            ),
        }
        for program, each in times.items()
    ]


def alone(program, size, args, with_first_calls):
    """What is measured in processes of their own."""
    which = program.key, size, args.threads, args.data or ""
    result = {"peak_memory_mb": measure.in_own_process(["memory", *which], timeout=args.timeout)}
    return result | (measure.first_calls(which, args.timeout) if with_first_calls else {})


def make_job(program, size, data, threads):
    net = programs.build(size, data, surrogate=program.surrogate)
    return program.job(net, data[: size.batch], threads)


def row(program, size, times, reference):
    """Medians over the repeats; `reference`: times of the first program, taken in turn with these."""
    forward, adjoint, optimizer, step = (
        None if np.isnan(t) else t for t in np.median(times, axis=0).tolist()
    )
    return {
        "size": str(size),
        "implementation": program.name,
        "surrogate": type(program.surrogate).__name__,
        "forward_s": forward,
        "adjoint_s": adjoint,
        "optimizer_s": optimizer,
        "step_s": step,
        "step_min_s": float(times[:, 3].min()),
        "step_max_s": float(times[:, 3].max()),
        "spread_s": float(np.subtract(*np.percentile(times[:, 3], [75, 25]))),
        "repeats": len(times),
        "chosen": CHOSEN[program.name],
        "times_biosnn": float(np.median(times[:, 3] / reference[:, 3])),
    }


def system(program):
    return {
        "versions": program.versions() | {"python": platform.python_version()},
        "system": platform.system(),
        "processor": platform.machine(),
    }


# ------------------------------------------------------------------------------------- command line


def main(arguments=None):
    args = _parser().parse_args(arguments)
    if args.command in ("memory", "first-step"):
        data, program = programs.load(args.path, max(args.size.batch, 64)), by_key(args.key)
        net = programs.build(args.size, data, surrogate=program.surrogate)

        def job(part=data[: args.size.batch]):
            return program.job(net, part, args.threads)

        if args.command == "memory":
            measure.step_memory(job, data[: args.size.batch])
        else:
            measure.first_step(job)
    elif args.command == "machine":
        print(json.dumps(measure.measure_machine()._asdict()))
    elif args.command == "report":
        report.report(args.file, args.figure)
    elif args.command == "scaling":
        scaling.scaling(args)
    elif args.command in simulations.COMMANDS:
        simulations.COMMANDS[args.command](args)
    else:
        training(args)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m validation.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="{training,report,scaling,simulation,events}"
    )
    one = commands.add_parser("training", help="time and memory of a training step")
    one.add_argument(
        "--sizes",
        nargs="+",
        type=parse_size,
        default=[parse_size(s) for s in SIZES],
        metavar="SIZE",
        help=f"n_exc+n_inh@batch; n@batch, 3xn@batch: LIF layers; rn@batch: a recurrent one (default {' '.join(SIZES)})",
    )
    one.add_argument("--repeats", type=_positive, default=5)
    one.add_argument("--threads", type=_positive, default=default_threads())
    one.add_argument("--data", help="SHD-layout file; default: Poisson spikes of the same shape")
    one.add_argument(
        "--first-calls",
        action="store_true",
        help="measure first calls at every size, not at the first one only",
    )
    one.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        help="seconds that a program may take to compile (default 600)",
    )
    one.add_argument("--json", help="file for the rows")
    two = commands.add_parser("report", help="markdown table and figure of such a file")
    two.add_argument("file")
    two.add_argument("--figure", help="PNG to write")
    three = commands.add_parser(
        "scaling",
        help="time per step against neurons, steps, batch, rate and threads, with its floor",
    )
    three.add_argument("--quick", action="store_true", help="few and small points, about a minute")
    three.add_argument("--threads", type=_positive, default=default_threads())
    three.add_argument("--json", help="file for the rows")
    three.add_argument("--figure", help="PNG to write")
    simulations.add_commands(commands)
    for name in ("memory", "first-step"):
        child = commands.add_parser(name)
        for argument, kind in (("key", str), ("size", parse_size), ("threads", int), ("path", str)):
            child.add_argument(argument, type=kind)
    commands.add_parser("machine")
    return parser


def _positive(text):
    if not (text.isdigit() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number >= 1.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
