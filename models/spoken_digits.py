"""
Spoken digits: a recurrent network of adaptive neurons
======================================================

The network tells spoken digits apart, on files in the layout of the Spiking Heidelberg Digits::

    python -m models.spoken_digits --train train.h5 --test test.h5 [--seeds 3]
    python -m models.spoken_digits --train train.h5 --leave-one-speaker-out

The second command tests on each speaker a network that was trained on the others.

256 LIF neurons with spike-frequency adaptation (membrane 40 ms, synapses 15 ms, adaptation 200 ms),
all to all, start in the fluctuation-driven regime. Steps of 5 ms; the cross-entropy of every step
of a readout with the time constant of a trial; Adam with 1e-2 and a cosine schedule; the truncated
SuperSpike, which needs gradients near threshold alone. At every presentation a recording is shifted
over channels (another pitch) and in time, stretched (another tempo), and loses a band of its
channels (another microphone): without that the network learns its training files by heart.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import biosnn as bs

from . import command_line

N, DT, BATCH, RATE = 256, 5e-3, 100, 1e-2
NEURON = bs.adaptive_lif(tau_mem=40e-3, tau_syn=15e-3, tau_adapt=200e-3, jump=0.02)
AUGMENT = (bs.ChannelShift(10), bs.TimeShift(40e-3), bs.TimeStretch(0.15), bs.ChannelMask(150))
LOSS = bs.EveryStepCrossEntropy()
COLOURS = ("#000000", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

Row = dict[str, Any]


def build(data: bs.SpikeTrains, seed: int, threads: int | None = None, n: int = N) -> bs.Network:
    """Build the network for data of some units and duration, at its start."""
    net = bs.Network(DT)
    hidden = bs.layer(
        net,
        net.input(data.n_units),
        n,
        name="H",
        neuron=NEURON,
        recurrent=True,
        surrogate=bs.TruncatedSuperSpike(),
    )
    net.connect(hidden, net.readout(int(np.asarray(data.labels).max()) + 1, tau_mem=data.duration))
    bs.fluctuation_driven(net, data, sigma_u=1.0, alpha=0.9, seed=seed, threads=threads)
    return net


def learn(train: bs.SpikeTrains, test: bs.SpikeTrains, seed: int, args: argparse.Namespace) -> Row:
    """Train one network: a row of results, with predictions for the matrix of confusions."""
    begin = time.perf_counter()
    net = build(train, seed, args.threads, args.neurons)
    history = bs.train(
        net,
        train,
        epochs=args.epochs,
        batch=BATCH,
        loss=LOSS,
        optimizer=bs.Adam(RATE),
        schedule=bs.schedules.Cosine(0.02),
        regularizers=[bs.upper_bound(0.1, 20 * train.duration)],
        augment=AUGMENT,
        seed=seed,
        threads=args.threads,
    )
    after = bs.evaluate(net, test, loss=LOSS, threads=args.threads)
    return {
        "seed": seed,
        "test_accuracy": after.accuracy,
        "train_accuracy": bs.evaluate(net, train, loss=LOSS, threads=args.threads).accuracy,
        "trials": len(test),
        "rate_hz": after.rates["H"],
        "seconds": time.perf_counter() - begin,
        "interrupted": history.interrupted,
        "accuracy": history.accuracy.tolist(),
        "predictions": after.predictions.tolist(),
        "labels": np.asarray(test.labels).tolist(),
    }


def figure(rows: list[Row], title: str) -> Figure:
    """Learning curves of the training data, and which digit was taken for which."""
    result = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = result.subplots(1, 2)
    for row, colour in zip(rows, cycle(COLOURS)):
        name = f"speaker {row['speaker']}" if "speaker" in row else f"seed {row['seed']}"
        label = f"{name}: test {100 * row['test_accuracy']:.1f} %"
        curve = 100 * np.array(row["accuracy"])
        left.plot(np.arange(1, curve.size + 1), curve, color=colour, lw=1.2, label=label)
    left.set(xlabel="epoch", ylabel="accuracy on training data (%)", ylim=(0, 101), title=title)
    left.legend(loc="lower right", fontsize=8)
    _confusions(right, rows)
    return result


def _confusions(axis: Axes, rows: list[Row]) -> None:
    """Shares of the trials of each digit, of all rows together."""
    labels = np.concatenate([row["labels"] for row in rows])
    predictions = np.concatenate([row["predictions"] for row in rows])
    found = bs.Evaluation(np.nan, np.nan, predictions, {}, labels=labels)
    bs.plot.confusion(found.confusion(), ax=axis)
    axis.set(xlabel="taken for", ylabel="spoken")


def jobs(args: argparse.Namespace) -> Iterator[tuple[Row, bs.SpikeTrains, bs.SpikeTrains, int]]:
    """What is known of each network to train, its training data, test data and seed."""
    train = bs.data.load_shd(args.train, duration=args.duration)
    if args.leave_one_speaker_out:
        speakers = bs.data.load_speakers(args.train)
        for who in np.unique(speakers):
            row = {"speaker": int(who)}
            yield row, train[speakers != who], train[speakers == who], args.seed
    else:
        test = bs.data.load_shd(args.test, duration=args.duration)
        for k in range(args.seeds):
            yield {}, train, test, args.seed + k


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_line.parser("spoken_digits", __doc__ or "", seed="of weights and order")
    add = parser.add_argument
    layout = "HDF5 file in the layout of the Spiking Heidelberg Digits"
    add("--train", required=True, help=layout)
    add("--test", help="the same, for testing")
    add(
        "--leave-one-speaker-out",
        action="store_true",
        help="test on each speaker of --train a network trained on the others",
    )
    add("--duration", type=float, default=0.7, help="seconds of a trial (default 0.7)")
    add("--epochs", type=int, default=300, help="passes over the training data (default 300)")
    add("--neurons", type=int, default=N, help=f"hidden neurons (default {N})")
    add("--seeds", type=int, default=1, help="how many networks, from --seed on (default 1)")
    args = parser.parse_args(arguments)
    if bool(args.test) == args.leave_one_speaker_out:
        parser.error(
            "give --test FILE, or --leave-one-speaker-out, which tests on --train; one of both."
        )
    return args


def show(rows: list[Row], args: argparse.Namespace) -> None:
    """Print a line for each network, and the mean."""
    lines = [
        (
            str(r.get("speaker", r["seed"])),
            str(r["trials"]),
            f"{100 * r['test_accuracy']:.1f}",
            f"{100 * r['train_accuracy']:.1f}",
            f"{r['rate_hz']:.1f}",
            f"{r['seconds']:.0f}",
        )
        for r in rows
    ]
    mean = np.mean([r["test_accuracy"] for r in rows])
    lines.append(("mean", "", f"{100 * mean:.1f}", "", "", ""))
    headings = (
        "speaker left out" if args.leave_one_speaker_out else "seed",
        "test trials",
        "test accuracy (%)",
        "training accuracy (%)",
        "rate (Hz)",
        "time (s)",
    )
    command_line.show("Spoken digits", headings, lines)


def main(arguments: list[str] | None = None) -> None:
    """Train the networks from the command line."""
    args = options(arguments)
    rows: list[Row] = []
    for known, train, test, seed in jobs(args):
        rows.append(known | learn(train, test, seed, args))
        if args.json:
            command_line.write_json(args.json, {"rows": rows})
        if rows[-1]["interrupted"]:
            break
    show(rows, args)
    title = "spoken digits" + ", one speaker left out" * args.leave_one_speaker_out
    numbers = {"rows": rows}
    command_line.save(args, lambda: figure(rows, title), "spoken_digits.png", numbers)


if __name__ == "__main__":
    main()
