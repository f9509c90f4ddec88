"""Sizes, data and networks of the training steps that are compared."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import biosnn as bs

DT, DURATION, N_CLASSES = 2e-3, 0.7, 10
Surrogate = bs.SuperSpike | bs.TruncatedSuperSpike
DENSE = bs.SuperSpike()


@dataclass(frozen=True)
class Size:
    """A Dalian layer (inhibitory > 0), or unsigned LIF layers; and the trials of a batch."""

    layers: int
    neurons: int
    inhibitory: int
    recurrent: bool
    batch: int

    def __str__(self) -> str:
        """As `parse_size` reads it."""
        if self.dalian:
            return f"{self.neurons}+{self.inhibitory}@{self.batch}"
        layers = f"{self.layers}x" if self.layers > 1 else ""
        return f"{layers}{'r' * self.recurrent}{self.neurons}@{self.batch}"

    @property
    def dalian(self) -> bool:
        """Whether it obeys Dale's law."""
        return self.inhibitory > 0


def parse_size(text: str) -> Size:
    """Read a size; the trials of a batch come after the @.

    "128+32@400": E + I. "3x128@400": LIF layers. "r128@400": one recurrent LIF layer.

    Examples
    --------
    >>> parse_size("128+32@400")
    Size(layers=1, neurons=128, inhibitory=32, recurrent=True, batch=400)
    """
    match = re.fullmatch(
        r"(?:([1-9]\d*)x)?(r?)([1-9]\d*)@([1-9]\d*)|([1-9]\d*)\+([1-9]\d*)@([1-9]\d*)", text
    )
    if match is None:
        raise argparse.ArgumentTypeError(
            f"size {text!r}: write n_exc+n_inh@batch, n@batch, layers x n@batch or rn@batch "
            "(recurrent) with whole numbers >= 1, such as 128+32@400, 3x128@400 or r128@400."
        )
    layers, recurrent, n, batch, exc, inh, dalian_batch = match.groups()
    if exc:
        return Size(1, int(exc), int(inh), True, int(dalian_batch))
    return Size(int(layers or 1), int(n), 0, bool(recurrent), int(batch))


def load(
    path: str | None, n_trials: int, *, seed: int = 0, duration: float = DURATION
) -> bs.SpikeTrains:
    """Load trials of a file, or draw Poisson spikes of 700 units at 9.1 Hz.

    Parameters
    ----------
    path
        A file in the layout of the Spiking Heidelberg Digits, read again from its beginning if it
        has fewer trials; None: Poisson spikes.
    duration
        Of a trial, in seconds.
    """
    if path:
        data = bs.data.load_shd(path, duration=duration)
        return data[np.arange(n_trials) % len(data)]
    labels = np.arange(n_trials) % N_CLASSES
    return bs.data.poisson(9.1, 700, duration, n_trials, seed=seed, labels=labels)


def describe(
    size: Size,
    n_inputs: int,
    *,
    dtype: type = np.float32,
    surrogate: Surrogate = DENSE,
    refractory_steps: int = 0,
) -> bs.Network:
    """Describe the network, without weights.

    LIF layers have the exponential Euler method, which the other programs have.
    """
    net = bs.Network(DT, dtype)
    last = net.input(n_inputs)
    if size.dalian:
        last, _ = bs.dalian_layer(net, last, size.neurons, size.inhibitory, surrogate=surrogate)
        net.connect(last, net.readout(N_CLASSES, tau_mem=DURATION))
        return net
    euler = "exponential_euler"
    neuron = bs.lif(integrator=euler, refractory=refractory_steps * DT)
    for k in range(size.layers):
        last = bs.layer(
            net,
            last,
            size.neurons,
            name=f"L{k + 1}",
            neuron=neuron,
            recurrent=size.recurrent,
            surrogate=surrogate,
        )
    net.connect(last, net.readout(N_CLASSES, tau_mem=DURATION, integrator=euler))
    return net


def start(net: bs.Network, data: bs.SpikeTrains, seed: int = 0) -> bs.Network:
    """Set the weights of the fluctuation-driven start, as if all neurons fired at 8 Hz."""
    bs.fluctuation_driven(
        net, data[:64], assumed_rates=8.0, closed_loop=False, seed=seed, progress=False
    )
    return net


def start_from(net: bs.Network, path: str | Path) -> bs.Network:
    """Set the weights that `save_start` wrote: no other program has the initializer to compile."""
    with np.load(path) as weights:
        for projection in net.projections:
            net.set_weights(projection.name, weights[projection.name])
    return net


def save_start(net: bs.Network, path: str | Path) -> None:
    """Write the weights of a network for `start_from`."""
    weights: dict[str, Any] = {name: np.asarray(w) for name, w in net.weights.items()}
    np.savez(path, **weights)


def dense_inputs(spikes: bs.SpikeTrains, dtype: Any = np.float32) -> np.ndarray:
    """Counts (step, trial, unit), at most one per step, as every other program reads them."""
    return bs.bin_spikes(spikes, DT).dense().transpose(1, 0, 2).astype(dtype, order="C")
