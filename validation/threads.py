"""`validation.speed threads`: what more threads give, beside the ideal and beside this machine's.

Each job runs on 1, 2, 4 … threads. `ideal` is the time of one thread over their number.
`apart` is what the machine itself gives: that many independent runs of a small circuit at once, one
a thread, which share nothing but caches, memory and the cores that two threads may have in common;
its speed-up is the most that a job can reach there.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

import biosnn as bs
from models.command_line import write_json

from .internals import TrainingStep
from .markdown import Row, seconds, table
from .networks import describe, load, parse_size, start

JOBS = ("microcircuit", "brunel", "coba", "cuba", "128+32@400", "1024+256@400")
_INDEPENDENT = 4  # runs of the small circuit for each thread


def threads(args: argparse.Namespace) -> None:
    """Measure all jobs; print the table, and before that what is measured as it comes."""
    counts = sorted({2**k for k in range(args.threads.bit_length())} | {args.threads})
    counts = [n for n in counts if n <= args.threads]
    console = Console(stderr=True, highlight=False, markup=False)
    rows = _independent(counts)
    for name in args.jobs:
        console.print(f"{name} …")
        job = _training(name) if "@" in name else _simulation(name, args.scale)
        job(counts[-1])  # compiles, and touches all memory once
        best: dict[int, float] = {}
        for n in reversed(counts):  # a large network is packed anew for another number of threads
            best[n] = min(job(n) for _ in range(args.repeats))
            console.print(f"  {n} threads: {seconds(best[n])} s")
        rows += _rows(name, best)
        if args.json:
            write_json(args.json, rows)
    print(report(rows))


def _rows(name: str, best: dict[int, float]) -> list[Row]:
    """A row for each number of threads."""
    return [
        {
            "job": name,
            "threads": n,
            "seconds": found,
            "ideal_s": best[1] / n,
            "speed_up": best[1] / found,
        }
        for n, found in sorted(best.items())
    ]


def _circuit(name: str, scale: float) -> tuple[bs.Network, dict[str, Any]]:
    """A circuit of models/, and what `simulate` takes with it."""
    if name == "brunel":
        from models.brunel_2000 import background, build

        return build(5.0, scale, 1), {"background": background(2.0)}
    if name == "microcircuit":
        from models import potjans_diesmann_2014 as microcircuit

        given = microcircuit.background(scale), microcircuit.initial_state()
        return microcircuit.build(scale, 1), dict(zip(("background", "initial"), given))
    from models import vogels_abbott_2005 as vogels

    kind = name.upper()
    given = vogels.background(kind), vogels.initial_state(kind)
    return vogels.build(kind, 1), dict(zip(("background", "initial"), given))


def _simulation(name: str, scale: float) -> Callable[[int], float]:
    """(threads) -> seconds of computing for one second of a circuit, without recording spikes."""
    net, given = _circuit(name, scale)

    def run(n: int) -> float:
        return bs.simulate(
            net, 1.0, record_spikes=(), seed=1, threads=n, progress=False, **given
        ).wall

    return run


def _training(name: str) -> Callable[[int], float]:
    """(threads) -> seconds of a training step of a Dalian network."""
    size = parse_size(name)
    data = load(None, size.batch)
    net = start(describe(size, data.n_units), data)

    def run(n: int) -> float:
        step = TrainingStep(net, data, n)
        step.step()
        return step.step().step

    return run


def _independent(counts: list[int]) -> list[Row]:
    """The speed-up of runs that share nothing."""
    net, given = _circuit("coba", 1.0)
    best = {}
    for n in counts:
        bs.simulate(net, 0.01, trials=n, seed=1, threads=n, progress=False, **given)
        begin = time.perf_counter()
        trials = _INDEPENDENT * n
        bs.simulate(net, 0.5, trials=trials, seed=1, threads=n, progress=False, **given)
        best[n] = (time.perf_counter() - begin) / trials
    return _rows("apart", best)


def report(rows: list[Row]) -> str:
    """Return the rows as a table: seconds and speed-up of each job by threads.

    Examples
    --------
    >>> print(report(_rows("a", {1: 2.0, 2: 1.0})))
    | job | threads | seconds | ideal | speed-up |
    |---|---|---:|---:|---:|
    | a | 1 | 2.0 | 2.0 | 1.0 |
    | a | 2 | 1.0 | 1.0 | 2.0 |
    """
    headings = ["job", "threads", "seconds", "ideal", "speed-up"]
    lines = [
        [
            str(row["job"]),
            str(row["threads"]),
            seconds(row["seconds"]),
            seconds(row["ideal_s"]),
            f"{row['speed_up']:.1f}",
        ]
        for row in rows
    ]
    return table(headings, lines)
