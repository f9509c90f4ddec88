"""The recurrent convolutional network of rossbroich_2022.py."""

from itertools import product

import numpy as np

import biosnn as bs
from biosnn.analysis import plot

from . import _rossbroich_figures as figures
from ._report import show
from ._rossbroich import DT, SURROGATES, TAU_MEM, TAU_SYN, Results, classes, console, learn, load
from ._rossbroich_experiments import homeostasis_cases, percent, seeds

KERNELS, STRIDES, RECURRENT_KERNEL = (21, 7, 7), (10, 3, 3), 5
RANDMAN_UNITS = 400  # of the 700 of the files: so many that all three layers have neurons


def convolutional_stack(data, n_classes, filters=(16, 32, 64), surrogate=SURROGATES["compact"]):
    """Layers L1, L2 and L3 of feature maps, each convolved with the one before and with itself, and a readout that starts as that of
    `stack`. Returns (network, the shape of each layer)."""
    net = bs.Network(dt=DT)
    source, shape, shapes = net.input(data.n_units), (1, data.n_units), []
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
    net.connect(source, net.readout(n_classes, tau_mem=data.duration, initial=-1e-2))
    return net, shapes


def data_of(args):
    """As `load`, but Randman has more units. They have no order, so that it gives convolution nothing to share: it shows that all works."""
    if args.train or args.test:
        return load(args)
    train, validation, test = bs.data.split(
        bs.data.randman(n_units=RANDMAN_UNITS, samples_per_class=args.samples, seed=args.seed),
        seed=args.seed,
    )
    return train, validation, test, "Randman"


def convolution(args):
    """Accuracy of the network from its fluctuation-driven start and from Kaiming's."""
    *data, name = data_of(args)
    results = Results(args, name)
    for lower, init, seed in product(homeostasis_cases(args), args.inits, seeds(args)):
        net, shapes = convolutional_stack(
            data[0], classes(data[0], data[2]), args.filters, SURROGATES[args.surrogate]
        )
        row = {
            "init": init,
            "shapes": shapes,
            "weights": {p: int(np.size(w)) for p, w in net.weights.items()},
        }
        if init == "kaiming":
            bs.kaiming(net, seed=seed)
        else:
            report = bs.fluctuation_driven(
                net,
                data[0],
                sigma_u=1.0,
                alpha=0.9,
                seed=seed,
                threads=args.threads,
                progress=console.is_terminal,
            )
            row["init_report"] = report.as_dict()
        before = net.weights["input->L1"][:, 0].tolist()
        title = f"{init} start, {'with' if lower else 'without'} lower bound, seed {seed}"
        row |= learn(net, data, args, seed, lower, title=title)
        results.add(
            row | {"kernels": {"before": before, "after": net.weights["input->L1"][:, 0].tolist()}}
        )
        if init == args.inits[0] and seed == args.seed:
            plot.activity(bs.run(net, data[2][:4], threads=args.threads), units=200).savefig(
                results.out / "activity.png", dpi=120
            )
    show(
        f"Recurrent convolutional network on {name}: {', '.join(f'{m} maps of {n}' for m, n in shapes)}",
        (
            "start",
            "lower bound",
            "test accuracy (%)",
            "rates before, by layer (Hz)",
            "after (Hz)",
            "s per epoch",
        ),
        [
            (
                init,
                "yes" if lower else "no",
                percent(r["test_accuracy"] for r in rows),
                *(
                    " ".join(f"{r[when]:.1f}" for r in rows[0]["rates_hz"].values())
                    for when in ("before", "after")
                ),
                f"{np.median([r['seconds_per_epoch'] for r in rows]):.1f}",
            )
            for lower in homeostasis_cases(args)
            for init in args.inits
            for rows in [
                [r for r in results.rows if (r["init"], r["lower_bound"]) == (init, lower)]
            ]
        ],
        keys=2,
    )
    results.figure(figures.convolution(results.rows, name), "convolution.png")
