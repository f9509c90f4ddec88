"""The microcircuit of Potjans & Diesmann (2014) beside NEST, as its community verifies simulators.

    python -m validation.microcircuit                  full size: 5 seeds of 10 s in each program
    python -m validation.microcircuit --scale 0.1 --markdown --figure microcircuit.png
    python -m validation.microcircuit --reference brian2 --scale 0.05 --seconds 2

Each program simulates the circuit for --seconds after a transient of 0.5 s, for several seeds, each
with connections, initial potentials and input of its own (van Albada et al. 2018; Gutzen et al.
2018; Dasbach et al. 2021). For each population these distributions are compared: the rates of all
neurons, the CVs of their interspike intervals, and the correlations of the spike counts in bins of
2 ms of all pairs of 200 neurons. The table has the Kolmogorov-Smirnov distance of biosnn and the
reference (mean over all pairs of a seed of the one and a seed of the other) beside that of two
seeds of the reference, and of two of biosnn (mean, and in brackets the largest).

Random numbers differ, so distances are never 0; a simulator is right if it is as far from the
reference as that is from itself. An exact permutation test says so for each quantity, on average
over populations: p is the share of all splits of the runs into two halves that are as far apart as
the two programs. The exit status is 1 if a p is below 0.01, which takes five seeds (126 splits).
Populations whose distance exceeds that of any two seeds of the reference are named.

The reference is NEST; without it Brian2, at a scale of 0.1 at most; without either biosnn in double
precision with other seeds, and then 1 and 2 threads must give the same spikes. Speed is measured in
runs of their own, in which no spikes are recorded (Brian2 always records them).

References: Dasbach, Tetzlaff, Diesmann & Senk (2021), Front. Neurosci. 15:757790; Gutzen et al.
(2018), Front. Neuroinform. 12:90; van Albada et al. (2018), Front. Neurosci. 12:291.
"""

import argparse
from functools import partial
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np

import biosnn as bs
from models import command_line
from models import potjans_diesmann_2014 as model
from models.command_line import number

from . import internals, markdown
from .dynamics_cases import distance
from .microcircuit_figure import figure
from .microcircuit_runs import REFERENCES, TRANSIENT, Done, Protocol, Spikes, absent, in_biosnn
from .options import count, positive

BIN, SAMPLE = 2e-3, 200  # seconds of a bin, and neurons of a population, of correlations
SIGNIFICANT = 0.01
QUANTITIES = ("rate", "cv", "correlation")
#: Hz: the paper's (Table 6, Poisson input), and those in the parameters of NEST's own example.
PAPER = model.RATES
NEST_EXAMPLE = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])

#: Population -> quantity -> values of neurons or pairs.
Distributions = dict[str, dict[str, np.ndarray]]
Row = dict[str, Any]
#: Title, headings and lines.
Table = tuple[str, list[str], list[list[str]]]

# ------------------------------------------------------------------------------------ distributions


def distributions(spikes: Spikes) -> Distributions:
    """Rates (Hz), CVs and correlations of all populations, where they are defined."""
    return {name: _distributions(trains) for name, trains in spikes.items()}


def _distributions(trains: bs.SpikeTrains) -> dict[str, np.ndarray]:
    """Those of one population; neurons of correlations are the same in all runs."""
    n = min(SAMPLE, trains.n_units)
    chosen = np.random.default_rng(0).choice(trains.n_units, n, replace=False)
    values = {
        "rate": bs.stats.firing_rates(trains),
        "cv": bs.stats.isi_cv(trains),
        "correlation": bs.stats.correlations(trains.select(units=chosen), BIN, pairs=SAMPLE**2),
    }
    return {key: value[np.isfinite(value)] for key, value in values.items()}


def compare(ours: list[Distributions], theirs: list[Distributions]) -> list[Row]:
    """A row for each population and quantity: means, and the distances of all pairs of runs.

    ours, theirs: of every seed. Runs of the matrix of distances are first ours, then theirs.
    """
    rows = []
    for name, quantity in product(ours[0], QUANTITIES):
        mine, other = ([run[name][quantity] for run in side] for side in (ours, theirs))
        rows.append(
            {
                "population": name,
                "quantity": quantity,
                "biosnn": _mean(mine),
                "reference": _mean(other),
                "distances": _distances(mine + other),
            }
        )
    return rows


def _mean(values: list[np.ndarray]) -> float | None:
    """The mean over neurons and seeds; None of nothing."""
    every = np.concatenate(values)
    return float(every.mean()) if every.size else None


def _distances(runs: list[np.ndarray]) -> np.ndarray:
    """(runs, runs) Kolmogorov-Smirnov distances; NaN where a run has no values."""
    result = np.zeros((len(runs), len(runs)))
    for i, j in combinations(range(len(runs)), 2):
        result[i, j] = result[j, i] = distance(runs[i], runs[j])
    return result


def averages(rows: list[Row]) -> list[Row]:
    """A row for each quantity: its distances, as means over the populations that have them."""
    found = []
    for quantity in QUANTITIES:
        same = [row["distances"] for row in rows if row["quantity"] == quantity]
        known = [each for each in same if np.isfinite(each).all()]
        mean = np.mean(known, axis=0) if known else np.full_like(same[0], np.nan)
        found.append({"population": "mean", "quantity": quantity, "distances": mean})
    return found


def between(row: Row) -> float:
    """The mean distance of a run of biosnn and one of the reference."""
    half = len(row["distances"]) // 2
    return float(row["distances"][:half, half:].mean())


def between_seeds(row: Row, *, reference: bool) -> np.ndarray:
    """Distances of all pairs of seeds of the reference, or of biosnn."""
    half = len(row["distances"]) // 2
    part = slice(half, None) if reference else slice(half)
    return row["distances"][part, part][np.triu_indices(half, 1)]


def chance(row: Row) -> float:
    """How often chance alone brings runs as far apart as both programs are.

    The p of an exact permutation test: the share of all splits of the runs into two halves whose
    mean distance is as large as that of the two programs; 1 where there are no distances.
    """
    distances = row["distances"]
    if not np.isfinite(distances).all():
        return 1.0
    runs = range(len(distances))
    halves = [(0, *rest) for rest in combinations(runs[1:], len(runs) // 2 - 1)]
    means = [distances[np.ix_(half, np.setdiff1d(runs, half))].mean() for half in halves]
    return float(np.mean(np.array(means) >= between(row) - 1e-12))


def beyond(rows: list[Row]) -> list[Row]:
    """Rows whose mean distance to the reference exceeds every distance between its seeds."""
    return [r for r in rows if between(r) > between_seeds(r, reference=True).max()]


# ------------------------------------------------------------------------------------------- tables


def rate_table(rows: list[Row], reference: str) -> Table:
    """A line for each population: published rates, and the means of both programs."""
    means = {
        r["population"]: (r["biosnn"], r["reference"]) for r in rows if r["quantity"] == "rate"
    }
    lines = [
        [name, f"{paper:g}", f"{example:.2f}", *map(number, means[name])]
        for name, paper, example in zip(model.NAMES, PAPER, NEST_EXAMPLE)
    ]
    headings = ["population", "paper", "NEST's example, full size", "biosnn", reference]
    return "mean rates (Hz)", headings, lines


def distance_table(rows: list[Row], reference: str) -> Table:
    """A line for each quantity and population, and one for the mean over populations."""
    lines = []
    for quantity in QUANTITIES:
        for row in rows + averages(rows):
            if row["quantity"] == quantity:
                digits = 4 if quantity == "correlation" else 2
                means = [number(row.get(side), digits) for side in ("biosnn", "reference")]
                seeds = [_seeds(between_seeds(row, reference=whose)) for whose in (True, False)]
                apart = number(between(row), 3)
                lines.append([row["population"], quantity, *means, apart, *seeds])
    headings = ["population", "quantity", "biosnn", reference, f"distance to {reference}"]
    headings += [f"seeds of {reference}", "seeds of biosnn"]
    return "Kolmogorov-Smirnov distances: mean, and the largest in brackets", headings, lines


def _seeds(distances: np.ndarray) -> str:
    """The mean and the largest distance between seeds."""
    mean, largest = number(float(distances.mean()), 3), number(float(distances.max()), 3)
    return f"{mean} ({largest})" if mean else ""


def show(rows: list[Row], reference: str, why: str, args: argparse.Namespace) -> None:
    """Print the tables, on the screen or as Markdown, and what is beyond the seeds."""
    begin = f"Potjans & Diesmann (2014), scale {args.scale:g}, {args.seconds:g} s, "
    print(f"{begin}{args.seeds} seeds; reference: {reference} ({why})")
    for make, keys in ((rate_table, 1), (distance_table, 2)):
        title, headings, lines = make(rows, reference)
        if args.markdown:
            print(f"\n{title}:\n", markdown.table(headings, lines, keys=keys), sep="\n")
        else:
            command_line.show(title, headings, lines, keys=keys)
    names = [f"{r['quantity']} of {r['population']}" for r in beyond(rows)]
    print(f"\nfarther from {reference} than any two of its seeds: {', '.join(names) or 'none'}")
    chances = ", ".join(f"{r['quantity']} {chance(r):.3f}" for r in averages(rows))
    print(f"how often chance brings runs as far apart as both programs are: p = {chances}")


# --------------------------------------------------------------------------------------------- runs


def run_all(program: Any, protocol: Protocol, seeds: range, name: str) -> list[Distributions]:
    """The distributions of every seed."""
    results = []
    for seed in seeds:
        done: Done = program(protocol, seed)
        print(f"{name}, seed {seed}: {done.rate_hz:.3f} Hz in {done.run_s:.1f} s", flush=True)
        results.append(distributions(done.spikes))
    return results


def speed(programs: dict[str, Any], protocol: Protocol) -> Row:
    """Program -> seconds for a simulated second, without recording."""
    found = {}
    for name, program in programs.items():
        done: Done = program(protocol, 1, record=False)
        found[name] = done.run_s / protocol.seconds
        print(
            f"{name}, {protocol.threads} threads, nothing recorded: {found[name]:.2f} s for a "
            f"simulated second, {done.rate_hz:.3f} Hz",
            flush=True,
        )
    return found


def threads_agree(protocol: Protocol) -> bool:
    """Whether 1 and 2 threads give the same spikes; a sentence says so."""
    one, two = (
        in_biosnn(Protocol(protocol.scale, protocol.seconds, threads), 1).spikes
        for threads in (1, 2)
    )
    same = all(
        np.array_equal(one[name].times, two[name].times)
        and np.array_equal(one[name].units, two[name].units)
        for name in one
    )
    total = sum(trains.times.size for trains in one.values())
    print(f"1 and 2 threads: {total} spikes, {'identical' if same else 'NOT the same'}")
    return same


def chosen_reference(wanted: str | None, scale: float) -> tuple[str, str]:
    """The reference, and why it is this one.

    Raises
    ------
    ValueError
        If the one that is wanted cannot be had here.
    """
    if wanted is not None:
        missing = absent(wanted, scale)
        if missing is not None:
            raise ValueError(f"--reference {wanted}: {missing}.")
        return wanted, "asked for"
    missed = []
    for program in REFERENCES:
        missing = absent(program, scale)
        if missing is None:
            break
        missed.append(missing)
    return program, "; ".join(missed) or "installed here"


# ------------------------------------------------------------------------------------- command line


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m validation.microcircuit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--scale", type=float, default=1.0, help="of the circuit, 0.01 .. 1 (default 1)")
    add("--seconds", type=positive, default=10.0, help="that count, after 0.5 s (default 10)")
    add("--seeds", type=count, default=5, help="of each program, at least 2 (default 5)")
    text = "default: the first of these that is there"
    add("--reference", choices=tuple(REFERENCES), help=text)
    add("--threads", type=count, help="of every program; default: all processors")
    text = "what to do (default: both)"
    add("--only", choices=("accuracy", "speed"), help=text)
    add("--markdown", action="store_true", help="write the tables as Markdown")
    add("--figure", metavar="FILE", help="draw the distributions there")
    add("--json", metavar="FILE", help="write all numbers there")
    args = parser.parse_args(arguments)
    if args.seeds < 2:
        parser.error("--seeds is 1; it must be at least 2, as seeds are held against each other.")
    if args.figure and args.only == "speed":
        parser.error("--figure draws distributions, and --only speed has none.")
    args.seed = 1
    command_line.check_options(parser, args, least=0.1)
    try:
        args.reference, args.why = chosen_reference(args.reference, args.scale)
    except ValueError as error:
        parser.error(str(error))
    return args


def main(arguments: list[str] | None = None) -> int:
    """Compare both programs; 1 if biosnn is farther from the reference than its seeds are."""
    args = options(arguments)
    name, program = REFERENCES[args.reference]
    if args.figure:  # what cannot be written fails before hours of work
        Path(args.figure).parent.mkdir(parents=True, exist_ok=True)
    try:
        return _compare(args, name, program)
    except KeyboardInterrupt:
        print("interrupted; nothing was written.")
        return 130


def _compare(args: argparse.Namespace, name: str, program: Any) -> int:
    """Run both programs, print and write what was asked for."""
    protocol = Protocol(args.scale, args.seconds, args.threads or internals.processors())
    numbers: Row = {"scale": args.scale, "seconds": args.seconds, "transient_s": TRANSIENT}
    numbers |= {"reference": name, "why": args.why, "threads": protocol.threads}
    failed, draw = False, None
    if args.only != "accuracy":
        numbers["speed"] = speed({"biosnn": in_biosnn, name: program}, protocol)
    if args.only != "speed":
        seeds = range(1, args.seeds + 1)
        ours = run_all(in_biosnn, protocol, seeds, "biosnn")
        if args.reference == "biosnn":
            failed = not threads_agree(protocol)
            seeds = range(seeds.stop, seeds.stop + args.seeds)
        theirs = run_all(program, protocol, seeds, name)
        rows = compare(ours, theirs)
        numbers["rows"] = [r | {"distances": r["distances"].tolist()} for r in rows]
        show(rows, name, args.why, args)
        failed |= any(chance(row) < SIGNIFICANT for row in averages(rows))
        draw = partial(figure, ours, theirs, name)
    if args.json:
        command_line.write_json(args.json, numbers)
    if args.figure and draw:
        draw().savefig(args.figure, dpi=110)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
