"""Time and memory of biosnn beside other programs, in one interleaved run.

python -m validation.speed training [--sizes 128+32@400 …] [--repeats 5] [--data FILE] [--json FILE]
python -m validation.speed simulation [--models brunel cuba coba …] [--repeats 3] [--json FILE]
python -m validation.speed report FILE [--figure PNG]      the tables of either, README's last
python -m validation.speed scaling [--quick] [--threads 2] [--json FILE] [--figure PNG]
python -m validation.speed events [--sizes 1e6 …] [--json FILE] [--figure PNG]
python -m validation.speed threads [--threads 16] [--jobs brunel …] [--scale 1] [--json FILE]
python -m validation.speed cold [--before CHECKOUT] [--tasks train …] [--top 15] [--json FILE]
"""

import argparse
import json
from dataclasses import asdict
from typing import Any

from . import cold, events, measure, report, scaling, simulations, threads, training
from .cold_child import TASKS
from .internals import processors
from .networks import parse_size
from .options import count, positive

SIZES = ("128+32@400", "512+128@200", "1024+256@200", "3x128@400", "128+32@1", "r128@400")


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    args = parser().parse_args(arguments)
    args.run(args)


def parser() -> argparse.ArgumentParser:
    """A command for everything that is measured, and for the processes that measure it."""
    result = argparse.ArgumentParser(
        prog="python -m validation.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    public = "{training,simulation,report,scaling,events,threads,cold}"
    commands = result.add_subparsers(dest="command", required=True, metavar=public)
    _training(commands.add_parser("training", help="time and memory of a training step"))
    text = "build and run times of circuits beside other simulators"
    _simulation(commands.add_parser("simulation", help=text))
    _report(commands.add_parser("report", help="markdown tables and figure of such a file"))
    text = "time per step against neurons, steps, batch, rate and threads, with its floor"
    _scaling(commands.add_parser("scaling", help=text))
    text = "cost of a synaptic event against the number of synapses"
    _events(commands.add_parser("events", help=text))
    text = "speed-up of circuits and training steps on more threads, beside the ideal"
    _threads(commands.add_parser("threads", help=text))
    text = "first calls with nothing compiled, and what compiling costs by kernel"
    _cold(commands.add_parser("cold", help=text))
    _children(commands)
    return result


def _training(command: argparse.ArgumentParser) -> None:
    """Options of `training`."""
    add = command.add_argument
    default = [parse_size(size) for size in SIZES]
    text = "n_exc+n_inh@batch; n@batch, 3xn@batch: LIF layers; rn@batch: a recurrent one "
    text += f"(default {' '.join(SIZES)})"
    add("--sizes", nargs="+", type=parse_size, default=default, metavar="SIZE", help=text)
    add("--repeats", type=count, default=5)
    add("--threads", type=count, default=processors())
    add("--data", help="SHD-layout file; default: Poisson spikes of the same shape")
    text = "measure first calls at every size, not at the first one only"
    add("--first-calls", action="store_true", help=text)
    text = "seconds that a program may take to compile (default 600)"
    add("--timeout", type=float, default=600.0, help=text)
    add("--json", help="file for the rows")
    command.set_defaults(run=training.training)


def _simulation(command: argparse.ArgumentParser) -> None:
    """Options of `simulation`."""
    add = command.add_argument
    usual, states = simulations.MODELS, simulations.STATES
    text = f"{' '.join(usual)} (default: these), and Brunel's other states: {' '.join(states)}"
    default, models = list(usual), usual + states
    add("--models", nargs="+", choices=models, default=default, metavar="MODEL", help=text)
    add("--seconds", type=positive, default=1.0, help="to simulate (default 1)")
    text = "of brunel, plasticity and microcircuit, 0.01 .. 1 (default 1)"
    add("--scale", type=positive, default=1.0, help=text)
    add("--threads", nargs="+", type=count, default=[1, 2], help="default: 1 2")
    text = "of every program and number of threads, in turn (default 1)"
    add("--repeats", type=count, default=1, help=text)
    text = "seconds that one program may take (default 1800)"
    add("--timeout", type=positive, default=1800.0, help=text)
    add("--json", help="file for the rows")
    command.set_defaults(run=simulations.simulation)


def _report(command: argparse.ArgumentParser) -> None:
    """Options of `report`."""
    command.add_argument("file", help="of training --json or simulation --json")
    command.add_argument("--figure", help="PNG to write, of a training")
    command.set_defaults(run=lambda args: report.report(args.file, args.figure))


def _scaling(command: argparse.ArgumentParser) -> None:
    """Options of `scaling`."""
    add = command.add_argument
    add("--quick", action="store_true", help="few and small points, about a minute")
    add("--threads", type=count, default=processors())
    add("--json", help="file for the rows")
    add("--figure", help="PNG to write")
    command.set_defaults(run=scaling.scaling)


def _events(command: argparse.ArgumentParser) -> None:
    """Options of `events`."""
    add = command.add_argument
    text = "numbers of synapses (default 1e6 3e6 1e7 3e7)"
    add("--sizes", nargs="+", type=count, default=list(events.SIZES), help=text)
    add("--seconds", type=positive, default=0.5, help="to simulate (default 0.5)")
    add("--threads", type=count, default=min(2, processors()))
    add("--json", help="file for the rows")
    add("--figure", help="PNG to write")
    command.set_defaults(run=events.events)


def _threads(command: argparse.ArgumentParser) -> None:
    """Options of `threads`."""
    add, jobs = command.add_argument, list(threads.JOBS)
    add("--threads", type=count, default=processors(), help="the most (default: all processors)")
    add("--jobs", nargs="+", choices=jobs, default=jobs, metavar="JOB", help=", ".join(jobs))
    add("--scale", type=positive, default=1.0, help="of the microcircuit and Brunel's circuit")
    add("--repeats", type=count, default=2, help="of which the best counts (default 2)")
    add("--json", help="file for the rows")
    command.set_defaults(run=threads.threads)


def _cold(command: argparse.ArgumentParser) -> None:
    """Options of `cold`."""
    add = command.add_argument
    text = "another checkout, such as one of an earlier commit, to measure in turn"
    add("--before", type=cold.checkout, metavar="CHECKOUT", help=text)
    text = f"default: {', '.join(TASKS)}"
    tasks = list(TASKS)
    add("--tasks", nargs="+", choices=tasks, default=tasks, metavar="TASK", help=text)
    add("--top", type=count, default=15, help="kernels in a table (default 15)")
    add("--repeats", type=count, default=1, help="of everything, in turn (default 1)")
    add("--json", help="file for all events")
    command.set_defaults(run=cold.cold)


def _children(commands: Any) -> None:
    """Commands of the processes that measure one thing."""
    for name, run in (("memory", training.memory), ("first-step", training.first_step)):
        child = commands.add_parser(name)
        for argument, kind in (("key", str), ("size", parse_size), ("threads", int)):
            child.add_argument(argument, type=kind)
        child.add_argument("path")
        child.add_argument("weights")
        child.set_defaults(run=run)
    child = commands.add_parser("simulate-one")
    for argument, kind in (("model", str), ("implementation", str), ("threads", int)):
        child.add_argument(argument, type=kind)
    for argument in ("seconds", "scale"):
        child.add_argument(argument, type=float)
    child.set_defaults(run=simulations.simulate_one)
    child = commands.add_parser("machine")
    child.set_defaults(run=lambda args: print(json.dumps(asdict(measure.measure_machine()))))


if __name__ == "__main__":
    main()
