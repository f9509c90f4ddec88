"""Data sets and networks of the experiments, with the time constants of the paper."""

import argparse
from pathlib import Path

import numpy as np

import biosnn as bs

DT, TAU_MEM, TAU_SYN = 2e-3, 20e-3, 10e-3  # seconds

Surrogate = bs.SuperSpike | bs.TruncatedSuperSpike

#: Dense: the paper's. Compact: the same near threshold and 0 elsewhere; it trains faster, but
#: cannot wake a silent neuron.
SURROGATES: dict[str, Surrogate] = {
    "dense": bs.SuperSpike(20),
    "compact": bs.TruncatedSuperSpike(20),
}

#: Training, validation (or None) and test data.
Data = tuple[bs.SpikeTrains, bs.SpikeTrains | None, bs.SpikeTrains]


def load(args: argparse.Namespace, seed: int | None = None, n_units: int = 20) -> Data:
    """Load the files of --train and --test, or make Randman.

    Parameters
    ----------
    seed
        Of Randman; default: --seed.
    n_units
        Of Randman.
    """
    if bool(args.train) != bool(args.test):
        raise SystemExit(
            "give both --train and --test (HDF5 files in the layout of the Spiking Heidelberg "
            "Digits), or neither to use Randman."
        )
    if args.train:
        train = bs.data.load_shd(args.train, duration=args.duration)
        test = bs.data.load_shd(args.test, duration=args.duration)
        return train, None, test
    seed = args.seed if seed is None else seed
    trials = bs.data.randman(n_units=n_units, samples_per_class=args.samples, seed=seed)
    train, validation, test = bs.data.split(trials, seed=seed)
    return train, validation, test


def data_name(args: argparse.Namespace) -> str:
    """What the data are called."""
    return Path(args.train).stem if args.train else "Randman"


def classes(data: Data) -> int:
    """Number of classes of a data set."""
    train, _, test = data
    return int(np.concatenate([train.labels, test.labels]).max()) + 1


def stack(
    trials: bs.SpikeTrains,
    n_classes: int,
    n_layers: int,
    *,
    n: int = 128,
    recurrent: bool = False,
    surrogate: Surrogate = SURROGATES["dense"],
) -> bs.Network:
    """Build hidden layers L1, L2, … of n LIF neurons each in a chain, and a readout.

    The readout starts at -0.01, as in the paper's code: where no spike reaches it, its maximum
    over time then lies at the end of the trial, so that silent layers still have a gradient.
    (From 0 it would lie at the first step, which nothing before it can change.)
    """
    net = bs.Network(dt=DT)
    source = net.input(trials.n_units)
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
    net.connect(source, net.readout(n_classes, tau_mem=trials.duration, initial=-1e-2))
    return net


def stack_of(args: argparse.Namespace, data: Data, n_layers: int, recurrent: bool) -> bs.Network:
    """Build the `stack` that the options ask for."""
    return stack(
        data[0],
        classes(data),
        n_layers,
        n=args.neurons,
        recurrent=recurrent,
        surrogate=SURROGATES[args.surrogate],
    )


def forward_projections(net: bs.Network) -> list[str]:
    """Names of the projections from layer to layer, from the input's to the readout's."""
    return [p.name for p in net.projections if p.pre != p.post]


def input_rate_everywhere(net: bs.Network, train: bs.SpikeTrains) -> dict[str, float]:
    """The paper's assumption: all hidden layers fire at the mean rate (Hz) of the input."""
    rate = bs.bin_spikes(train, net.dt).rate()
    return {p.name: rate for p in net.spiking}
