"""What the scripts share: command-line options, Ctrl-C, tables on the screen, results on disk."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

import biosnn as bs

PACKAGE = __name__.partition(".")[0]  # "models" in a clone, "biosnn_models" where installed
SHORTEST = 0.2  # seconds of an interrupted simulation that are enough for statistics

Case = TypeVar("Case")
Row = TypeVar("Row")

# ------------------------------------------------------------------------------------------ options


def description(page: str) -> str:
    """The docstring of a script as text for --help, without the marks of reStructuredText."""
    lines = (line for line in page.strip().splitlines() if not line or set(line) != {"="})
    return "\n".join(line[:-1] if line.endswith("::") else line for line in lines)


def parser(
    name: str,
    page: str,
    *,
    seconds: float | None = None,
    scale: str = "",
    seed: str = "of connections, input and initial states",
    mpi: bool = False,
) -> argparse.ArgumentParser:
    """Make the parser of a script that simulates or trains a network.

    Parameters
    ----------
    name
        The module, below `models`.
    page
        Its docstring, which --help shows.
    seconds
        Default of --seconds; without it there is no such option.
    scale
        Help text of --scale; without it there is no such option.
    seed
        What the seed is of.
    mpi
        Whether the processes of `mpiexec` can share the network: option --mpi.
    """
    result = output_parser(name, page)
    if seconds is not None:
        text = f"seconds to simulate (default {seconds:g})"
        result.add_argument("--seconds", type=float, default=seconds, help=text)
    if scale:
        result.add_argument("--scale", type=float, default=1.0, help=scale)
    result.add_argument("--seed", type=int, default=0, help=f"{seed} (default 0)")
    result.add_argument("--threads", type=int, default=None, help="default: all processors")
    if mpi:
        text = "processes that mpiexec has started share the network"
        result.add_argument("--mpi", action="store_true", help=text)
    return result


def output_parser(name: str, page: str) -> argparse.ArgumentParser:
    """Make a parser with the options --json and --out alone; arguments as of `parser`."""
    result = argparse.ArgumentParser(
        prog=f"python -m {PACKAGE}.{name}",
        description=description(page),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("--json", metavar="FILE", help="write all numbers there")
    result.add_argument("--out", default=f"runs/{name}", help="folder of the figure")
    return result


def check_options(
    parser: argparse.ArgumentParser, args: argparse.Namespace, least: float = 0.02
) -> None:
    """End with a message if --seconds, --scale, --seed or --out is out of range."""
    if args.seed < 0:
        parser.error(f"--seed is {args.seed}; it must be >= 0.")
    if Path(getattr(args, "out", ".")).is_file():
        parser.error(f"--out is {args.out}, a file; it must be a folder.")
    if not (np.isfinite(args.seconds) and args.seconds > least):
        parser.error(f"--seconds is {args.seconds:g}; it must be above {least:g}.")
    if not 0.01 <= getattr(args, "scale", 1.0) <= 1:
        parser.error(f"--scale is {args.scale:g}; it must lie in 0.01 .. 1.")


# -------------------------------------------------------------------------- processes of mpiexec


def communicator(args: argparse.Namespace) -> Any:
    """The processes that share a network: MPI.COMM_WORLD with --mpi, else None.

    Raises
    ------
    SystemExit
        If mpi4py is not there.
    """
    if not args.mpi:
        return None
    try:
        from mpi4py import MPI
    except ImportError:
        raise SystemExit('--mpi needs mpi4py: pip install "biosnn[mpi]"') from None
    return MPI.COMM_WORLD


def is_first(args: argparse.Namespace) -> bool:
    """Whether this process is the one that prints and writes."""
    processes = communicator(args)
    return processes is None or processes.Get_rank() == 0


# -------------------------------------------------------------------------- simulations, and Ctrl-C


def after_warm_up(
    network: bs.Network,
    warm_up: float,
    args: argparse.Namespace,
    background: Sequence[Any] = (),
    *,
    wake: Sequence[Any] = (),
    initial: dict[str, Any] | None = None,
    communicator: Any = None,
    **options: Any,
) -> bs.Simulation | None:
    """Simulate for --seconds after `warm_up` seconds that are not counted.

    Parameters
    ----------
    network, background, initial, communicator, options
        As in `bs.simulate`; the options are of the simulation that counts.
    warm_up
        Seconds.
    args
        The options of the command line.
    wake
        Background of the warm-up alone.

    Returns
    -------
    The simulation, or None where Ctrl-C came before there was enough for statistics.
    """
    warm = bs.simulate(
        network,
        warm_up,
        background=[*background, *wake],
        initial=initial,
        seed=args.seed,
        threads=args.threads,
        communicator=communicator,
        progress=False,
    )
    if warm.interrupted:
        return None
    done = bs.simulate(
        network,
        args.seconds,
        background=background,
        state=warm.state,
        threads=args.threads,
        communicator=communicator,
        **options,
    )
    return None if done.interrupted and done.duration < SHORTEST else done


def until_interrupted(
    simulate: Callable[[Case], bs.Simulation | None],
    measure: Callable[[Case, bs.Simulation], Row],
    cases: Iterable[Case],
) -> list[tuple[Row, bs.Simulation]]:
    """Simulate and measure all cases, or those before Ctrl-C, the last perhaps in part.

    Parameters
    ----------
    simulate
        Makes the simulation of a case, or None if there is nothing to measure.
    measure
        Makes a row of results.

    Returns
    -------
    (row, simulation) of every case.

    Raises
    ------
    SystemExit
        If Ctrl-C came before the first case could be measured.
    """
    results, cases = [], list(cases)
    for case in cases:
        try:
            done = simulate(case)
        except KeyboardInterrupt:
            done = None
        pressed = done is None or done.interrupted
        if done is not None:
            row, again = undisturbed(partial(measure, case, done), not pressed)
            results.append((row, done))
            pressed = pressed or again
        if pressed:
            _say_what_is_left_out(results, len(cases))
            break
    return results


def _say_what_is_left_out(results: list, total: int) -> None:
    """After Ctrl-C: what the table and the figure show."""
    if not results:
        raise SystemExit("interrupted before there was enough for statistics; nothing was written.")
    print(
        f"interrupted: {len(results)} of {total} simulations, "
        f"{results[-1][1].duration:.2f} s of the last; the figure and the numbers are of these."
    )


def undisturbed(work: Callable[[], Row], once: bool = True) -> tuple[Row, bool]:
    """Do work of a second or less, and do it again if Ctrl-C ends it: (its result, whether so).

    `once=False`: Ctrl-C ends it for good, because it is not the first.
    """
    try:
        return work(), False
    except KeyboardInterrupt:
        if not once:
            raise
    return work(), True


# ------------------------------------------------------------------------------------------ results


def number(value: float | None, digits: int = 2) -> str:
    """A number for a cell of a table; nothing for None and NaN."""
    return "" if value is None or np.isnan(value) else f"{value:.{digits}f}"


def table(
    title: str, headings: Sequence[str], lines: Iterable[Sequence[str]], *, keys: int = 1
) -> Table:
    """Make a table whose first `keys` columns are text that says what a row is."""
    result = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title_justify="left",
        title_style="bold",
    )
    for k, heading in enumerate(headings):
        result.add_column(heading, justify="left" if k < keys else "right", overflow="fold")
    for line in lines:
        result.add_row(*line)
    return result


def show(
    title: str, headings: Sequence[str], lines: Iterable[Sequence[str]], *, keys: int = 1
) -> None:
    """Print a `table`, wider than the screen if words or numbers would be cut otherwise."""
    printed, console = table(title, headings, lines, keys=keys), Console()
    needed = Measurement.get(console, console.options.update(width=1000), printed).minimum
    console.width = max(console.width, needed)
    console.print(printed, markup=False, highlight=False)


def save(args: argparse.Namespace, draw: Callable[[], Figure], file: str, numbers: Any) -> None:
    """Write the figure that `draw` makes and, with --json, the numbers; in spite of one Ctrl-C."""
    undisturbed(lambda: _save(args, draw, file, numbers))


def _save(args: argparse.Namespace, draw: Callable[[], Figure], file: str, numbers: Any) -> None:
    """Write both."""
    out = Path(args.out)
    if args.json:
        write_json(args.json, numbers)
    out.mkdir(parents=True, exist_ok=True)
    draw().savefig(out / file, dpi=120)
    print(f"figure: {out / file}")


def write_json(path: str | Path, numbers: Any) -> None:
    """Write numbers as JSON, in a folder that is made if need be."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(numbers, indent=1))


def peak_memory() -> float:
    """The largest resident set of this process so far, in MB; NaN where nobody knows (Windows)."""
    status = Path("/proc/self/status")
    if status.exists():  # not that of the process that started this one, as in getrusage
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))
    if sys.platform == "win32":
        return float("nan")
    import resource  # not there on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
