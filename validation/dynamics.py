"""The dynamics of biosnn against Brian2, rung by rung: the same network in both, spike for spike.

python -m validation.dynamics [--models RUNG …] [--cases TEXT] [--break WHAT] [--json FILE]
python -m validation.dynamics --models trained --train FILE --test FILE
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

import biosnn as bs
from models import command_line

from .broken import BREAKS
from .dynamics_cases import Case, Result
from .dynamics_rungs import RUNGS

#: The rungs by number and by name.
NAMES = {name: rung for rung, climbing in RUNGS.items() for name in (str(rung), climbing.__name__)}


def climb(
    rung: int,
    options: dict[str, Any],
    *,
    text: str = "",
    broken: Callable[[bs.Network], bs.Network | None] | None = None,
) -> list[Result]:
    """Check the cases of a rung whose name contains `text`.

    Parameters
    ----------
    options
        Of the rung.
    broken
        Breaks Brian2's copy; cases without the thing to break are left out.
    """
    results = []
    cases = [case for case in RUNGS[rung](**options) if text in case.name]
    for case in track(cases, f"rung {rung}", console=Console(stderr=True)):
        if broken is None:
            results.append(case.check())
        elif isinstance(case, Case):
            changed = broken(case.network)
            results += [] if changed is None else [case.check(changed)]
    return results


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
    broken = "break Brian2's copy of every network: the rungs must fail"
    add("--break", dest="broken", choices=BREAKS, help=broken)
    numbers = "write a list of {rung, case, passed, first_divergence_s, max_state_error} there"
    add("--json", metavar="FILE", help=numbers)
    args = parser.parse_args(arguments)
    if bool(args.train) != bool(args.test):
        parser.error("--train and --test go together")
    return args


def main(arguments: list[str] | None = None) -> int:
    """Climb the rungs; 1 if one is not met."""
    args = options(arguments)
    results, seconds = [], {}
    for rung in sorted({NAMES[name] for name in args.models}):
        begin = time.perf_counter()
        print(f"rung {rung}, {RUNGS[rung].__name__}: {RUNGS[rung].__doc__}")
        files = {"train": args.train, "test": args.test} if rung == 4 else {}
        results += climb(rung, files, text=args.cases, broken=BREAKS.get(args.broken))
        seconds[rung] = time.perf_counter() - begin
    if not results:
        raise SystemExit(
            f"no case of these rungs has a name with {args.cases!r} in it"
            + (f" and something to break with {args.broken!r}" if args.broken else "")
        )
    show(results, seconds)
    if args.json:
        with open(args.json, "w") as file:
            json.dump([result.as_dict() for result in results], file, indent=1)
    return int(any(result.failures for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
