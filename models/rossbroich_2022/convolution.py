"""The recurrent convolutional network, from its fluctuation-driven start and from Kaiming's."""

import argparse
from itertools import product
from typing import Any

import numpy as np

import biosnn as bs

from ..command_line import show
from . import figures
from .learning import Results, Row, console, learn
from .networks import DT, SURROGATES, TAU_MEM, TAU_SYN, Data, Surrogate, classes, data_name, load
from .stacks import bound, homeostasis_cases, percent, rates, seeds

KERNELS, STRIDES, RECURRENT_KERNEL = (21, 7, 7), (10, 3, 3), 5

#: Of the 700 of the files: so many that all three layers have neurons. They have no order, so
#: Randman gives convolution nothing to share: it shows that all works.
RANDMAN_UNITS = 400


def convolutional_stack(
    trials: bs.SpikeTrains,
    n_classes: int,
    filters: tuple[int, ...] = (16, 32, 64),
    surrogate: Surrogate = SURROGATES["compact"],
) -> tuple[bs.Network, list[tuple[int, ...]]]:
    """Build layers L1, L2 and L3 of feature maps, and a readout that starts as that of `stack`.

    Each layer is convolved with the one before and with itself.

    Returns
    -------
    The network, and the shape of each layer.
    """
    net = bs.Network(dt=DT)
    source: Any = net.input(trials.n_units)
    shape: tuple[int, ...] = (1, trials.n_units)
    shapes = []
    for k, (n, kernel, stride) in enumerate(zip(filters, KERNELS, STRIDES)):
        source, shape = bs.convolutional_layer(
            net,
            source,
            shape,
            n,
            kernel,
            stride=stride,
            recurrent_kernel=RECURRENT_KERNEL,
            name=f"L{k + 1}",
            neuron=bs.lif(tau_mem=TAU_MEM, tau_syn=TAU_SYN),
            surrogate=surrogate,
        )
        shapes.append(shape)
    net.connect(source, net.readout(n_classes, tau_mem=trials.duration, initial=-1e-2))
    return net, shapes


def convolution(args: argparse.Namespace) -> None:
    """Train the network from both starts, with and without a lower bound on spikes."""
    data, name = load(args, n_units=RANDMAN_UNITS), data_name(args)
    results = Results(args, name)
    for lower, init, seed in product(homeostasis_cases(args), args.inits, seeds(args)):
        net, shapes = convolutional_stack(
            data[0], classes(data), args.filters, SURROGATES[args.surrogate]
        )
        row: Row = {"init": init, "shapes": shapes}
        row["weights"] = {name: int(np.size(w)) for name, w in net.weights.items()}
        row |= start(net, data, init, seed, args)
        before = net.weights["input->L1"][:, 0].tolist()
        title = f"{init} start, {bound(lower)}, seed {seed}"
        row |= learn(net, data, args, seed, lower=lower, title=title)
        row["kernels"] = {"before": before, "after": net.weights["input->L1"][:, 0].tolist()}
        results.add(row)
        if init == args.inits[0] and seed == args.seed:
            trace = bs.run(net, data[2][:4], threads=args.threads)
            bs.plot.activity(trace, units=200).savefig(results.out / "activity.png", dpi=120)
    show_convolution(results.rows, args, name)
    results.figure(figures.convolution(results.rows, name), "convolution.png")


def start(net: bs.Network, data: Data, init: str, seed: int, args: argparse.Namespace) -> Row:
    """Set the weights; what there is to report of it."""
    if init == "kaiming":
        bs.kaiming(net, seed=seed)
        return {}
    report = bs.fluctuation_driven(
        net,
        data[0],
        sigma_u=1.0,
        alpha=0.9,
        seed=seed,
        threads=args.threads,
        progress=console.is_terminal,
    )
    return {"init_report": report.as_dict()}


def show_convolution(rows: list[Row], args: argparse.Namespace, name: str) -> None:
    """Print a line for each start, with and without the lower bound."""
    lines = []
    for lower, init in product(homeostasis_cases(args), args.inits):
        same = [r for r in rows if (r["init"], r["lower_bound"]) == (init, lower)]
        seconds = np.median([r["seconds_per_epoch"] for r in same])
        lines.append(
            (
                init,
                "yes" if lower else "no",
                percent(r["test_accuracy"] for r in same),
                rates(same[0], "before"),
                rates(same[0], "after"),
                f"{seconds:.1f}",
            )
        )
    headings = (
        "start",
        "lower bound",
        "test accuracy (%)",
        "rates before, by layer (Hz)",
        "after (Hz)",
        "s per epoch",
    )
    maps = ", ".join(f"{m} maps of {n}" for m, n in rows[0]["shapes"])
    show(f"Recurrent convolutional network on {name}: {maps}", headings, lines, keys=2)
