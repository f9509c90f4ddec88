"""The four states of Brunel (2000), model A, in Brian2 on the same synapses: rates, irregularity and synchrony of both programs.

    python -m validation.brunel                       full size: 12 500 neurons, 15.6 million synapses; after 0.2 s, 1 s of each
                                                      state, but 4 s of the slow and the fast oscillation, of which the rate and
                                                      the CV vary by a tenth from second to second
    python -m validation.brunel --scale 0.2 --states 5,2

biosnn builds the network; `biosnn.brian.to_brian2` hands Brian2 the arrays (presynaptic, postsynaptic, weight, delay) of every synapse.
The external Poisson trains are drawn by each program for itself, and so only statistics can agree: both rates within 5 %, CV of the
intervals within 0.05, synchrony (stats.synchrony, bins of 1 ms) within a tenth or 0.02. Theory, which knows no delay, is printed beside.
The exit status is 1 if a state fails.
"""

import argparse
import json
import time

import numpy as np

import biosnn as bs
from biosnn.brian import require_brian2, to_brian2
from models import _report as common
from models import brunel_2000 as brunel

from .dynamics import after

RATE, CV, SYNCHRONY = 0.05, 0.05, (0.1, 0.02)  # relative; absolute; relative, and absolute
BIN = 1e-3  # seconds, of the synchrony
SECONDS = dict.fromkeys(brunel.STATES, 1.0) | {(4.5, 0.9): 4.0, (6.0, 4.0): 4.0}


def in_biosnn(net, eta, seconds, seed, threads):
    background = [bs.PoissonInput(name, brunel.external_rate(eta), brunel.J) for name in "EI"]
    done = bs.simulate(
        net, brunel.WARM_UP + seconds, background=background, seed=seed, threads=threads
    )
    return {name: after(done.spikes[name], brunel.WARM_UP) for name in "EI"}


def in_brian2(net, eta, seconds, seed, target):
    """The same network and connections; Poisson numbers of the same rate and weight, drawn anew in every step for every neuron."""
    b2 = require_brian2()
    before, duration = b2.prefs.codegen.target, brunel.WARM_UP + seconds
    b2.prefs.codegen.target = target
    try:
        b2.seed(seed)
        copy = to_brian2(net, duration=duration)
        clock = copy.populations["E"].clock
        for name in (
            "EI"
        ):  # a refractory neuron takes no input: Brian2 skips it by itself at synapses, not here
            copy.populations[name].run_regularly(
                f"U += int(not_refractory)*{brunel.J!r}*poisson({brunel.external_rate(eta) * net.dt!r})",
                clock=clock,
                when="synapses",
            )
        copy.network.run(duration * b2.second, report="stderr")
        return {
            name: after(_train(copy.spikes[name], net[name].n, duration), brunel.WARM_UP)
            for name in "EI"
        }
    finally:
        b2.prefs.codegen.target = before


def _train(monitor, n, duration):
    times, units = np.asarray(monitor.t), np.asarray(monitor.i)
    return bs.SpikeTrains.from_events(
        times, units, np.zeros(times.size, int), n_trials=1, n_units=n, duration=duration
    )


def compare(state, args):
    """One row: both programs' statistics, theory, and sentences about what differs too much."""
    (g, eta), seconds, begin = state, args.seconds or SECONDS[state], time.perf_counter()
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


def _statistics(spikes):
    result = common.population_statistics(spikes["E"], BIN, spikes["E"].n_units)
    return {
        "rate_e_hz": result["rate_hz"],
        "rate_i_hz": float(bs.stats.firing_rates(spikes["I"]).mean()),
        "cv": result["cv"],
        "synchrony": result["synchrony"],
    }


def failures(ours, theirs):
    """Sentences, one for each quantity that differs by more than is allowed."""
    found = []
    for key, allowed in (
        ("rate_e_hz", RATE * theirs["rate_e_hz"]),
        ("rate_i_hz", RATE * theirs["rate_i_hz"]),
        ("cv", CV),
        ("synchrony", max(SYNCHRONY[0] * (theirs["synchrony"] or 0), SYNCHRONY[1])),
    ):
        a, b = ours[key], theirs[key]
        if (a is None) != (b is None) or a is not None and not abs(a - b) <= allowed:
            found.append(
                f"{key} is {common.number(a, 3) or 'unknown'}, in Brian2 {common.number(b, 3) or 'unknown'}; they may differ "
                f"by {allowed:.2g}"
            )
    return found


def _state(text):
    known = {f"{g:g},{eta:g}": (g, eta) for g, eta in brunel.STATES}
    if text not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {' '.join(known)}.")
    return known[text]


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m validation.brunel",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--states",
        nargs="+",
        type=_state,
        default=list(brunel.STATES),
        metavar="G,ETA",
        help="default: all four",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=None,
        help="that count, after 0.2 s (default: 1, or 4 where the rate or the CV varies)",
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="of the numbers of neurons and synapses per neuron (default 1)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of connections and input (default 0)")
    parser.add_argument(
        "--threads", type=int, default=None, help="of biosnn; default: all processors"
    )
    parser.add_argument(
        "--target",
        choices=("auto", "cython", "numpy"),
        default="auto",
        help="how Brian2 makes its code (default auto)",
    )
    parser.add_argument("--json", metavar="FILE", help="write all numbers there, after every state")
    args = parser.parse_args(arguments)
    if args.seconds is not None:
        common.check_options(parser, args)
    elif not 0.01 <= args.scale <= 1:
        parser.error(f"--scale is {args.scale:g}; it must lie in 0.01 .. 1.")
    rows = []
    for state in args.states:
        rows.append(compare(state, args))
        if args.json:
            with open(args.json, "w") as file:
                json.dump(rows, file, indent=1)
    lines = []
    for row in rows:
        for name in ("biosnn", "brian2"):
            values = [
                common.number(row[name][key])
                for key in ("rate_e_hz", "rate_i_hz", "cv", "synchrony")
            ]
            lines.append(
                [
                    f"{row['g']:g}, {row['eta']:g}" if name == "biosnn" else "",
                    "Brian2" if name == "brian2" else name,
                    *values,
                ]
                + (
                    [common.number(row["rate_theory_hz"]), "NO" if row["failures"] else "yes"]
                    if name == "biosnn"
                    else ["", ""]
                )
            )
    common.show(
        f"Brunel (2000), model A, scale {args.scale:g}, the same synapses in both programs",
        ("g, η", "program", "E (Hz)", "I (Hz)", "CV", "synchrony", "theory", "agree"),
        lines,
    )
    for row in rows:
        for failure in row["failures"]:
            print(f"g = {row['g']:g}, eta = {row['eta']:g}: {failure}.")
    return int(any(row["failures"] for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
