"""The dynamics of biosnn against Brian2, rung by rung: the same network in both, spike for spike.

python -m validation.dynamics [--models RUNG …] [--cases TEXT] [--json FILE]
python -m validation.dynamics --break [FAULT …]       # must find what is wrong on purpose
python -m validation.dynamics --models trained --train FILE --test FILE
"""

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from models import command_line

from . import dynamics_faults
from .broken import BREAKS
from .dynamics_cases import Case, Result, Seeds
from .dynamics_rungs import RUNGS

#: The rungs by number and by name.
NAMES = {name: rung for rung, climbing in RUNGS.items() for name in (str(rung), climbing.__name__)}


def chosen(rungs: list[int], args: argparse.Namespace) -> Iterator[tuple[int, list[Case | Seeds]]]:
    """The cases of each rung whose name contains a text."""
    for rung in rungs:
        files = {"train": args.train, "test": args.test} if rung == 4 else {}
        cases = RUNGS[rung](**files)
        yield rung, [case for case in cases if args.cases in case.name]


def climb(rung: int, cases: list[Case | Seeds]) -> list[Result]:
    """Check the cases of a rung."""
    return [case.check() for case in track(cases, f"rung {rung}", console=Console(stderr=True))]


def show(results: list[Result], seconds: dict[int, float]) -> None:
    """Print one row per rung, and a sentence for each failure."""
    lines = []
    for rung in dict.fromkeys(result.rung for result in results):
        rows = [result for result in results if result.rung == rung]
        parted = [row.first_divergence for row in rows if row.first_divergence is not None]
        lines.append(
            (
                str(rung),
                RUNGS[rung].__name__,
                str(len(rows)),
                str(sum(row.spikes for row in rows)),
                f"{sum(row.simulated for row in rows):g}",
                f"at {min(parted):g} s" if parted else "never",
                f"{np.max([row.state_error for row in rows]):.0e}",
                f"{seconds[rung]:.0f}",
                "NO" if any(row.failures for row in rows) else "yes",
            )
        )
    command_line.show(
        "biosnn against Brian2, both in float64",
        ("rung", "", "cases", "spikes", "sim. (s)", "they differ", "states by", "took (s)", "met"),
        lines,
        keys=2,
    )
    for result in results:
        for failure in result.failures:
            print(f"rung {result.rung}, {result.name}: {failure}")


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m validation.dynamics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    rungs = f"rungs to climb, by number or name: {', '.join(NAMES)} (default: all)"
    default = [str(rung) for rung in RUNGS]
    add("--models", nargs="+", choices=NAMES, metavar="RUNG", default=default, help=rungs)
    add("--cases", default="", metavar="TEXT", help="only cases whose name contains TEXT")
    add(
        "--train",
        help="file in the layout of the Spiking Heidelberg Digits for rung 4 (default: Randman)",
    )
    add("--test", help="the same, for testing")
    broken = f"plant faults into Brian2's side, which must be found: {', '.join(BREAKS)}"
    add("--break", dest="broken", nargs="*", choices=BREAKS, metavar="FAULT", help=broken)
    numbers = "write a list of {rung, case, passed, first_divergence_s, max_state_error} there"
    add("--json", metavar="FILE", help=numbers)
    args = parser.parse_args(arguments)
    if bool(args.train) != bool(args.test):
        parser.error("--train and --test go together")
    return args


def main(arguments: list[str] | None = None) -> int:
    """Climb the rungs; 1 if one is not met, or if a fault was not planted or not found."""
    args = options(arguments)
    rungs = sorted({NAMES[name] for name in args.models})
    if args.broken is not None:
        return find_faults(rungs, args)
    results, seconds = [], {}
    begin = time.perf_counter()
    for rung, cases in chosen(rungs, args):
        print(f"rung {rung}, {RUNGS[rung].__name__}: {RUNGS[rung].__doc__}", flush=True)
        results += climb(rung, cases)
        now = time.perf_counter()
        seconds[rung], begin = now - begin, now
    if not results:
        raise SystemExit(f"no case of these rungs has a name with {args.cases!r} in it")
    show(results, seconds)
    write(args.json, [result.as_dict() for result in results])
    return int(any(result.failures for result in results))


def find_faults(rungs: list[int], args: argparse.Namespace) -> int:
    """Plant faults; 1 if one of them was not planted or not found."""
    cases = [case for _, some in chosen(rungs, args) for case in some]
    found = []
    for planted in dynamics_faults.search(cases, args.broken or BREAKS):
        found.append(planted)
        many = len(planted.results)
        print(f"{planted.fault}: found in {many - len(planted.missed)} of {many}", flush=True)
        write(args.json, dynamics_faults.as_rows(found))
    dynamics_faults.show(found)
    return int(any(planted.failure for planted in found))


def write(path: str | None, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON, if there is a path."""
    if path:
        with open(path, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    raise SystemExit(main())
