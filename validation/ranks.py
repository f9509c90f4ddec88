"""One network on many nodes: predicted from measured costs, and checked on this machine.

python -m validation.ranks                            measure, check on 1 to 4 processes, predict
python -m validation.ranks --json FILE --figure PNG   … and keep the numbers, draw the prediction
python -m validation.ranks --from FILE --figure PNG   predict from what was measured before
python -m validation.ranks --quick                    small circuits, about a minute and a half

The equations stand in ranks_model.py; their constants are measured by ranks_costs.py on one core.
Processes that share a processor take turns: their computing is predicted to take so many times
longer, and a meeting is measured as it is then, between pieces of work of the same length. All
repeats are taken in turn, and the fastest counts.
"""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from models.command_line import write_json

from . import ranks_prediction, ranks_runs
from .internals import parts_of, processors
from .markdown import Row
from .options import count, positive
from .ranks_costs import CIRCUITS, measure_costs
from .ranks_model import (
    COSTS,
    SECOND_LEVEL,
    WORD,
    Bytes,
    Circuit,
    Costs,
    Shared,
    computing,
    memory,
    message_bytes,
    total,
)

SCALES = {"brunel": 1.0, "microcircuit": 0.3}
QUICK = {"brunel": 0.4, "microcircuit": 0.1}


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    args = parser().parse_args(arguments)
    if args.child:
        _child(*args.child)
        return
    found = json.loads(Path(args.known).read_text()) if args.known else measure(args)
    if args.json:
        write_json(args.json, found)
    for row in found:
        show_costs(row)
        show_check(row)
    ranks_prediction.show_prediction(found[-1], args.cores)
    if args.figure:
        from .ranks_figure import figure

        figure(found[-1], args.cores).savefig(args.figure, dpi=150)


def parser() -> argparse.ArgumentParser:
    """The options."""
    result = argparse.ArgumentParser(
        prog="python -m validation.ranks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--quick", action="store_true", help="small circuits and few repeats")
    text = "processes (default 1 2 3 4)"
    add("--processes", nargs="+", type=count, default=[1, 2, 3, 4], metavar="N", help=text)
    add("--seconds", type=positive, default=0.5, help="to simulate in a run (default 0.5)")
    add("--rounds", type=count, default=2, help="of all runs on processes, in turn (default 2)")
    text = "processors of a node that is predicted (default 32)"
    add("--cores", type=count, default=32, help=text)
    add("--from", dest="known", metavar="FILE", help="of --json: measure nothing")
    add("--json", metavar="FILE", help="file for all numbers")
    add("--figure", metavar="PNG", help="file for the figure")
    result.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    return result


def _child(what: str, *given: str) -> None:
    """One of the processes that measure."""
    if what == "circuit":
        name, scale, duration, repeats, threads = given
        ranks_runs.run_circuit(name, float(scale), float(duration), int(repeats), int(threads))
    elif what == "meetings":
        words, work, touched = given
        ranks_runs.run_meetings(int(words), float(work), int(touched))
    else:
        name, scale, duration, repeats = given
        ranks_runs.run_side_by_side(name, float(scale), float(duration), int(repeats))


# ---------------------------------------------------------------------------------------- measuring


def measure(args: argparse.Namespace) -> list[Row]:
    """Costs of both circuits, and their runs on processes; what is done shows as it goes."""
    console = Console(stderr=True, highlight=False, markup=False)
    scales, repeats = (QUICK, 4) if args.quick else (SCALES, 10)
    rows = []
    for name in CIRCUITS:
        console.print(f"{name}: costs on one core …")
        row = measure_costs(name, scales[name], 0.2, repeats)
        row |= {"scale": scales[name], "processors": processors()}
        console.print(f"{name}: cores side by side …")
        side = ("--child", "side", name, row["scale"], 0.2, repeats)
        row["slower"] = ranks_runs.under_mpi(processors(), side)["slower"]
        rows.append(row)
    fixed = ranks_runs.under_mpi(1, ("--child", "circuit", "brunel", 0, 0.1, 1, 1))["bytes"][0]
    for row in rows:
        row["bytes"]["fixed"] = fixed
        row["check"] = _processes(args, row, console)
    return rows


def _processes(args: argparse.Namespace, row: Row, console: Console) -> list[Row]:
    """Runs on each number of processes, and their meetings."""
    walls: dict[int, list[float]] = {n: [] for n in args.processes}
    checks: dict[int, Row] = {}
    given = row["circuit"]["name"], row["scale"], args.seconds, 3, 1
    for _ in range(args.rounds):
        for n in args.processes:
            console.print(f"{given[0]}: {n} processes …")
            found = ranks_runs.under_mpi(n, ("--child", "circuit", *given))
            walls[n] += found["walls"]
            found["core_s"] = min(found["core_s"], checks.get(n, found)["core_s"])
            checks[n] = found
    circuit = Circuit(**row["circuit"])
    for n in args.processes:
        checks[n] |= {"processes": n, "wall_s": min(walls[n]), "most_s": max(walls[n])}
        shared = _shared(circuit, n)
        work = computing(circuit, shared, Costs(**row["costs"]))
        busy = total(work) * slower(row, n) / circuit.meetings
        words = int(message_bytes(circuit, shared) / WORD)
        own = (row["bytes"]["neuron"] + circuit.arriving) * circuit.neurons / n
        meeting = ("--child", "meetings", words, busy, min(SECOND_LEVEL, int(own)))
        checks[n]["meeting_s"] = ranks_runs.under_mpi(n, meeting)["meeting_s"] if n > 1 else 0.0
    return list(checks.values())


def _shared(circuit: Circuit, ranks: int, threads: int = 1) -> Shared:
    """How a circuit is shared."""
    arriving = circuit.arriving * circuit.neurons
    return Shared(ranks, threads, parts_of(circuit.neurons, arriving, ranks, threads))


def slower(row: Row, processes: int) -> float:
    """How many times longer a core takes where so many processes compute."""
    if processes == 1:
        return 1.0
    return float(row["slower"])


def predicted(row: Row, processes: int, meeting_s: float) -> dict[str, float]:
    """Seconds of the clock for a simulated second on this machine, by what takes them."""
    circuit = Circuit(**row["circuit"])
    found = computing(circuit, _shared(circuit, processes), Costs(**row["costs"]))
    turns = slower(row, processes) * max(1.0, processes / row["processors"])
    found = {name: turns * value for name, value in found.items()}
    return found | {"messages": circuit.meetings * meeting_s}


# ------------------------------------------------------------------------------------------- tables


def show_costs(row: Row) -> None:
    """Print the constants, and how well they fit the runs that they come from."""
    circuit, costs = Circuit(**row["circuit"]), row["costs"]
    print(
        f"{circuit.name}, scale {row['scale']:g}: {circuit.neurons} neurons, "
        f"{circuit.synapses / 1e6:.1f} million synapses, {circuit.events / 1e6:.0f} million events "
        "a second"
    )
    lines = [[name, f"{costs[name] * 1e9:.3g}"] for name in COSTS]
    ranks_prediction.show_table("", ["cost of one", "ns"], lines)
    worst = max(row["runs"], key=lambda run: abs(run["fitted_s"] / run["core_s"] - 1))
    off = [abs(run["fitted_s"] / run["core_s"] - 1) for run in row["runs"]]
    mean = sum(off) / len(off)
    print(
        f"They fit {len(off)} runs of one core within {max(off):.0%} (mean {mean:.0%}; worst: "
        f"{worst['ranks']} processes of {worst['parts']} parts, {worst['kind']}). All cores at "
        f"once: {row['slower']:.2f} times slower.\n"
    )


def _beside(expected: float, found: float, digits: int = 3) -> tuple[str, str, str]:
    """Cells of what is predicted and what is measured."""
    return f"{expected:.{digits}f}", f"{found:.{digits}f}", f"{expected / found - 1:+.0%}"


def show_check(row: Row) -> None:
    """Print predicted and measured times and memory on this machine."""
    circuit, sizes = Circuit(**row["circuit"]), Bytes(**row["bytes"])
    lines = []
    for check in row["check"]:
        n = check["processes"]
        expected = predicted(row, n, check["meeting_s"])
        work = computing(circuit, _shared(circuit, n), Costs(**row["costs"]))
        work = {name: slower(row, n) * value for name, value in work.items()}
        peak = max(check["bytes"])
        held = total(memory(circuit, _shared(circuit, n), sizes))
        turns = n > row["processors"]
        lines.append(
            [
                str(n) + (" (in turns)" if turns else ""),
                *(("", "", "") if turns else _beside(total(work), check["core_s"])),
                *_beside(total(expected), check["wall_s"]),
                f"{check['meeting_s'] * 1e6:.0f}",
                *_beside(held / 1e6, peak / 1e6, 0),
            ]
        )
    headings = ["processes", "core (s)", "measured", "", "clock (s)", "measured", ""]
    headings += ["meeting (µs)", "memory (MB)", "measured", ""]
    print(
        f"{circuit.name} on {row['processors']} processors, predicted and measured: seconds that a "
        "process computes\nfor a simulated second, seconds of the clock, and memory of a process"
    )
    ranks_prediction.show_table("", headings, lines)
    print()


if __name__ == "__main__":
    main()
    sys.exit(0)
