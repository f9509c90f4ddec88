"""A recurrent network of adaptive neurons that tells spoken digits apart, on files in the layout of the Spiking Heidelberg Digits.

    python -m models.spoken_digits --train train.h5 --test test.h5 [--seeds 3]       accuracy on the test file
    python -m models.spoken_digits --train train.h5 --leave-one-speaker-out          … on each speaker, trained on the others

256 LIF neurons with spike-frequency adaptation (membrane 40 ms, synapses 15 ms, adaptation 200 ms), all to all, start in the
fluctuation-driven regime. Steps of 5 ms; the cross-entropy of every step of a readout with the time constant of a trial; Adam with 1e-2
and a cosine schedule; the truncated SuperSpike, which needs gradients near threshold alone. At every presentation a recording is shifted
over channels (another pitch) and in time, stretched (another tempo), and loses a band of its channels (another microphone): without that
the network learns its training files by heart.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import biosnn as bs
from models import _report as common

N, DT, BATCH, RATE = 256, 5e-3, 100, 1e-2
NEURON = bs.adaptive_lif(tau_mem=40e-3, tau_syn=15e-3, tau_adapt=200e-3, jump=0.02)
AUGMENT = (bs.ChannelShift(10), bs.TimeShift(40e-3), bs.TimeStretch(0.15), bs.ChannelMask(150))
LOSS = bs.EveryStepCrossEntropy()


def build(data, seed, threads=None, n=N):
    """The network for data of some units and duration, at its start."""
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
    net.connect(hidden, net.readout(int(data.labels.max()) + 1, tau_mem=data.duration))
    bs.fluctuation_driven(net, data, sigma_u=1.0, alpha=0.9, seed=seed, threads=threads)
    return net


def learn(train, test, seed, args):
    """One network: a row of results, with predictions for the matrix of confusions."""
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
        "labels": test.labels.tolist(),
    }


def figure(rows, title):
    """Learning curves of the training data, and which digit was taken for which, of all rows together."""
    from matplotlib.figure import Figure

    result = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = result.subplots(1, 2)
    for row, colour in zip(
        rows, ("#000000", "#009E73", "#CC79A7", "#E69F00", "#56B4E9") * len(rows)
    ):
        label = f"speaker {row['speaker']}" if "speaker" in row else f"seed {row['seed']}"
        left.plot(
            np.arange(1, len(row["accuracy"]) + 1),
            100 * np.array(row["accuracy"]),
            color=colour,
            lw=1.2,
            label=f"{label}: test {100 * row['test_accuracy']:.1f} %",
        )
    left.set(xlabel="epoch", ylabel="accuracy on training data (%)", ylim=(0, 101), title=title)
    left.legend(loc="lower right", fontsize=8)
    labels, found = (
        np.concatenate([row[key] for row in rows]) for key in ("labels", "predictions")
    )
    n = labels.max() + 1
    counts = np.zeros((n, n))
    np.add.at(counts, (labels, found), 1)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = right.imshow(share, cmap="cividis", vmin=0, vmax=100)
    for (true, given), value in np.ndenumerate(share):
        if value >= 0.5:
            right.text(
                given,
                true,
                f"{value:.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="k" if value > 50 else "w",
            )
    right.set(
        xlabel="taken for", ylabel="spoken", xticks=range(n), yticks=range(n), title="test trials"
    )
    result.colorbar(image, ax=right, label="share of the trials of a digit (%)")
    return result


def jobs(args):
    """(speaker that is left out, or None; training data, test data, seed) of every network to train."""
    train = bs.data.load_shd(args.train, duration=args.duration)
    if not args.leave_one_speaker_out:
        test = bs.data.load_shd(args.test, duration=args.duration)
        return [(None, train, test, args.seed + k) for k in range(args.seeds)]
    speakers = bs.data.load_speakers(args.train)
    return [
        (int(who), train[speakers != who], train[speakers == who], args.seed)
        for who in np.unique(speakers)
    ]


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m models.spoken_digits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--train", required=True, help="HDF5 file in the layout of the Spiking Heidelberg Digits"
    )
    parser.add_argument("--test", help="the same, for testing")
    parser.add_argument(
        "--leave-one-speaker-out",
        action="store_true",
        help="test on each speaker of --train a network trained on the others",
    )
    parser.add_argument(
        "--duration", type=float, default=0.7, help="seconds of a trial (default 0.7)"
    )
    parser.add_argument(
        "--epochs", type=int, default=300, help="passes over the training data (default 300)"
    )
    parser.add_argument("--neurons", type=int, default=N, help=f"hidden neurons (default {N})")
    parser.add_argument(
        "--seeds", type=int, default=1, help="how many networks, from --seed on (default 1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights and order (default 0)")
    parser.add_argument("--threads", type=int, default=None, help="default: all processors")
    parser.add_argument("--json", help="write all numbers there, after every network")
    parser.add_argument("--out", default="runs/spoken_digits", help="folder of the figure")
    args = parser.parse_args(arguments)
    if bool(args.test) == args.leave_one_speaker_out:
        parser.error(
            "give --test FILE, or --leave-one-speaker-out, which tests on --train; one of both."
        )
    rows = []
    for speaker, train, test, seed in jobs(args):
        rows.append(
            ({} if speaker is None else {"speaker": speaker}) | learn(train, test, seed, args)
        )
        if args.json:
            Path(args.json).write_text(json.dumps({"rows": rows}, indent=1))
        if rows[-1]["interrupted"]:
            break
    first = "speaker left out" if args.leave_one_speaker_out else "seed"
    common.show(
        "Spoken digits",
        (
            first,
            "test trials",
            "test accuracy (%)",
            "training accuracy (%)",
            "rate (Hz)",
            "time (s)",
        ),
        [
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
        + [("mean", "", f"{100 * np.mean([r['test_accuracy'] for r in rows]):.1f}", "", "", "")],
    )
    common.save(
        args,
        lambda: figure(
            rows, "spoken digits" + ", one speaker left out" * args.leave_one_speaker_out
        ),
        "spoken_digits.png",
        {"rows": rows},
    )


if __name__ == "__main__":
    main()
