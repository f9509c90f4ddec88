"""The four states of Brunel (2000), model A, in Brian2 on the same synapses.

    python -m validation.brunel              full size: 12 500 neurons, 15.6 million synapses
    python -m validation.brunel --scale 0.2 --states 5,2

Rates, irregularity and synchrony of both programs are compared. Each state counts for 1 s after
0.2 s, but the slow and the fast oscillation for 4 s: the rate of the one and the CV of the other
vary by a tenth from second to second.

biosnn builds the network; `bs.brian.to_brian2` hands Brian2 the arrays (presynaptic, postsynaptic,
weight, delay) of every synapse. The external Poisson trains are drawn by each program for itself,
and so only statistics can agree: both rates within 5 %, CV of the intervals within 0.05, synchrony
(`bs.stats.synchrony`, bins of 1 ms) within a tenth or 0.02. Theory, which knows no delay, is
printed beside. The exit status is 1 if a state fails.
"""

import argparse
import time
from typing import Any

import numpy as np

import biosnn as bs
from models import brunel_2000 as brunel
from models import command_line
from models.activity import population_statistics
from models.command_line import number

from .dynamics_cases import after

RATE, CV, SYNCHRONY = 0.05, 0.05, (0.1, 0.02)  # relative; absolute; relative, and absolute
BIN = 1e-3  # seconds, of the synchrony
SECONDS = {state: 4.0 if state in ((4.5, 0.9), (6.0, 4.0)) else 1.0 for state in brunel.STATES}
QUANTITIES = ("rate_e_hz", "rate_i_hz", "cv", "synchrony")

Statistics = dict[str, float | None]


def in_biosnn(
    net: bs.Network, eta: float, seconds: float, seed: int, threads: int | None
) -> dict[str, bs.SpikeTrains]:
    """Spikes of both populations after the warm-up."""
    duration = brunel.WARM_UP + seconds
    background = brunel.background(eta)
    done = bs.simulate(net, duration, background=background, seed=seed, threads=threads)
    return {name: after(done.spikes[name], brunel.WARM_UP) for name in "EI"}


def in_brian2(
    net: bs.Network, eta: float, seconds: float, seed: int, target: str
) -> dict[str, bs.SpikeTrains]:
    """Spikes of the same network and connections in Brian2.

    Poisson numbers of the same rate and weight are drawn anew in every step for every neuron.
    """
    b2 = bs.brian.require_brian2()
    before, duration = b2.prefs.codegen.target, brunel.WARM_UP + seconds
    b2.prefs.codegen.target = target
    try:
        b2.seed(seed)
        copy = bs.brian.to_brian2(net, duration=duration)
        drawn = f"poisson({brunel.external_rate(eta) * net.dt!r})"
        for name in "EI":
            # a refractory neuron takes no input: Brian2 skips it by itself at synapses, not here
            copy.populations[name].run_regularly(
                f"U += int(not_refractory)*{brunel.J!r}*{drawn}",
                clock=copy.populations["E"].clock,
                when="synapses",
            )
        copy.network.run(duration * b2.second, report="stderr")
        trains = {name: _train(copy.spikes[name], net[name].n, duration) for name in "EI"}
    finally:
        b2.prefs.codegen.target = before
    return {name: after(train, brunel.WARM_UP) for name, train in trains.items()}


def _train(monitor: Any, n: int, duration: float) -> bs.SpikeTrains:
    """The spikes of a monitor of Brian2."""
    times, units = np.asarray(monitor.t), np.asarray(monitor.i)
    return bs.SpikeTrains.from_events(
        times, units, np.zeros(times.size, int), n_trials=1, n_units=n, duration=duration
    )


def compare(state: brunel.State, args: argparse.Namespace) -> dict[str, Any]:
    """One row: statistics of both programs, theory, and sentences about what differs too much."""
    g, eta = state
    seconds, begin = args.seconds or SECONDS[state], time.perf_counter()
    net = brunel.build(g, args.scale, args.seed)
    ours = _statistics(in_biosnn(net, eta, seconds, args.seed, args.threads))
    middle = time.perf_counter()
    theirs = _statistics(in_brian2(net, eta, seconds, args.seed + 1, args.target))
    return {
        "g": g,
        "eta": eta,
        "state": brunel.STATES[state],
        "scale": args.scale,
        "simulated_s": seconds,
        "rate_theory_hz": brunel.theory(g, eta, args.scale),
        "biosnn": ours,
        "brian2": theirs,
        "failures": failures(ours, theirs),
        "biosnn_s": middle - begin,
        "brian2_s": time.perf_counter() - middle,
    }


def _statistics(spikes: dict[str, bs.SpikeTrains]) -> Statistics:
    """What is compared."""
    result = population_statistics(spikes["E"], BIN, spikes["E"].n_units)
    return {
        "rate_e_hz": result["rate_hz"],
        "rate_i_hz": float(bs.stats.firing_rates(spikes["I"]).mean()),
        "cv": result["cv"],
        "synchrony": result["synchrony"],
    }


def failures(ours: Statistics, theirs: Statistics) -> list[str]:
    """Sentences, one for each quantity that differs by more than is allowed."""
    allowed = {
        "rate_e_hz": RATE * (theirs["rate_e_hz"] or 0),
        "rate_i_hz": RATE * (theirs["rate_i_hz"] or 0),
        "cv": CV,
        "synchrony": max(SYNCHRONY[0] * (theirs["synchrony"] or 0), SYNCHRONY[1]),
    }
    found = []
    for key in QUANTITIES:
        a, b = ours[key], theirs[key]
        if a is None and b is None:
            continue
        if a is None or b is None or not abs(a - b) <= allowed[key]:
            mine, other = number(a, 3) or "unknown", number(b, 3) or "unknown"
            found.append(
                f"{key} is {mine}, in Brian2 {other}; they may differ by {allowed[key]:.2g}"
            )
    return found


def show(rows: list[dict[str, Any]], scale: float) -> None:
    """Print the table, and the sentences below it."""
    lines = []
    for row in rows:
        ours = [number(row["biosnn"][key]) for key in QUANTITIES]
        theirs = [number(row["brian2"][key]) for key in QUANTITIES]
        agree = "NO" if row["failures"] else "yes"
        state, theory = f"{row['g']:g}, {row['eta']:g}", number(row["rate_theory_hz"])
        lines.append([state, "biosnn", *ours, theory, agree])
        lines.append(["", "Brian2", *theirs, "", ""])
    command_line.show(
        f"Brunel (2000), model A, scale {scale:g}, the same synapses in both programs",
        ("g, η", "program", "E (Hz)", "I (Hz)", "CV", "synchrony", "theory", "agree"),
        lines,
        keys=2,
    )
    for row in rows:
        for failure in row["failures"]:
            print(f"g = {row['g']:g}, eta = {row['eta']:g}: {failure}.")


def _state(text: str) -> brunel.State:
    """Read a state such as 5,2."""
    known = {f"{g:g},{eta:g}": (g, eta) for g, eta in brunel.STATES}
    if text not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {' '.join(known)}.")
    return known[text]


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m validation.brunel",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add, states = parser.add_argument, list(brunel.STATES)
    text = "default: all four"
    add("--states", nargs="+", type=_state, default=states, metavar="G,ETA", help=text)
    text = "that count, after 0.2 s (default: 1, or 4 where the rate or the CV varies)"
    add("--seconds", type=float, help=text)
    text = "of the numbers of neurons and synapses per neuron (default 1)"
    add("--scale", type=float, default=1.0, help=text)
    add("--seed", type=int, default=0, help="of connections and input (default 0)")
    add("--threads", type=int, help="of biosnn; default: all processors")
    targets, text = ("auto", "cython", "numpy"), "how Brian2 makes its code (default auto)"
    add("--target", choices=targets, default="auto", help=text)
    add("--json", metavar="FILE", help="write all numbers there, after every state")
    args = parser.parse_args(arguments)
    if args.seconds is not None:
        command_line.check_options(parser, args)
    elif not 0.01 <= args.scale <= 1:
        parser.error(f"--scale is {args.scale:g}; it must lie in 0.01 .. 1.")
    return args


def main(arguments: list[str] | None = None) -> int:
    """Compare the states; 1 if one fails."""
    args = options(arguments)
    rows: list[dict[str, Any]] = []
    for state in args.states:
        rows.append(compare(state, args))
        if args.json:
            command_line.write_json(args.json, rows)
    show(rows, args.scale)
    return int(any(row["failures"] for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
