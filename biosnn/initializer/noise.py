"""What a background adds to the free membranes of a network on trials: mean and variance."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engine.background import of_trials
from ..engine.run import run
from ..network.network import Network
from ..network.neuron import free_membrane


class Noise(NamedTuple):
    """Mean and variance over trials and steps, (neuron,), of what the background alone brings."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


def measure_noise(
    network: Network, background: Sequence, n_trials: int, steps: int, threads: int | None
) -> dict[str, Noise]:
    """Return what the background alone brings, of populations with a background.

    Potentials add up, so that nothing else need be known.

    Parameters
    ----------
    network
        The network.
    background
        With the names of populations, and values for that many trials.
    n_trials, steps
        Trials, and steps of each.
    threads
        As for `run`.
    """
    driven = {source.population for source in background}
    populations: list[Any] = [
        p for p in network.spiking if p.name in driven and p.neuron and not p.neuron.reversal
    ]
    if not populations:
        return {}
    free = Network(network.dt, network.dtype)
    for p in populations:
        free.population(p.n, free_membrane(p.neuron), p.sign, name=p.name)
    names = [f"{p.name}.U" for p in populations]
    trace = run(
        free,
        duration=steps * network.dt,
        background=[s for s in background if s.population in {p.name for p in populations}],
        currents={p.name: np.zeros((n_trials, 1, 1)) for p in populations},
        moments=names,
        threads=threads,
    )
    return {
        p.name: Noise(
            trace.mean[name].mean(axis=0, dtype=float),
            trace.variance[name].mean(axis=0) + trace.mean[name].var(axis=0, dtype=float),
        )
        for p, name in zip(populations, names, strict=True)
    }


def of_rows(background: Sequence, rows: Any) -> list:
    """Return the background of some trials."""
    return [of_trials(source, lambda values: values[rows]) for source in background]


def typical_trial(background: Sequence) -> list:
    """Return the background with the mean over its trials."""
    return [of_trials(source, lambda values: values.mean(axis=0)) for source in background]


def onto(background: Sequence, names: dict[str, str]) -> list:
    """Return what goes to some populations, for others: name -> name of the other."""
    return [
        replace(source, population=names[source.population])
        for source in background
        if source.population in names
    ]
