"""The experiments on stacks of LIF layers: randman, depth, sigma and alpha."""

import argparse
from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np

import biosnn as bs

from ..command_line import show
from . import figures
from .learning import Results, Row, console, learn, read
from .networks import Data, data_name, input_rate_everywhere, load, stack_of

OPTIMIZERS = {"smorms3": bs.SMORMS3, "adam": bs.Adam}
PUBLISHED = 0.963  # of `randman`, after 200 epochs


def mean(values: Iterable[float]) -> float:
    """The mean of any iterable."""
    return float(np.mean(list(values)))


def percent(values: Iterable[float]) -> str:
    """Mean, and range where there are several.

    Examples
    --------
    >>> percent([0.5, 0.7])
    '60.0 (50.0 .. 70.0)'
    """
    shares = [100 * v for v in values]
    if not shares:
        return ""
    spread = f" ({min(shares):.1f} .. {max(shares):.1f})" if len(shares) > 1 else ""
    return f"{np.mean(shares):.1f}{spread}"


def rates(row: Row, when: str) -> str:
    """Rates of all layers, "before" or "after" training, for a cell of a table."""
    return " ".join(f"{r[when]:.1f}" for r in row["rates_hz"].values())


def bound(lower: bool) -> str:
    """Whether there was a lower bound on spikes, in words."""
    return f"{'with' if lower else 'without'} lower bound"


def seeds(args: argparse.Namespace) -> range:
    """The seeds of an experiment."""
    return range(args.seed, args.seed + args.seeds)


def homeostasis_cases(args: argparse.Namespace) -> tuple[bool, ...]:
    """Without the lower bound, with it, or both."""
    return {"both": (False, True), "with": (True,), "without": (False,)}[args.homeostasis]


def start_as_published(
    net: bs.Network, data: Data, sigma_u: float, seed: int, args: argparse.Namespace
) -> None:
    """Start every layer as if its input fired at the rate of the data, as in the paper."""
    bs.fluctuation_driven(
        net,
        data[0],
        sigma_u=sigma_u,
        alpha=0.9,
        assumed_rates=input_rate_everywhere(net, data[0]),
        closed_loop=False,
        seed=seed,
        threads=args.threads,
    )


# ------------------------------------------------------------------------------------------ randman


def randman(args: argparse.Namespace) -> None:
    """Train 128 (recurrent) LIF neurons on Randman, with homeostasis on both sides and SMORMS3."""
    results = Results(args, data_name(args))
    for seed in seeds(args):
        data = load(args, seed)
        net = stack_of(args, data, 1, args.recurrent)
        report = bs.fluctuation_driven(
            net, data[0], sigma_u=1.0, alpha=0.9, seed=seed, threads=args.threads
        )
        optimizer, title = OPTIMIZERS[args.optimizer](args.lr), f"Randman, seed {seed}"
        row = learn(net, data, args, seed, optimizer=optimizer, title=title)
        results.add(row | {"init_report": report.as_dict()})
    results.save(test_accuracy=mean(r["test_accuracy"] for r in results.rows), published=PUBLISHED)
    show_randman(results)
    trace = bs.run(net, data[2][:4], threads=args.threads)
    bs.plot.activity(trace).savefig(results.out / "activity.png", dpi=120)
    results.figure(figures.learning_curves(results.rows, PUBLISHED), "randman.png")


def show_randman(results: Results) -> None:
    """Print a line for each seed, their mean, and what was published."""
    lines = [
        (
            str(r["seed"]),
            f"{100 * r['test_accuracy']:.1f}",
            rates(r, "before"),
            rates(r, "after"),
            f"{r['seconds_per_epoch']:.2f}",
        )
        for r in results.rows
    ]
    lines.append(("mean", f"{100 * results.head['test_accuracy']:.1f}", "", "", ""))
    lines.append(("published", f"{100 * PUBLISHED:.1f}", "", "", ""))
    headings = ("seed", "test accuracy (%)", "rate before (Hz)", "rate after (Hz)", "s per epoch")
    show("Randman", headings, lines)


# -------------------------------------------------------------------------------------------- depth


def depth(args: argparse.Namespace) -> None:
    """Test accuracy against the number of hidden layers, from both starts."""
    data, name = load(args), data_name(args)
    results = Results(args, name)
    cases = product(args.layers, homeostasis_cases(args), args.inits, seeds(args))
    for n_layers, lower, init, seed in cases:
        net = stack_of(args, data, n_layers, args.recurrent)
        if init == "kaiming":
            bs.kaiming(net, seed=seed)
        else:
            start_as_published(net, data, 1.0, seed, args)
        title = f"{n_layers} hidden layers, {init} start, {bound(lower)}, seed {seed}"
        results.add({"init": init} | learn(net, data, args, seed, lower=lower, title=title))
    others = [row for folder in args.beside for row in read(folder, "rows", "depth")]
    show_depth(results.rows + others, name)
    results.figure(figures.depth(results.rows + others, name), "depth.png")


def show_depth(rows: list[Row], name: str) -> None:
    """Print a line for each number of hidden layers."""
    cases = list(dict.fromkeys((r["init"], r["lower_bound"]) for r in rows))
    lines = []
    for n in sorted({r["layers"] for r in rows}):
        same = [r for r in rows if r["layers"] == n]
        cells = [
            percent(r["test_accuracy"] for r in same if (r["init"], r["lower_bound"]) == case)
            for case in cases
        ]
        lines.append((f"{n}", *cells))
    headings = ["hidden layers", *(f"{init}{', lower bound' * lower}" for init, lower in cases)]
    show(f"Depth on {name}: test accuracy (%)", headings, lines)


# ---------------------------------------------------------------------------------- sigma and alpha


def sigma(args: argparse.Namespace) -> None:
    """Accuracy, rates and gradients against the sigma_U that the weights are made for."""
    data, name = load(args), data_name(args)
    results = Results(args, name)
    for value, lower, seed in product(args.sigmas, homeostasis_cases(args), seeds(args)):
        net = stack_of(args, data, args.layers, args.recurrent)
        start_as_published(net, data, value, seed, args)
        title = f"sigma_U = {value:g}, {bound(lower)}, seed {seed}"
        results.add({"sigma_u": value} | learn(net, data, args, seed, lower=lower, title=title))
    best = {
        ("with" if lower else "without"): best_of(results.rows, "sigma_u", lower)
        for lower in homeostasis_cases(args)
    }
    results.save(best_sigma_u=best)
    show_sigma(results.rows, args, name)
    words = (f"{value:g} {which} lower bound" for which, value in best.items())
    console.print(f"best sigma_U: {', '.join(words)}")
    results.figure(figures.sigma(results.rows, name), "sigma.png")


def show_sigma(rows: list[Row], args: argparse.Namespace, name: str) -> None:
    """Print a line for each sigma_U, with and without the lower bound."""
    lines = []
    for lower, value in product(homeostasis_cases(args), args.sigmas):
        same = [r for r in rows if (r["sigma_u"], r["lower_bound"]) == (value, lower)]
        silent = same[0]["silent_layers"]
        lines.append(
            (
                f"{value:g}",
                "yes" if lower else "no",
                percent(r["test_accuracy"] for r in same),
                rates(same[0], "before"),
                f"{silent['before']} / {silent['after']}",
            )
        )
    headings = (
        "sigma_U",
        "lower bound",
        "test accuracy (%)",
        "rates before, by layer (Hz)",
        "silent before / after",
    )
    show(f"sigma_U, {args.layers} hidden layers on {name}", headings, lines, keys=2)


def alpha(args: argparse.Namespace) -> None:
    """Accuracy against the feed-forward share of the variance in a recurrent layer; 1: none."""
    data, name = load(args), data_name(args)
    results = Results(args, name)
    for value, seed in product(args.alphas, seeds(args)):
        net = stack_of(args, data, args.layers, value < 1)
        report = bs.fluctuation_driven(
            net,
            data[0],
            sigma_u=1.0,
            alpha=value,
            seed=seed,
            threads=args.threads,
            progress=console.is_terminal,
        )
        row = learn(net, data, args, seed, title=f"alpha = {value:g}, seed {seed}")
        results.add({"alpha": value, "init_report": report.as_dict()} | row)
    lines = []
    for value in args.alphas:
        same = [r for r in results.rows if r["alpha"] == value]
        accuracy = percent(r["test_accuracy"] for r in same)
        lines.append((f"{value:g}", accuracy, rates(same[0], "before"), rates(same[0], "after")))
    headings = ("alpha", "test accuracy (%)", "rates before (Hz)", "after (Hz)")
    show(f"alpha, {args.layers} recurrent hidden layer(s) on {name}", headings, lines)
    results.figure(figures.alpha(results.rows, name), "alpha.png")


def best_of(rows: list[Row], key: str, lower: bool) -> Any:
    """The value of `key` with the largest mean test accuracy."""

    def accuracy(value: Any) -> float:
        same = [r for r in rows if r[key] == value and r["lower_bound"] == lower]
        return mean(r["test_accuracy"] for r in same)

    return max(sorted({r[key] for r in rows}), key=accuracy)
