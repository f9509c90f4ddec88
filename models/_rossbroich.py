"""What the experiments of rossbroich_2022.py share: data, networks, starts, one training with what is measured of it, results."""

import json
import platform
import resource
import sys
from pathlib import Path

import numpy as np
from rich.console import Console

import biosnn as bs

console = Console()
LOSS = bs.MaxOverTimeCrossEntropy()
DT, TAU_MEM, TAU_SYN = 2e-3, 20e-3, 10e-3

#: Of recorded words: another pitch, another beginning. Without them the network learns its training files by heart.
AUGMENTATIONS = (bs.ChannelShift(10), bs.TimeShift(20e-3))

#: Dense: the paper's. Compact: the same near threshold and 0 elsewhere, which trains faster, but cannot wake a silent neuron.
SURROGATES = {"dense": bs.SuperSpike(20), "compact": bs.TruncatedSuperSpike(20)}

SILENT = 0.1  # Hz: a layer below this mean rate is called silent


# -------------------------------------------------------------------------------- data and networks


def load(args, samples=1000, seed=None):
    """Training, validation (or None) and test data, and what they are called. samples: of each class, seed: for Randman."""
    seed = args.seed if seed is None else seed
    if bool(args.train) != bool(args.test):
        raise SystemExit(
            "give both --train and --test (SHD-layout HDF5 files), or neither to use Randman."
        )
    if args.train:
        return (
            bs.data.load_shd(args.train, duration=args.duration),
            None,
            bs.data.load_shd(args.test, duration=args.duration),
            Path(args.train).stem,
        )
    train, validation, test = bs.data.split(
        bs.data.randman(samples_per_class=samples, seed=seed), seed=seed
    )
    return train, validation, test, "Randman"


def classes(train, test):
    """Number of classes of a data set."""
    return int(max(train.labels.max(), test.labels.max())) + 1


def stack(data, n_classes, n_layers, n=128, recurrent=False, surrogate=SURROGATES["dense"]):
    """`n_layers` hidden layers L1, L2, … of n LIF neurons in a chain, and a readout; time constants of the paper.

    The readout starts at -0.01, as in the paper's code: where no spike reaches it, its maximum over time then lies at the end of the
    trial, so that silent layers still have a gradient (from 0 it would lie at the first step, which nothing before can change).
    """
    net = bs.Network(dt=DT)
    source = net.input(data.n_units)
    for k in range(n_layers):
        source = bs.layer(
            net,
            source,
            n,
            name=f"L{k + 1}",
            neuron=bs.lif(tau_mem=TAU_MEM, tau_syn=TAU_SYN),
            recurrent=recurrent,
            surrogate=surrogate,
        )
    net.connect(source, net.readout(n_classes, tau_mem=data.duration, initial=-1e-2))
    return net


def forward_projections(net):
    """Names of the projections from layer to layer, the first from the input, the last onto the readout."""
    return [p.name for p in net.projections if p.pre != p.post]


def assume_input_rate(net, train):
    """The paper's assumption about the hidden layers: all fire at the mean rate of the input. Population -> Hz."""
    rate = bs.bin_spikes(train, net.dt).rate()
    return {p.name: rate for p in net.spiking}


# ------------------------------------------------------------------------------------- one training


def gradient_norms(net, trials, threads=None):
    """Euclidean norms of the loss gradient by the weights of every projection from layer to layer, as they are now."""
    trace = bs.run(net, trials, tape=True, threads=threads)
    _, slope = LOSS.value_and_gradient(trace.states["readout.U"], trials.labels)
    weights = bs.gradient(trace, states={"readout.U": slope}, threads=threads).weights
    return [float(np.linalg.norm(weights[name].astype(float))) for name in forward_projections(net)]


def homeostasis(upper, lower=True):
    """The paper's bounds: no neuron without a spike (strength 100 at 1e-3 spikes), no population above `upper` spikes a trial."""
    return ([bs.lower_bound(100, 1e-3, per="neuron")] if lower else []) + [
        bs.upper_bound(0.1, upper)
    ]


def learn(net, data, args, seed, lower=True, optimizer=None, title=""):
    """Train from the weights as they are. Returns a dict of accuracies, rates by layer and gradient norms before and after."""
    train, validation, test = data
    console.print(title)
    before = bs.evaluate(net, test, loss=LOSS, threads=args.threads)
    norms = gradient_norms(net, train[: args.batch], args.threads)
    upper = 20 * train.duration if args.upper is None else args.upper
    history = bs.train(
        net,
        train,
        epochs=args.epochs,
        batch=args.batch,
        validation=validation,
        loss=LOSS,
        optimizer=optimizer or bs.Adam(args.lr),
        schedule=bs.schedules.Cosine(0.05) if args.cosine else bs.schedules.Constant(),
        regularizers=homeostasis(upper, lower),
        augment=AUGMENTATIONS if args.augment else (),
        seed=seed,
        threads=args.threads,
        progress=console.is_terminal,
    )
    after = bs.evaluate(net, test, loss=LOSS, threads=args.threads)
    console.print(
        f"   test accuracy {100 * after.accuracy:.1f} %, rates "
        + ", ".join(f"{rate:.1f}" for rate in after.rates.values())
        + " Hz"
    )
    return {
        "seed": seed,
        "layers": len(net.spiking),
        "lower_bound": lower,
        "test_accuracy": after.accuracy,
        "classes": classes(train, test),
        "rates_hz": {p: {"before": before.rates[p], "after": after.rates[p]} for p in after.rates},
        "silent_layers": {
            when: sum(rate < SILENT for rate in rates.values())
            for when, rates in (("before", before.rates), ("after", after.rates))
        },
        "gradient_norms": norms,
        "history": history_rows(history),
        "interrupted": history.interrupted,
        "seconds_per_epoch": float(np.median(history.seconds)) if history.seconds.size else None,
    }


def history_rows(history):
    """Per epoch: loss, accuracy, regularizer, validation accuracy and seconds."""
    columns = history.as_dict()
    return [
        {
            "epoch": k + 1,
            "loss": columns["loss"][k],
            "accuracy": columns["score"][k],
            "regularizer": columns["regularizer"][k],
            "validation": columns["validation_score"][k],
            "seconds": columns["seconds"][k],
        }
        for k in range(len(columns["loss"]))
    ]


# ------------------------------------------------------------------------------------------ results


class Results:
    """The rows of an experiment, written to result.json (and --json) after every one, so that Ctrl-C loses none."""

    def __init__(self, args, data):
        self.args, self.rows, self.out = args, [], Path(args.out)
        self.out.mkdir(parents=True, exist_ok=True)
        settings = {
            key: value
            for key, value in vars(args).items()
            if key not in ("command", "out", "json", "threads", "train", "test")
        }
        self.head = {
            "experiment": args.command,
            "data": data,
            "settings": settings,
            "versions": versions(),
        }

    def add(self, row):
        """Keep and write a row; SystemExit if Ctrl-C ended its training."""
        self.rows.append(row)
        self.save()
        if row.get("interrupted"):
            raise SystemExit(f"interrupted; what was done so far: {self.out / 'result.json'}")

    def save(self, **more):
        self.head |= more
        text = json.dumps(
            self.head | {"rows": self.rows, "peak_memory_mb": peak_memory()}, indent=1
        )
        for path in (self.out / "result.json", self.args.json):
            if path:
                Path(path).write_text(text)

    def figure(self, figure, name):
        figure.savefig(self.out / name, dpi=120)
        print(f"result and figure: {self.out / 'result.json'}, {self.out / name}")


def versions():
    return {"biosnn": bs.__version__, "numpy": np.__version__, "python": platform.python_version()}


def peak_memory():
    """Largest resident set of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
