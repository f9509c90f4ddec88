"""`validation.speed cold`: what a user waits for before anything is compiled, and for what.

Each first call is a new process with a cache folder of its own, empty, which a second process then
reads. What compiling costs by kernel are CPU seconds of its thread, without the kernels that it
calls, from numba's events; so a crowded machine changes them little. With `--before` another
checkout is measured in the same go, in turn. Bytecode of Python is there beforehand, as after an
installation.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from models.command_line import write_json

from . import markdown
from .markdown import Row, seconds

ROOT = Path(__file__).parents[1]
_LONGEST = 1800.0  # seconds of one process
HEADINGS = (
    "first call",
    "checkout",
    "nothing compiled (s)",
    "CPU (s)",
    "compiling (s)",
    "compiling, CPU (s)",
    "kernels",
    "compiled before (s)",
)
KERNEL_HEADINGS = ("kernel", "signatures", "own CPU (s)", "of it lowering and LLVM (s)", "share")


@dataclass
class Cost:
    """What compiling a kernel costs, without the kernels that it calls.

    Attributes
    ----------
    signatures
        How often it was compiled.
    own, lowering
        CPU seconds, and those of it in lowering, optimizing and writing machine code.
    """

    kernel: str
    signatures: int = 0
    own: float = 0.0
    lowering: float = 0.0


# ---------------------------------------------------------------------------------- events of numba


def costs(events: Iterable[Sequence[Any]]) -> list[Cost]:
    """Sum up the events of a process (cold_child.Recorder), the most expensive kernel first."""
    found: dict[str, Cost] = {}
    open_: list[str] = []  # kernels that are being compiled, and "lowering" of the last one
    before = 0.0
    for cpu, _, name in events:
        if open_:
            cost = found[next(each for each in reversed(open_) if each != "lowering")]
            cost.own += cpu - before
            cost.lowering += (cpu - before) * (open_[-1] == "lowering")
        before = cpu
        if not name:
            open_.pop()
            continue
        open_.append(name)
        if name != "lowering":
            found.setdefault(name, Cost(name)).signatures += 1
    return sorted(found.values(), key=lambda cost: -cost.own)


def compiling(events: Iterable[Sequence[Any]]) -> tuple[float, float]:
    """Seconds and CPU seconds in which a process compiled."""
    total = np.zeros(2)
    depth = 0
    for cpu, wall, name in events:
        now = np.array([wall, cpu])
        if depth == 0:
            begin = now
        depth += 1 if name else -1
        if depth == 0:
            total += now - begin
    return float(total[0]), float(total[1])


# ---------------------------------------------------------------------------------------- processes


def child(checkout: Path, task: str, cache: Path, bytecode: Path) -> Row:
    """Run a task in a new process.

    Raises
    ------
    RuntimeError
        With its last words, if it fails.
    """
    ours = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | ours
    program = str(Path(__file__).with_name("cold_child.py"))
    try:
        done = subprocess.run(
            [sys.executable, program, str(checkout), task],
            check=False,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            env=environment,
            cwd=checkout,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it took more than {_LONGEST:g} s") from None
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed without a word"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(task: str, checkout: Path, folder: Path) -> Row:
    """Run a task in two processes, of which the first one finds an empty cache."""
    cache = Path(tempfile.mkdtemp(dir=folder))
    first = child(checkout, task, cache, folder / "bytecode")
    second = child(checkout, task, cache, folder / "bytecode")
    shutil.rmtree(cache, ignore_errors=True)
    return {"task": task, "first": first, "second": second}


def measure_all(args: argparse.Namespace, console: Console) -> list[Row]:
    """Measure each task of each checkout, in turn; after Ctrl-C what was measured before."""
    trees = {"this": ROOT} | ({"before": args.before} if args.before else {})
    jobs = [(task, name) for _ in range(args.repeats) for task in args.tasks for name in trees]
    rows: list[Row] = []
    with (
        suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="biosnn-cold-", ignore_cleanup_errors=True) as place,
        Progress(console=console) as bar,
    ):
        folder = Path(place)
        step = bar.add_task("bytecode", total=len(jobs))
        for checkout in trees.values():
            child(checkout, "import", folder / "none", folder / "bytecode")
        for task, name in jobs:
            bar.update(step, description=f"{task}, {name}")
            try:
                rows.append({"checkout": name} | measure(task, trees[name], folder))
            except RuntimeError as error:
                console.print(f"{task} of {name} is left out: {error}", markup=False)
            bar.advance(step)
    return rows


# ------------------------------------------------------------------------------------------- tables


def calls(rows: list[Row]) -> list[Row]:
    """Figures of each first call and checkout, medians over the repeats."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for call, figures in _figures(row).items():
            found.setdefault((call, row["checkout"]), []).append(figures)
    order = list(dict.fromkeys(call for call, _ in found))
    return [
        {"call": call, "checkout": checkout}
        | {name: float(np.median([each[name] for each in figures])) for name in figures[0]}
        for (call, checkout), figures in sorted(found.items(), key=lambda x: order.index(x[0][0]))
    ]


def _figures(row: Row) -> dict[str, Row]:
    """Figures of each call of a task, and of all calls but the import together."""
    result = {}
    for name, first in row["first"].items():
        wall, cpu = compiling(first["events"])
        again = row["second"][name]["wall"]
        kernels = len(costs(first["events"]))
        result[_label(name, row["task"])] = {
            "wall": first["wall"],
            "cpu": first["cpu"],
            "compiling": wall,
            "compiling_cpu": cpu,
            "kernels": kernels,
            "again": again,
        }
    parts = list(result)[1:]
    if len(parts) > 1:
        result[" and ".join([*row["first"]][1:]) + _suffix(row["task"])] = {
            key: sum(result[part][key] for part in parts) for key in result[parts[0]]
        }
    return result


def _label(part: str, task: str) -> str:
    """A call in the table: imports of all tasks are the same one."""
    return "import biosnn" if part == "import" else part + _suffix(task)


def _suffix(task: str) -> str:
    """What is said of a task whose calls are those of another one, too."""
    return f", {task}" if task.startswith("learned") else ""


def call_table(rows: list[Row]) -> str:
    """The table of first calls."""
    lines = [
        (
            each["call"],
            each["checkout"],
            *(seconds(each[name]) for name in ("wall", "cpu", "compiling", "compiling_cpu")),
            f"{each['kernels']:.0f}",
            seconds(each["again"]),
        )
        for each in calls(rows)
    ]
    return markdown.table(HEADINGS, lines)


def kernel_table(rows: list[Row], task: str, checkout: str, top: int) -> str:
    """The most expensive kernels of the first process that ran a task."""
    row = next(r for r in rows if (r["task"], r["checkout"]) == (task, checkout))
    found = costs([event for part in row["first"].values() for event in part["events"]])
    total = sum(cost.own for cost in found)
    shown, rest = found[:top], found[top:]
    if rest:
        others = Cost(f"{len(rest)} others", sum(c.signatures for c in rest))
        others.own, others.lowering = sum(c.own for c in rest), sum(c.lowering for c in rest)
        shown = [*shown, others]
    lines = [
        (
            cost.kernel,
            str(cost.signatures),
            seconds(cost.own),
            seconds(cost.lowering),
            f"{100 * cost.own / total:.0f} %",
        )
        for cost in shown
    ]
    return markdown.table(KERNEL_HEADINGS, lines, keys=1)


def cold(args: argparse.Namespace) -> None:
    """Measure all tasks; print the tables."""
    console = Console(stderr=True, highlight=False)
    rows = measure_all(args, console)
    if args.json:
        write_json(args.json, rows)
    print(call_table(rows))
    for task, checkout in dict.fromkeys((row["task"], row["checkout"]) for row in rows):
        if task != "import":
            print(f"\n{task}, {checkout}:\n\n{kernel_table(rows, task, checkout, args.top)}")


def checkout(text: str) -> Path:
    """Read the path of a checkout of biosnn."""
    path = Path(text).resolve()
    if not (path / "biosnn" / "__init__.py").is_file():
        raise argparse.ArgumentTypeError(
            f"{text!r} is no checkout of biosnn; it must be a folder that holds biosnn/, such as "
            "one of `git worktree add FOLDER COMMIT`."
        )
    return path
