"""Rossbroich J, Gygax J, Zenke F (2022). Fluctuation-driven initialization for spiking neural network training.
Neuromorphic Computing and Engineering 2, 044016. https://doi.org/10.1088/2634-4386/ac97bb

    python -m models.rossbroich_2022 dalian          train an E/I network from its fluctuation-driven start
    python -m models.rossbroich_2022 fluctuations    their first figure: membranes at xi = 1, 2, 3
    python -m models.rossbroich_2022 randman         128 recurrent LIF neurons with homeostasis; they report 96.3 % after 200 epochs
    python -m models.rossbroich_2022 depth           1 to 7 hidden layers, from Kaiming's and from the fluctuation-driven start
    python -m models.rossbroich_2022 sigma           accuracy, rates and gradients over sigma_U
    python -m models.rossbroich_2022 alpha           the feed-forward share of the variance in a recurrent layer
    python -m models.rossbroich_2022 convolution     three recurrent convolutional layers, from Kaiming's and from the fluctuation-driven start

The last five make their networks of layers of LIF neurons; --quick runs them small, in about a minute.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import biosnn as bs
from biosnn.analysis import plot
from biosnn.support.tables import Table

from . import _rossbroich_convolution
from . import _rossbroich_experiments as experiments
from ._rossbroich import (
    AUGMENTATIONS,
    DT,
    LOSS,
    SURROGATES,
    TAU_MEM,
    TAU_SYN,
    classes,
    console,
    history_rows,
    load,
    peak_memory,
    versions,
)
from ._rossbroich_fluctuations import fluctuations

# ------------------------------------------------------------------------------------------- dalian

#: Families of the non-negative weights at the start.
FAMILIES = {"exponential": bs.families.Exponential(), "log-normal": bs.families.LogNormal()}


#: Current: the paper's. Conductance: the same time constants; reversal potentials 6 times as far from rest as the threshold, and 2 times on the
#: other side (60 and -20 mV for a threshold of 10 mV). Each with the target membrane and the learning rates (Randman, files) that go with
#: it: conductances shorten the membrane's time constant and bound its fluctuations, and a smaller weight does the same.
NEURONS = {
    "current": bs.ei_lif(tau_mem=TAU_MEM, tau_exc=TAU_SYN, tau_inh=20e-3),
    "conductance": bs.conductance_lif(
        tau_mem=TAU_MEM,
        tau_exc=TAU_SYN,
        tau_inh=20e-3,
        reversal_exc=6.0,
        reversal_inh=-2.0,
        threshold=1.0,
        refractory=0.0,
    ),
}
TARGETS = {
    "current": dict(sigma_u=1.0, alpha=0.9),
    "conductance": dict(mu_u=0.2, sigma_u=0.5, alpha=0.9),
}
RATES = {"current": (1e-2, 3e-3), "conductance": (4e-3, 1e-3)}


def build(
    n_inputs,
    duration,
    n_classes,
    surrogate=SURROGATES["dense"],
    neuron=NEURONS["current"],
    sizes=(128, 32),
    recurrent_excitation=True,
):
    """Excitatory and inhibitory neurons, every projection but I to readout; time constants of the paper."""
    net = bs.Network(dt=DT)
    x = net.input(n_inputs)
    e, _ = bs.dalian_layer(
        net,
        x,
        *sizes,
        neuron=neuron,
        surrogate=surrogate,
        recurrent_excitation=recurrent_excitation,
    )
    net.connect(e, net.readout(n_classes, tau_mem=duration))
    return net


def ratio(text, total=160):
    """Numbers of excitatory and inhibitory neurons, `total` in all, in the ratio that a text such as "4:1" gives."""
    try:
        exc, inh = (float(part) for part in text.split(":"))
        n_exc = round(total * exc / (exc + inh))
    except (ValueError, ZeroDivisionError):
        n_exc = 0
    if not 1 <= n_exc < total:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no ratio of excitatory to inhibitory neurons; 4:1 is one."
        )
    return n_exc, total - n_exc


def naive(net, factor=0.1):
    """Weights of plausible but unmatched scale: those of the initializer, all multiplied by `factor`."""
    for projection in net.projections:
        if net[projection.post].kind == "spiking":
            net.set_weights(projection.name, factor * net.weights[projection.name])


def dalian(args):
    """Initialize, train, evaluate, report."""
    train, validation, test, name = load(args, args.samples)
    net = build(
        train.n_units,
        train.duration,
        classes(train, test),
        SURROGATES[args.surrogate],
        NEURONS[args.neuron],
        args.ratio,
        args.recurrent_excitation,
    )
    report = bs.fluctuation_driven(
        net,
        train,
        **TARGETS[args.neuron],
        family=FAMILIES[args.family],
        seed=args.seed,
        threads=args.threads,
    )
    console.print(report)
    if args.init == "naive":
        naive(net)
        console.print("naive start: all weights onto spiking neurons times 1/10")
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    before = bs.evaluate(net, test, loss=LOSS, threads=args.threads)
    start = {p.name: net.weights[p.name].copy() for p in net.projections}
    figures(net, test, report, out, "before")
    history = bs.train(
        net,
        train,
        epochs=args.epochs,
        batch=args.batch,
        validation=validation,
        loss=LOSS,
        optimizer=bs.Adam(args.lr),
        schedule=bs.schedules.Cosine(0.05) if args.cosine else bs.schedules.Constant(),
        regularizers=[bs.upper_bound(0.1, 7)],
        augment=AUGMENTATIONS if args.augment else (),
        seed=args.seed,
        out=out,
        start="resume" if args.resume else "overwrite",
        threads=args.threads,
    )
    after, training = (
        bs.evaluate(net, test, loss=LOSS, threads=args.threads),
        bs.evaluate(net, train, loss=LOSS, threads=args.threads),
    )
    result = {
        "test_accuracy": after.accuracy,
        "train_accuracy": training.accuracy,
        "history": history_rows(history),
        "rates_hz": {p: {"before": before.rates[p], "after": after.rates[p]} for p in after.rates},
        "init_report": report.as_dict(),
        "dale_violations": bs.audit(net).violations,
        "seconds_per_epoch": float(np.median(history.seconds)) if history.seconds.size else None,
        "peak_memory_mb": peak_memory(),
        "seed": args.seed,
        "init": args.init,
        "surrogate": args.surrogate,
        "neuron": args.neuron,
        "data": name,
        "family": args.family,
        "recurrent_excitation": args.recurrent_excitation,
        "neurons": dict(zip("EI", args.ratio)),
        "interrupted": history.interrupted,
        "versions": versions(),
    }
    for path in [out / "result.json"] + ([Path(args.json)] if args.json else []):
        path.write_text(json.dumps(result, indent=1))
    figures(net, test, report, out, "after")
    runs = {f"{args.init} start": history} | {
        f"{folder}": read_history(folder) for folder in args.beside
    }
    plot.history(runs if args.beside else history).savefig(out / "history.png", dpi=120)
    changed = {name: float(np.abs(net.weights[name] - w).mean()) for name, w in start.items()}
    console.print(results_table(result, changed, name))
    print(f"result, checkpoints and figures: {out}/")


def read_history(folder):
    """The History in the result.json of another run."""
    path = Path(folder) / "result.json"
    try:
        rows = json.loads(path.read_text())["history"]
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(
            f"--beside {folder}: it must be the folder of a finished run, with a result.json ({error})."
        ) from None

    def column(name):
        return np.array([np.nan if row.get(name) is None else row[name] for row in rows], float)

    empty = np.full(len(rows), np.nan)
    return bs.History(
        column("loss"),
        column("accuracy"),
        column("regularizer"),
        empty,
        column("validation"),
        empty,
        column("seconds"),
    )


def figures(net, test, report, out, when):
    """Activity, membrane and currents of one test trial, weights and the initializer's report."""
    trace = bs.run(net, test[:8], record=[f"E.{state}" for state in net["E"].neuron.states])
    row = next(p for p in report.populations if p.name == "E")
    plot.activity(trace).savefig(out / f"activity_{when}.png", dpi=120)
    plot.currents(trace, "E").savefig(out / f"currents_{when}.png", dpi=120)
    plot.membrane(
        trace, "E", theory=(row.target.mu, row.target.sigma) if when == "before" else None
    ).savefig(out / f"membrane_{when}.png", dpi=120)
    plot.weights(net, report).savefig(out / f"weights_{when}.png", dpi=120)
    if when == "before":
        plot.initializer(report).savefig(out / "initializer.png", dpi=120)


def results_table(result, changed, name):
    rows = [
        ("test accuracy", f"{100 * result['test_accuracy']:.1f} %"),
        ("training accuracy", f"{100 * result['train_accuracy']:.1f} %"),
    ]
    rows += [
        (f"rate of {p}, before / after", f"{r['before']:.1f} / {r['after']:.1f} Hz")
        for p, r in result["rates_hz"].items()
    ]
    rows += [
        ("weights of the wrong sign", f"{result['dale_violations']}"),
        *[
            ("mean weight change, recurrent E to E", f"{changed[name]:.4f}")
            for name in ("E->E",)
            if name in changed
        ],
        (
            "time per epoch",
            "" if result["seconds_per_epoch"] is None else f"{result['seconds_per_epoch']:.2f} s",
        ),
        ("peak memory", f"{result['peak_memory_mb']:.0f} MB"),
    ]
    return Table(
        f"Dalian network on {name}, seed {result['seed']}, {result['init']} start",
        ("quantity", "value"),
        rows,
    )


# ------------------------------------------------------------------------------------- command line


def data_options(parser, rate="learning rate"):
    """Where the data come from, and what every training needs; None: the default of the experiment (see `DEFAULTS`)."""
    parser.add_argument(
        "--train",
        help="HDF5 file in the layout of the Spiking Heidelberg Digits (default: Randman)",
    )
    parser.add_argument("--test", help="the same, for testing")
    parser.add_argument(
        "--samples",
        type=int,
        default=None,
        help="trials of each class of Randman, before the split",
    )
    parser.add_argument(
        "--duration", type=float, default=0.7, help="seconds of each trial of the files"
    )
    parser.add_argument("--epochs", type=int, default=None, help="passes over the training data")
    parser.add_argument("--batch", type=int, default=None, help="trials per step")
    parser.add_argument("--lr", type=float, default=None, help=rate)
    parser.add_argument(
        "--schedule",
        choices=("constant", "cosine"),
        default=None,
        help="of the learning rate; cosine unless --lr is given",
    )
    parser.add_argument(
        "--augment",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="shift every presentation of a trial over channels and in time (default: for files)",
    )


def dalian_options(parser):
    data_options(
        parser, "learning rate of Adam (Randman: 1e-2, files: 3e-3; conductances: 4e-3, 1e-3)"
    )
    parser.add_argument(
        "--init",
        choices=("fluctuation", "naive"),
        default="fluctuation",
        help="start of the weights",
    )
    parser.add_argument(
        "--neuron",
        choices=NEURONS,
        default="current",
        help="synaptic currents, as in the paper, or conductances",
    )
    parser.add_argument(
        "--family",
        choices=FAMILIES,
        default="exponential",
        help="distribution of the weights at the start",
    )
    parser.add_argument(
        "--recurrent-excitation",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="the projections E to E and E to I",
    )
    parser.add_argument(
        "--ratio",
        type=ratio,
        default="4:1",
        metavar="E:I",
        help="of 160 neurons, excitatory to inhibitory",
    )
    parser.add_argument(
        "--surrogate",
        choices=SURROGATES,
        default="dense",
        help="SuperSpike, everywhere or within 0.2 of threshold only",
    )
    parser.add_argument(
        "--beside",
        nargs="*",
        default=[],
        metavar="DIR",
        help="folders of other runs, whose learning curves are drawn beside this one's",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")


def experiment_options(parser, layers, surrogate="dense", neurons=128):
    """Options of the experiments on stacks of layers. layers: numbers (an option with several values), or one, or None. neurons: or None."""
    data_options(parser)
    parser.add_argument(
        "--quick", action="store_true", help="few trials and epochs: to see that it works"
    )
    parser.add_argument("--seeds", type=int, default=None, help="how many, from --seed on")
    if neurons is not None:
        parser.add_argument("--neurons", type=int, default=neurons, help="of every hidden layer")
    if layers is not None:
        several = {"nargs": "+"} if isinstance(layers, list) else {}
        parser.add_argument("--layers", type=int, default=layers, **several, help="hidden layers")
    parser.add_argument(
        "--upper",
        type=float,
        default=None,
        help="upper bound of spikes per trial and neuron (20 Hz)",
    )
    parser.add_argument(
        "--surrogate",
        choices=SURROGATES,
        default=surrogate,
        help="SuperSpike, everywhere or within 0.2 of threshold only: faster, but the lower bound cannot wake silent neurons",
    )


def homeostasis_options(parser):
    parser.add_argument(
        "--recurrent",
        action="store_true",
        help="recurrent layers, 0.1 of the variance from recurrence",
    )
    parser.add_argument(
        "--homeostasis",
        choices=("both", "with", "without"),
        default="both",
        help="the lower bound on the spikes of every neuron, strength 100 at 1e-3",
    )


#: epochs, batch, learning rate (None: see RATES), seeds and samples of each class, for Randman, for files, and of either with --quick.
DEFAULTS = {
    "dalian": {"Randman": (10, 100, None, 1, 1000), "files": (60, 100, None, 1, 1000)},
    "randman": {
        "Randman": (40, 250, 5e-3, 3, 1000),
        "files": (60, 100, 5e-3, 1, 1000),
        "quick": (4, 50, 2e-2, 1, 100),
    },
    "depth": {
        "Randman": (20, 100, 5e-3, 1, 300),
        "files": (40, 50, 1e-2, 1, 1000),
        "quick": (3, 50, 1e-2, 1, 60),
    },
    "sigma": {
        "Randman": (15, 50, 5e-3, 1, 200),
        "files": (30, 100, 2e-3, 1, 1000),
        "quick": (2, 50, 1e-2, 1, 60),
    },
    "alpha": {
        "Randman": (15, 50, 5e-3, 2, 200),
        "files": (30, 100, 2e-3, 1, 1000),
        "quick": (2, 50, 1e-2, 1, 60),
    },
    "convolution": {
        "Randman": (10, 100, 5e-3, 1, 200),
        "files": (20, 50, 2e-3, 1, 1000),
        "quick": (2, 50, 1e-2, 1, 30),
    },
}


class Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Says the default of an option unless it is None."""

    def _get_help_string(self, action):
        return action.help if action.default is None else super()._get_help_string(action)


def defaults_text(name):
    """What `DEFAULTS` says of an experiment, for its --help."""
    return "; ".join(
        f"{data}: {epochs} epochs, batch {batch}"
        + (f", learning rate {lr:g}" if lr else "")
        + f", {seeds} seed{'s' * (seeds > 1)}" * (name != "dalian")
        + f", {samples} samples" * (data != "files")
        for data, (epochs, batch, lr, seeds, samples) in DEFAULTS.get(name, {}).items()
    ).replace("quick:", "--quick:")


def command_line():
    parser = argparse.ArgumentParser(
        prog="python -m models.rossbroich_2022",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name, text):
        return commands.add_parser(
            name, help=text, description=f"{text}. {defaults_text(name)}", formatter_class=Formatter
        )

    dalian_options(add("dalian", "train a network that obeys Dale's law"))
    add("fluctuations", "membranes at xi = 1, 2, 3")
    one = add("randman", "128 recurrent LIF neurons with homeostasis, SMORMS3")
    experiment_options(one, None)
    one.add_argument(
        "--optimizer",
        choices=experiments.OPTIMIZERS,
        default="smorms3",
        help="with the learning rate of --lr",
    )
    one.add_argument(
        "--recurrent",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a recurrent layer, 0.1 of the variance from recurrence",
    )
    two = add(
        "depth",
        "test accuracy against the number of hidden layers, fluctuation-driven start against Kaiming's",
    )
    experiment_options(two, list(range(1, 8)))
    homeostasis_options(two)
    two.add_argument(
        "--inits",
        nargs="+",
        choices=("fluctuation", "kaiming"),
        default=["fluctuation", "kaiming"],
        help="starts of the weights",
    )
    two.add_argument(
        "--beside",
        nargs="*",
        default=[],
        metavar="DIR",
        help="folders of other runs, whose rows are listed and drawn, too",
    )
    three = add("sigma", "accuracy, rates and gradients over sigma_U")
    experiment_options(three, 3)
    homeostasis_options(three)
    three.add_argument(
        "--sigmas",
        type=float,
        nargs="+",
        default=[0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0],
        help="targets sigma_U",
    )
    four = add(
        "alpha", "accuracy against the feed-forward share of the variance in recurrent layers"
    )
    experiment_options(four, 1)
    four.add_argument(
        "--alphas",
        type=float,
        nargs="+",
        default=[0.1, 0.3, 0.5, 0.7, 0.9, 1.0],
        help="shares; 1: no recurrence",
    )
    five = add(
        "convolution",
        "three recurrent convolutional layers, fluctuation-driven start against Kaiming's",
    )
    experiment_options(five, None, "compact", None)
    five.add_argument(
        "--filters",
        type=int,
        nargs=3,
        default=[16, 32, 64],
        help="feature maps of the three layers",
    )
    five.add_argument(
        "--homeostasis",
        choices=("both", "with", "without"),
        default="both",
        help="the lower bound on the spikes of every neuron",
    )
    five.add_argument(
        "--inits",
        nargs="+",
        choices=("fluctuation", "kaiming"),
        default=["fluctuation", "kaiming"],
        help="starts of the weights",
    )
    for command in commands.choices.values():
        command.add_argument("--seed", type=int, default=0, help="of data, weights and order")
        command.add_argument("--threads", type=int, default=None, help="default: all processors")
        command.add_argument(
            "--out", default=None, help="folder for results (default: runs/<command>)"
        )
        command.add_argument("--json", help="write the result there, too")
    return parser


def main(arguments=None):
    args = command_line().parse_args(arguments)
    args.out = args.out or f"runs/{args.command}"
    if args.command in DEFAULTS:
        quick = getattr(args, "quick", False)
        args.augment = bool(args.train) if args.augment is None else args.augment
        args.cosine = args.schedule == "cosine" or (args.schedule is None and args.lr is None)
        defaults = DEFAULTS[args.command][
            "quick" if quick else "files" if args.train else "Randman"
        ]
        for name, default in zip(("epochs", "batch", "lr", "seeds", "samples"), defaults):
            if getattr(args, name, None) is None:
                setattr(args, name, default)
        if args.command == "dalian" and args.lr is None:
            args.lr = RATES[args.neuron][bool(args.train)]
    run = {
        "dalian": dalian,
        "fluctuations": fluctuations,
        "randman": experiments.randman,
        "depth": experiments.depth,
        "sigma": experiments.sigma,
        "alpha": experiments.alpha,
        "convolution": _rossbroich_convolution.convolution,
    }
    run[args.command](args)


if __name__ == "__main__":
    main()
