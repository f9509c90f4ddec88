"""What the model scripts share: options of the command line, statistics of populations, rasters."""

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console

import biosnn as bs
from biosnn.analysis import plot, stats
from biosnn.support import tables
from biosnn.support.progress import graceful_interrupt

LEAST = 0.2  # seconds, for statistics of a simulation that was interrupted


def parser(
    name, description, seconds=None, scale=None, seed="of connections, input and initial states"
):
    """The options of every script; `scale` is the help text of --scale, if the script has it, `seconds` the default of --seconds."""
    result = argparse.ArgumentParser(
        prog=f"python -m models.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if seconds is not None:
        result.add_argument(
            "--seconds",
            type=float,
            default=seconds,
            help=f"seconds to simulate (default {seconds:g})",
        )
    if scale:
        result.add_argument("--scale", type=float, default=1.0, help=scale)
    result.add_argument("--seed", type=int, default=0, help=f"{seed} (default 0)")
    result.add_argument("--threads", type=int, default=None, help="default: all processors")
    result.add_argument("--json", help="write all numbers there")
    result.add_argument("--out", default=f"runs/{name}", help="folder of the figure")
    return result


def after_warm_up(network, warm_up, args, background=(), wake=(), **options):
    """bs.simulate for --seconds after `warm_up` seconds that are not counted. wake: background of these alone; options: initial, rate_bin.

    None where Ctrl-C came before there was enough for statistics.
    """
    initial = options.pop("initial", None)
    warm = bs.simulate(
        network,
        warm_up,
        background=[*background, *wake],
        initial=initial,
        seed=args.seed,
        threads=args.threads,
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
        **options,
    )
    return None if done.interrupted and done.duration < LEAST else done


def until_interrupted(simulate, measure, cases):
    """[(measure(case, done), done)] of done = simulate(case), for all cases. After Ctrl-C: of what was done, the last perhaps in part.

    simulate may return None: there is nothing of this case.
    """
    results = []
    for case in cases:
        try:
            done = simulate(case)
        except KeyboardInterrupt:
            done = None
        with graceful_interrupt() as interrupted:
            results += [] if done is None else [(measure(case, done), done)]
        if done is None or done.interrupted or interrupted():
            if not results:
                raise SystemExit(
                    "interrupted before there was enough for statistics; nothing was written."
                )
            print(
                f"interrupted: {len(results)} of {len(cases)} simulations, {results[-1][1].duration:.2f} s of the last; figure and numbers are of these."
            )
            break
    return results


def check_options(parser, args, least=0.02):
    """End with a message if --seconds, --scale, --seed or --out is out of range."""
    if args.seed < 0:
        parser.error(f"--seed is {args.seed}; it must be >= 0.")
    if Path(getattr(args, "out", ".")).is_file():
        parser.error(f"--out is {args.out}, a file; it must be a folder.")
    if not (np.isfinite(args.seconds) and args.seconds > least):
        parser.error(f"--seconds is {args.seconds:g}; it must be above {least:g}.")
    if not 0.01 <= getattr(args, "scale", 1.0) <= 1:
        parser.error(f"--scale is {args.scale:g}; it must lie in 0.01 .. 1.")


def population_statistics(spikes, width=3e-3, sample=1000):
    """Mean rate (Hz), CV of intervals (stats.pooled_cv; None if there are too few spikes) and synchrony of one population's spikes.

    Synchrony (stats.synchrony, bins of `width` seconds) is that of the first `sample` neurons, so that populations compare.
    """
    cv, _ = stats.pooled_cv(spikes)
    chi = stats.synchrony(first_neurons(spikes, sample), width)
    return {
        "rate_hz": float(stats.firing_rates(spikes).mean()),
        "cv": cv if np.isfinite(cv) else None,
        "synchrony": float(chi) if np.isfinite(chi) else None,
    }


def first_neurons(spikes, n):
    """The spikes of the first n neurons."""
    if spikes.n_units <= n:
        return spikes
    keep = spikes.units < n
    return type(spikes)(
        spikes.times[keep], spikes.units[keep], [0, int(keep.sum())], n, spikes.duration
    )


def raster(axis, groups, start, stop, size=1.5):
    """Draw spikes of populations above each other, the first on top. groups: list of (SpikeTrains, share drawn, colour).

    start, stop: seconds. Returns the middle of each group on the vertical axis, for its label.
    """
    middles, top = [], 0
    for spikes, share, colour in groups:
        n = max(1, round(spikes.n_units * share))
        shown = (spikes.units < n) & (spikes.times >= start) & (spikes.times < stop)
        axis.plot(
            1e3 * spikes.times[shown],
            top + spikes.units[shown],
            ".",
            ms=size,
            mew=0,
            color=colour,
            rasterized=True,
        )
        middles.append(top + n / 2)
        top += n
    axis.set(xlim=(1e3 * start, 1e3 * stop), ylim=(top, 0), xlabel="time (ms)")
    return middles


def colour(name):
    """Excitatory and inhibitory populations are called …E and …I here."""
    return plot.EXCITATORY if name.endswith("E") else plot.INHIBITORY


def number(value, digits=2):
    return tables.number(value, f".{digits}f")


def show(title, headings, lines, keys=1):
    """Print a table; its first `keys` columns are text and say what a row is."""
    Console().print(tables.Table(title, headings, lines, keys))


def save(args, draw, file, numbers):
    """Write the numbers, if asked for, and the figure that `draw` returns; the first Ctrl-C does not keep from it."""
    out = Path(args.out)
    with graceful_interrupt():
        if args.json:
            Path(args.json).parent.mkdir(parents=True, exist_ok=True)
            Path(args.json).write_text(json.dumps(numbers, indent=1))
        out.mkdir(parents=True, exist_ok=True)
        draw().savefig(out / file, dpi=120)
    print(f"figure: {out / file}")
