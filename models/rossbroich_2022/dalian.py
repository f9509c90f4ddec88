"""The network that obeys Dale's law: initialized, trained, evaluated, reported."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import biosnn as bs

from .. import command_line
from .learning import (
    LOSS,
    Row,
    augmentations,
    console,
    history_rows,
    rates_before_and_after,
    read,
    schedule,
    seconds_per_epoch,
    versions,
    write,
)
from .networks import DT, SURROGATES, TAU_MEM, TAU_SYN, Data, Surrogate, classes, data_name, load

#: Families of the non-negative weights at the start.
FAMILIES = {"exponential": bs.families.Exponential(), "log-normal": bs.families.LogNormal()}

#: Current: the paper's. Conductance: the same time constants; reversal potentials 6 times as far
#: from rest as the threshold, and 2 times on the other side (60 and -20 mV for a threshold of
#: 10 mV).
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

#: Target membranes, and learning rates for (Randman, files). Conductances shorten the membrane's
#: time constant and bound its fluctuations, and a smaller weight does the same.
TARGETS = {
    "current": {"sigma_u": 1.0, "alpha": 0.9},
    "conductance": {"mu_u": 0.2, "sigma_u": 0.5, "alpha": 0.9},
}
RATES = {"current": (1e-2, 3e-3), "conductance": (4e-3, 1e-3)}


def build(
    n_inputs: int,
    duration: float,
    n_classes: int,
    *,
    surrogate: Surrogate = SURROGATES["dense"],
    neuron: bs.Neuron = NEURONS["current"],
    sizes: tuple[int, int] = (128, 32),
    recurrent_excitation: bool = True,
) -> bs.Network:
    """Build excitatory and inhibitory neurons, with every projection but I to the readout."""
    net = bs.Network(dt=DT)
    excitatory, _ = bs.dalian_layer(
        net,
        net.input(n_inputs),
        *sizes,
        neuron=neuron,
        surrogate=surrogate,
        recurrent_excitation=recurrent_excitation,
    )
    net.connect(excitatory, net.readout(n_classes, tau_mem=duration))
    return net


def ratio(text: str, total: int = 160) -> tuple[int, int]:
    """Numbers of excitatory and inhibitory neurons for a ratio such as "4:1".

    Examples
    --------
    >>> ratio("4:1")
    (128, 32)
    """
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


def dalian(args: argparse.Namespace) -> None:
    """Train a network that obeys Dale's law from its fluctuation-driven start."""
    data, name = load(args), data_name(args)
    net, report = start(data, args)
    Path(args.out).mkdir(parents=True, exist_ok=True)
    before = bs.evaluate(net, data[2], loss=LOSS, threads=args.threads)
    first = {name: weights.copy() for name, weights in net.weights.items()}
    draw(net, data[2], report, args, "before")
    history = train(net, data, args)
    result = measured(net, data, before, history, args)
    result |= {"init_report": report.as_dict(), "data": name}
    write(args, result)
    draw(net, data[2], report, args, "after")
    draw_histories(history, args)
    changed = {name: float(np.abs(net.weights[name] - w).mean()) for name, w in first.items()}
    show(result, changed)
    print(f"result, checkpoints and figures: {args.out}/")


def start(data: Data, args: argparse.Namespace) -> tuple[bs.Network, Any]:
    """The network at its start, and the report of the initializer."""
    train, _, _ = data
    net = build(
        train.n_units,
        train.duration,
        classes(data),
        surrogate=SURROGATES[args.surrogate],
        neuron=NEURONS[args.neuron],
        sizes=args.ratio,
        recurrent_excitation=args.recurrent_excitation,
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
        weaken(net)
        console.print("naive start: all weights onto spiking neurons times 1/10")
    return net, report


def weaken(net: bs.Network, factor: float = 0.1) -> None:
    """Multiply the weights onto spiking neurons: a start of plausible but unmatched scale."""
    for projection in net.projections:
        if net[projection.post].kind == "spiking":
            net.set_weights(projection.name, factor * net.weights[projection.name])


def train(net: bs.Network, data: Data, args: argparse.Namespace) -> bs.History:
    """Train, with a checkpoint in --out after every epoch."""
    train, validation, _ = data
    return bs.train(
        net,
        train,
        epochs=args.epochs,
        batch=args.batch,
        validation=validation,
        loss=LOSS,
        optimizer=bs.Adam(args.lr),
        schedule=schedule(args),
        regularizers=[bs.upper_bound(0.1, 7)],
        augment=augmentations(args),
        seed=args.seed,
        out=args.out,
        start="resume" if args.resume else "overwrite",
        threads=args.threads,
    )


def measured(
    net: bs.Network,
    data: Data,
    before: bs.Evaluation,
    history: bs.History,
    args: argparse.Namespace,
) -> Row:
    """What result.json holds of the trained network and of the training."""
    train, _, test = data
    after = bs.evaluate(net, test, loss=LOSS, threads=args.threads)
    return {
        "test_accuracy": after.accuracy,
        "train_accuracy": bs.evaluate(net, train, loss=LOSS, threads=args.threads).accuracy,
        "history": history_rows(history),
        "rates_hz": rates_before_and_after(before, after),
        "dale_violations": bs.audit(net).violations,
        "seconds_per_epoch": seconds_per_epoch(history),
        "peak_memory_mb": command_line.peak_memory(),
        "seed": args.seed,
        "init": args.init,
        "surrogate": args.surrogate,
        "neuron": args.neuron,
        "family": args.family,
        "recurrent_excitation": args.recurrent_excitation,
        "neurons": dict(zip("EI", args.ratio)),
        "interrupted": history.interrupted,
        "versions": versions(),
    }


def draw(
    net: bs.Network, test: bs.SpikeTrains, report: Any, args: argparse.Namespace, when: str
) -> None:
    """Activity, membrane and currents of a test trial, weights and the initializer's report."""
    excitatory: Any = net["E"]
    states = [f"E.{state}" for state in excitatory.neuron.states]
    trace = bs.run(net, test[:8], record=states)
    target = report["E"].target
    theory = (target.mu, target.sigma) if when == "before" else None
    figures = {
        f"activity_{when}": bs.plot.activity(trace),
        f"currents_{when}": bs.plot.currents(trace, "E"),
        f"membrane_{when}": bs.plot.membrane(trace, "E", theory=theory),
        f"weights_{when}": bs.plot.weights(net, report),
    }
    if when == "before":
        figures["initializer"] = bs.plot.initializer(report)
    for name, figure in figures.items():
        figure.savefig(Path(args.out, f"{name}.png"), dpi=120)


def draw_histories(history: bs.History, args: argparse.Namespace) -> None:
    """The learning curves, beside those of the runs in --beside."""
    others = {folder: read_history(folder) for folder in args.beside}
    runs = {f"{args.init} start": history} | others if others else history
    bs.plot.history(runs).savefig(Path(args.out, "history.png"), dpi=120)


def read_history(folder: str) -> bs.History:
    """The learning curves in the result.json of another run."""
    rows = read(folder, "history")

    def column(name: str) -> np.ndarray:
        return np.array([np.nan if row.get(name) is None else row[name] for row in rows], float)

    unknown = np.full(len(rows), np.nan)
    return bs.History(
        loss=column("loss"),
        score=column("accuracy"),
        regularizer=column("regularizer"),
        validation_loss=unknown,
        validation_score=column("validation"),
        learning_rate=unknown,
        seconds=column("seconds"),
    )


def show(result: Row, changed: dict[str, float]) -> None:
    """Print what was measured; `changed`: mean change of the weights of each projection."""
    seconds = result["seconds_per_epoch"]
    rows = [
        ("test accuracy", f"{100 * result['test_accuracy']:.1f} %"),
        ("training accuracy", f"{100 * result['train_accuracy']:.1f} %"),
    ]
    for name, rates in result["rates_hz"].items():
        text = f"{rates['before']:.1f} / {rates['after']:.1f} Hz"
        rows.append((f"rate of {name}, before / after", text))
    rows.append(("weights of the wrong sign", f"{result['dale_violations']}"))
    if "E->E" in changed:
        rows.append(("mean weight change, recurrent E to E", f"{changed['E->E']:.4f}"))
    rows.append(("time per epoch", "" if seconds is None else f"{seconds:.2f} s"))
    rows.append(("peak memory", f"{result['peak_memory_mb']:.0f} MB"))
    title = f"Dalian network on {result['data']}, seed {result['seed']}, {result['init']} start"
    command_line.show(title, ("quantity", "value"), rows)
