"""
Perceptual decision: a spiking network that decides
===================================================

Excitatory and inhibitory neurons learn to tell which of two pools of inputs fires more::

    python -m models.perceptual_decision [--epochs 12] [--trials 2000] [--seed 0]

The task is that of Roitman JD, Shadlen MN (2002), Response of neurons in the lateral intraparietal
area during a combined visual discrimination reaction time task, J Neurosci 22, 9475-9489, as input
to a circuit (Wang XJ 2002, Neuron 36, 955-968): in the half second of the stimulus two pools of 20
inputs fire at 40 (1 + c) and 40 (1 - c) Hz, for a signed coherence c; the choice is asked for in
the 0.1 s that follow, in which nothing but a "go" signal comes in. Training networks of excitatory
and inhibitory units on it: Song HF, Yang GR, Wang XJ (2016), PLoS Comput Biol 12, e1004792. How to
read a psychometric curve: Gold JI, Shadlen MN (2007), Annu Rev Neurosci 30, 535-574.

80 excitatory and 20 inhibitory LIF neurons that obey Dale's law, all to all, start in the
fluctuation-driven regime. Excitation is as slow as NMDA receptors' (100 ms), inhibition 10 ms,
membranes 20 ms. The readout of E has 0.1 s, so the evidence of half a second must be kept by the
circuit. Homeostasis keeps every neuron between 2 and 20 spikes in a trial, and so excitation and
inhibition balanced; without it (``--no-homeostasis``) the choices are as good, but many neurons
fall silent under strong inhibition.

Shown are the psychometric curve next to that of an observer who counts all spikes of both pools
(none is better), the rates of neurons that vote for and against the direction shown, the currents
in a trial, and what remains with a part of the inhibitory weights.
"""

import argparse
import time
from typing import Any

import numpy as np

import biosnn as bs

from .. import command_line
from ..command_line import number
from .choices import ideal_accuracy, ideal_observer, lesion, measured, signed_coherences
from .figure import figure
from .network import BATCH, BOUNDS, DT, HOMEOSTASIS, LOSS, build

RATE = 2e-3  # of learning
SHOWN = 600  # trials, in the figure


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    name, seed = "perceptual_decision", "of trials, weights and their order"
    parser = command_line.parser(name, __doc__ or "", seed=seed)
    add = parser.add_argument
    add("--epochs", type=int, default=12, help="passes over the training trials (default 12)")
    add("--trials", type=int, default=2000, help="for training (default 2000)")
    add("--test", type=int, default=2400, help="trials for testing (default 2400)")
    rate = f"learning rate of Adam at the start; it falls as a cosine (default {RATE:g})"
    add("--lr", type=float, default=RATE, help=rate)
    add(
        "--homeostasis",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="bounds on the spikes of every neuron",
    )
    add("--resume", action="store_true", help="go on from the checkpoint in --out")
    args = parser.parse_args(arguments)
    for name, least in (("epochs", 1), ("trials", BATCH), ("test", 120)):
        if getattr(args, name) < least:
            parser.error(f"--{name} is {getattr(args, name)}; it must be at least {least}.")
    if not (np.isfinite(args.lr) and args.lr > 0):
        parser.error(f"--lr is {args.lr:g}; it must be positive.")
    args.json = args.json or f"{args.out}/result.json"
    return args


def train(net: bs.Network, task: bs.data.Task, args: argparse.Namespace) -> bs.History:
    """Train, with a checkpoint in --out after every epoch."""
    return bs.train(
        net,
        task.spikes,
        mask=task.mask,
        epochs=args.epochs,
        loss=LOSS,
        batch=BATCH,
        optimizer=bs.Adam(args.lr),
        schedule=bs.schedules.Cosine(0.05),
        regularizers=BOUNDS + (HOMEOSTASIS if args.homeostasis else ()),
        seed=args.seed,
        out=args.out,
        start="resume" if args.resume else "overwrite",
        threads=args.threads,
    )


def first_trials(task: bs.data.Task, n: int) -> bs.data.Task:
    """A part of a task."""
    return bs.data.Task(
        spikes=task.spikes[:n],
        mask=task.mask[:n],
        n_choices=task.n_choices,
        dt=task.dt,
        pools=task.pools,
        conditions={"coherence": task.conditions["coherence"][:n]},
        periods={name: (start[:n], stop[:n]) for name, (start, stop) in task.periods.items()},
    )


def main(arguments: list[str] | None = None) -> None:
    """Train the network and measure its choices, from the command line."""
    args = options(arguments)
    training, test = (
        bs.data.perceptual_decision(n, dt=DT, seed=np.random.default_rng([args.seed, k]))
        for k, n in enumerate((args.trials, args.test))
    )
    net = build(training)
    targets = {"sigma_u": 1.0, "alpha": 0.5, "seed": args.seed, "threads": args.threads}
    print(bs.fluctuation_driven(net, training.spikes, **targets))
    before, begin = measured(net, test, args.threads), time.perf_counter()
    history = train(net, training, args)
    seconds = time.perf_counter() - begin
    rows = lesion(net, test, args.threads)
    shown = first_trials(test, SHOWN)
    trace = bs.run(net, shown.spikes, record=["E.I_exc", "E.I_inh"], threads=args.threads)
    balance = bs.stats.ei_balance(trace.states["E.I_exc"], trace.states["E.I_inh"])
    result = {
        "before": before,
        "lesion": rows,
        "history": history.as_dict(),
        "interrupted": history.interrupted,
        "seconds_training": seconds,
        "ei_ratio": float(np.nanmedian(balance.ratio)),
        "ei_correlation": float(np.nanmedian(balance.correlation)),
        "ideal_accuracy": ideal_accuracy(test),
        "dale_violations": bs.audit(net).violations,
        "seed": args.seed,
        "homeostasis": args.homeostasis,
    }
    show(result)
    trial = int(np.argmax(signed_coherences(shown)))
    command_line.save(args, lambda: figure(rows, trace, shown, trial), "decision.png", result)


def show(result: dict[str, Any]) -> None:
    """Print the psychometric curve, and the table of lesions."""
    command_line.show(
        "Choices of the trained network",
        ("signed coherence", "share of choices 0", "95 % interval", "ideal observer"),
        [
            (
                f"{row['coherence']:g}",
                f"{row['share']:.3f}",
                f"{row['low']:.3f} .. {row['high']:.3f}",
                f"{ideal_observer(row['coherence']):.3f}",
            )
            for row in result["lesion"][0]["psychometric"]
        ],
    )
    cases = [("before training", result["before"])]
    cases += [(f"{100 * row['inhibition']:.0f} % of I", row) for row in result["lesion"]]
    lines = [
        (
            name,
            f"{100 * row['accuracy']['share']:.1f} %",
            f"{100 * row['accuracy_strongest']['share']:.1f} %",
            number(row["rates_hz"]["E"], 1),
            number(row["rates_hz"]["I"], 1),
            number(row["fit"]["threshold"], 3),
        )
        for name, row in cases
    ]
    command_line.show(
        f"Accuracy and rates; ideal observer {100 * result['ideal_accuracy']:.1f} %; "
        f"trained for {result['seconds_training']:.0f} s; "
        f"median E/I ratio {number(result['ei_ratio']) or '-'}, "
        f"correlation {number(result['ei_correlation']) or '-'}",
        ("", "right", "strongest c", "E (Hz)", "I (Hz)", "82 % at c"),
        lines,
    )


if __name__ == "__main__":
    main()
