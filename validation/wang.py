"""The decision of Wang (2002) in biosnn and in Brian2: rates, and time.

    python -m validation.wang                five trials in each program: some minutes
    python -m validation.wang --forms full events     both forms of the gating in Brian2

Each trial is two seconds without a stimulus, two of a strong one in favour of A and one after it,
with other noise in each. Rates in three windows are compared: from 0.5 s on before the stimulus, in
its last second, and from 0.2 s after it on. Brian2, in a C++ stand-alone program that takes one
trial after the other, makes forward Euler steps and lets NMDA gates open within 2 ms after a spike
("full", the equations of the paper), or at once ("events", as biosnn does). biosnn has a trial on
each thread.

Random numbers differ, and so means over trials are compared: they must lie within 5 % of those of
Brian2's first form, give or take twice the standard error of the difference. The rate of the group
that loses is a hertz or two of few neurons, and is shown only. Times are those of the runs, with
all code compiled (`validation.speed simulation --models wang` is a single trial, with one thread
and with two). The exit status is 1 if a rate fails.
"""

import argparse
import tempfile
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

import biosnn as bs
from models import command_line
from models import wang_2002 as wang
from models.command_line import number

from . import internals, simulation_brian2
from .wang_brian2 import GATING, Circuit

COHERENCE, ALLOWED = 0.512, 0.05
ONSET, END = 2.0, 5.0  # seconds
WINDOWS = {"before": (0.5, ONSET), "stimulus": (3.0, 4.0), "after": (4.2, END)}
#: (window, populations) that must agree.
COMPARED = [
    ("before", "ABN"),
    ("before", "I"),
    ("stimulus", "A"),
    ("stimulus", "I"),
    ("after", "A"),
    ("after", "I"),
]
SHOWN = [("stimulus", "B"), ("after", "B")]

Rates = dict[tuple[str, str], np.ndarray]


def in_biosnn(trials: int, seed: int, threads: int) -> tuple[Rates, float]:
    """Rates of every trial, by window and populations, and seconds of a trial."""
    net = wang.build()
    args: Any = SimpleNamespace(seed=seed, threads=threads)
    wang.decide(net, np.full(trials, COHERENCE), args, seconds=2 * net.dt)  # compiles
    begin = time.perf_counter()
    done = wang.decide(net, np.full(trials, COHERENCE), args, seconds=END, onset=ONSET)
    run_s = time.perf_counter() - begin
    return _rates(lambda *where: [wang.rate(each, *where) for each in done]), run_s / trials


def in_brian2(form: str, trials: int, seed: int, threads: int) -> tuple[Rates, float]:
    """The same in a stand-alone program of Brian2; form: "full" or "events"."""
    b2 = bs.brian.require_brian2()
    rng = np.random.default_rng(seed)
    stimuli = [wang.stimulus(COHERENCE, rng, onset=ONSET) for _ in range(trials)]
    with tempfile.TemporaryDirectory() as folder:
        simulation_brian2.prepare(b2, threads, seed)
        circuit = Circuit(b2, form)
        circuit.present(stimuli, END)
        monitors = [b2.SpikeMonitor(group) for group in circuit.cells.values()]
        b2.Network(*circuit.objects, *monitors).run(trials * END * b2.second)
        run_s = simulation_brian2.build_and_run(b2, folder)
        spikes = _by_population(*monitors)
    b2.device.reinit()

    def rates(names: str, start: float, stop: float) -> np.ndarray:
        times = np.concatenate([spikes[name] for name in names])
        inside = (times % END >= start) & (times % END < stop)
        counts = np.bincount((times[inside] // END).astype(int), minlength=trials)
        return counts / (sum(wang.sizes()[name] for name in names) * (stop - start))

    return _rates(rates), run_s / trials


def _by_population(exc: Any, inh: Any) -> dict[str, np.ndarray]:
    """Spike times of A, B, N and I; exc, inh: monitors."""
    times, units = np.array(exc.t), np.array(exc.i)
    edges = np.cumsum([0, *(wang.sizes()[name] for name in wang.GROUPS)])
    group = np.searchsorted(edges, units, side="right") - 1
    parts = {name: times[group == k] for k, name in enumerate(wang.GROUPS)}
    return parts | {"I": np.array(inh.t)}


def _rates(of_trials: Any) -> Rates:
    """Rates in all windows; of_trials: (populations, start, stop) -> one for each trial."""
    return {
        (window, names): np.array(of_trials(names, *WINDOWS[window]))
        for window, names in (*COMPARED, *SHOWN)
    }


def failures(ours: Rates, theirs: Rates) -> list[str]:
    """Sentences, one for each rate that differs by more than is allowed."""
    found = []
    for key in COMPARED:
        a, b = ours[key], theirs[key]
        error = np.sqrt(sum(x.var(ddof=1) / x.size for x in (a, b))) if a.size > 1 else 0.0
        allowed = ALLOWED * b.mean() + 2 * error
        if not abs(a.mean() - b.mean()) <= allowed:
            found.append(
                f"{key[1]}, {key[0]}: {a.mean():.2f} Hz, in Brian2 {b.mean():.2f} Hz; they may "
                f"differ by {allowed:.2f} Hz."
            )
    return found


def show(results: dict[str, tuple[Rates, float]]) -> None:
    """Print the table: a column for each program."""
    lines = []
    for window, names in (*COMPARED, *SHOWN):
        cells = []
        for rates, _ in results.values():
            each = rates[window, names]
            spread = number(float(each.std(ddof=1))) if each.size > 1 else "-"
            cells.append(f"{each.mean():.2f} ± {spread}")
        lines.append((window, "E" if names == "ABN" else names, *cells))
    seconds = [number(run_s / END) for _, run_s in results.values()]
    lines.append(("s per s", "", *seconds))
    command_line.show(
        f"Wang (2002), coherence {100 * COHERENCE:g} %: rates (Hz), mean and deviation of trials",
        ("", "", *results),
        lines,
        keys=2,
    )


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m validation.wang",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    text = "of the gating, in Brian2 (default: full)"
    add("--forms", nargs="+", choices=tuple(GATING), default=["full"], help=text)
    add("--trials", type=int, default=5, help="in each program (default 5)")
    add("--seed", type=int, default=0, help="of the first trial (default 0)")
    add("--threads", type=int, help="default: all processors")
    add("--json", metavar="FILE", help="write all rates there")
    args = parser.parse_args(arguments)
    if min(args.trials, args.threads or 1) < 1 or args.seed < 0:
        parser.error("--trials and --threads must be at least 1, and --seed at least 0.")
    return args


def main(arguments: list[str] | None = None) -> int:
    """Compare both programs; 1 if a rate fails."""
    args = options(arguments)
    threads = args.threads or internals.processors()
    results = {
        f"Brian2, {form}": in_brian2(form, args.trials, args.seed, threads) for form in args.forms
    }
    theirs = next(iter(results.values()))[0]
    results["biosnn"] = in_biosnn(args.trials, args.seed, threads)
    show(results)
    failed = failures(results["biosnn"][0], theirs)
    print("\n".join(failed or ["All rates agree."]))
    if args.json:
        rows = [
            {
                "program": program,
                "run_s": run_s,
                "rates_hz": {f"{names}, {when}": x.tolist() for (when, names), x in rates.items()},
            }
            for program, (rates, run_s) in results.items()
        ]
        command_line.write_json(args.json, rows)
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
