"""The experiments of rossbroich_2022.py on stacks of LIF layers: randman, depth, sigma and alpha."""

import json
from itertools import product
from pathlib import Path

import numpy as np

import biosnn as bs
from biosnn.analysis import plot

from . import _rossbroich_figures as figures
from ._report import show
from ._rossbroich import (
    SURROGATES,
    Results,
    assume_input_rate,
    classes,
    console,
    learn,
    load,
    stack,
)

OPTIMIZERS = {"smorms3": bs.SMORMS3, "adam": bs.Adam}
PUBLISHED = 0.963  # of `randman`, after 200 epochs


def mean(values):
    return float(np.mean(list(values)))


def percent(values):
    """Mean, and range where there are several."""
    values = [100 * v for v in values]
    if not values:
        return ""
    return f"{np.mean(values):.1f}" + (
        f" ({min(values):.1f} .. {max(values):.1f})" if len(values) > 1 else ""
    )


def seeds(args):
    return range(args.seed, args.seed + args.seeds)


# ------------------------------------------------------------------------------------------ randman


def randman(args):
    """128 (recurrent) LIF neurons learn Randman from their fluctuation-driven start, homeostasis on both sides, SMORMS3."""
    results = None
    for seed in seeds(args):
        *data, name = load(args, args.samples, seed)
        results = results or Results(args, name)
        net = stack(
            data[0],
            classes(data[0], data[2]),
            1,
            args.neurons,
            args.recurrent,
            SURROGATES[args.surrogate],
        )
        report = bs.fluctuation_driven(
            net, data[0], sigma_u=1.0, alpha=0.9, seed=seed, threads=args.threads
        )
        row = learn(
            net,
            data,
            args,
            seed,
            optimizer=OPTIMIZERS[args.optimizer](args.lr),
            title=f"Randman, seed {seed}",
        )
        results.add(row | {"init_report": report.as_dict()})
    results.save(test_accuracy=mean(r["test_accuracy"] for r in results.rows), published=PUBLISHED)
    show(
        "Randman",
        ("seed", "test accuracy (%)", "rate before (Hz)", "rate after (Hz)", "s per epoch"),
        [
            (
                str(r["seed"]),
                f"{100 * r['test_accuracy']:.1f}",
                f"{r['rates_hz']['L1']['before']:.1f}",
                f"{r['rates_hz']['L1']['after']:.1f}",
                f"{r['seconds_per_epoch']:.2f}",
            )
            for r in results.rows
        ]
        + [
            ("mean", f"{100 * results.head['test_accuracy']:.1f}", "", "", ""),
            ("published", f"{100 * PUBLISHED:.1f}", "", "", ""),
        ],
    )
    trace = bs.run(net, data[2][:4], threads=args.threads)
    plot.activity(trace).savefig(results.out / "activity.png", dpi=120)
    results.figure(figures.learning_curves(results.rows, PUBLISHED), "randman.png")


# -------------------------------------------------------------------------------------------- depth


def depth(args):
    """Test accuracy against the number of hidden layers, from the fluctuation-driven start and from Kaiming's."""
    *data, name = load(args, args.samples)
    results = Results(args, name)
    for n_layers, lower, init, seed in product(
        args.layers, homeostasis_cases(args), args.inits, seeds(args)
    ):
        net = stack(
            data[0],
            classes(data[0], data[2]),
            n_layers,
            args.neurons,
            args.recurrent,
            SURROGATES[args.surrogate],
        )
        if init == "kaiming":
            bs.kaiming(net, seed=seed)
        else:  # as in the paper: every layer as if its input fired at the rate of the data
            bs.fluctuation_driven(
                net,
                data[0],
                sigma_u=1.0,
                alpha=0.9,
                assumed_rates=assume_input_rate(net, data[0]),
                closed_loop=False,
                seed=seed,
                threads=args.threads,
            )
        title = f"{n_layers} hidden layers, {init} start, {'with' if lower else 'without'} lower bound, seed {seed}"
        results.add({"init": init} | learn(net, data, args, seed, lower, title=title))
    rows = results.rows + [row for folder in args.beside for row in other_rows(folder, "depth")]
    cases = list(dict.fromkeys((r["init"], r["lower_bound"]) for r in rows))
    show(
        f"Depth on {name}: test accuracy (%)",
        ["hidden layers"] + [f"{init}{', lower bound' * lower}" for init, lower in cases],
        [
            [f"{n}"]
            + [
                percent(
                    r["test_accuracy"]
                    for r in rows
                    if (r["layers"], r["init"], r["lower_bound"]) == (n, *case)
                )
                for case in cases
            ]
            for n in sorted({r["layers"] for r in rows})
        ],
    )
    results.figure(figures.depth(rows, name), "depth.png")


def other_rows(folder, experiment):
    """The rows in the result.json of another run of the experiment."""
    path = Path(folder) / "result.json"
    try:
        result = json.loads(path.read_text())
        if result["experiment"] != experiment:
            raise KeyError(f"it is a run of {result['experiment']}")
        return result["rows"]
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(
            f"--beside {folder}: it must be the folder of a run of {experiment}, with a result.json ({error})."
        ) from None


def homeostasis_cases(args):
    return {"both": (False, True), "with": (True,), "without": (False,)}[args.homeostasis]


# ---------------------------------------------------------------------------------- sigma and alpha


def sigma(args):
    """Accuracy, rates and gradients against the sigma_U that the weights are made for, all layers assumed at the input's rate."""
    *data, name = load(args, args.samples)
    results = Results(args, name)
    for value in args.sigmas:
        for lower in homeostasis_cases(args):
            for seed in seeds(args):
                net = stack(
                    data[0],
                    classes(data[0], data[2]),
                    args.layers,
                    args.neurons,
                    args.recurrent,
                    SURROGATES[args.surrogate],
                )
                bs.fluctuation_driven(
                    net,
                    data[0],
                    sigma_u=value,
                    alpha=0.9,
                    assumed_rates=assume_input_rate(net, data[0]),
                    closed_loop=False,
                    seed=seed,
                    threads=args.threads,
                )
                title = f"sigma_U = {value:g}, {'with' if lower else 'without'} lower bound, seed {seed}"
                results.add({"sigma_u": value} | learn(net, data, args, seed, lower, title=title))
    best = {
        ("with" if lower else "without"): best_of(results.rows, "sigma_u", lower)
        for lower in homeostasis_cases(args)
    }
    results.save(best_sigma_u=best)
    show(
        f"sigma_U, {args.layers} hidden layers on {name}",
        (
            "sigma_U",
            "lower bound",
            "test accuracy (%)",
            "rates before, by layer (Hz)",
            "silent before / after",
        ),
        [
            (
                f"{value:g}",
                "yes" if lower else "no",
                percent(r["test_accuracy"] for r in rows),
                " ".join(f"{r['before']:.1f}" for r in rows[0]["rates_hz"].values()),
                f"{rows[0]['silent_layers']['before']} / {rows[0]['silent_layers']['after']}",
            )
            for lower in homeostasis_cases(args)
            for value in args.sigmas
            for rows in [
                [r for r in results.rows if (r["sigma_u"], r["lower_bound"]) == (value, lower)]
            ]
        ],
        keys=2,
    )
    console.print(
        "best sigma_U: "
        + ", ".join(f"{value:g} {which} lower bound" for which, value in best.items())
    )
    results.figure(figures.sigma(results.rows, name), "sigma.png")


def alpha(args):
    """Accuracy against the feed-forward share of the membrane's variance in a recurrent layer; 1 is no recurrence at all."""
    *data, name = load(args, args.samples)
    results = Results(args, name)
    for value in args.alphas:
        for seed in seeds(args):
            net = stack(
                data[0],
                classes(data[0], data[2]),
                args.layers,
                args.neurons,
                value < 1,
                SURROGATES[args.surrogate],
            )
            report = bs.fluctuation_driven(
                net,
                data[0],
                sigma_u=1.0,
                alpha=value,
                seed=seed,
                threads=args.threads,
                progress=console.is_terminal,
            )
            results.add(
                {"alpha": value, "init_report": report.as_dict()}
                | learn(net, data, args, seed, title=f"alpha = {value:g}, seed {seed}")
            )
    groups = [(value, [r for r in results.rows if r["alpha"] == value]) for value in args.alphas]
    show(
        f"alpha, {args.layers} recurrent hidden layer(s) on {name}",
        ("alpha", "test accuracy (%)", "rates before (Hz)", "after (Hz)"),
        [
            (
                f"{value:g}",
                percent(r["test_accuracy"] for r in rows),
                *(
                    " ".join(f"{r[when]:.1f}" for r in rows[0]["rates_hz"].values())
                    for when in ("before", "after")
                ),
            )
            for value, rows in groups
        ],
    )
    results.figure(figures.alpha(results.rows, name), "alpha.png")


def best_of(rows, key, lower):
    """The value of `key` with the largest mean test accuracy."""
    values = sorted({r[key] for r in rows})
    return max(
        values,
        key=lambda v: mean(
            r["test_accuracy"] for r in rows if r[key] == v and r["lower_bound"] == lower
        ),
    )
